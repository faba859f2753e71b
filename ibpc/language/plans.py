"""`run` and `sweep` blocks, elaborated into targets: every task with all its values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.errors import Related
from ibpc.language.evaluate import evaluate
from ibpc.language.mistakes import Poisoned, suggestion, wrong
from ibpc.language.program import Fit, Target, VerifyTask
from ibpc.language.quantities import Quantity, number_text
from ibpc.language.recipes import call_train
from ibpc.language.scopes import Scope
from ibpc.language.values import Definition, Interval, Many, Network, kind_of
from ibpc.language.verify import call_verify, plain
from ibpc.language.walking import names
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ibpc.language.modules import Module
    from ibpc.language.values import Value
    from ibpc.language.world import World

TASKS = 10_000
"""The most tasks that one sweep may have."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis of a sweep; `param` is the param that it sets, if it is named like one."""

    written: tree.Axis
    values: tuple[Value, ...]
    param: tuple[str, str] | None


def run_target(plan: tree.Run, module: Module, world: World) -> Target:
    """The target of a `run` block; gathers the mistakes of its lines."""
    tasks: list[VerifyTask | Fit] = []
    failed = False
    for expr in plan.calls:
        with world.sink.gathering(expr.span) as failures:
            tasks.append(_task(expr, Scope(world, module), ()))
        failed |= failures.any
    if failed:
        raise Poisoned
    return Target(plan.name.text, _distinct(tasks), plan.name.span)


def sweep_target(plan: tree.Sweep, module: Module, world: World) -> Target:
    """The target of a `sweep`: the cartesian product of its axes, the first one slowest.

    Where the world is not thorough, a part of it that meets every value of a list and both ends
    of an interval, and all corners: enough to tell mistakes while somebody types, or in many files.

    Raises: TypeMistake E0610 (axis), E0208 (too many tasks).
    """
    axes = tuple(_axes(plan, module, world))
    size = prod(len(axis.values) for axis in axes) * len(plan.calls)
    if size > TASKS:
        raise wrong(
            "E0208", "this sweep is too large", plan.name.span, f"{size} tasks, at most {TASKS}"
        )
    tasks: list[VerifyTask | Fit] = []
    for place in _places(axes, world):
        chosen = tuple((axis, axis.values[i]) for axis, i in zip(axes, place, strict=True))
        inner = _world_at(chosen, world)
        scope = Scope(inner, module)
        for axis, value in chosen:
            scope = scope.bind(axis.written.name, value)
        with inner.within_sweep():
            tasks += [_task(expr, scope, chosen) for expr in plan.calls]
    return Target(plan.name.text, _distinct(tasks), plan.name.span)


def _places(axes: Sequence[_Axis], world: World) -> list[tuple[int, ...]]:
    """The points of a sweep's grid: all, or the corners and a diagonal through the lists."""
    if world.thorough:
        return list(product(*(range(len(axis.values)) for axis in axes)))
    corners = set(product(*({0, len(axis.values) - 1} for axis in axes)))
    lists = [len(axis.values) for axis in axes if axis.written.step is None]
    diagonal = {
        tuple(i % len(axis.values) if axis.written.step is None else 0 for axis in axes)
        for i in range(max(lists, default=0))
    }
    return sorted(corners | diagonal)


def _world_at(chosen: Sequence[tuple[_Axis, Value]], world: World) -> World:
    """The world in which the params that are axes have their values."""
    overrides = {axis.param: value for axis, value in chosen if axis.param is not None}
    inner = world.under(overrides)
    for axis, _ in chosen:
        if axis.param is not None:
            inner.cache[("place", *axis.param)] = axis.written.values.span
    return inner


def _axes(plan: tree.Sweep, module: Module, world: World) -> Iterator[_Axis]:
    mentioned = set[str]().union(*(names(expr) for expr in plan.calls))
    seen: dict[str, tree.Axis] = {}
    for axis in plan.axes:
        name = axis.name.text
        if name in seen:
            related = (Related(seen[name].span, "the first one"),)
            raise wrong("E0114", f"axis `{name}` stands twice", axis.name.span, related=related)
        seen[name] = axis
        origin = world.origin(module, name)
        param = None
        if origin is not None and isinstance(origin[0].declared[origin[1]], tree.Param):
            param = (origin[0].path, origin[1])
        if param is None and name not in mentioned:
            problem = f"axis `{name}` changes nothing"
            fix = f"pass it on: `{name} = {name}` in the call behind `run`"
            raise wrong("E0610", problem, axis.name.span, "neither a param nor used in `run`", fix)
        yield _Axis(axis, _points(axis, Scope(world, module)), param)


