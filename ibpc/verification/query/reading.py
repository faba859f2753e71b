"""Whether the network is read rightly: ours against onnxruntime's reading, on random points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.verification.query.answer import QueryAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from ibpc.graph import Graph

DISAGREEMENT = 1e-3
"""Relative to the largest output: more than this apart from onnxruntime is another function."""


def misread(
    network: Graph,
    data: bytes,
    box: tuple[np.ndarray, np.ndarray] | None,
    log: Callable[[str], None],
    cross_check: bool,
) -> QueryAnswer | None:
    """The answer "unknown" where another program reads the network differently, else None.

    `box`: where points are drawn, flat; `cross_check`: onnx2torch is asked too.
    Raises: ModelMistake where onnxruntime refuses the network.
    """
    from ibpc.bounds import agree
    from ibpc.verification.query.second_reading import second_difference

    difference = agree(network, data, box=box)
    log(f"agrees with onnxruntime up to {difference:.2g}")
    if not difference <= DISAGREEMENT:
        return _misread("onnxruntime", difference)
    if not cross_check or box is None:
        return None
    second = second_difference(network, data, box)
    shown = "cannot convert the network" if second is None else f"agrees up to {second:.2g}"
    log(f"onnx2torch {shown}")
    if second is None or second <= DISAGREEMENT:
        return None
    return _misread("onnx2torch", second)


def _misread(other: str, difference: float) -> QueryAnswer:
    """No verdict about a network that two programs read differently."""
    why = f"our reading of the network differs from {other}'s by {difference:.2g} of its output"
    return QueryAnswer("unknown", "reading", f"{why}; please report it with the file")
