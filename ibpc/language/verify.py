"""Verify blocks with their arguments become tasks: data, claim, and one cascade for each report."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ibpc.errors import Related
from ibpc.language.binding import bind
from ibpc.language.data import split_of
from ibpc.language.evaluate import as_whole, evaluate
from ibpc.language.invocations import invoke
from ibpc.language.mistakes import Poisoned, suggestion, wrong
from ibpc.language.polarity import check_polarity
from ibpc.language.products import Product
from ibpc.language.program import Fit, Report, VerifyTask
from ibpc.language.quantities import Quantity, number_text
from ibpc.language.recipes import claim_of, trained_network, with_data
from ibpc.language.schedules import trained_radius
from ibpc.language.settings import by_name, require, value_of
from ibpc.language.values import ClaimValue, DataValue, Definition, Label, Network
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.language.binding import Bound
    from ibpc.language.program import Claim, Invocation, Net
    from ibpc.language.scopes import Scope
    from ibpc.language.values import Value

SETTINGS = ("data", "spec", "first")
OTHERWISE = ("unknown", "attackable")
LOWERINGS = {
    "hull": "box around it",
    "maximum": "linear maximum over it",
    "projection": "projection onto it",
    "milp": "MILP encoding",
    "query": "box that it is",
}
"""What a set may lack, in words."""
ORDER = {"observe": 0, "refute": 1, "bound": 1, "exact": 2, "relax": 3}
"""Which roles come first. Attacks and bounds may stand in any order: each decides what the other
cannot. Behind `observe` nothing is left to decide.
"""


def call_verify(definition: Definition, expr: tree.Call, scope: Scope) -> VerifyTask:
    """The task of a verify block for these arguments."""
    bound = bind(definition, expr.arguments, expr.span, scope)
    with scope.world.entering(definition, expr.span):
        return elaborate(definition, bound, expr)


def elaborate(definition: Definition, bound: Bound, expr: tree.Expr) -> VerifyTask:
    """The task of a verify block whose parameters are bound.

    Raises: IbpcError for what concerns the call; gathers the mistakes of settings and reports.
    """
    declaration = definition.declaration
    assert isinstance(declaration, tree.Verify)
    scope, sink, failed = bound.scope, bound.scope.world.sink, False
    if not any(isinstance(value, Network) for value in bound.values.values()):
        trained_network(definition, bound.values, expr)
    settings = by_name(declaration.settings, SETTINGS, "`verify`", scope)
    data: DataValue | None = None
    claim: ClaimValue | None = None
    with sink.gathering(expr.span) as failures:
        if "data" in settings:
            data = _data(settings, scope)
            scope = with_data(scope, data, settings["data"])
    failed |= failures.any
    with sink.gathering(expr.span) as failures:
        require(settings, "spec", declaration.name, "write `spec = robust(f, x, y, eps)`")
        if not failed:
            claim = claim_of(value_of(settings["spec"]), scope)
    failed |= failures.any
    reports, broken = _reports(declaration, scope)
    if failed or broken or claim is None:
        raise Poisoned
    _check_lowerings(claim.claim, reports, scope)
    _check_operators(subject_of(claim), reports, scope)
    _check_observed(claim, bound, reports, scope)
    _compare_radii(claim, declaration, scope)
    if _observes_argmax(reports, scope):
        at = value_of(settings["spec"]).span
        check_polarity(claim.claim, at, "and a report of this block", scope)
    return VerifyTask(
        name=declaration.name.text,
        title=declaration.name.text,
        network=subject_of(claim),
        data=data.split if data is not None else None,
        claim=claim.claim,
        reports=reports,
        bindings={name: plain(value) for name, value in bound.values.items()},
        span=expr.span,
    )


def _check_observed(
    claim: ClaimValue, bound: Bound, reports: tuple[Report, ...], scope: Scope
) -> None:
    """Raise TypeMistake E0607 where a report observes a network that the claim is not about."""
    stages = scope.world.vocabulary.stages
    observing = [r for r in reports if any(stages[one.word].role == "observe" for one in r.stages)]
    networks = [value for value in bound.values.values() if isinstance(value, Network)]
    if not observing or (claim.product is None and networks == list(claim.networks)):
        return
    problem = f"`{observing[0].name}` observes one network, and this block is about several"
    fix = "move the report into a block of its own, with that network as its only one"
    raise wrong("E0607", problem, observing[0].span, "which network?", fix)


def _observes_argmax(reports: tuple[Report, ...], scope: Scope) -> bool:
    """Whether some report asks for the label's output to be the largest."""
    stages = scope.world.vocabulary.stages
    every = [stage for report in reports for stage in report.stages]
    return any(
        stages[one.word].role == "observe" and one.arguments.get("predicate") == "argmax"
        for one in every
    )


def subject_of(claim: ClaimValue) -> Fit | Net | Product:
    """What a claim speaks of: its network, or its networks as one."""
    if claim.product is not None:
        return claim.product
    (network,) = claim.networks
    subject = network.fit if network.fit is not None else network.net
    if subject is None:
        raise Poisoned
    return subject


def plain(value: Value) -> Any:
    """A binding as the reports show it: a number, a label, a network's name."""
    if isinstance(value, Quantity):
        return value.value
    if isinstance(value, Label):
        return value.type.labels[value.index] if value.type.labels else value.index
    return value.name if isinstance(value, Network) else str(value)


