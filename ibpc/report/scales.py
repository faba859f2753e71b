"""From values to places on a drawing, and the round numbers that stand on its axes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, isclose, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Scale:
    """Maps [low, high] to [start, end], linearly or by logarithm."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    log: bool = False

    def at(self, value: float) -> float:
        """The place of a value; beyond the ends it is cut off there."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    @property
    def labels(self) -> tuple[str, ...]:
        """The ticks as text, with as many decimals as their distance asks for."""
        if self.log:
            return tuple(_power_text(tick) for tick in self.ticks)
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else self.high - self.low
        return tuple(tick_text(tick, step) for tick in self.ticks)


def linear(
    values: Iterable[float], start: float, end: float, count: int = 5, to_tick: bool = True
) -> Scale:
    """A scale from round number to round number around the values.

    Without `to_tick` it ends at the greatest value, beyond the last round number.
    """
    found = list(values)
    low, high = min(found, default=0.0), max(found, default=1.0)
    if high - low < 1e-12 * max(1.0, abs(high)):
        pad = abs(high) or 1.0
        low, high = (0.0, 2 * high) if high > 0 else (low - pad, high + pad)
    step = round_step((high - low) / count)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    if not to_tick:
        last = floor(high / step + 1e-9)
    ticks = tuple(step * number for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1] if to_tick else high, start, end, ticks)


def logarithmic(values: Iterable[float], start: float, end: float) -> Scale:
    """A scale from power of ten to power of ten around the positive values."""
    found = [value for value in values if value > 0]
    first = floor(log10(min(found, default=1.0)) + 1e-9)
    last = ceil(log10(max(found, default=10.0)) - 1e-9)
    last = max(last, first + 1)
    every = max(1, (last - first) // 5)
    ticks = tuple(10.0**power for power in range(first, last + 1, every))
    return Scale(10.0**first, 10.0**last, start, end, ticks, log=True)


def round_step(rough: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `rough`."""
    power = 10.0 ** floor(log10(rough))
    return float(next(power * factor for factor in _ROUND if power * factor >= rough * (1 - 1e-9)))


def tick_text(value: float, step: float) -> str:
    """`0.25`, `20k`; zero is `0`. All ticks of one step have as many decimals as it needs."""
    if abs(value) < step * 1e-6:
        return "0"
    for size, prefix in _PREFIXES:
        if step >= size / 10 and abs(value) >= size:
            return f"{value / size:g}{prefix}"
    decimals = max(0, -floor(log10(step) + 1e-9))
    if not isclose(step, round(step, decimals), rel_tol=1e-9):
        decimals += 1
    return f"{value:.{decimals}f}"


def _power_text(value: float) -> str:
    """A power of ten: `0.1`, `100`, and beyond that `10⁻⁵`."""
    power = round(log10(value))
    return f"{value:g}" if -3 < power < 4 else f"10{str(power).translate(_RAISED)}"
