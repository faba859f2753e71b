"""VNN-LIB 2.x declarations: networks, tensors, element types, equivalences; and names in terms.

Source: the VNN-LIB 2.0 standard, chapter "Query Language", sections on scoping and typing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from ibpc.errors import did_you_mean
from ibpc.exchange.exact import parse_decimal
from ibpc.exchange.forms import Form, Leaf, span_of
from ibpc.exchange.mistakes import (
    DUPLICATE,
    ELEMENT_TYPE,
    INDEX,
    LOOSE,
    SHAPE,
    UNDECLARED,
    mistake,
)

if TYPE_CHECKING:
    from ibpc.exchange.mistakes import Warnings
    from ibpc.exchange.source import Text
    from ibpc.exchange.terms import Variable

MAX_ENTRIES = 50_000_000

_FLOAT8 = ("e4m3fn", "e4m3fnuz", "e5m2", "e5m2fnuz")
_FLOATS = frozenset(
    {
        *("real", "float16", "float32", "float64", "bfloat16", "float4e2m1"),
        *(f"float8{form}" for form in _FLOAT8),
    }
)
_INTEGERS = {
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (4, 8, 16, 32, 64)},
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (4, 8, 16, 32, 64)},
}
_OTHERS = frozenset({"bool", "string", "complex64", "complex128"})
KINDS = _FLOATS | set(_INTEGERS) | _OTHERS
"""Element types: ONNX's, and `real`."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*+")
_LOOSE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]*+")
_POINTED = re.compile(r"-?[0-9]++\.[0-9]++")
_WHOLE = re.compile(r"-?[0-9]++")
_COUNT = re.compile(r"0|[1-9][0-9]{0,17}")
_WRITTEN = re.compile(r"([A-Za-z][A-Za-z0-9_]*+)\[([0-9,]++)\]")