def _data(settings: dict[str, tree.Setting], scope: Scope) -> DataValue:
    data = split_of(value_of(settings["data"]), scope)
    if "first" in settings:
        expr = value_of(settings["first"])
        first = as_whole(evaluate(expr, scope), expr.span, low=1, high=10**9)
        data = DataValue(replace(data.split, first=first), data.pair)
    return data


# --- reports ---------------------------------------------------------------------------------


def _reports(declaration: tree.Verify, scope: Scope) -> tuple[tuple[Report, ...], bool]:
    """The reports, and whether some of them are wrong."""
    found: dict[str, Report] = {}
    failed = False
    for written in declaration.reports:
        with scope.world.sink.gathering(written.span) as failures:
            if written.name.text in found:
                related = (Related(found[written.name.text].span, "the first one"),)
                problem = f"report `{written.name.text}` stands twice"
                raise wrong("E0114", problem, written.name.span, "again here", related=related)
            found[written.name.text] = _report(written, scope)
        failed |= failures.any
    if not declaration.reports:
        with scope.world.sink.gathering(declaration.span):
            fix = "add `report verified = by ibp`"
            at = declaration.name.span
            raise wrong("E0601", f"`{declaration.name.text}` reports nothing", at, "no report", fix)
        failed = True
    return tuple(found.values()), failed


def _report(written: tree.Report, scope: Scope) -> Report:
    """One cascade; warns of an order of stages that cannot help (W0603)."""
    entries = scope.world.vocabulary.stages
    stages: list[Invocation] = []
    for expr in written.stages:
        stages.append(invoke(expr, entries, "stage", scope))
        if len(stages) > 1:
            _check_order(stages, scope)
    otherwise = "unknown"
    if written.otherwise is not None:
        otherwise = written.otherwise.text
        if otherwise not in OTHERWISE:
            fix = suggestion(otherwise, OTHERWISE)
            at = written.otherwise.span
            raise wrong("E0607", f"`else {otherwise}` means nothing", at, "unknown outcome", fix)
    return Report(written.name.text, tuple(stages), otherwise, written.name.span)


def _check_order(stages: list[Invocation], scope: Scope) -> None:
    entries = scope.world.vocabulary.stages
    later = stages[-1]
    for earlier in stages[:-1]:
        before, after = entries[earlier.word].role, entries[later.word].role
        if earlier.word == later.word and earlier.arguments == later.arguments:
            what = "decides nothing that was not tried before"
        elif before == "observe":
            what = f"has nothing left to decide behind `{earlier.word}`"
        elif ORDER[before] > ORDER[after]:
            what = f"comes too late behind `{earlier.word}`"
        else:
            continue
        related = (Related(earlier.span, "this stage is before it"),)
        fix = "attacks and bounds first, then exact methods, then relaxations"
        problem = f"stage `{later.word}` {what}"
        scope.world.sink.warn("W0603", problem, later.span, "useless here", fix, related)
        return


def _check_lowerings(claim: Claim, reports: tuple[Report, ...], scope: Scope) -> None:
    """Raise UnsupportedOperator E0701 where a stage needs a lowering that the set lacks."""
    vocabulary = scope.world.vocabulary
    for report in reports:
        for stage in report.stages:
            needs = vocabulary.stages[stage.word].needs
            why = vocabulary.lacks(claim.set, needs) if needs else ""
            if why:
                related = (Related(claim.span, "the claim"),)
                problem = f"`{stage.word}` cannot work with this claim's input set"
                raise wrong("E0701", problem, stage.span, f"no {LOWERINGS[needs]}", why, related)


def _check_operators(
    subject: Fit | Net | Product, reports: tuple[Report, ...], scope: Scope
) -> None:
    """Raise UnsupportedOperator E0704 where a stage needs what an operator of a network lacks.

    Of networks from files this is known when they are read.
    """
    vocabulary = scope.world.vocabulary
    parts = subject.networks if isinstance(subject, Product) else (subject,)
    nets = [one.net if isinstance(one, Fit) else one for one in parts]
    nodes = {node.template.op: node for net in nets for node in getattr(net, "nodes", ())}
    for stage in (stage for report in reports for stage in report.stages):
        needs = vocabulary.stages[stage.word].needs
        for op, node in nodes.items():
            why = vocabulary.cannot(op, needs) if needs else ""
            if why:
                related = (Related(node.span, "this layer"),)
                problem = f"`{stage.word}` cannot work with {op}, an operator of this network"
                raise wrong("E0704", problem, stage.span, "cannot decide it", why, related)


def _compare_radii(claim: ClaimValue, declaration: tree.Verify, scope: Scope) -> None:
    """Warn where the network was trained at a smaller radius than it is tested at (W0602)."""
    fit, tested = claim.networks[0].fit, claim.claim.set.eps
    alike = fit is not None and fit.claim is not None and fit.claim.set.kind == claim.claim.set.kind
    trained = trained_radius(fit) if fit is not None and alike else None
    if not claim.claim.set.kind.startswith("ball"):  # the widths of others are not in one number
        return
    if trained is None or not isinstance(tested, Fraction) or scope.world.sweeping:
        return
    if float(trained) < float(tested):
        note = f"trained at {number_text(Fraction(trained))}, tested at {number_text(tested)}"
        notes = (note, "the paper trains at the radius of the test, or at a larger one")
        problem = "training radius is smaller than the test radius"
        scope.world.sink.warn("W0602", problem, declaration.name.span, notes=notes)
