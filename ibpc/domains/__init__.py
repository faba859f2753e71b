"""Abstract values that operators' facets compute with: boxes, and affine forms of variables."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ibpc.domains.curves import Bend, bent_lines, curved_lines
from ibpc.domains.interval import Interval
from ibpc.domains.leaf import leaf
from ibpc.domains.linear_form import Encoder, LinearForm
from ibpc.domains.piecewise import positive_part
from ibpc.domains.relaxation import (
    Lines,
    Picked,
    Product,
    Relaxation,
    clipped_lines,
    dot,
    kinked_lines,
    largest_of,
)

__all__ = [
    "Bend",
    "Encoder",
    "Interval",
    "LinearForm",
    "Lines",
    "Picked",
    "Product",
    "Relaxation",
    "batch_statistics",
    "bent_lines",
    "centred_relu",
    "clipped_lines",
    "curved_lines",
    "dot",
    "kinked_lines",
    "largest_of",
    "leaf",
    "positive_part",
]

_LEAVES = {"batch_statistics": "statistics", "centred_relu": "rectify"}
"""Leaves and the modules that define them: these need torch, so they are imported on first use."""


def __getattr__(name: str) -> Any:
    """A leaf, on first use."""
    if name not in _LEAVES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_LEAVES[name]}")
    globals()[name] = leaf(getattr(module, name))
    return globals()[name]
