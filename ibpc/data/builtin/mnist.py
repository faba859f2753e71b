"""MNIST: 60,000 + 10,000 images of 28x28, in the four idx files of `MNIST/raw`.

torchvision downloads the files where they are absent and checks their MD5. Files that are there
are read here, with numpy alone: importing torchvision costs some 5 s of CPU time, and it would
check nothing that the reader below does not.
"""

from __future__ import annotations

import gzip
from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.data.builtin.torchvision_files import obtain
from ibpc.data.record import Builtin, Raw

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from ibpc.data.record import Request

STEMS = {"train": "train", "test": "t10k"}
KINDS = ("images-idx3-ubyte", "labels-idx1-ubyte")
UNSIGNED_BYTES = 0x08


def read(request: Request) -> Raw:
    """The part's images and labels; downloads them where they are absent."""
    import numpy as np

    folder = request.data_dir / "MNIST" / "raw"
    paths = [_present(folder, f"{STEMS[request.part]}-{kind}") for kind in KINDS]
    if None in paths:
        _download(request, folder)
        paths = [folder / f"{STEMS[request.part]}-{kind}" for kind in KINDS]
    images, labels = (_read_idx(request, path) for path in paths if path is not None)
    if len(images) != len(labels) or images.ndim != 3 or labels.ndim != 1:
        raise request.mistake(
            "E0521",
            f"{paths[0]} holds an array of {images.shape}, {paths[1]} one of {labels.shape}",
            "delete both files, so that they are downloaded again",
        )
    return Raw(images[:, None], labels.astype(np.int64), scale=255.0, name="mnist")


def _present(folder: Path, name: str) -> Path | None:
    """The file, or its gzipped form as it is downloaded, or None."""
    found = (folder / name, folder / f"{name}.gz")
    return next((path for path in found if path.is_file()), None)


def _download(request: Request, folder: Path) -> None:
    """All four files, by torchvision."""
    names = ", ".join(f"{stem}-{kind}" for stem in STEMS.values() for kind in KINDS)
    fix = f"put {names} (plain or as .gz) into {folder}, or name another folder by --data-dir"
    if not request.download:
        raise request.mistake("E0520", f"builtin(mnist) is not in {request.data_dir}", fix)
    obtain(request, "mnist", lambda sets: sets.MNIST(request.data_dir, download=True), fix)


def _read_idx(request: Request, path: Path) -> np.ndarray[Any, Any]:
    """An idx file of unsigned bytes: 0 0 type rank, rank big-endian int32 extents, the data."""
    import numpy as np

    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise request.mistake("E0521", f"{path} cannot be read: {error}") from error
    rank = data[3] if len(data) >= 4 else 0
    start = 4 + 4 * rank
    shape = tuple(np.frombuffer(data[4:start], ">i4").tolist()) if len(data) >= start else ()
    fits = len(shape) == rank and len(data) == start + prod(shape)
    if data[:3] != bytes((0, 0, UNSIGNED_BYTES)) or rank == 0 or not fits:
        raise request.mistake(
            "E0521",
            f"{path} is damaged: {len(data)} bytes whose head is not that of an idx file of bytes",
            "delete it, so that it is downloaded again",
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape).copy()


BUILTIN = Builtin(
    "mnist",
    (1, 28, 28),
    whole=False,
    read=read,
    source="LeCun, Cortes and Burges, The MNIST Database of Handwritten Digits",
)
