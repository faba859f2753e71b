"""Reads VNN-LIB 2.x: version, networks, assertions.

Parses the union of what the standard's texts allow, with a warning where they disagree. Queries
over several networks, several inputs or outputs, or hidden nodes are checked in full and then
refused, since nothing here can verify them yet.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ibpc.errors import did_you_mean
from ibpc.exchange.assembly import Assembly
from ibpc.exchange.clauses import clauses
from ibpc.exchange.equivalence import check_equivalence
from ibpc.exchange.flat import FlatReader, patterns
from ibpc.exchange.forms import Form, Leaf, after_blanks, read_form, span_of
from ibpc.exchange.mistakes import COMMAND, FORM, LOOSE, NO_NETWORK, UNSUPPORTED, VERSION, mistake
from ibpc.exchange.property import Interface, Property, Tensor
from ibpc.exchange.tensors import Declared, Network, TensorScope

if TYPE_CHECKING:
    from ibpc.errors import Span
    from ibpc.exchange.source import Text

_VERSION = re.compile(r"<([0-9]{1,6})\.([0-9]{1,6})>")
_KNOWN_MINOR = 1
_ROLES = {"declare-input": "input", "declare-hidden": "hidden", "declare-output": "output"}
_ORDER = ("input", "hidden", "output")
_EQUIVALENCES = ("equal-to", "isomorphic-to")
_VERIFIED = frozenset({"real", "float32", "float64", "float16"})
_FLAT = patterns(
    variable=r"[A-Za-z][A-Za-z0-9_]*+\[[0-9,]++\]",
    number=r"-?[0-9]{1,300}+\.[0-9]{1,300}+",
    declaration=r"(declare-nothing)",
)


def read_vnnlib2(text: Text, flat: bool = True) -> Property:
    """The property in a VNN-LIB 2.x text; `flat` lets the fast tier read what it can.

    Raises: PropertyMistake with the place of what is wrong or unsupported.
    """
    reader = _Reader(text)
    place = 0
    while True:
        place = reader.quick(place) if flat else place
        place = after_blanks(text, place)
        if place >= len(text.content):
            return reader.finish()
        form = read_form(text, place)
        reader.command(form)
        place = form.end


class _Reader:
    """What was declared and asserted so far."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.assembly = Assembly(text)
        self.scope = TensorScope(text, self.assembly.warnings)
        self._version = ""
        self._asserted = False
        self._quick = FlatReader(self.assembly, _FLAT, self.scope.find, lambda *_: False)

    def quick(self, start: int) -> int:
        """The offset up to which the fast tier read."""
        if not self.scope.plain():
            return start
        after = self._quick.read(start)
        self._asserted = self._asserted or after > start
        return after

    def command(self, form: Form) -> None:
        """Carries out one command.  Raises: PropertyMistake."""
        if form.head == "vnnlib-version":
            self._read_version(form)
        elif form.head == "declare-network":
            self._read_network(form)
        elif form.head == "assert":
            self._read_assertion(form)
        else:
            raise mistake(
                COMMAND,
                f"unknown command `{form.head[:40]}`",
                span_of(self.text, form.items[0] if form.items else form),
                fix=did_you_mean(form.head[:40], ("assert", "declare-network", "vnnlib-version"))
                or "VNN-LIB 2.x has vnnlib-version, declare-network and assert",
            )

    def finish(self) -> Property:
        """The property, where the query is of a kind that can be verified."""
        if not self.scope.networks:
            raise mistake(NO_NETWORK, f"`{self.text.origin}` declares no network")
        if not self._version:
            self.assembly.warnings.add(
                LOOSE,
                "there is no version line",
                self.text.span(0, 1),
                fix="begin the file with (vnnlib-version <2.0>)",
            )
        network = self._only_network()
        (source,), (target,) = network.of("input"), network.of("output")
        interface = Interface(
            self._version or "2.0",
            network.name.text,
            Tensor(source.name.text, source.kind, source.shape),
            Tensor(target.name.text, target.kind, target.shape),
        )
        return self.assembly.finish(interface, lambda _: span_of(self.text, source.name))

    # --- commands

    def _read_version(self, form: Form) -> None:
        word = _only_word(form)
        found = _VERSION.fullmatch(word.text) if word else None
        if word is None or found is None or self._version or self.scope.networks:
            raise mistake(
                VERSION,
                "the version is said once, in the first line",
                span_of(self.text, form),
                fix="write (vnnlib-version <2.0>)",
            )
        if int(found[1]) != 2:
            raise mistake(
                VERSION,
                f"version {found[1]}.{found[2]} is not one that ibpc reads",
                span_of(self.text, word),
                fix="VNN-LIB 1.0 has no version line; the other version is <2.0>",
            )
        if int(found[2]) > _KNOWN_MINOR:
            self.assembly.warnings.add(
                LOOSE,
                f"version 2.{int(found[2])} is newer than this reader",
                span_of(self.text, word),
            )
        self._version = f"2.{int(found[2])}"

    def _read_assertion(self, form: Form) -> None:
        self._asserted = True
        if len(form.items) != 2:
            raise mistake(FORM, "`assert` takes one formula", span_of(self.text, form))
        found = clauses(form.items[1], self.scope, self.assembly.warnings, dialect=2)
        self.assembly.choose(found, span_of(self.text, form))

    def _read_network(self, form: Form) -> None:
        parts = form.items[1:]
        name = parts[0] if parts else None
        if not isinstance(name, Leaf):
            raise mistake(FORM, "a network has a name", span_of(self.text, form))
        if self._asserted:
            raise mistake(
                FORM, "networks are declared before all assertions", span_of(self.text, form)
            )
        network = Network(self.scope.name(name))
        for part in parts[1:]:
            self._read_part(network, part)
        for role in ("input", "output"):
            if not network.of(role):
                raise mistake(
                    NO_NETWORK, f"network `{name.text}` has no {role}", span_of(self.text, name)
                )
        check_equivalence(network, self.scope.networks, self.text)
        self.scope.networks[name.text] = network
        if name.text in {tensor.name.text for tensor in network.tensors}:
            self.scope.name(name)

    def _read_part(self, network: Network, part: Form | Leaf) -> None:
        if not isinstance(part, Form) or part.head not in {*_ROLES, *_EQUIVALENCES}:
            raise mistake(
                FORM,
                "a network has inputs, hidden nodes and outputs",
                span_of(self.text, part),
                fix="write (declare-input X real [1,5]) or (declare-output Y real [1,2])",
            )
        if part.head in _EQUIVALENCES:
            self._read_equivalence(network, part)
            return
        role = _ROLES[part.head]
        if any(_ORDER.index(tensor.role) > _ORDER.index(role) for tensor in network.tensors):
            raise mistake(
                FORM,
                "inputs come first, then hidden nodes, then outputs",
                span_of(self.text, part),
            )
        self._read_tensor(network, role, part)

    def _read_tensor(self, network: Network, role: str, form: Form) -> None:
        parts: list[Leaf | Form | None] = [*form.items[1:4], *[None] * (4 - len(form.items))]
        more = form.items[4:]
        name, kind, shape = parts
        if (
            not isinstance(name, Leaf)
            or not isinstance(kind, Leaf)
            or not isinstance(shape, Form)
            or not shape.bracket
        ):
            raise mistake(
                FORM,
                f"`{form.head}` takes a name, an element type and a shape",
                span_of(self.text, form),
                fix=f"write ({form.head} X real [1,5])",
            )
        tensor = self.scope.add(network, role, name, kind, shape)
        texts = [item.text if isinstance(item, Leaf) else "" for item in more]
        if role == "hidden" and len(texts) == 1 and texts[0].startswith('"'):
            tensor.onnx_name = texts[0][1:-1]
        elif role == "input" and texts and set(texts) == {"initialized"}:
            tensor.initialized = True
        elif texts or role == "hidden":
            fix = 'a hidden node ends with its ONNX name: (declare-hidden Z real [1,8] "relu_1")'
            raise mistake(
                FORM,
                f"`{form.head}` has the wrong parts after its shape",
                span_of(self.text, more[0] if more else form),
                fix=fix if role == "hidden" else "only `initialized` may follow, on an input",
            )

    def _read_equivalence(self, network: Network, form: Form) -> None:
        other = _only_word(form)
        if network.tensors or network.like or other is None:
            raise mistake(
                FORM,
                "one equivalence, of one network, stands before the inputs",
                span_of(self.text, form),
                fix="write (equal-to f) or (isomorphic-to f) after the network's name",
            )
        network.like = form.head, other.text

    # --- what can be verified

    def _only_network(self) -> Network:
        """The network of a query with one input and one output; raises for others."""
        networks = list(self.scope.networks.values())
        if len(networks) > 1:
            raise _unsupported(
                "queries over several networks", span_of(self.text, networks[1].name)
            )
        network = networks[0]
        for role in ("hidden", "input", "output"):
            tensors = network.of(role)
            if len(tensors) > (role != "hidden"):
                what = "hidden nodes" if role == "hidden" else f"several {role}s"
                raise _unsupported(f"queries over {what}", span_of(self.text, tensors[-1].name))
        for tensor in network.tensors:
            self._check_verifiable(tensor)
        return network

    def _check_verifiable(self, tensor: Declared) -> None:
        at = span_of(self.text, tensor.name)
        if tensor.initialized:
            raise _unsupported("inputs with a default value", at)
        if tensor.kind not in _VERIFIED:
            raise _unsupported(f"tensors of {tensor.kind}", at)


def _only_word(form: Form) -> Leaf | None:
    """The one word after a form's head, if that is all there is."""
    last = form.items[-1]
    return last if len(form.items) == 2 and isinstance(last, Leaf) else None


def _unsupported(what: str, at: Span) -> Exception:
    return mistake(
        UNSUPPORTED,
        f"{what} cannot be verified yet",
        at,
        fix="ibpc verifies one network with one input and one output of real numbers",
    )
