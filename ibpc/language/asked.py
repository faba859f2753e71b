"""One claim of a spec, asked for on the command line: `phi3`, `phi3(acas_1_1)`, or the only one.

A claim that needs no data is its spec with networks by reference for its parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from ibpc.language import tensor_types as types
from ibpc.language.check import checked_world
from ibpc.language.evaluate import evaluate
from ibpc.language.mistakes import Poisoned, listed, suggestion, wrong
from ibpc.language.products import Product
from ibpc.language.program import OnnxNet
from ibpc.language.scopes import Scope
from ibpc.language.spelling import expression_text
from ibpc.language.values import Arrow, ClaimValue, Definition, Network
from ibpc.language.verify import subject_of
from ibpc.syntax import parse_expression, tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibpc.errors import Diagnostic
    from ibpc.language.modules import Module
    from ibpc.language.program import Claim, Fit, Net
    from ibpc.language.vocabulary import Vocabulary
    from ibpc.language.world import World

SHOWN = 12
"""How many claims a message lists."""


@dataclass(frozen=True, slots=True)
class AskedClaim:
    """A claim without data, and what it speaks of.

    `title` is the claim as it may be asked for again; `inputs` has a name and a unit ("" for a
    plain number) for each entry of the flat input.
    """

    title: str
    claim: Claim
    network: Fit | Net | Product
    inputs: tuple[tuple[str, str], ...]
    warnings: tuple[Diagnostic, ...]


def check_claim(
    path: str,
    vocabulary: Vocabulary,
    asked: str = "",
    overrides: Mapping[str, str] = MappingProxyType({}),
) -> AskedClaim:
    """The claim that is asked for of the file at `path`: a spec's name or call, or "" for the only.

    Raises: what `check_file` raises; NameMistake E0115 where no single claim is meant.
    """
    world, main, _ = checked_world(path, vocabulary, overrides)
    calls = dict(_known(world, main))
    if not asked:
        if len(calls) != 1:
            label = "names no claim" if not calls else f"{len(calls)} claims"
            problem = f"which claim of {path}? ({label})"
            raise wrong("E0115", problem, None, fix=_offer(path, calls))
        expr: tree.Expr = next(iter(calls.values()))
    else:
        expr = _written(asked, path, calls)
    try:
        value = evaluate(expr, Scope(world, main))
    except Poisoned:
        world.sink.raise_all()
        raise
    if not isinstance(value, ClaimValue):
        raise wrong("E0115", f"`{asked}` is no claim", expr.span, fix=_offer(path, calls))
    network = subject_of(value)
    for part in network.networks if isinstance(network, Product) else (network,):
        if not isinstance(part, OnnxNet):
            problem = "a claim is verified over networks from files; this one has no weights yet"
            fix = "refer to a file (`net f: A -> B = onnx(...)`), or verify it with `ibpc run`"
            raise wrong("E0115", problem, expr.span, "not a network from a file", fix)
    title = expression_text(expr)
    return AskedClaim(title, value.claim, network, value.inputs, tuple(world.sink.warnings))


def _written(asked: str, path: str, calls: Mapping[str, tree.Expr]) -> tree.Expr:
    """The expression that is asked for; a spec's bare name takes the only networks that fit."""
    expr = parse_expression(asked, "CLAIM")
    if not isinstance(expr, tree.Name):
        return expr
    fitting = [one for title, one in calls.items() if title.partition("(")[0] == expr.text]
    if len(fitting) == 1:
        return fitting[0]
    known = {title.partition("(")[0] for title in calls}
    fix = suggestion(expr.text, known, many=0) or _offer(path, calls)
    problem = f"{path} has no claim `{expr.text}`"
    if fitting:
        problem = f"`{expr.text}` may be about {len(fitting)} networks"
        fix = _offer(path, {expression_text(one): one for one in fitting})
    raise wrong("E0115", problem, expr.span, "which one?" if fitting else "not a claim", fix)


def _offer(path: str, calls: Mapping[str, tree.Expr]) -> str:
    if not calls:
        return "declare a network (`net f: A -> B = onnx(...)`) and a spec that needs no data"
    more = "" if len(calls) <= SHOWN else " and others"
    return f"ask for {listed(list(calls)[:SHOWN])}{more}: ibpc verify {path} '{next(iter(calls))}'"


def _known(world: World, main: Module) -> Iterator[tuple[str, tree.Expr]]:
    """Every spec of the main file over every choice of its networks by reference."""
    nets = [name for name, one in main.declared.items() if isinstance(one, tree.NetReference)]
    for name, declaration in main.declared.items():
        if not isinstance(declaration, tree.Spec):
            continue
        definition = Definition(declaration, main)
        for chosen in _choices(definition, nets, world):
            at = declaration.name.span
            arguments = tuple(tree.Argument(None, tree.Name(net, at), at) for net in chosen)
            call = tree.Call(tree.Name(name, at), arguments, at)
            yield expression_text(call), call


def _choices(definition: Definition, nets: list[str], world: World) -> list[tuple[str, ...]]:
    """The networks that a spec's parameters may be; none where it needs anything else."""
    scope = Scope(world, definition.module)
    found: list[tuple[str, ...]] = [()]
    for parameter in definition.declaration.parameters:
        if not isinstance(parameter.type, tree.ArrowType):
            return found if parameter.default is not None else []
        fitting = [net for net in nets if _fits(parameter.type, net, definition, scope)]
        found = [(*one, net) for one in found for net in fitting][:1000]
    return found


def _fits(written: tree.ArrowType, net: str, definition: Definition, scope: Scope) -> bool:
    value = scope.find(net)
    if not isinstance(value, Network):
        return False
    if getattr(definition.declaration, "generics", ()):
        return True
    wanted = types.resolve(written, scope)
    return isinstance(wanted, Arrow) and types.agree(wanted, value.arrow)
