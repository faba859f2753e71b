"""Data sets: `data mnist: (x: Image, y: Digit) { source = builtin(mnist) }`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.language import tensor_types as types
from ibpc.language.evaluate import as_whole, evaluate
from ibpc.language.invocations import invoke
from ibpc.language.mistakes import Poisoned, wrong
from ibpc.language.program import Dataset, Split
from ibpc.language.settings import by_name, require, value_of
from ibpc.language.spelling import shape_text
from ibpc.language.values import DataValue, Finite, Pair, Tensor, kind_of
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.language.program import Invocation
    from ibpc.language.scopes import Scope

SETTINGS = ("source", "train", "test", "augment")
SIZES = 10**9
IMAGE_AXES = 3


def declare(declaration: tree.Data, scope: Scope) -> DataValue:
    """The data set of a `data` block.

    Raises: NameMistake E0104, E0106; TypeMistake E0201, E0205 (shape of a built-in set), E0240,
    E0601.
    """
    pair = _point(declaration, scope)
    sink, failed = scope.world.sink, False
    settings = by_name(declaration.settings, SETTINGS, "`data`", scope)
    require(settings, "source", declaration.name, "write `source = builtin(mnist)`")
    source: Invocation | None = None
    sizes: dict[str, int | None] = {"train": None, "test": None}
    augment: tuple[Invocation, ...] = ()
    with sink.gathering() as failures:
        source = invoke(
            value_of(settings["source"]), scope.world.vocabulary.sources, "data source", scope
        )
        _check_builtin(source, pair, scope)
    failed |= failures.any
    for part in sizes:
        if part in settings:
            with sink.gathering() as failures:
                expr = value_of(settings[part])
                sizes[part] = as_whole(evaluate(expr, scope), expr.span, low=0, high=SIZES)
            failed |= failures.any
    if "augment" in settings:
        with sink.gathering() as failures:
            augment = _augmentations(value_of(settings["augment"]), pair, scope)
        failed |= failures.any
    if failed or source is None:
        raise Poisoned
    x, y = pair.fields[0][1], pair.fields[1][1]
    assert isinstance(x, Tensor)
    assert isinstance(y, Finite)
    dataset = Dataset(
        name=declaration.name.text,
        x=x.type,
        y=y.type,
        source=source,
        train=sizes["train"],
        test=sizes["test"],
        augment=augment,
        span=declaration.name.span,
    )
    return DataValue(Split(dataset, "all"), pair)


def _point(declaration: tree.Data, scope: Scope) -> Pair:
    pair = types.resolve(declaration.type, scope)
    kinds = [type(part) for _, part in pair.fields] if isinstance(pair, Pair) else []
    if not isinstance(pair, Pair) or kinds != [Tensor, Finite]:
        fix = "write `data name: (x: Image, y: Digit) { ... }`"
        problem = "a data point is an input and a label"
        raise wrong("E0201", problem, declaration.type.span, "another type", fix)
    if pair.fields[0][0] == pair.fields[1][0]:
        raise wrong("E0103", "input and label have the same name", declaration.type.span)
    return pair


def _check_builtin(source: Invocation, pair: Pair, scope: Scope) -> None:
    """Raise TypeMistake E0205 where a built-in data set has another shape than declared."""
    shapes = scope.world.vocabulary.builtin_data
    x = pair.fields[0][1]
    assert isinstance(x, Tensor)
    for value in source.arguments.values():
        shape = shapes.get(value) if source.word == "builtin" and isinstance(value, str) else None
        if shape is not None and tuple(shape) != x.type.shape:
            label = f"declared {shape_text(x.type.shape)}"
            fix = f"declare `real[{', '.join(map(str, shape))}]`"
            problem = f"`{value}` has points of shape {shape_text(tuple(shape))}"
            raise wrong("E0205", problem, source.span, label, fix)


def _augmentations(expr: tree.Expr, pair: Pair, scope: Scope) -> tuple[Invocation, ...]:
    """The augmentations; raises TypeMistake E0240 where the data are no images."""
    items = expr.items if isinstance(expr, tree.Listing) else (expr,)
    entries = scope.world.vocabulary.augmentations
    found = tuple(invoke(item, entries, "augmentation", scope) for item in items)
    x = pair.fields[0][1]
    assert isinstance(x, Tensor)
    if found and len(x.type.shape) != IMAGE_AXES:
        problem = f"`{found[0].word}` moves pixels, the data are no images"
        label = f"the data have shape {shape_text(x.type.shape)}"
        fix = "leave it out, or declare images as real[chan, high, wide]"
        raise wrong("E0240", problem, found[0].span, label, fix)
    return found


def split_of(expr: tree.Expr, scope: Scope) -> DataValue:
    """The data that a `data =` setting names; raises NameMistake E0111."""
    value = evaluate(expr, scope)
    if not isinstance(value, DataValue):
        fix = "name a data set: `mnist.train`"
        raise wrong("E0111", "data was expected", expr.span, f"this is {kind_of(value)}", fix)
    return value
