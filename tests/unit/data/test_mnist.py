"""MNIST's files: small ones in the real format, and the real ones where they are at hand."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ibpc.data import load
from ibpc.errors import FileMistake
from ibpc.language.program import Dataset, Split

TRAIN_IMAGES = "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"


@pytest.fixture
def mnist(declare: Callable[..., Dataset]) -> Dataset:
    return declare("builtin", {"name": "mnist"}, (1, 28, 28), 10)


def idx(values: np.ndarray) -> bytes:
    head = bytes((0, 0, 8, values.ndim)) + np.array(values.shape, ">i4").tobytes()
    return head + values.astype(np.uint8).tobytes()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A data folder with 7 training and 3 test images."""
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for stem, n in (("train", 7), ("t10k", 3)):
        images = np.arange(n * 784).reshape(n, 28, 28) % 251
        (folder / f"{stem}-images-idx3-ubyte").write_bytes(idx(images))
        (folder / f"{stem}-labels-idx1-ubyte").write_bytes(idx(np.arange(n)))
    return tmp_path


def test_idx_files_are_read(mnist: Dataset, small: Path) -> None:
    train = load(Split(mnist, "train"), small, download=False)
    assert train.images.shape == (7, 1, 28, 28)
    assert train.images[1, 0, 0, 5] == (784 + 5) % 251
    assert train.labels.tolist() == list(range(7))
    assert train.labels.dtype == np.int64
    assert train.images.flags.writeable, "torch.from_numpy warns of read-only memory"


def test_all_is_train_and_then_test(mnist: Dataset, small: Path) -> None:
    whole = load(Split(mnist, "all"), small, download=False)
    assert whole.labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1, 2]


def test_gzipped_files_are_read(mnist: Dataset, small: Path) -> None:
    before = load(Split(mnist, "test"), small, download=False).key
    for path in (small / "MNIST" / "raw").glob("t10k-*"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert load(Split(mnist, "test"), small, download=False).key == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:3],
        lambda data: b"",
        lambda data: b"<html>" + data[6:],
        lambda data: data[:4] + bytes(4) + data[8:],
    ],
)
def test_damaged_files_are_named(
    mnist: Dataset, small: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = small / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FileMistake, match="train-images-idx3-ubyte") as caught:
        load(Split(mnist, "train"), small, download=False)
    assert caught.value.diagnostics[0].code == "E0521"
    assert caught.value.diagnostics[0].at is not None


def test_a_damaged_gzip_file_is_named(mnist: Dataset, small: Path) -> None:
    path = small / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes())[:-9])
    path.unlink()
    with pytest.raises(FileMistake, match=r"train-labels-idx1-ubyte\.gz"):
        load(Split(mnist, "train"), small, download=False)


def test_images_without_their_labels_are_refused(mnist: Dataset, small: Path) -> None:
    (small / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").write_bytes(idx(np.arange(2)))
    with pytest.raises(FileMistake, match="E0521"):
        load(Split(mnist, "test"), small, download=False)


def test_absent_files_are_asked_for(mnist: Dataset, tmp_path: Path) -> None:
    with pytest.raises(FileMistake) as caught:
        load(Split(mnist, "test"), tmp_path, download=False)
    told = caught.value.diagnostics[0]
    assert told.code == "E0520"
    assert "t10k-images-idx3-ubyte" in told.fix
    assert str(tmp_path / "MNIST" / "raw") in told.fix


def test_the_real_files_are_the_published_ones(mnist: Dataset, data_dir: Path) -> None:
    train = load(Split(mnist, "train"), data_dir, download=False)
    test = load(Split(mnist, "test", first=1000), data_dir, download=False)
    assert (len(train), len(test)) == (60000, 1000)
    assert hashlib.sha256(idx(train.images[:, 0])).hexdigest() == TRAIN_IMAGES
    assert np.bincount(train.labels).tolist()[:2] == [5923, 6742]
