"""Downsampled ImageNet on small files in the published npz format."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ibpc.data import load
from ibpc.errors import FileMistake
from ibpc.language.program import Dataset, Split

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WIDTH = 3 * 64 * 64


@pytest.fixture
def imagenet(declare: Callable[..., Dataset]) -> Dataset:
    return declare("builtin", {"name": "imagenet64"}, (3, 64, 64), 1000)


def batch(count: int, first: int) -> dict[str, np.ndarray]:
    """Rows as published: planes of red, green and blue, labels from 1, the mean image."""
    data = (np.arange(count * WIDTH) % 251).astype(np.uint8).reshape(count, WIDTH)
    labels = np.arange(first, first + count)
    return {"data": data, "labels": labels, "mean": np.zeros(WIDTH)}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "imagenet64"
    folder.mkdir()
    for number in range(1, 11):
        np.savez(folder / f"train_data_batch_{number}.npz", **batch(2, 2 * number - 1))
    np.savez(folder / "val_data.npz", **batch(3, 998))
    return tmp_path


def test_planes_become_channels_and_labels_count_from_0(imagenet: Dataset, files: Path) -> None:
    found = load(Split(imagenet, "test"), files)
    assert found.images.shape == (3, 3, 64, 64)
    assert found.labels.tolist() == [997, 998, 999]
    for chan, high, wide in ((0, 0, 5), (1, 2, 3), (2, 63, 63)):
        place = (chan * 64 + high) * 64 + wide
        assert found.images[0, chan, high, wide] == place % 251
    assert found.pixels([0]).max() <= 1.0


def test_the_ten_training_batches_are_joined_in_order(imagenet: Dataset, files: Path) -> None:
    assert load(Split(imagenet, "train"), files).labels.tolist() == list(range(20))


def test_a_missing_batch_is_told_with_what_to_put_where(imagenet: Dataset, files: Path) -> None:
    (files / "imagenet64" / "train_data_batch_7.npz").unlink()
    with pytest.raises(FileMistake, match=r"lacks train_data_batch_7\.npz") as caught:
        load(Split(imagenet, "train"), files)
    assert "npz archives" in caught.value.diagnostics[0].fix


def test_the_pickled_form_is_named_and_never_loaded(imagenet: Dataset, files: Path) -> None:
    (files / "imagenet64" / "val_data.npz").unlink()
    (files / "imagenet64" / "val_data").write_bytes(pickle.dumps(batch(3, 1)))
    with pytest.raises(FileMistake, match="pickled form, which is never loaded"):
        load(Split(imagenet, "test"), files)


def test_an_npz_that_holds_objects_is_refused(imagenet: Dataset, files: Path) -> None:
    content = {**batch(3, 1), "labels": np.array([{"a": 1}] * 3, dtype=object)}
    np.savez(files / "imagenet64" / "val_data.npz", **content)
    with pytest.raises(FileMistake, match="cannot be read as numpy's npz"):
        load(Split(imagenet, "test"), files)


@pytest.mark.parametrize(
    "content",
    [
        {"data": np.zeros((2, 3072), np.uint8), "labels": np.ones(2, int)},
        {"data": np.zeros((2, WIDTH), np.float32), "labels": np.ones(2, int)},
        {"data": np.zeros((2, WIDTH), np.uint8), "labels": np.ones(3, int)},
        {"images": np.zeros((2, WIDTH), np.uint8)},
        None,
    ],
    ids=["32x32", "floats", "labels", "names", "no zip"],
)
def test_other_files_are_refused(
    content: dict[str, np.ndarray] | None, imagenet: Dataset, files: Path
) -> None:
    path = files / "imagenet64" / "val_data.npz"
    if content is None:
        path.write_bytes(b"not a zip file")
    else:
        np.savez(path, **content)
    with pytest.raises(FileMistake) as caught:
        load(Split(imagenet, "test"), files)
    assert caught.value.diagnostics[0].code == "E0521"


def test_one_example_of_a_split(imagenet: Dataset, files: Path) -> None:
    found = load(Split(imagenet, "test", only=1), files)
    assert found.labels.tolist() == [998]
    with pytest.raises(FileMistake, match="none with the number 3"):
        load(Split(imagenet, "test", only=3), files)


def test_shifts_then_the_middle_are_crops_of_the_image(imagenet: Dataset, files: Path) -> None:
    """`crop(pad = 4)` and then the network's `crop 56` never show padding."""
    import torch

    from ibpc.data import augment, datum_keys
    from ibpc.errors import Span
    from ibpc.language import Invocation

    images = torch.tensor(load(Split(imagenet, "train"), files).images) + 1  # nowhere 0
    moved = augment(
        (Invocation("crop", {"pad": 4}, Span("s", 1, 1, 1, 2)),),
        images,
        datum_keys(0, 0, torch.arange(20)),
    )
    middle = moved[:, :, 4:60, 4:60]
    assert (middle > 0).all()
    windows = (
        images[3].unfold(1, 56, 1).unfold(2, 56, 1).permute(1, 2, 0, 3, 4).reshape(-1, 3, 56, 56)
    )
    assert (windows == middle[3]).flatten(1).all(1).any()
