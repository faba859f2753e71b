"""Folders of pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ibpc.data import Examples, load
from ibpc.errors import FileMistake
from ibpc.language.program import Dataset, Split

Image = pytest.importorskip("PIL.Image")


def picture(path: Path, value: int, size: tuple[int, int] = (6, 4), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = {"RGB": (value, 0, 255), "L": value, "RGBA": (value, 0, 0, 9), "I;16": value}[mode]
    Image.new(mode, size, colour).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """train: 3 cats, 1 dog; test: 1 dog, 1 cat."""
    for name, value in (("cat/1", 1), ("cat/2", 2), ("cat/3", 3), ("dog/1", 101)):
        picture(tmp_path / "pets" / "train" / f"{name}.png", value)
    for name, value in (("dog/9", 109), ("cat/9", 9)):
        picture(tmp_path / "pets" / "test" / f"{name}.png", value)
    return tmp_path


@pytest.fixture
def read(declare: Callable[..., Dataset], folder: Path) -> Callable[..., Examples]:
    def make(
        part: str = "train",
        *,
        labels: tuple[str, ...] | None = None,
        shape: tuple[int, ...] = (3, 4, 6),
        classes: int = 2,
        path: str = "pets",
    ) -> Examples:
        dataset = declare("image_folder", {"path": path}, shape, classes, labels=labels)
        return load(Split(dataset, part), folder, download=False)

    return make


def test_classes_take_turns(read: Callable[..., Examples]) -> None:
    train = read()
    assert train.images[:, 0, 0, 0].tolist() == [1, 101, 2, 3]
    assert train.labels.tolist() == [0, 1, 0, 0]
    assert train.images.shape == (4, 3, 4, 6)
    assert train.pixels()[0, :, 0, 0].tolist() == [np.float32(1 / 255), 0.0, 1.0]


def test_the_enum_orders_the_labels(read: Callable[..., Examples]) -> None:
    test = read("test", labels=("dog", "cat"))
    assert test.images[:, 0, 0, 0].tolist() == [109, 9]
    assert test.labels.tolist() == [0, 1]


def test_a_class_without_pictures_is_allowed_where_the_enum_names_it(
    read: Callable[..., Examples],
) -> None:
    assert set(read(labels=("bird", "cat", "dog"), classes=3).labels) == {1, 2}


def test_the_current_folder_is_searched_too(
    read: Callable[..., Examples], folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    assert len(read(path="../pets")) == 4


def test_grey_pictures_serve_both(read: Callable[..., Examples], folder: Path) -> None:
    for path in (folder / "pets" / "train").glob("*/*.png"):
        picture(path, 7, mode="L")
    assert (read().images == 7).all()
    assert read(shape=(1, 4, 6)).images.shape == (4, 1, 4, 6)


@pytest.mark.parametrize(
    ("size", "mode", "said"),
    [((6, 5), "RGB", "5x6"), ((6, 4), "RGBA", "RGBA"), ((6, 4), "I;16", "I;16")],
)
def test_a_picture_that_does_not_fit_is_named(
    read: Callable[..., Examples], folder: Path, size: tuple[int, int], mode: str, said: str
) -> None:
    picture(folder / "pets" / "train" / "cat" / "odd.png", 0, size, mode)
    with pytest.raises(FileMistake, match=rf"odd\.png.*{said}") as caught:
        read()
    assert caught.value.diagnostics[0].code == "E0526"
    assert caught.value.diagnostics[0].at is not None


def test_a_broken_picture_is_named(read: Callable[..., Examples], folder: Path) -> None:
    whole = (folder / "pets" / "train" / "cat" / "1.png").read_bytes()
    for damage in (b"", b"no picture", whole[:20], whole[:45]):
        (folder / "pets" / "train" / "cat" / "odd.png").write_bytes(damage)
        with pytest.raises(FileMistake, match=r"odd\.png"):
            read()


def test_colour_for_a_grey_type_is_refused(read: Callable[..., Examples]) -> None:
    with pytest.raises(FileMistake, match="mode RGB"):
        read(shape=(1, 4, 6))


def test_what_is_wrong_with_the_folders_is_said(
    read: Callable[..., Examples], folder: Path
) -> None:
    with pytest.raises(FileMistake, match="there is no folder"):
        read(path="pests")
    with pytest.raises(FileMistake, match="2 class folders, the label type 3"):
        read(classes=3)
    with pytest.raises(FileMistake, match="did you mean `cats`"):
        read(labels=("cats", "dog"))
    (folder / "empty" / "train").mkdir(parents=True)
    with pytest.raises(FileMistake, match="no pictures"):
        read(path="empty", labels=("cat", "dog"))


def test_a_type_that_is_no_image_is_refused(read: Callable[..., Examples]) -> None:
    with pytest.raises(FileMistake, match="E0522"):
        read(shape=(24,))
