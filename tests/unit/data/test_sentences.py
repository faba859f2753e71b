"""Labelled texts become one-hot rows; what does not fit is said with the line's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ibpc.data import load
from ibpc.errors import FileMistake, Span
from ibpc.language import Dataset, IndexType, Invocation, Split, TensorType

if TYPE_CHECKING:
    from pathlib import Path

WORDS = "the\nfilm movie\nmovie film\nbad poor\npoor bad\n"


def dataset(folder: Path, texts: str, shape: tuple[int, ...] = (3, 5)) -> Split:
    (folder / "words.tsv").write_text(WORDS)
    (folder / "texts.tsv").write_text(texts)
    at = Span(str(folder / "spec.ibp"), 1, 1, 1, 2)
    source = Invocation("sentences", {"path": "texts.tsv", "words": "words.tsv"}, at)
    labels = IndexType(2, ("bad", "good"))
    return Split(Dataset("texts", TensorType(shape), labels, source, None, None, (), at), "all")


def test_a_text_is_one_hot_rows_and_zeros_behind_its_end(tmp_path: Path) -> None:
    found = load(dataset(tmp_path, "bad\tthe film bad\n# a comment\n\ngood movie\n"), tmp_path)
    assert found.labels.tolist() == [0, 1]
    rows = found.pixels()
    assert rows.dtype == np.float32
    assert rows.sum(2).tolist() == [[1, 1, 1], [1, 0, 0]]
    assert rows.argmax(2)[0].tolist() == [0, 1, 3]
    assert load(dataset(tmp_path, "bad the\n", (1, 3, 5)), tmp_path).pixels().shape == (1, 1, 3, 5)


@pytest.mark.parametrize(
    ("texts", "shape", "said"),
    [
        ("bad the picture\n", (3, 5), "`picture` is not in words.tsv"),
        ("ugly the film\n", (3, 5), "`ugly` is no label"),
        ("bad the film the film\n", (3, 5), "has 4 words"),
        ("bad the\n", (3, 4), "cannot have shape"),
        ("bad the\n", (2, 3, 5), "cannot have shape"),
    ],
)
def test_what_does_not_fit_is_said(
    tmp_path: Path, texts: str, shape: tuple[int, ...], said: str
) -> None:
    with pytest.raises(FileMistake, match=said):
        load(dataset(tmp_path, texts, shape), tmp_path)
