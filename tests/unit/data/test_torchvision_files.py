"""CIFAR-10 and SVHN on small files in the real formats, under their own checksums."""

from __future__ import annotations

import hashlib
import pickle
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest

from ibpc.data import load
from ibpc.data.builtin import torchvision_files
from ibpc.errors import FileMistake
from ibpc.language.program import Dataset, Split

datasets = pytest.importorskip("torchvision.datasets")


@pytest.fixture
def cifar(declare: Callable[..., Dataset]) -> Dataset:
    return declare("builtin", {"name": "cifar10"}, (3, 32, 32), 10)


@pytest.fixture
def svhn(declare: Callable[..., Dataset]) -> Dataset:
    return declare("builtin", {"name": "svhn"}, (3, 32, 32), 10)


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


@pytest.fixture
def cifar_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two training batches of 3 and a test batch of 2; pixel = place in the file, modulo 251."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    names: dict[str, Any] = {"train_list": ["data_batch_1", "data_batch_2"]}
    names["test_list"] = ["test_batch"]
    for kind, files in names.items():
        entries = []
        for name in files:
            n = 3 if kind == "train_list" else 2
            data = (np.arange(n * 3072) % 251).astype(np.uint8).reshape(n, 3072)
            content = {"data": data, "labels": list(range(n)), "batch_label": name}
            (folder / name).write_bytes(pickle.dumps(content, protocol=2))
            entries.append([name, md5(folder / name)])
        monkeypatch.setattr(datasets.CIFAR10, kind, entries)
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["a"] * 10}, protocol=2))
    meta = datasets.CIFAR10.meta | {"md5": md5(folder / "batches.meta")}
    monkeypatch.setattr(datasets.CIFAR10, "meta", meta)
    return tmp_path


def test_cifar_batches_are_joined_channels_first(cifar: Dataset, cifar_files: Path) -> None:
    train = load(Split(cifar, "train"), cifar_files, download=False)
    assert train.images.shape == (6, 3, 32, 32)
    assert train.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert train.images[1, 2, 3, 4] == (3072 + 2 * 1024 + 3 * 32 + 4) % 251
    assert len(load(Split(cifar, "test"), cifar_files, download=False)) == 2


def test_a_pickle_with_another_checksum_is_never_opened(cifar: Dataset, cifar_files: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return (Path.touch, (cifar_files / "sprung",))

    trap = cifar_files / "cifar-10-batches-py" / "data_batch_2"
    trap.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(FileMistake) as caught:
        load(Split(cifar, "train"), cifar_files, download=False)
    assert not (cifar_files / "sprung").exists()
    assert "cifar-10-python.tar.gz" in caught.value.diagnostics[0].fix


def test_svhn_files_are_read(
    svhn: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    images = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 4), dtype=np.uint8)
    labels = np.array([[10], [1], [2], [9]], np.uint8)
    path = tmp_path / "test_32x32.mat"
    scipy_io.savemat(path, {"X": images, "y": labels})
    entry = [datasets.SVHN.split_list["test"][0], path.name, md5(path)]
    monkeypatch.setitem(datasets.SVHN.split_list, "test", entry)
    test = load(Split(svhn, "test"), tmp_path, download=False)
    assert test.labels.tolist() == [0, 1, 2, 9]
    assert test.images[3, 1, 20, 7] == images[20, 7, 1, 3]


@pytest.mark.parametrize(
    ("name", "wanted"), [("cifar", "cifar-10-batches-py"), ("svhn", "train_32x32.mat")]
)
def test_absent_files_are_asked_for(
    name: str, wanted: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(FileMistake) as caught:
        load(Split(request.getfixturevalue(name), "train"), tmp_path, download=False)
    told = caught.value.diagnostics[0]
    assert (told.code, told.at is not None) == ("E0520", True)
    assert wanted in told.fix
    assert str(tmp_path) in told.problem + told.fix


def test_no_network_is_told_as_what_to_put_where(
    declare: Callable[..., Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = []

    def unreachable(*_: Any, **__: Any) -> None:
        waits.append(socket.getdefaulttimeout())
        raise URLError("Name or service not known")

    monkeypatch.setattr("torchvision.datasets.mnist.download_and_extract_archive", unreachable)
    mnist = declare("builtin", {"name": "mnist"}, (1, 28, 28), 10)
    with pytest.raises(FileMistake, match="cannot be read or downloaded") as caught:
        load(Split(mnist, "train"), tmp_path, download=True)
    assert "train-labels-idx1-ubyte" in caught.value.diagnostics[0].fix
    assert waits, "the download was not tried"
    assert set(waits) == {torchvision_files.STALL_S}
    assert socket.getdefaulttimeout() is None


def test_a_folder_that_cannot_be_written_is_told(
    declare: Callable[..., Dataset], tmp_path: Path
) -> None:
    (tmp_path / "MNIST").write_text("a file where the folder should be")
    mnist = declare("builtin", {"name": "mnist"}, (1, 28, 28), 10)
    with pytest.raises(FileMistake, match="E0520"):
        load(Split(mnist, "train"), tmp_path, download=True)
