"""The order in which one query is attacked and proved; chosen from facts about the graph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ibpc.errors import NumericalDoubt, UnsupportedOperator
from ibpc.rounding import NO_WIDTH
from ibpc.verification.query.answer import QueryAnswer
from ibpc.verification.query.attack import Attack, starting_points
from ibpc.verification.query.bounding import Bounder
from ibpc.verification.query.cases import lower_property
from ibpc.verification.query.judging import Found, Judge
from ibpc.verification.query.linear import LinearBounder
from ibpc.verification.query.network import load_network, load_subject
from ibpc.verification.query.pool import Boxes
from ibpc.verification.query.reading import misread
from ibpc.verification.query.roots import Cones, Root, rows_of
from ibpc.verification.query.rounding_doubt import ROUNDING, NearMisses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ibpc.bounds import Choice
    from ibpc.exchange import Property
    from ibpc.verification.query.activation_splitting import OpenCase
    from ibpc.verification.query.cases import Cases
    from ibpc.verification.query.clock import Clock
    from ibpc.verification.query.exact import Race
    from ibpc.verification.query.network import Subject

FEW_INPUTS = 20
"""Up to so many varying inputs the input box is split, beyond it the network's units."""

VERY_FEW_INPUTS = 6
"""Up to so many, the input box is split even where bounding one box takes long."""

QUICK_STARTS, QUICK_STEPS = 8, 20
LONG_STARTS, LONG_STEPS = 64, 100

AGAIN = 8
"""Points to climb on from where the best ones did not replay."""

MOST_ROOTS = 16
"""Boxes whose units' bounds are kept."""


@dataclass(frozen=True)
class QuerySettings:
    """How to go about a query: device, threads, and who is told what happens."""

    device: str
    jobs: int
    seed: int
    log: Callable[[str], None]
    cross_check: bool = False


