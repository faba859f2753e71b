"""The digits that ship with the package."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from ibpc.data import load
from ibpc.language.program import Dataset, Split


@pytest.fixture
def digits(declare: Callable[..., Dataset]) -> Dataset:
    return declare("builtin", {"name": "digits"}, (1, 8, 8), 10, train=1437, test=360)


def test_they_equal_scikit_learns_copy(digits: Dataset, tmp_path: Path) -> None:
    sklearn = pytest.importorskip("sklearn.datasets").load_digits()
    ours = load(Split(digits, "all"), tmp_path, download=False)
    np.testing.assert_array_equal(ours.images[:, 0], sklearn.images)
    np.testing.assert_array_equal(ours.labels, sklearn.target)
    np.testing.assert_array_equal(ours.pixels()[:, 0], (sklearn.images / 16).astype(np.float32))


def test_train_is_the_head_and_test_the_tail(digits: Dataset, tmp_path: Path) -> None:
    whole, train, test = (load(Split(digits, part), tmp_path) for part in ("all", "train", "test"))
    assert (len(whole), len(train), len(test)) == (1797, 1437, 360)
    np.testing.assert_array_equal(np.concatenate([train.images, test.images]), whole.images)
    np.testing.assert_array_equal(test.labels, whole.labels[-360:])


def test_the_file_is_small_and_has_its_licence_beside_it() -> None:
    folder = files("ibpc.data") / "files"
    assert len((folder / "digits.npz").read_bytes()) < 64 * 1024
    assert "CC BY 4.0" in (folder / "README.md").read_text(encoding="utf-8")
