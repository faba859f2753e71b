"""`intersect(A, B, ...)`: what lies in all of the sets.

    hull        the intersection of the hulls
    maximum     the least of the parts' maxima: sound, and above the exact one
    projection  balls: one after the other; an image: its parameters, drawn to their middle
    milp        all parts' variables and rows, the inputs that they describe being equal

A part that brings parameters of its own (an image, a text) leads: candidates are its parameters.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ibpc.language import Entry
from ibpc.sets.record import Exactness, SetForm, Settled, exact_radius

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    import numpy as np

    from ibpc.language import InputSet
    from ibpc.sets.record import Ground, Search, Support

LEADING = ("image", "choice", "simplex")
"""Kinds that bring parameters of their own."""

NORMS = {"ball_1": 1, "ball_2": 2}
ROUNDS = 4
"""How often projections onto the parts take turns."""

SHARES = (1.0, 0.9999, 0.999, 0.99, 0.9, 0.5, 0.0)
"""How far a candidate may be drawn to the middle of the parameters."""


def around(given: InputSet, x: Any, eps: Any) -> tuple[Any, Any]:
    """The greatest lower and the least upper bound of the parts."""
    from ibpc.sets.boxes import form_of

    boxes = [form_of(part).around(part, x, eps) for part in given.parts]
    lower, upper = boxes[0]
    for other_lower, other_upper in boxes[1:]:
        lower, upper = lower.maximum(other_lower), upper.minimum(other_upper)
    return lower, upper


def bounds(given: InputSet, x: Any, outward: bool) -> tuple[Any, Any]:
    """The same in float64, each side rounded as asked."""
    import numpy as np

    from ibpc.sets.boxes import form_of

    boxes = [form_of(part).bounds(part, x, outward) for part in given.parts]
    lowers, uppers = (
        [side for side in sides if side is not None] for sides in zip(*boxes, strict=True)
    )
    lower = np.maximum.reduce(lowers) if lowers else None
    return lower, np.minimum.reduce(uppers) if uppers else None


def leader(given: InputSet) -> InputSet | None:
    """The part that brings parameters."""
    return next((part for part in given.parts if part.kind in LEADING), None)


def lacks(given: InputSet, lowering: str) -> str:
    """Two sets with parameters, or a text, have no projection onto what they share."""
    kinds = [part.kind for part in given.parts if part.kind in LEADING]
    if lowering == "projection" and (len(kinds) > 1 or {"choice", "simplex"} & set(kinds)):
        return "there is none for an intersection with an image or a text; use crown or mip instead"
    return ""


def maximum(ground: Ground) -> Support:
    """The least of the parts' maxima over the box that they share."""
    from ibpc.sets.lowering import support
    from ibpc.sets.record import Support

    found = [support(ground.within(part)) for part in ground.given.parts]
    there = [one for one in found if one is not None]
    if not there:
        return Support(_nothing, ())
    return replace(there[0], beside=tuple(there[1:]))


def _nothing(rows: Any, _: float) -> Any:
    """No bound beside that of the box."""
    import torch

    return rows.new_full((1, rows.shape[1]), torch.inf)


def search(ground: Ground) -> Search:
    """Points of the shared box, or parameters, brought into all parts."""
    import torch

    from ibpc.sets import norms
    from ibpc.sets.lowering import box_search
    from ibpc.sets.lowering import search as search_of

    lead = leader(ground.given)
    if lead is not None:
        found = search_of(ground.within(lead))
        x, lower, upper = (torch.tensor(part, dtype=torch.float32) for part in ground.flat())
        radii = [(NORMS[p.kind], float(exact_radius(p))) for p in _balls(ground.given)]
        rule = partial(drawn_in, image=found.image, radii=tuple(radii))
        tensors = (*found.tensors, found.start, x, lower, upper)
        step = (found.upper - found.lower) * 0.25 if found.step is None else found.step
        return replace(
            found,
            step=step.norm(dim=1, keepdim=True).expand_as(step),
            tensors=tensors,
            project=rule,
            image=partial(_image_of, image=found.image),
        )
    balls = _balls(ground.given)
    if not balls:
        return box_search(ground)
    radius = min(exact_radius(part) for part in balls)
    smallest = next(part for part in balls if exact_radius(part) == radius)
    region = norms.search(ground.within(smallest), lambda x, *_: x)
    radii = [(NORMS[part.kind], float(exact_radius(part)) * (1 - 2.0**-20)) for part in balls]
    x, _, lower, upper = region.tensors
    return replace(region, tensors=(x, lower, upper), project=partial(in_turn, radii=tuple(radii)))


def in_turn(x: Any, center: Any, lower: Any, upper: Any, radii: Any) -> Any:
    """The nearest point of each ball in turn; then along the ray to the centre, into all.

    Source: Bauschke and Borwein 1996, "On projection algorithms for solving convex feasibility
    problems" (projections in turn end in the intersection).
    """
    import torch

    from ibpc.sets import ball_1, ball_2

    rules = {1: ball_1.project, 2: ball_2.project}
    sides = [(norm, torch.full_like(center[:, :1], radius)) for norm, radius in radii]
    for _ in range(ROUNDS):
        for norm, radius in sides:
            x = rules[norm](x, center, radius, lower, upper)
    away = x.flatten(1) - center
    share = torch.ones_like(center[:, :1])
    for norm, radius in sides:
        length = away.norm(p=norm, dim=1, keepdim=True).clamp(min=1e-30)
        share = torch.minimum(share, radius / length)
    return (center + away * share).view_as(x)


