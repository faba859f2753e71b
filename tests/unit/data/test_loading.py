"""Splits, sizes, and the declared types."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from ibpc.data import Examples, load
from ibpc.errors import FileMistake, Span, TypeMistake
from ibpc.language.program import Dataset, Invocation, Split


@pytest.fixture
def digits(declare: Callable[..., Dataset]) -> Callable[..., Examples]:
    def make(
        part: str = "all",
        *,
        first: int | None = None,
        shape: tuple[int, ...] = (1, 8, 8),
        classes: int = 10,
        **more: Any,
    ) -> Examples:
        dataset = declare("builtin", {"name": "digits"}, shape, classes, **more)
        return load(Split(dataset, part, first), Path("unused"), download=False)

    return make


def test_one_size_leaves_the_rest_to_the_other(digits: Callable[..., Examples]) -> None:
    assert len(digits("train", test=360)) == 1437
    assert len(digits("test", train=1500)) == 297
    assert len(digits("train", train=100, test=100)) == 100


def test_first_keeps_the_first(digits: Callable[..., Examples]) -> None:
    assert digits("test", first=5, test=360).labels.tolist() == digits().labels[-360:-355].tolist()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ({"part": "train"}, "E0523", "one piece of 1797"),
        ({"part": "train", "train": 1500, "test": 360}, "E0523", "train = 1500 and test = 360"),
        ({"part": "train", "test": 1798}, "E0523", "ask for"),
        ({"first": 1798}, "E0523", "fewer than 1798"),
        ({"shape": (1, 28, 28)}, "E0522", r"\[1, 8, 8\].*\[1, 28, 28\]"),
        ({"classes": 9}, "E0522", "from 0 to 9.*9 values"),
        ({"domain": ((Fraction(0), Fraction(255)),)}, "E0522", r"lie in \[0 .. 1\]"),
    ],
)
def test_what_does_not_fit_is_said_at_the_declaration(
    digits: Callable[..., Examples], arguments: dict[str, Any], code: str, said: str
) -> None:
    with pytest.raises(FileMistake, match=said) as caught:
        digits(**arguments)
    assert caught.value.diagnostics[0].code == code
    assert caught.value.diagnostics[0].at is not None


def test_a_type_without_domain_is_fine(digits: Callable[..., Examples]) -> None:
    assert len(digits(domain=None)) == 1797


def test_points_cannot_be_flipped(declare: Callable[..., Dataset]) -> None:
    at = Span("spec.ibp", 7, 1, 7, 5)
    flip = Invocation("flip", {"axis": "horizontal"}, at)
    toy = {"n": 2, "positives": 1, "separation": Fraction(0), "seed": 0}
    dataset = declare("scatter", toy, (2,), 2, augment=(flip,))
    with pytest.raises(TypeMistake, match="needs images") as caught:
        load(Split(dataset, "all"), Path("unused"))
    assert caught.value.diagnostics[0].at == at


def test_a_part_shorter_than_its_size_is_refused(
    declare: Callable[..., Dataset], tmp_path: Path
) -> None:
    image = pytest.importorskip("PIL.Image").new("L", (2, 2))
    for name in "ab":
        (tmp_path / "f" / "train" / name).mkdir(parents=True)
        image.save(tmp_path / "f" / "train" / name / "1.png")
    arguments = {"path": "f"}
    enough = declare("image_folder", arguments, (1, 2, 2), 2, train=2)
    assert len(load(Split(enough, "train"), tmp_path)) == 2
    less = declare("image_folder", arguments, (1, 2, 2), 2, train=3)
    with pytest.raises(FileMistake, match="train = 3, but the train part has 2"):
        load(Split(less, "train"), tmp_path)
