"""`ibpc.verify`: a verdict on one network and one property."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Literal

from ibpc.api.models import onnx_bytes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ibpc.api.models import Model
    from ibpc.exchange import Property

KINDS = {"unsat": "holds", "sat": "violated", "unknown": "unknown", "timeout": "unknown"}
"""A property file names what must not happen: what it says is unsatisfiable holds."""


DIGITS = 30
"""Of a rational whose decimal does not end, digits behind the point that are written."""


@dataclass(frozen=True, eq=False)
class Answer:
    """holds: proved; violated: `x` reaches what must not be; unknown, with the reason in `why`.

    `x`, `y`: float32 input and output of the witness, replayed with onnxruntime, flat; else None.
    """

    kind: Literal["holds", "violated", "unknown"]
    method: str
    why: str
    x: np.ndarray | None
    y: np.ndarray | None

    def __repr__(self) -> str:
        return f"Answer({self.kind}{f': {self.why}' if self.why else ''}, by {self.method or '-'})"


def verify(
    model: Model,
    claim: str | os.PathLike[str],
    *,
    timeout: float = 60.0,
    device: str = "cpu",
    jobs: int = 1,
    seed: int = 0,
) -> Answer:
    """Whether a network keeps a property: attack, bounds, branch and bound, MILP beside it.

    `model`: a path to an ONNX file, ONNX bytes, or a network of a spec. `claim`: the path of a
    VNN-LIB file (1.0 or 2.x), or its text; `robustness` writes one. `timeout` is in seconds; `jobs`
    counts threads and processes.

    Raises: IbpcError where the network or the property cannot be read.
    """
    import time

    import numpy as np

    from ibpc.verification import Clock, QuerySettings, decide_query

    began = time.monotonic()
    clock = Clock(began, began + timeout)
    data, origin = onnx_bytes(model)
    settings = QuerySettings(device, jobs, seed, lambda _: None)
    found = decide_query(data, origin, _property(claim), settings, clock)
    plain = found.plain()
    x, y = (
        np.asarray(plain[name], dtype=np.float32) if name in plain else None
        for name in ("inputs", "outputs")
    )
    why = found.why or ("time-out" if found.word == "timeout" else "")
    return Answer(KINDS[found.word], found.method, why, x, y)  # type: ignore[arg-type]


def robustness(
    x: npt.ArrayLike,
    eps: float | Fraction,
    label: int,
    classes: int,
    low: float | None = 0.0,
    high: float | None = 1.0,
) -> str:
    """The property that no class overtakes `label` within `eps` of `x`, as VNN-LIB 1.0 text.

        for all x' with |x' - x|_inf <= eps, low <= x' <= high:   z[k] < z[label],  all k != label

    `x` is taken as float32 and every number is written exactly. A tie counts as a violation, since
    VNN-LIB 1.0 has no strict comparison.
    """
    import numpy as np

    centre = [Fraction(float(value)) for value in np.asarray(x, dtype=np.float32).reshape(-1)]
    radius = Fraction(eps) if isinstance(eps, Fraction) else Fraction(repr(eps))
    lines = [f"(declare-const X_{i} Real)" for i in range(len(centre))]
    lines += [f"(declare-const Y_{k} Real)" for k in range(classes)]
    for i, value in enumerate(centre):
        below, above = value - radius, value + radius
        below = below if low is None else max(below, Fraction(repr(low)))
        above = above if high is None else min(above, Fraction(repr(high)))
        lines += [
            f"(assert (>= X_{i} {_decimal(below, up=False)}))",
            f"(assert (<= X_{i} {_decimal(above, up=True)}))",
        ]
    others = [f"(and (>= Y_{k} Y_{label}))" for k in range(classes) if k != label]
    return "\n".join([*lines, f"(assert (or {' '.join(others)}))"]) + "\n"


def _decimal(value: Fraction, up: bool) -> str:
    """A rational as a decimal, in full; one without an end is cut, to the sound side."""
    rest = value.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    digits = DIGITS
    if rest == 1:
        digits = 0
        while (value * 10**digits).denominator != 1:
            digits += 1
    scaled = value * 10**digits
    whole = ceil(scaled) if up else floor(scaled)
    text = str(abs(whole)).rjust(digits + 1, "0")
    sign = "-" if whole < 0 else ""
    return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else f"{sign}{text}.0"


def _property(claim: str | os.PathLike[str]) -> Property:
    """The property of a file, or of a text: what holds a parenthesis in front is a text."""
    from ibpc.exchange import parse_property, read_property

    if isinstance(claim, str) and claim.lstrip().startswith(("(", ";")):
        return parse_property(claim, "the property")
    return read_property(os.fspath(claim))