def _image_of(t: Any, maps: Any, *_: Any, image: Any) -> Any:
    return image(t, maps)


def drawn_in(
    t: Any, maps: Any, middle: Any, x: Any, lower: Any, upper: Any, image: Any, radii: Any
) -> Any:
    """Parameters on the way to their middle, as far out as the image lies in all other parts."""
    import torch

    def fits(share: Any) -> Any:
        points = image(middle + (t - middle) * share, maps)
        inside = ((points >= lower) & (points <= upper)).all(1, keepdim=True)
        for norm, radius in radii:
            inside &= (points - x).norm(p=norm, dim=1, keepdim=True) <= radius
        return inside

    low, high = torch.zeros_like(t[:, :1]), torch.ones_like(t[:, :1])
    for step in range(20):
        share = high if step == 0 else (low + high) / 2
        inside = fits(share)
        low, high = torch.where(inside, share, low), torch.where(inside, high, share)
    return middle + (t - middle) * low


def settle(ground: Ground, candidate: np.ndarray) -> Settled | None:
    """A float32 point exactly in all parts."""
    import numpy as np

    from ibpc.sets import inner_box, norms
    from ibpc.sets.lowering import settle as settle_in

    lead = leader(ground.given)
    inside = partial(_inside, parts=_balls(ground.given))
    if lead is None:
        return norms.settle(ground, candidate, inside)
    others = tuple(part for part in ground.given.parts if part is not lead)
    rest = replace(ground.given, parts=others)
    lower, upper = (side.reshape(-1) for side in inner_box(rest, ground.kind, ground.x))
    middle = candidate
    if lead.kind == "image":
        middle = np.array([float(a + b) / 2 for a, b in zip(lead.lower, lead.upper, strict=True)])
    for share in SHARES:
        found = settle_in(ground.within(lead), middle + (candidate - middle) * share)
        if found is None or not ((lower <= found.point) & (found.point <= upper)).all():
            continue
        if inside(norms.differences(found.point, ground.x)) and _alone(others):
            return found
    return None


def datum(ground: Ground) -> Settled | None:
    """The datum, where every part holds it; an image says for which parameters it does."""
    from ibpc.sets import inner_box, norms
    from ibpc.sets.lowering import settle_datum

    own = ground.x.reshape(-1)
    lead = leader(ground.given)
    if lead is None:
        found = settle(ground, own.astype("f8"))
        return found if found is not None and (found.point == own).all() else None
    others = tuple(part for part in ground.given.parts if part is not lead)
    rest = replace(ground.given, parts=others)
    lower, upper = (side.reshape(-1) for side in inner_box(rest, ground.kind, ground.x))
    if not ((lower <= own) & (own <= upper)).all() or not _alone(others):
        return None
    if not _inside(norms.differences(own, ground.x), _balls(ground.given)):
        return None
    return settle_datum(ground.within(lead))


def _alone(others: Sequence[InputSet]) -> bool:
    """Whether no other part has parameters: membership in one of those is not decided here."""
    return not any(part.kind in LEADING for part in others)


def _balls(given: InputSet) -> list[InputSet]:
    return [part for part in given.parts if part.kind in NORMS]


def _inside(away: list[Fraction], parts: Sequence[InputSet]) -> bool:
    from ibpc.sets.boxes import form_of

    rules = [(form_of(part).holds, exact_radius(part)) for part in parts]
    return all(rule(away, eps) for rule, eps in rules if rule is not None)


def encode(ground: Ground, encoder: Any) -> Any:
    """The leading part's encoding, and those of the others, their inputs equal to its own."""
    from ibpc.sets.lowering import encoded

    lead = leader(ground.given)
    parts = [lead] if lead is not None else []
    parts += [part for part in ground.given.parts if part is not lead]
    form = encoded(ground.within(parts[0]), encoder)
    for part in parts[1:]:
        encoder.require(form.minus(encoded(ground.within(part), encoder)), "=")
    return form


def decode(ground: Ground, columns: np.ndarray) -> np.ndarray:
    """As the leading part decodes its own variables, which come first."""
    from ibpc.sets.boxes import form_of

    lead = leader(ground.given)
    if lead is None:
        return columns[: ground.x.size]
    rule = form_of(lead).decode
    assert rule is not None
    return rule(ground.within(lead), columns)


def parameters(given: InputSet) -> int:
    """Those of the leading part."""
    lead = leader(given)
    return len(lead.lower) if lead is not None and lead.kind == "image" else 0


FORM = SetForm(
    kind="intersect",
    entry=Entry("intersect", (), "what lies in all of the sets given"),
    around=around,
    bounds=bounds,
    maximum=maximum,
    search=search,
    settle=settle,
    encode=encode,
    decode=decode,
    datum=datum,
    parameters=parameters,
    exact=Exactness(hull=False, maximum=False),
    lacks=lacks,
)
