"""Downsampled ImageNet, 64x64: 1,281,167 + 50,000 colour images, in the published npz files.

    imagenet64/train_data_batch_1.npz ... train_data_batch_10.npz, imagenet64/val_data.npz

in the data folder, as the archives Imagenet64_train_part1_npz.zip, ..._part2_npz.zip and
Imagenet64_val_npz.zip hold them. Each has `data`, uint8 (n, 12288): the red, then the green, then
the blue plane of every image, row by row; and `labels`, 1 .. 1000. The pickled form of the same
files is not read: to unpickle is to run whatever the file says. "test" is the validation part.

Source: Chrabaszcz, Loshchilov and Hutter 2017, arXiv:1707.08819.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.data.record import Builtin, Raw

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from ibpc.data.record import Request

FOLDER = "imagenet64"
SHAPE = (3, 64, 64)
TRAIN_BATCHES = 10
FIX = (
    "download the npz archives (not the pickled ones) of 64x64 ImageNet from image-net.org and"
    " unpack them into"
)


def read(request: Request) -> Raw:
    """The part's images (n, 3, 64, 64) and labels 0 .. 999.

    Training batches that are absent are an error: a part of ImageNet is not ImageNet.
    """
    import numpy as np

    batches = [_read_batch(request, path) for path in _paths(request)]
    images = np.concatenate([data for data, _ in batches])
    labels = np.concatenate([numbers for _, numbers in batches])
    return Raw(images, labels, scale=255.0, name="imagenet64")


def _paths(request: Request) -> list[Path]:
    """The files of the part, all there."""
    folder = request.data_dir / FOLDER
    names = [f"train_data_batch_{number}" for number in range(1, TRAIN_BATCHES + 1)]
    names = ["val_data"] if request.part == "test" else names
    absent = [name for name in names if not (folder / f"{name}.npz").is_file()]
    if absent:
        problem = f"builtin(imagenet64) lacks {absent[0]}.npz in {folder}"
        if (folder / absent[0]).is_file():
            problem += ": the file beside it is the pickled form, which is never loaded"
        raise request.mistake("E0520", problem, f"{FIX} {folder}")
    return [folder / f"{name}.npz" for name in names]


def _read_batch(request: Request, path: Path) -> tuple[np.ndarray[Any, Any], Any]:
    """Images and labels of one file."""
    import zipfile

    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as content:
            data, labels = content["data"], content["labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        problem = f"{path} cannot be read as numpy's npz: {error}"
        raise request.mistake("E0521", problem, f"{FIX} {path.parent}") from error
    width = SHAPE[0] * SHAPE[1] * SHAPE[2]
    fits = data.dtype == np.uint8 and data.ndim == 2 and data.shape[1] == width
    if not fits or labels.shape != data.shape[:1] or labels.dtype.kind not in "iu":
        raise request.mistake(
            "E0521",
            f"{path} holds `data` {data.shape} of {data.dtype} and `labels` {labels.shape}; images"
            f" of 64x64 are (n, {width}) of uint8 with n labels",
            "take the archives named Imagenet64_...; those of other sizes do not fit",
        )
    return data.reshape(-1, *SHAPE), labels.astype(np.int64) - 1


BUILTIN = Builtin(
    "imagenet64",
    SHAPE,
    whole=False,
    read=read,
    source="Chrabaszcz, Loshchilov and Hutter 2017, arXiv:1707.08819",
)
