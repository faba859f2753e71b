"""`equal-to` and `isomorphic-to`: when one declared network may stand for another's form.

Source: the VNN-LIB 2.0 standard, chapter "Query Language", congruence of networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.exchange.forms import span_of
from ibpc.exchange.mistakes import EQUIVALENCE, mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.exchange.source import Text
    from ibpc.exchange.tensors import Declared, Network


def check_equivalence(network: Network, earlier: Mapping[str, Network], text: Text) -> None:
    """Raises PropertyMistake where a network's equivalence cannot be.

    The other network is declared earlier and has no equivalence itself; inputs and outputs agree
    in number, order and shape, for `equal-to` in element type too; hidden nodes of one ONNX name
    agree in shape (and type).
    """
    if network.like is None:
        return
    word, name = network.like
    other = earlier.get(name)
    problem = (
        f"network `{name[:40]}` is not declared before this one"
        if other is None
        else f"network `{name}` has an equivalence itself"
        if other.like
        else _difference(network, other, types=word == "equal-to")
    )
    if problem:
        raise mistake(
            EQUIVALENCE,
            f"{word}: {problem}",
            span_of(text, network.name),
            fix="name the first network of the chain, with the same inputs and outputs",
        )


def _difference(network: Network, other: Network, types: bool) -> str:
    """What tells the two forms apart, or the empty string."""
    for role in ("input", "output"):
        mine, theirs = network.of(role), other.of(role)
        if len(mine) != len(theirs):
            return f"there are {len(mine)} {role}s here and {len(theirs)} there"
        for one, two in zip(mine, theirs, strict=True):
            if unlike := _unlike(one, two, types):
                return unlike
    known = {tensor.onnx_name: tensor for tensor in other.of("hidden")}
    for one in network.of("hidden"):
        two_or_none = known.get(one.onnx_name)
        if two_or_none and (unlike := _unlike(one, two_or_none, types)):
            return unlike
    return ""


def _unlike(one: Declared, two: Declared, types: bool) -> str:
    if one.shape != two.shape:
        return f"`{one.name.text}` and `{two.name.text}` have different shapes"
    if types and one.kind != two.kind:
        return f"`{one.name.text}` and `{two.name.text}` have different element types"
    return ""
