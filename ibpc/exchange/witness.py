"""A witness as VNN-COMP writes it: `((X_0 0.25) ... (Y_0 -1.5))`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ibpc.exchange.mistakes import WITNESS, mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

_PAIR = re.compile(r"\(\s*([XY])_(\d{1,9})\s+([^\s()]{1,60})\s*\)")


def witness_text(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> str:
    """Flat float32 inputs and outputs, one pair a line, with 9 significant digits.

    Nine digits tell every two float32 numbers apart (Matula 1968), so what is read back as
    float32 is the same.
    """
    pairs = [
        f"({name}_{index} {float(value):.9g})"
        for name, values in (("X", x), ("Y", y))
        for index, value in enumerate(np.asarray(values, dtype=np.float32).ravel())
    ]
    return f"({chr(10).join(pairs)})\n"


def read_witness(text: str, inputs: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """The float32 inputs and outputs in a witness.  Shapes: (inputs,), (outputs,).

    Raises: PropertyMistake where a pair is missing, repeated, unknown or not a finite number.
    """
    found = {"X": np.full(inputs, np.nan, np.float32), "Y": np.full(outputs, np.nan, np.float32)}
    inside = text.strip()
    if not (inside.startswith("(") and inside.endswith(")")) or _PAIR.sub("", inside[1:-1]).strip():
        fix = "write ((X_0 0.25) ... (Y_0 1.5) ...), one pair for each input and output"
        raise mistake(WITNESS, "this is no list of pairs like (X_0 0.25)", fix=fix)
    for name, index, written in _PAIR.findall(inside[1:-1]):
        values, place = found[name], int(index)
        try:
            value = float(written)
        except ValueError:
            value = float("nan")
        if place >= len(values) or not np.isnan(values[place]) or not np.isfinite(value):
            raise mistake(WITNESS, f"the pair ({name}_{index} {written}) does not belong here")
        values[place] = value
    for name, values in found.items():
        if np.isnan(values).any():
            raise mistake(WITNESS, f"{name}_{int(np.isnan(values).argmax())} is missing")
    return found["X"], found["Y"]
