"""Constant: a value that the model holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops.record import Example, Missing, Operator, Unsupported

if TYPE_CHECKING:
    from ibpc.ops.record import Shape, Site

_NUMBERS = ("value_float", "value_int", "value_floats", "value_ints")


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the value."""
    value = _value(site)
    if hasattr(value, "shape"):
        return (tuple(value.shape),)
    return ((len(value),) if isinstance(value, (list, tuple)) else (),)


def forward(site: Site) -> Any:
    """The value; single-precision where the attribute does not say."""
    import torch

    value = _value(site)
    if hasattr(value, "shape"):
        return torch.as_tensor(value)
    whole = "value_int" in site.attributes or "value_ints" in site.attributes
    return torch.tensor(value, dtype=torch.int64 if whole else torch.float32)


def _value(site: Site) -> Any:
    """The attribute that is set, an array or numbers."""
    for name in ("value", *_NUMBERS):
        if name in site.attributes:
            return site.attributes[name]
    raise Unsupported("Constant holds no dense numbers; sparse tensors and text are not supported")


_FOLDED = "Constant has no bounds of its own: the pass fold-constants turns it into a stored value"

OPERATOR = Operator(
    op="Constant",
    versions=(1, 9, 11, 12, 13, 19, 21, 23, 24, 25),
    shape=shape,
    forward=forward,
    interval=Missing(_FOLDED),
    milp=Missing(_FOLDED),
    examples=(Example((), {"value_floats": (0.5, -1.0)}), Example((), {"value_float": 2.0})),
    source="ONNX operator specification, Constant-13",
)
