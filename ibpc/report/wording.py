"""How figures are worded, the same on the terminal, in reports and in comparisons."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from ibpc.language import number_text

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS = {"exact": "exact", "at least": "lower bound", "at most": "upper bound", "between": "range"}

SIGNS = {"exact": "", "at least": "≥ ", "at most": "≤ ", "between": ""}


class Figure(Protocol):
    """What has a rate: a result in memory, or a report read back."""

    @property
    def rate(self) -> float | None:
        """The rate, a share of one, where it is a single figure."""

    @property
    def low(self) -> float:
        """The least that it can be."""

    @property
    def high(self) -> float:
        """The most that it can be."""


def percent(figure: Figure) -> str:
    """`2.23 %`, or `2.20 to 2.23 %` where only a range is known."""
    if figure.rate is None:
        return f"{100 * figure.low:.2f} to {100 * figure.high:.2f} %"
    return f"{100 * figure.rate:.2f} %"


def number(value: Any) -> str:
    """A number as people write it: `0.1`, `8/255`, `60,000`; anything else as it is."""
    if isinstance(value, int):
        return f"{value:,}"
    try:
        return number_text(Fraction(value))
    except (TypeError, ValueError, ZeroDivisionError):
        return str(value)


def vacuity(report: str, vacuous: Mapping[Any, str]) -> str:
    """`verified: 3 examples are decided vacuously (the input set is empty)`; "" for none."""
    if not vacuous:
        return ""
    verb = "is" if len(vacuous) == 1 else "are"
    reasons = ", ".join(sorted(set(vacuous.values())))
    return f"{report}: {counted(len(vacuous))} {verb} decided vacuously ({reasons})"


def counted(examples: int) -> str:
    """`1 example`, `10,000 examples`."""
    return f"{examples:,} example" + ("" if examples == 1 else "s")


def duration(seconds: float) -> str:
    """`13 ms`, `4.2 s`, `12 s`, `6 min 40 s`, `2 h 5 min`."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
