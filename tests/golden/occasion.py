"""Occasions: what a user does to be told a code, one function for each code that has no example.

A function gets an empty folder, in which it stands, and pytest's monkeypatch. It gives the command
line's words (`said`), or diagnostics, or raises them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ibpc.cli import main
from ibpc.graph import Graph, Node, write_onnx

if TYPE_CHECKING:
    import pytest

    from ibpc.errors import Diagnostic

Occasion = Callable[[Path, "pytest.MonkeyPatch"], "str | Iterable[Diagnostic] | None"]

OCCASIONS: dict[str, Occasion] = {}

TOY = """\
ibp 1

type Point = real[2] in [0 .. 1]
enum Sign { neg, pos }
type Score = real[Sign]

data toy: (x: Point, y: Sign) {
    source = scatter(n = 12, positives = 5, separation = 0.1, seed = 1)
}

net small: Point -> Score {
    default act = relu
    fc 4
    out
}

spec robust(f: Point -> Score, x0: Point, y: Sign, eps: real) {
    forall x in ball(x0, eps), z = f(x): forall k != y: z[k] - z[y] <= 0
}

train fit(f: Point -> Score) {
    data = toy
    spec = robust(f, x, y, eps)
    batch = 4
    steps = 20
    eps(t) = 0 until 2, linear to 0.01 at 10
    kappa(t) = 1 until 2, linear to 1/2 at 10
}

verify table(f: Point -> Score) {
    data = toy
    spec = robust(f, x, y, 0.01)
    report bounds = by ibp
}

run default {
    table(small)
}

run trained {
    fit(small)
}
"""
"""A spec that runs in a second."""


def occasion(code: str) -> Callable[[Occasion], Occasion]:
    """Registers the occasion of a code."""

    def register(function: Occasion) -> Occasion:
        assert code not in OCCASIONS, code
        OCCASIONS[code] = function
        return function

    return register


def said(*arguments: str, code: int = 1) -> str:
    """What the command says on stderr; its exit code must be `code`."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        found = main(list(arguments))
    assert found == code, f"{found}: {out.getvalue()}{err.getvalue()}"
    return err.getvalue()


def toy(*changes: tuple[str, str], name: str = "toy.ibp") -> str:
    """Writes the spec, with parts of its text replaced; gives the file's name."""
    text = TOY
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    Path(name).write_text(text, encoding="utf-8")
    return name


def small_graph(*nodes: Node, shape: tuple[int, ...] = (1, 2), **constants: object) -> Graph:
    """The nodes as a network from x to what the last one gives; one layer where there are none."""
    if not nodes:
        nodes = (Node("fc", "Gemm", ("x", "w", "b"), ("z",), {"transB": 1}),)
        constants = {"w": np.eye(2, dtype="f4"), "b": np.zeros(2, dtype="f4"), **constants}
    arrays = {name: np.asarray(value) for name, value in constants.items()}
    return Graph("small", {"x": shape}, (nodes[-1].outputs[0],), nodes, arrays)


def small_network() -> bytes:
    """The identity on two numbers, as a file."""
    return write_onnx(small_graph())
