"""The box of an input set around a datum: cut with the domain, rounded to the sound side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.errors import Diagnostic, InternalError, NumericalDoubt
from ibpc.sets import FORMS

if TYPE_CHECKING:
    import numpy as np
    import torch

    from ibpc.language import InputSet, TensorType
    from ibpc.sets.record import SetForm


BOUNDS = "give the input's type a domain (`in [0 .. 1]`), or the set bounds of its own"


def hull(
    given: InputSet, kind: TensorType, x: torch.Tensor, eps: float | torch.Tensor = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """The box (lower, upper) of the set around each datum, cut with the type's domain.

        lower = max(x - eps, low),  upper = min(x + eps, high)       (for a ball)

    Rounded to nearest, for training and search; proofs take `outer_box`.

    Shapes: x, lower, upper (batch, *dims); eps a number or a 0-dim tensor, in units of x.
    Source: Gowal et al. 2019, Eq. 5 (the box), appendix recipe (the cut with [0, 1]).
    """
    lower, upper = form_of(given).around(given, x, eps)
    if kind.domain is None:
        return lower, upper
    if len(kind.domain) == 1:
        low, high = (float(bound) for bound in kind.domain[0])
        return lower.clamp(min=low), upper.clamp(max=high)
    from ibpc.sets.constants import like

    lows, highs = (tuple(side) for side in zip(*kind.domain, strict=True))
    return lower.maximum(like(lows, x)), upper.minimum(like(highs, x))


def outer_box(given: InputSet, kind: TensorType, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Float64 bounds that enclose the exact set around one float32 datum.

    Shapes: x (*dims) or (batch, *dims); results like x.
    Raises: NumericalDoubt where the set is empty or without bounds.
    """
    import numpy as np

    lower, upper = cut_bounds(given, kind, x, outward=True)
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        raise NumericalDoubt(Diagnostic("E0713", "the input set has no bounds", fix=BOUNDS))
    if not bool((lower <= upper).all()):
        raise NumericalDoubt(
            Diagnostic(
                "E0712",
                "the input set is empty, so any claim on it would hold",
                fix="check that the datum lies inside the declared domain",
            )
        )
    return lower, upper


def inner_box(given: InputSet, kind: TensorType, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Float32 bounds such that every float32 between them lies in the exact set.

    A coordinate where the set holds no float32 comes out with lower > upper.

    Shapes: x (*dims) or (batch, *dims), float32; results like x.
    """
    from ibpc.rounding import to_float32

    lower, upper = cut_bounds(given, kind, x, outward=False)
    return to_float32(lower, upward=True), to_float32(upper, upward=False)


def form_of(given: InputSet) -> SetForm:
    """The record of a set's kind."""
    if given.kind not in FORMS:
        raise InternalError(f"no record for input sets of kind `{given.kind}`")
    return FORMS[given.kind]


def cut_bounds(given: InputSet, kind: TensorType, x: np.ndarray, outward: bool) -> tuple[Any, Any]:
    """Float64 bounds of the set, cut with the domain, all rounded to one side; they may cross.

    Shapes: as for `outer_box`.  Raises: NumericalDoubt where the set is without bounds.
    """
    import numpy as np

    from ibpc.rounding import directed

    if not np.isfinite(x).all():
        fix = "remove it from the data, or read the data again"
        raise NumericalDoubt(Diagnostic("E0711", "the datum is NaN or infinite", fix=fix))
    shape = (*x.shape[: x.ndim - len(kind.shape)], *kind.shape)
    points = np.asarray(x, dtype=np.float64).reshape(-1, *kind.shape)
    sides = []
    own = form_of(given).bounds(given, points, outward)
    for side, bound in enumerate(own):
        upward = outward == bool(side)
        limits = tuple(pair[side] for pair in kind.domain or ())
        cut = directed(limits, kind.shape, upward) if limits else None
        both = [value for value in (bound, cut) if value is not None]
        if not both:
            raise NumericalDoubt(Diagnostic("E0713", "the input set has no bounds", fix=BOUNDS))
        narrow = np.minimum if side else np.maximum
        value = both[0] if len(both) == 1 else narrow(*both)
        sides.append(np.broadcast_to(value, points.shape).reshape(shape))
    return sides[0], sides[1]