def _points(axis: tree.Axis, scope: Scope) -> tuple[Value, ...]:
    """The values of an axis: a list, or `[low .. high] by step` with both ends."""
    value = evaluate(axis.values, scope)
    if isinstance(value, Many) and axis.step is None:
        if not value.items:
            raise wrong("E0610", "this axis has no values", axis.values.span, "empty")
        for item in value.items:
            if not isinstance(item, Quantity | Network):
                label = f"holds {kind_of(item)}"
                raise wrong("E0610", "an axis holds numbers or networks", axis.values.span, label)
        return value.items
    if isinstance(value, Interval) and axis.step is not None:
        return _stepped(value, evaluate(axis.step, scope), axis.step)
    fix = "write `[a, b, c]`, or `[low .. high] by step`"
    raise wrong("E0610", "this axis has no list of values", axis.values.span, kind_of(value), fix)


def _stepped(interval: Interval, step: Value, at: tree.Expr) -> tuple[Value, ...]:
    if not isinstance(step, Quantity) or step.value <= 0:
        raise wrong("E0610", "the step of an axis is a positive number", at.span)
    if step.dimension != interval.low.dimension:
        raise wrong("E0310", "step and interval have different units", at.span, str(step))
    count = (interval.high.value - interval.low.value) // step.value + 1
    if count > TASKS:
        raise wrong("E0208", "this axis is too long", at.span, f"{count} values, at most {TASKS}")
    low, dimension = interval.low.value, step.dimension
    return tuple(Quantity(low + step.value * i, dimension) for i in range(int(count)))


# --- tasks -----------------------------------------------------------------------------------


def _task(expr: tree.Expr, scope: Scope, chosen: Sequence[tuple[_Axis, Value]]) -> VerifyTask | Fit:
    """The task of one line: a call of a verify or train block; raises TypeMistake E0609."""
    call = expr if isinstance(expr, tree.Call) else tree.Call(expr, (), expr.span)
    function = call.function
    value = evaluate(function, scope)
    if isinstance(value, Definition):
        if isinstance(value.declaration, tree.Train):
            fit = call_train(value, call, scope).fit
            assert fit is not None
            return fit
        if isinstance(value.declaration, tree.Verify):
            task = call_verify(value, call, scope)
            return _titled(task, call, chosen)
    blocks = [
        name
        for name, one in scope.module.declared.items()
        if isinstance(one, tree.Train | tree.Verify)
    ]
    fix = suggestion(function.text if isinstance(function, tree.Name) else "", blocks)
    label = f"this is {kind_of(value)}"
    raise wrong("E0609", "`run` calls train and verify blocks", expr.span, label, fix)


def _titled(task: VerifyTask, call: tree.Call, chosen: Sequence[tuple[_Axis, Value]]) -> VerifyTask:
    """The task with a title and with the values of the axes among its bindings."""
    fit = task.network if isinstance(task.network, Fit) else None
    network = fit.net.name if fit else getattr(task.network, "name", "")
    words = [task.name, network]
    shown = {axis.written.name.text: plain(value) for axis, value in chosen}
    values = {name: value for name, value in shown.items() if isinstance(value, Fraction)}
    if not chosen and call.arguments:
        given = {argument.name.text for argument in call.arguments if argument.name is not None}
        positional = list(task.bindings)[: sum(a.name is None for a in call.arguments)]
        for name in (*positional, *given):
            if isinstance(task.bindings.get(name), Fraction):
                values[name] = task.bindings[name]
    words += [f"{name}={number_text(value)}" for name, value in values.items()]
    bindings: dict[str, Any] = {**shown, **task.bindings}
    return replace(task, title=" ".join(words), bindings=bindings)


def _distinct(tasks: list[VerifyTask | Fit]) -> tuple[VerifyTask | Fit, ...]:
    """The tasks; those of equal titles name their recipes, and are numbered if need be."""
    titles = Counter(task.title for task in tasks if isinstance(task, VerifyTask))
    counts = Counter[str]()
    result: list[VerifyTask | Fit] = []
    for task in tasks:
        if isinstance(task, VerifyTask):
            if titles[task.title] > 1 and isinstance(task.network, Fit):
                net = task.network.net.name
                named = f"{task.name} {task.network.recipe}({net})"
                task = replace(task, title=task.title.replace(f"{task.name} {net}", named, 1))
            counts[task.title] += 1
            if counts[task.title] > 1:
                task = replace(task, title=f"{task.title} #{counts[task.title]}")
        result.append(task)
    return tuple(result)


def whole_block(declaration: tree.Train | tree.Verify, module: Module, world: World) -> Target:
    """The target of a block whose parameters all have defaults."""
    task = _task(declaration.name, Scope(world, module), ())
    return Target(declaration.name.text, (task,), declaration.name.span)
