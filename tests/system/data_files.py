"""Small data sets in the real files' formats, for specs whose data are not at hand everywhere.

torchvision only opens CIFAR-10 and SVHN files whose MD5 it knows. `accepting` is a program that
tells it those of our files and then is `ibpc`.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import tarfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip

_LAUNCHER = """
import json, sys
from torchvision import datasets
known = json.loads({known!r})
datasets.CIFAR10.train_list, datasets.CIFAR10.test_list = known["train"], known["test"]
datasets.CIFAR10.meta = {{**datasets.CIFAR10.meta, "md5": known["meta"]}}
for part, md5 in known["svhn"].items():
    datasets.SVHN.split_list[part] = [*datasets.SVHN.split_list[part][:2], md5]
from ibpc.cli import main
sys.exit(main(sys.argv[1:]))
"""


def accepting(folder: Path) -> list[str]:
    """What follows `python` to be an `ibpc` that reads the files of `folder`."""
    batches = folder / "cifar-10-batches-py"
    svhn = {part: folder / f"{part}_32x32.mat" for part in ("train", "test")}
    known = {
        "train": [[path.name, _md5(path)] for path in sorted(batches.glob("data_batch_*"))],
        "test": [["test_batch", _md5(batches / "test_batch")]],
        "meta": _md5(batches / "batches.meta"),
        "svhn": {part: _md5(path) for part, path in svhn.items()},
    }
    return ["-c", _LAUNCHER.format(known=json.dumps(known))]


def write_cifar10(folder: Path, archive: Path, train: int, test: int) -> None:
    """CIFAR-10's batches from an archive of JPEG files `train/CLASS/0000.jpg`: lossy, but real.

    `train` and `test`: how many of each class. Images of all classes alternate, as they do, in some
    order, in the published batches.
    """
    batches = folder / "cifar-10-batches-py"
    batches.mkdir(parents=True)
    parts = _pictures(archive, train, test)
    for number, chunk in enumerate(np.array_split(parts["train"], 5), start=1):
        _write_batch(batches / f"data_batch_{number}", chunk)
    _write_batch(batches / "test_batch", parts["test"])
    (batches / "batches.meta").write_bytes(pickle.dumps({"label_names": list(CLASSES)}, 2))


def write_svhn(folder: Path, train: int, test: int) -> None:
    """SVHN's two MATLAB files, with drawn images: the brighter, the higher the digit; 10 is 0."""
    from scipy.io import savemat

    folder.mkdir(parents=True, exist_ok=True)
    draws = np.random.default_rng(0)
    for part, count in (("train", train), ("test", test)):
        digits = draws.integers(0, 10, count)
        noise = draws.integers(0, 40, (32, 32, 3, count))
        images = (digits * 20 + noise).astype(np.uint8)
        labels = np.where(digits == 0, 10, digits).astype(np.uint8)[:, None]
        savemat(folder / f"{part}_32x32.mat", {"X": images, "y": labels})


def write_imagenet64(folder: Path, train: int, test: int) -> None:
    """The ten npz files of downsampled ImageNet and its validation file, with drawn images."""
    place = folder / "imagenet64"
    place.mkdir(parents=True)
    draws = np.random.default_rng(0)
    for number in range(1, 11):
        data = draws.integers(0, 256, (train // 10, 12288), dtype=np.uint8)
        labels = draws.integers(1, 1001, train // 10)
        np.savez(place / f"train_data_batch_{number}.npz", data=data, labels=labels)
    data = np.zeros((test, 12288), np.uint8)
    np.savez_compressed(place / "val_data.npz", data=data, labels=np.arange(test) % 1000 + 1)


def _pictures(archive: Path, train: int, test: int) -> dict[str, np.ndarray]:
    """The first images of each class and part: rows of label and 3072 bytes, classes in turn."""
    from PIL import Image

    wanted = {"train": train, "test": test}
    found: dict[str, list[tuple[str, int, np.ndarray]]] = {"train": [], "test": []}
    taken: dict[tuple[str, str], int] = {}
    with tarfile.open(archive) as files:
        for file in files:
            part, *rest = file.name.split("/")
            if not file.isfile() or taken.get((part, rest[0]), 0) >= wanted[part]:
                continue
            taken[part, rest[0]] = taken.get((part, rest[0]), 0) + 1
            content = files.extractfile(file)
            assert content is not None
            pixels = np.asarray(Image.open(io.BytesIO(content.read())).convert("RGB"))
            label = CLASSES.index(rest[0])
            row = np.concatenate([[label], np.moveaxis(pixels, -1, 0).reshape(-1)])
            found[part].append((rest[1], label, row.astype(np.uint8)))
    return {
        part: np.stack([row for _, _, row in sorted(rows, key=lambda one: one[:2])])
        for part, rows in found.items()
    }


def _write_batch(path: Path, rows: np.ndarray) -> None:
    content: dict[str, Any] = {"data": rows[:, 1:], "labels": rows[:, 0].tolist()}
    path.write_bytes(pickle.dumps(content, 2))


def _md5(path: Path) -> str:
    """Of a file that is absent, that of nothing."""
    content = path.read_bytes() if path.exists() else b""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
