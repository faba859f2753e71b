"""A set around data, lowered for each engine: the record's own lowering, or the box's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.errors import InternalError
from ibpc.sets.boxes import form_of, inner_box, outer_box
from ibpc.sets.inside import into_box, within
from ibpc.sets.record import Ground, Missing, Search, Settled

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from ibpc.language import InputSet, TensorType
    from ibpc.sets.record import Support


def members(given: InputSet) -> tuple[InputSet, ...]:
    """The members of a union; any other set is its own only one."""
    return given.parts if given.kind == "union" else (given,)


def ground(given: InputSet, kind: TensorType, x: np.ndarray) -> Ground:
    """A set without unions around a batch of data (batch, *dims); raises NumericalDoubt."""
    return Ground(given, kind, x, *outer_box(given, kind, x))


def support(given: Ground) -> Support | None:
    """Upper bounds of rows over each set; None where those over its box are as good."""
    facet = form_of(given.given).maximum
    if facet is None:
        return None
    found: Support = _there(facet)(given)
    return found


def search(given: Ground) -> Search:
    """Where an attack looks, in float32 on the CPU."""
    facet = form_of(given.given).search
    if facet is not None:
        found: Search = _there(facet)(given)
        return found
    return box_search(given)


def box_search(given: Ground) -> Search:
    """The float32 box inside the set."""
    import numpy as np
    import torch

    lower, upper = inner_box(given.given, given.kind, given.x)
    # Where a coordinate's set holds no float32, the two beside it bound it the other way round.
    sides = (np.minimum(lower, upper), np.maximum(lower, upper), given.x)
    low, high, start = (torch.tensor(np.ascontiguousarray(side)) for side in sides)
    return Search(low, high, start)


def settle(given: Ground, candidate: np.ndarray) -> Settled | None:
    """A float32 input in the set near a candidate (flat), which is a point of its `search`.

    `given` holds one datum. None where there is none at hand.
    """
    facet = form_of(given.given).settle
    if facet is not None:
        return facet(given, candidate)
    sides = inner_box(given.given, given.kind, given.x)
    lower, upper = (side.reshape(-1) for side in sides)
    point = into_box(candidate, lower, upper)
    note = within(point, lower, upper)
    return None if note is None else Settled(point, note)


def settle_datum(given: Ground) -> Settled | None:
    """The datum itself, where it lies exactly in the set; `given` holds one."""
    form = form_of(given.given)
    candidate = given.x.reshape(-1).astype("f8")
    if form.datum is not None:
        return form.datum(given)
    found = settle(given, candidate)
    return found if found is not None and (found.point == given.x.reshape(-1)).all() else None


def held(given: Ground, point: np.ndarray, facts: Mapping[str, Any]) -> Settled | None:
    """A point that was settled before (flat float32), if it lies exactly in the set.

    `facts`: those of its evidence, which hold the parameters of an image. `given` holds one datum.
    """
    import numpy as np

    parameters = facts.get("parameters", {})
    if point.shape != (given.x.size,):
        return None
    candidate = point.astype("f8")
    if form_of(given.given).parameters(given.given):
        if len(parameters) != form_of(given.given).parameters(given.given):
            return None
        candidate = np.array(list(parameters.values()), dtype="f8")
    found = settle(given, candidate)
    return found if found is not None and (found.point == point).all() else None


def settle_columns(given: Ground, columns: np.ndarray) -> Settled | None:
    """The same for a solver's values of the variables that `encoded` made."""
    form = form_of(given.given)
    if form.decode is not None:
        return settle(given, form.decode(given, columns))
    return settle(given, columns[: given.x.size])


def encoded(given: Ground, encoder: Any) -> Any:
    """The flat input as a linear form of new variables, with the rows that describe the set."""
    facet = form_of(given.given).encode
    if facet is not None:
        return _there(facet)(given, encoder)
    _, lower, upper = given.flat()
    return encoder.continuous(lower[0], upper[0])


def _there(facet: Any) -> Any:
    if isinstance(facet, Missing):
        raise InternalError(f"a set without this lowering passed the checker: {facet.why}")
    return facet
