"""Networks by reference: `onnx("file")` with affine maps before and behind it."""

from __future__ import annotations

import hashlib
import os
from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.language import tensor_types as types
from ibpc.language.evaluate import entries, evaluate
from ibpc.language.mistakes import suggestion, wrong
from ibpc.language.modules import beside
from ibpc.language.program import AffineMap, OnnxNet
from ibpc.language.values import Affine, Arrow, Network, Tensor, kind_of
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.language.scopes import Scope

MAPS = {"input": "x", "output": "y"}
"""The settings of a reference, and the name of the tensor in each."""


def declare(declaration: tree.NetReference, scope: Scope) -> Network:
    """The network of `net name: A -> B = onnx("file") { input = ..., output = ... }`.

    An absent file is a warning (W0501): only what needs its weights cannot go on.
    Raises: NameMistake E0104; FileMistake E0502, E0511; TypeMistake E0201, E0405.
    """
    arrow = types.resolve(declaration.type, scope)
    if not isinstance(arrow, Arrow):
        fix = 'write `net name: A -> B = onnx("file")`'
        raise wrong("E0201", "a network's type is an arrow", declaration.type.span, fix=fix)
    written = _path(declaration.source)
    path = beside(scope.module.path, written.value)
    maps: dict[str, AffineMap] = {}
    for setting in declaration.settings:
        name = setting.name.text
        if name not in MAPS:
            fix = suggestion(name, MAPS)
            problem = f"a network by reference has no setting `{name}`"
            raise wrong("E0104", problem, setting.name.span, "unknown setting", fix)
        if name in maps:
            raise wrong("E0114", f"`{name}` is set twice", setting.name.span, "again here")
        side = arrow.source if name == "input" else arrow.target
        maps[name] = _map(setting, MAPS[name], side, scope)
    net = OnnxNet(
        name=declaration.name.text,
        input=arrow.source.type,
        output=arrow.target.type,
        path=path,
        sha256=_digest(path, written, scope),
        input_map=maps.get("input"),
        output_map=maps.get("output"),
        span=declaration.name.span,
    )
    return Network(declaration.name.text, arrow, net)


def _path(source: tree.Expr) -> tree.Text:
    if isinstance(source, tree.Call) and isinstance(source.function, tree.Name):
        values = [argument.value for argument in source.arguments if argument.name is None]
        if source.function.text == "onnx" and len(source.arguments) == 1 and len(values) == 1:
            value = values[0]
            if isinstance(value, tree.Text) and value.value and "\0" not in value.value:
                return value
    fix = 'write `onnx("file.onnx")`, or a block of layers'
    raise wrong("E0511", "a network comes from an ONNX file", source.span, "not `onnx(...)`", fix)


def _digest(path: str, written: tree.Text, scope: Scope) -> str:
    """The sha256 of the file's bytes, or the empty string where there is no file."""
    if not os.path.exists(path):
        problem = f"the network's file is absent: `{path}`"
        fix = "put it there before you run this spec; paths are relative to the spec's folder"
        scope.world.sink.warn("W0501", problem, written.span, "no such file", fix)
        return ""
    known: dict[str, str] = scope.world.cache.setdefault("sha256", {})
    if path in known:
        return known[path]
    try:
        with open(path, "rb") as file:
            known[path] = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as why:
        raise wrong(
            "E0502", f"cannot read `{path}`", written.span, why.strerror or "unreadable"
        ) from why
    return known[path]


def _map(setting: tree.Setting, name: str, side: Tensor, scope: Scope) -> AffineMap:
    """`(x - mean) / range` as scale and offset for each entry, exact."""
    if isinstance(setting.value, tree.Schedule):
        raise wrong("E0405", "a map does not depend on the step", setting.span, "a schedule")
    size = entries(side)
    whole = Affine((Fraction(1),), (Fraction(0),), size)
    inner = scope.bind(tree.Name(name, setting.name.span), whole)
    value = evaluate(setting.value, inner)
    if not isinstance(value, Affine):
        fix = f"write it with `{name}`: `({name} - mean) / range`"
        problem = f"this does not depend on `{name}`"
        raise wrong("E0405", problem, setting.value.span, f"this is {kind_of(value)}", fix)
    return AffineMap(value.scale, value.offset)