class Engine:
    """One query: a network's bytes, a property, a clock."""

    def __init__(
        self, subject: Subject, cases: Cases, settings: QuerySettings, clock: Clock
    ) -> None:
        self.subject, self.cases, self.settings, self.clock = subject, cases, settings, clock
        self.device = _device(settings.device)
        self.judge = Judge(subject.data, subject.origin, cases)
        self.bounder = Bounder(subject, self.device)
        self.open = ~cases.padding()
        self.misses = NearMisses()
        self.roots: dict[int, Root] = {}
        self.lines: dict[int, tuple[np.ndarray, np.ndarray, Choice]] = {}

    def decide(self) -> QueryAnswer:
        """Stage after stage until one decides, or the time is up."""
        why = ""
        name = "reading"
        for name, stage in self._stages():
            if self.clock.left <= 0:
                return self._answer("timeout", name)
            try:
                found = stage()
            except (UnsupportedOperator, NumericalDoubt) as error:
                why = "; ".join(one.problem for one in error.diagnostics)
                self.settings.log(f"{name}: {why}")
                continue
            count = int(self.open.sum())
            self.settings.log(f"{name}: {count} of {self._total} cases open")
            if found is not None:
                return self._answer("sat", name, witness=found)
            if not count:
                return self._proved(name)
        if self.clock.left <= 0:
            return self._answer("timeout", name)
        return self._answer("unknown", name, why=why or "no engine could decide it")

    def _stages(self) -> list[tuple[str, Callable[[], Found | None]]]:
        """Cheap ones first; what comes last depends on how many inputs vary."""
        first: list[tuple[str, Callable[[], Found | None]]] = [
            ("attack", lambda: self._attacked(QUICK_STARTS, QUICK_STEPS)),
            ("interval", self._by_interval),
            ("crown over intervals", self._by_crown),
        ]
        if self.varying <= FEW_INPUTS:
            first.append(("input splitting", lambda: self._by_inputs(only_quick=True)))
        return [
            *first,
            ("crown", self._by_roots),
            ("long attack", lambda: self._attacked(LONG_STARTS, LONG_STEPS)),
            ("alpha-crown", self._by_lines),
            ("sharpened units", self._by_sharp_units),
            ("activation splitting", self._by_units),
            ("input splitting", self._by_inputs),  # for networks without units to split
        ]

    def _proved(self, method: str) -> QueryAnswer:
        if not self.cases.forms.exact:
            why = "coefficients of the property have too many digits for a proof"
            return self._answer("unknown", method, why=why)
        against = self.misses.witness(self.cases, self.judge, self.settings.seed)
        if against is not None:
            self.settings.log(f"proved by {method}, refuted in float32: 1 decided by rounding")
            return self._answer("unknown", method, ROUNDING, against)
        return self._answer("unsat", method)

    def _answer(
        self, word: Any, method: str, why: str = "", witness: Found | None = None
    ) -> QueryAnswer:
        facts = {
            "seconds": round(self.clock.spent, 3),
            "cases": self._total,
            "open": int(self.open.sum()),
            "varying inputs": self.varying,
            "decided by rounding": int(why == ROUNDING),
        }
        return QueryAnswer(word, method, why, witness, facts)

    @property
    def _total(self) -> int:
        return int((~self.cases.padding()).sum())

    @cached_property
    def varying(self) -> int:
        """The most inputs that vary in one box, by more than the rounding of its ends."""
        lower, upper = self.cases.outer_lower, self.cases.outer_upper
        size = np.maximum(np.abs(lower), np.abs(upper))
        return int((upper - lower > NO_WIDTH * size).sum(axis=1).max())

    @cached_property
    def attack(self) -> Attack:
        """The attack on this network."""
        return Attack(
            self.bounder.forward,
            self.cases,
            self.subject.shape,
            self.device,
            self.bounder.width,
        )

    @cached_property
    def linear(self) -> LinearBounder:
        """CROWN on this network."""
        return LinearBounder(self.bounder)

    def _attacked(self, starts: int, steps: int) -> Found | None:
        points, group = starting_points(self.cases, starts, self.settings.seed)
        live = np.asarray(self.open.any(axis=1))[group]
        points, group = points[live], group[live]
        clock = self.clock.at_most(self.clock.left / 4)
        climbed, margins, owner = self.attack.climb(points, group, steps, clock)
        likely = margins >= -1e-4 * (1 + np.abs(margins[:1]))
        found = self.judge.first(climbed[likely], owner[likely], "attack")
        self.misses.add(climbed, margins, owner)
        if found is not None or not margins[0] >= 0:
            return found
        # Only rounding, or a tie in a strict row, stands in between: climb on from there.
        best, owner = climbed[:AGAIN], owner[:AGAIN]
        climbed, _, owner = self.attack.climb(best, owner, steps, clock, enough=np.inf)
        return self.judge.first(climbed, owner, "attack")

    def _by_interval(self) -> None:
        for group in self._parts():
            lower, upper = self.cases.outer_lower[group], self.cases.outer_upper[group]
            upper_g = self.bounder.interval(lower, upper)
            self.open[group] &= ~self.cases.safe(upper_g, group)

    def _by_crown(self) -> None:
        for group in self._parts():
            lower, upper = self.cases.outer_lower[group], self.cases.outer_upper[group]
            found = self.linear.bounds(lower, upper)
            self.open[group] &= ~self.cases.safe(found.upper, group)

    def _by_roots(self) -> None:
        for group in self._open_groups():
            found = self._root(group).crown()
            self._close(group, found)

    def _by_lines(self) -> None:
        for group in self._open_groups():
            rows = self.cases.form[group][self.open[group]]
            bounds = self.cases.bound[group][self.open[group]]
            forms = np.unique(rows)
            least = np.array([bounds[rows == form].max() for form in forms])
            upper, lines = self._root(group).alpha(forms, least)
            wide = np.full((1, self.cases.forms.outputs.shape[0]), np.inf)
            wide[:, forms] = upper
            self.lines[group] = (forms, upper[0], lines)
            self._close(group, wide)

    def _by_sharp_units(self) -> None:
        """Better bounds of inner values first, then as before; for one box, which takes long."""
        from ibpc.verification.query.sharpening import Sharpening

        groups = list(self._open_groups())
        if len(groups) == 1:
            Sharpening(self._root(groups[0]), self.clock, self.settings.log).run()
            self._by_lines()

    def _close(self, group: int, upper: np.ndarray) -> None:
        """What upper bounds (1, forms) of one group show."""
        index = np.array([group])
        self.open[index] &= ~self.cases.safe(upper, index)

    def _by_units(self) -> Found | None:
        """Trees over units, easiest case first, and beside them MILP, hardest case first."""
        from ibpc.verification.query.activation_splitting import ActivationSplitting

        cases = self._hardest_first()
        race = self._race(cases)
        for case in reversed(cases):
            key = (case.group, case.number)
            search = ActivationSplitting(
                self._root(case.group),
                case,
                self.cases,
                self.attack,
                self.judge,
                self.clock,
                self.settings.log,
                lambda key=key: race.found is not None or key in race.proved,  # type: ignore[misc]
            )
            found = key in race.proved or search.run()
            if isinstance(found, Found) or race.found is not None:
                return found if isinstance(found, Found) else race.found
            if found or key in race.proved:
                self.open[key] = False
                race.skipped.add(key)
        race.wait()
        for key in race.proved:
            self.open[key] = False
        return race.found

    def _race(self, cases: list[OpenCase]) -> Race:
        """MILP over the cases of one row, where few units are undecided."""
        from ibpc.verification.query.exact import MOST_UNDECIDED, Kit, Query, Race, undecided

        queries = []
        for case in cases:
            known = self._root(case.group).flat_bounds()
            if len(set(zip(case.form, case.bound, strict=True))) > 1:
                continue
            if undecided(known) <= MOST_UNDECIDED:
                form, bound = int(case.form[0]), float(case.bound[0])
                queries.append(Query(case.group, case.number, form, bound, known))
        subject = self.subject
        kit = Kit(subject.graph, subject.data, subject.origin, self.cases)
        if queries:
            self.settings.log(f"mip beside it: {len(queries)} cases")
        return Race(kit, queries, self.clock, self.settings.log)

    def _hardest_first(self) -> list[OpenCase]:
        """The open cases; that with the largest bound first, because all must be proved."""
        from ibpc.verification.query.activation_splitting import OpenCase

        found = []
        for group, number in np.argwhere(self.open):
            form, bound = self.cases.form[group, number], self.cases.bound[group, number]
            forms, upper, lines = self.lines.get(int(group)) or _no_lines(form)
            place = np.searchsorted(forms, form)
            case = OpenCase(int(group), int(number), form, bound, rows_of(lines, place))
            found.append((float((upper[place] + bound).min()), case))
        return [case for _, case in sorted(found, key=lambda pair: -pair[0])]

    def _root(self, group: int) -> Root:
        """What is known of one box; of the last ones only, which bounds the memory."""
        if group not in self.roots:
            while len(self.roots) >= MOST_ROOTS:
                self.roots.pop(next(iter(self.roots)))
            lower, upper = self.cases.outer_lower[group], self.cases.outer_upper[group]
            forms = np.unique(self.cases.form[group][self.open[group]])
            self.roots[group] = Root(self.cones, lower, upper, forms)
        return self.roots[group]

    @cached_property
    def cones(self) -> Cones:
        """CROWN in float32 and float64."""
        return Cones(self.bounder, self.clock)

    def _open_groups(self) -> Iterator[int]:
        """The groups that are open, while there is time."""
        for group in np.flatnonzero(self.open.any(axis=1)).tolist():
            if self.clock.left <= 0:
                return
            yield group

    def _parts(self) -> Iterator[np.ndarray]:
        """The groups that are open, some at a time, while there is time."""
        groups = np.flatnonzero(self.open.any(axis=1))
        for at in range(0, len(groups), 256):
            if self.clock.left <= 0:
                return
            yield groups[at : at + 256]

    def _by_inputs(self, only_quick: bool = False) -> Found | None:
        """Trees over the input box; `only_quick`: not where boxes are slow and inputs not few."""
        from ibpc.verification.query.input_splitting import InputSplitting

        first = self._first_boxes()
        self.linear.choose(first.lower[:1], first.upper[:1], self.clock)
        kind = "refined" if self.linear.thorough else "cheap"
        self.settings.log(f"boxes are bounded with {kind} inner bounds")
        if only_quick and not self.linear.thorough and self.varying > VERY_FEW_INPUTS:
            return None
        search = InputSplitting(
            self.cases,
            self.linear,
            self.attack,
            self.judge,
            self.clock,
            self.settings.jobs,
            self.settings.log,
        )
        found = search.run(first)
        if found is True:
            self.open[:] = False
        return found if isinstance(found, Found) else None

    def _first_boxes(self) -> Boxes:
        groups = np.flatnonzero(self.open.any(axis=1))
        return Boxes(
            self.cases.outer_lower[groups],
            self.cases.outer_upper[groups],
            groups,
            self.open[groups],
            np.zeros(len(groups)),
        )


