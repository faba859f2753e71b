"""crown: linear bounds carried back from the claim's rows, in float64 with rounding covered."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from ibpc.language import Slot, StageEntry
from ibpc.verification.verdict import Answer, Evidence, Holds, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from ibpc.bounds import Crown
    from ibpc.language import InputSet
    from ibpc.verification.subject import Answered, Case, Subject

STAGE = StageEntry(
    "crown",
    (
        Slot(
            "steps",
            "int",
            default=0,
            low=0,
            doc="steps of alpha-CROWN's descent on the slopes; 0: CROWN's own slopes",
        ),
    ),
    "CROWN bounds in float64, rounding covered; with steps, alpha-CROWN on what stays open",
    source="Zhang et al. 2018, arXiv:1811.00866; Xu et al. 2021, arXiv:2011.13824",
    role="bound",
    needs="maximum",
)

BATCH = 50


def decide(
    subject: Subject, arguments: Mapping[str, Any], cases: Sequence[Case]
) -> Iterator[Answered]:
    """Holds where every row's upper bound is <= 0 (strict claims: < 0), else Unknown."""
    import torch

    from ibpc.bounds import Crown, Weights

    crown = Crown(subject.graph, Weights(subject.graph, torch.float64))
    for start in range(0, len(cases), BATCH):
        chunk = list(cases[start : start + BATCH])
        began = time.monotonic()
        rule = partial(row_bounds, subject, crown, arguments["steps"])
        bounds = subject.over_members(chunk, rule)
        shown = subject.rows_that_hold(bounds)
        seconds = (time.monotonic() - began) / len(chunk)
        yield [
            (case, judge(own, held, arguments["steps"], seconds))
            for case, own, held in zip(chunk, bounds, shown, strict=True)
        ]


def row_bounds(
    subject: Subject, crown: Crown, steps: int, cases: list[Case], member: InputSet
) -> np.ndarray:
    """Upper bounds of the claim's rows over one member of the set; (batch, rows), float64.

    The descent runs on the examples that plain CROWN leaves open. Boxes that are in doubt give NaN.
    """
    import numpy as np
    import torch

    from ibpc.bounds import CrownProblem, Descent
    from ibpc.sets import support

    ground = subject.ground([case.index for case in cases], member)
    lower, upper = subject.shaped(ground.lower), subject.shaped(ground.upper)
    label = torch.tensor([case.label for case in cases])
    problem = CrownProblem(torch.tensor(lower), torch.tensor(upper), label, support=support(ground))
    found = crown.bounds(problem)
    bounds: np.ndarray = subject.of_clauses(found.upper.numpy(), cases)
    left = np.flatnonzero(~subject.rows_that_hold(bounds).all(1))
    if steps and len(left):
        part = problem.select(torch.from_numpy(left), found.bounds)
        improved = crown.alpha_bounds(part, Descent(steps=steps)).upper.numpy()
        improved = subject.of_clauses(improved, [cases[place] for place in left])
        bounds[left] = np.fmin(bounds[left], improved)
    axes = tuple(range(1, lower.ndim))
    sound = (np.isfinite(lower) & np.isfinite(upper) & (lower <= upper)).all(axis=axes)
    bounds[~sound] = np.nan
    return bounds


def judge(bounds: np.ndarray, held: np.ndarray, steps: int, seconds: float) -> Answer:
    """The verdict that one example's bounds give."""
    import numpy as np

    proved = tuple(np.flatnonzero(held).tolist())
    if not np.isfinite(bounds).all():
        return Answer(Unknown("a CROWN bound is not finite"), proved, seconds)
    worst = float(bounds.max(initial=-np.inf)) if bounds.size else None
    method = f"alpha-CROWN bounds, {steps} steps" if steps else "CROWN bounds"
    evidence = Evidence(f"{method}, float64, rounding covered", {"bound": worst})
    if held.all():
        return Answer(Holds(evidence), proved, seconds)
    return Answer(Unknown("the CROWN bound is positive", evidence), proved, seconds)
