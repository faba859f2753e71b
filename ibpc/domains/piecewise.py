"""max(x, 0) over the variables of a MILP: the piece that every piecewise linear operator shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibpc.domains.linear_form import LinearForm


def positive_part(x: LinearForm) -> LinearForm:
    """One variable y = max(x, 0) per unit, with one binary a per unit whose sign is open.

        y >= 0,  y >= x,  y <= x - lower (1 - a),  y <= upper a

    A unit that is never positive is 0; one that is never negative is a variable equal to x.
    Source: Tjeng et al. 2019, arXiv:1711.07356, section 4.1 (formulating ReLU).
    """
    import numpy as np

    encoder = x.encoder
    active = np.flatnonzero((x.lower >= 0) & (x.upper > 0))
    undecided = np.flatnonzero((x.lower < 0) & (x.upper > 0))
    kept = np.concatenate([active, undecided])
    if not len(kept):
        return x.scaled(np.zeros(len(x.bias)))
    chosen = x.take(kept, (len(kept),))
    y = encoder.continuous(np.maximum(chosen.lower, 0.0), chosen.upper)
    same, some = np.arange(len(active)), np.arange(len(active), len(kept))
    if len(same):
        encoder.require(y.take(same, same.shape).minus(chosen.take(same, same.shape)), "=")
    if len(some):
        units, outs = chosen.take(some, some.shape), y.take(some, some.shape)
        switch = encoder.binary(len(some))
        encoder.require(units.minus(outs), "<")
        encoder.require(outs.minus(switch.scaled(units.upper)), "<")
        # y - x + lower (1 - a) <= 0
        encoder.require(outs.minus(units).plus(switch.scaled(-units.lower, units.lower)), "<")
    return y.scatter(kept, len(x.bias), x.shape)