def _no_lines(form: np.ndarray) -> tuple[np.ndarray, np.ndarray, Choice]:
    """For a group that there was no time to optimise: the operators' own lines."""
    from ibpc.bounds import Choice

    forms = np.unique(form)
    return forms, np.full(len(forms), np.inf), Choice()


def _device(asked: str) -> str:
    """A torch device: the accelerator where `auto` finds one."""
    import torch

    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return asked


def decide_query(
    data: bytes, origin: str, wanted: Property, settings: QuerySettings, clock: Clock
) -> QueryAnswer:
    """The answer to one query.

    Raises: ModelMistake where the network cannot be read or does not fit the property.
    """
    import torch

    if wanted.empty:
        network = load_network(data, origin, wanted)
        empty = QueryAnswer("unsat", "the property's constraints contradict each other")
        return misread(network, data, None, settings.log, False) or empty
    cases = lower_property(wanted)
    subject = load_subject(data, origin, wanted, cases.forms)
    torch.set_num_threads(settings.jobs)
    settings.log(f"{origin}: {len(subject.graph.nodes)} nodes, read after {clock.spent:.2f} s")
    box = (cases.outer_lower[0], cases.outer_upper[0])
    wrong = misread(subject.network, data, box, settings.log, settings.cross_check)
    return wrong or Engine(subject, cases, settings, clock).decide()