@dataclass(slots=True)
class Declared:
    """A tensor of the query; its entry i has the number `first + i`, or `~(first + i)`.

    `role` is "input", "hidden" or "output".
    """

    name: Leaf
    role: str
    kind: str
    shape: tuple[int, ...]
    first: int
    initialized: bool = False
    onnx_name: str = ""

    @property
    def entries(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


@dataclass(slots=True)
class Network:
    """A declared network; `like` is the equivalence ("equal-to" or ...) and the other's name."""

    name: Leaf
    tensors: list[Declared] = field(default_factory=list)
    like: tuple[str, str] | None = None

    def of(self, role: str) -> list[Declared]:
        """Its tensors of one role, in order."""
        return [tensor for tensor in self.tensors if tensor.role == role]


class TensorScope:
    """The names of a 2.x query: what terms may say of them."""

    def __init__(self, text: Text, warnings: Warnings) -> None:
        self.text, self.warnings = text, warnings
        self.networks: dict[str, Network] = {}
        self._tensors: dict[str, Declared] = {}
        self._found: dict[str, int | None] = {}
        self._next = {"input": 0, "output": 0}

    # --- declaring

    def name(self, leaf: Leaf) -> Leaf:
        """A name that is new and well spelled.  Raises: PropertyMistake."""
        if not _NAME.fullmatch(leaf.text):
            if not _LOOSE_NAME.fullmatch(leaf.text):
                raise mistake(
                    UNDECLARED,
                    f"`{leaf.text[:40]}` is not a name",
                    span_of(self.text, leaf),
                    fix="names are letters, digits and underscores, a letter first",
                )
            self.warnings.add(
                LOOSE,
                "names have letters, digits and underscores only",
                span_of(self.text, leaf),
            )
        if leaf.text in self.networks or leaf.text in self._tensors:
            raise mistake(
                DUPLICATE,
                f"`{leaf.text}` is declared twice",
                span_of(self.text, leaf),
                fix="all names of a query are different",
            )
        return leaf

    def add(self, network: Network, role: str, name: Leaf, kind: Leaf, shape: Form) -> Declared:
        """Declares a tensor."""
        extents = self._shape(shape)
        side = "input" if role == "input" else "output"
        tensor = Declared(self.name(name), role, self._kind(kind), extents, self._next[side])
        self._next[side] += tensor.entries
        if self._next[side] > MAX_ENTRIES:
            raise mistake(
                SHAPE,
                f"ibpc reads properties of up to {MAX_ENTRIES} entries",
                span_of(self.text, shape),
            )
        self._tensors[name.text] = tensor
        network.tensors.append(tensor)
        return tensor

    def _kind(self, leaf: Leaf) -> str:
        if leaf.text == "Real":
            self.warnings.add(LOOSE, "the element type is written `real`", span_of(self.text, leaf))
            return "real"
        if leaf.text not in KINDS:
            raise mistake(
                ELEMENT_TYPE,
                f"`{leaf.text[:40]}` is no element type",
                span_of(self.text, leaf),
                fix=did_you_mean(leaf.text[:40], KINDS) or "write real, float32 or float64",
            )
        return leaf.text

    def _shape(self, form: Form) -> tuple[int, ...]:
        extents = self._counts(form, SHAPE, "a shape lists whole numbers")
        if 0 in extents:
            problem, fix = "a tensor without entries says nothing", "every extent is at least 1"
            raise mistake(SHAPE, problem, span_of(self.text, form), fix=fix)
        return extents

    def _counts(self, form: Form, code: str, problem: str) -> tuple[int, ...]:
        """The natural numbers in brackets."""
        counts = []
        for item in form.items:
            if not isinstance(item, Leaf) or not _COUNT.fullmatch(item.text):
                raise mistake(code, problem, span_of(self.text, item), fix="for example [1,3,32]")
            counts.append(int(item.text))
        if counts and form.commas != len(counts) - 1:
            if form.commas >= len(counts):
                raise mistake(code, "a number is missing", span_of(self.text, form))
            self.warnings.add(
                LOOSE, "numbers in brackets are separated by commas", span_of(self.text, form)
            )
        return tuple(counts)

    # --- terms

    def variable(self, found: Variable) -> tuple[int, str]:
        """The number and element type of `X[0,1]`, or of a scalar `X`."""
        tensor = self._tensors.get(found.name.text)
        if tensor is None:
            network = found.name.text in self.networks
            raise mistake(
                UNDECLARED,
                f"`{found.name.text[:40]}` is a network, not a tensor"
                if network
                else f"`{found.name.text[:40]}` is not declared",
                span_of(self.text, found.name),
                fix=did_you_mean(found.name.text[:40], list(self._tensors)[:2000]),
            )
        indices: tuple[int, ...] = ()
        if found.index is not None:
            indices = self._counts(found.index, INDEX, "an index counts from 0")
        place = found.index or found.name
        if len(indices) != len(tensor.shape):
            raise mistake(
                INDEX,
                f"`{found.name.text}` has {len(tensor.shape)} axes, not {len(indices)}",
                span_of(self.text, place),
                fix=f"its shape is {_spelled(tensor.shape)}",
            )
        for axis, (index, extent) in enumerate(zip(indices, tensor.shape, strict=True)):
            if index >= extent:
                raise mistake(
                    INDEX,
                    f"index {index} is outside of axis {axis}, which has {extent} entries",
                    span_of(self.text, place),
                    fix=f"indices count from 0; the shape is {_spelled(tensor.shape)}",
                )
        return _number(tensor, indices), tensor.kind

    def member(self, literal: Leaf, kind: str) -> None:
        """Raises where a constant is no member of an element type."""
        text = literal.text
        if kind in _FLOATS:
            if _POINTED.fullmatch(text):
                return
            if "e" in text.lower():
                self.warnings.add(
                    LOOSE, "VNN-LIB 2.x has no exponents", span_of(self.text, literal)
                )
                return
            fix = f"write {text}.0" if _WHOLE.fullmatch(text) else "write digits on both sides"
        elif kind in _INTEGERS:
            low, high = _INTEGERS[kind]
            if _WHOLE.fullmatch(text) and low <= int(parse_decimal(text) or 0) <= high:
                return
            fix = f"{kind} has the whole numbers from {low} to {high}"
        else:
            fix = f"tensors of {kind} cannot be compared with numbers"
        raise mistake(
            ELEMENT_TYPE, f"`{text[:40]}` is no {kind}", span_of(self.text, literal), fix=fix
        )

    def divides(self) -> bool:
        """The 2.x standard has no division."""
        return False

    def plain(self) -> bool:
        """Whether all tensors have one and the same real element type."""
        kinds = {tensor.kind for tensor in self._tensors.values()}
        return len(kinds) == 1 and kinds <= _FLOATS

    def find(self, written: str) -> int | None:
        """The number of `X[0,1]` written without blanks; None where it names nothing."""
        if written not in self._found:
            self._found[written] = self._look_up(written)
        return self._found[written]

    def _look_up(self, written: str) -> int | None:
        found = _WRITTEN.fullmatch(written)
        tensor = self._tensors.get(found[1]) if found else None
        if found is None or tensor is None:
            return None
        parts = found[2].split(",")
        if not all(_COUNT.fullmatch(part) for part in parts) or len(parts) != len(tensor.shape):
            return None
        indices = tuple(map(int, parts))
        if any(index >= extent for index, extent in zip(indices, tensor.shape, strict=True)):
            return None
        return _number(tensor, indices)


def _number(tensor: Declared, indices: tuple[int, ...]) -> int:
    """Row-major position among all inputs, or its complement among all others."""
    flat = 0
    for index, extent in zip(indices, tensor.shape, strict=True):
        flat = flat * extent + index
    place = tensor.first + flat
    return place if tensor.role == "input" else ~place


def _spelled(shape: tuple[int, ...]) -> str:
    return "[" + ",".join(map(str, shape)) + "]"
