"""Declared data sets, as the checker would hand them down."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from ibpc.errors import Span
from ibpc.language.program import Dataset, IndexType, Invocation, TensorType

if TYPE_CHECKING:
    from collections.abc import Callable

SPAN = Span("spec.ibp", 3, 5, 3, 9)
UNIT = ((Fraction(0), Fraction(1)),)


@pytest.fixture
def declare() -> Callable[..., Dataset]:
    """`declare("builtin", {"name": "digits"}, (1, 8, 8), 10, train=..., ...)`."""

    def make(
        word: str,
        arguments: dict[str, Any],
        shape: tuple[int, ...],
        classes: int,
        *,
        labels: tuple[str, ...] | None = None,
        domain: tuple[tuple[Fraction, Fraction], ...] | None = UNIT,
        augment: tuple[Invocation, ...] = (),
        train: int | None = None,
        test: int | None = None,
    ) -> Dataset:
        source = Invocation(word, arguments, SPAN)
        x, y = TensorType(shape, domain), IndexType(classes, labels)
        return Dataset("d", x, y, source, train, test, augment, SPAN)

    return make
