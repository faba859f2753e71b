"""The parts of a run's page, one file each; their order is the page's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.report.sections import (
    counterexamples,
    over_eps,
    paper,
    polytopes,
    repeat,
    results,
    seeds,
    spec,
    stages,
    training,
    undecided,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Run

SECTIONS: tuple[Callable[[Run], Element | None], ...] = (
    results.section,
    paper.section,
    over_eps.section,
    seeds.section,
    stages.section,
    counterexamples.section,
    undecided.section,
    training.section,
    polytopes.section,
    spec.section,
    repeat.section,
)
"""Each gives its part, or None where a run has nothing of the kind."""
