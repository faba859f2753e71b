"""What CROWN knows of a graph before any box is given: its steps, and where bounds are exact.

Every node is one of three steps, by what its operator's record offers:

* affine: rows go back through `transpose` (or autograd of `forward`), its constant is its box at 0;
* bent: rows go back through the relaxation that `relax` gives for the operands' boxes;
* boxed: neither is there, so its interval stands for it and rows end at it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, Literal

import torch

from ibpc.claims import claim_node, label_name, logits_name
from ibpc.domains import Interval
from ibpc.errors import Diagnostic, ModelMistake, UnsupportedOperator
from ibpc.graph import Node
from ibpc.ops import Missing, Unsupported, operator
from ibpc.passes import sites

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from ibpc.bounds.weights import Weights
    from ibpc.graph import Graph
    from ibpc.ops import Site

SPARSE_FROM, SPARSE_SHARE = 2**14, 16
"""Matrices of so many entries are kept sparse where at most one in so many is not 0."""

FIRST_ROWS = 2**22
"""A layer whose matrix has at most so many entries is kept as one, for rows that start at it."""


@dataclass(frozen=True)
class Step:
    """One node, with what its facets need.

    `boxed`: positions of operands that depend on the input. `constants`: the other operands'
    tensors, None where absent or given at run time (labels).
    """

    node: Node
    site: Site
    kind: Literal["affine", "bent", "boxed"]
    boxed: tuple[int, ...]
    constants: tuple[Tensor | None, ...]

    def operands(self, values: Mapping[str, Any]) -> list[Any]:
        """Operands in order: `values` where it has them, else constants."""
        return [
            values.get(name, constant) if name else None
            for name, constant in zip(self.node.inputs, self.constants, strict=True)
        ]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The operands that depend on the input, in order of `boxed`."""
        return tuple(self.node.inputs[position] for position in self.boxed)

    @property
    def width(self) -> int:
        """Entries of one example's outputs."""
        return sum(prod(shape[1:]) for shape in self.site.out_shapes)

    def interval(self, values: Mapping[str, Any]) -> tuple[Interval, ...]:
        """The boxes of the node's outputs."""
        found = self._call("interval", operator(self.node.op).interval, self.operands(values))
        return found if isinstance(found, tuple) else (found,)

    def relax(self, values: Mapping[str, Any], knobs: Tensor | None = None) -> Any:
        """The relaxation over the operands' boxes."""
        facet = operator(self.node.op).relax
        assert facet is not None
        if knobs is None:
            return self._call("linear bound", facet, self.operands(values))
        return self._call(
            "linear bound", lambda *given: facet(*given, knobs=knobs), self.operands(values)
        )

    def transpose(
        self, rows: Sequence[Tensor | None], given: Mapping[str, Tensor]
    ) -> tuple[Tensor | None, ...]:
        """Rows over the outputs as rows over each operand of `boxed`.

        Shapes: rows (batch, spec, *dims), None for outputs that nobody reads.
        """
        facet = operator(self.node.op).transpose
        if facet is None or len(rows) > 1:
            return self._by_autograd(rows, given)
        found = self._call("transposed", facet, [rows[0], *self.operands(given)])
        return tuple(found[position] for position in self.boxed)

    def _by_autograd(
        self, rows: Sequence[Tensor | None], given: Mapping[str, Tensor]
    ) -> tuple[Tensor | None, ...]:
        """The gradient of rows . forward(x), which an affine node has alike at every x."""
        some = next(part for part in rows if part is not None)
        batch, spec = some.shape[:2]
        values = {name: tensor.repeat_interleave(spec, 0) for name, tensor in given.items()}
        points = [
            some.new_zeros(batch * spec, *(self.site.shapes[position] or ())[1:]).requires_grad_()
            for position in self.boxed
        ]
        values.update(zip(self.inputs, points, strict=True))
        recorded = torch.is_grad_enabled()
        with torch.enable_grad():
            outputs = self.forward(values)
            chosen = [
                (out, part) for out, part in zip(outputs, rows, strict=True) if part is not None
            ]
            found = torch.autograd.grad(
                [out for out, _ in chosen],
                points,
                [part.expand(batch, *part.shape[1:]).reshape(out.shape) for out, part in chosen],
                create_graph=recorded,
                allow_unused=True,
            )
        return tuple(
            None if part is None else part.reshape(batch, spec, *part.shape[1:]) for part in found
        )

    def forward(self, values: Mapping[str, Any]) -> tuple[Tensor, ...]:
        """The node's outputs at points."""
        found = self._call("forward", operator(self.node.op).forward, self.operands(values))
        return found if isinstance(found, tuple) else (found,)

    def _call(self, kind: str, facet: Any, operands: Sequence[Any]) -> Any:
        """A facet's result; one that is missing says so to the user."""
        why = facet.why if isinstance(facet, Missing) else ""
        try:
            if not why:
                return facet(self.site, *operands)
        except Unsupported as error:
            why = error.why
        problem = f"node `{self.node.name}` ({self.node.op}) has no {kind} rule: {why}"
        raise UnsupportedOperator(Diagnostic("E0702", problem))


class Plan:
    """The steps of a graph and its constants, as they are now: a change of weights is not seen.

    A `live` plan reads the weights themselves instead, and keeps nothing that depends on them, so
    that training may differentiate through it.

    `graph` may carry a claim (its rows are then what is bounded) or not. `values`: what depends on
    the input, in topological order.
    """

    def __init__(self, graph: Graph, weights: Weights, live: bool = False) -> None:
        self.live = live
        self.graph = _whole_claim(graph)
        self.dtype = weights.dtype
        self.output = self.graph.outputs[0]
        self.label = _label(self.graph)
        self.input = _only_input(self.graph, self.label)
        self.weights = weights
        self.steps: list[Step] = []
        self.values: dict[str, tuple[int, ...]] = {self.input: self.graph.inputs[self.input]}
        self.fixed: dict[str, Tensor] = {}
        self._walk({name: self._constant(name) for name in self.graph.constants})
        self.producer = {out: step for step in self.steps for out in step.node.outputs}
        self._upstream: dict[str, tuple[Step, ...]] = {}
        self._first: dict[str, Tensor | None] = {}
        self.kept: dict[tuple[str, str, float], Any] = {}

    def _walk(self, constants: Mapping[str, Tensor]) -> None:
        """Sort the nodes that matter; one that no box reaches is computed here."""
        wanted = _needed(self.graph, self.output)
        facts = sites(self.graph)
        trained = frozenset(self.weights.parameter_names)
        for node in self.graph.nodes:
            if node.name not in wanted:
                continue
            boxed = tuple(i for i, name in enumerate(node.inputs) if name in self.values)
            known = tuple(
                _sparse_if_it_pays(self.fixed.get(name, constants.get(name)), node, place)
                for place, name in enumerate(node.inputs)
            )
            step = Step(node, facts[node.name], _kind(node.op, boxed), boxed, known)
            if not boxed and self.live and any(part in trained for part in node.inputs):
                problem = f"node `{node.name}` ({node.op}) computes weights from weights"
                fix = "train with `bound = ibp`"
                raise UnsupportedOperator(Diagnostic("E0702", problem, fix=fix))
            if boxed:
                self.steps.append(step)
                self.values.update(zip(node.outputs, step.site.out_shapes, strict=False))
            else:
                self.fixed.update(zip(node.outputs, step.forward({}), strict=False))

    def _constant(self, name: str) -> Tensor:
        """A constant: the weights' own tensor if live, else cut off from training."""
        tensor = self.weights.value(name)
        return tensor if self.live else tensor.detach()

    def upstream(self, value: str) -> tuple[Step, ...]:
        """The steps on the way from the input to a value, last first."""
        if value not in self._upstream:
            reached, found = {value}, []
            for step in reversed(self.steps):
                if reached.intersection(step.node.outputs):
                    found.append(step)
                    reached.update(step.inputs)
            self._upstream[value] = tuple(found)
        return self._upstream[value]

    def width(self, value: str) -> int:
        """Entries of the widest value between the input and a value: what one row takes."""
        widths = [prod(self.values[name][1:]) for s in self.upstream(value) for name in s.inputs]
        return max(widths, default=1)

    @cached_property
    def bent_operands(self) -> tuple[str, ...]:
        """The values whose bounds shape a relaxation and that intervals do not bound exactly."""
        return tuple(name for name in self.relaxed_operands if name not in self._exact)

    @cached_property
    def relaxed_operands(self) -> tuple[str, ...]:
        """The values whose bounds shape a relaxation, but for the input itself."""
        found = {
            name: None
            for step in self.steps
            if step.kind != "affine"
            for name in step.inputs
            if name != self.input
        }
        order = {name: place for place, name in enumerate(self.values)}
        return tuple(sorted(found, key=order.__getitem__))

    def first_rows(self, value: str) -> Tensor | None:
        """The matrix of the affine layer that gives a value, (1, units, *operand dims).

        None where the value is not given by one with one operand, or the matrix is too large.
        """
        if value not in self._first:
            self._first[value] = self._matrix(value)
        return self._first[value]

    def _matrix(self, value: str) -> Tensor | None:
        step = self.producer[value]
        units = prod(self.values[value][1:])
        if step.kind != "affine" or len(step.boxed) != 1 or len(step.node.outputs) != 1:
            return None
        if units * prod(self.values[step.inputs[0]][1:]) > FIRST_ROWS:
            return None
        if self.label in step.node.inputs:
            return None
        eye = torch.eye(units, dtype=self.dtype, device=self.device)
        with torch.no_grad():
            return step.transpose([eye.reshape(1, units, *self.values[value][1:])], {})[0]

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        tensors = (*self.weights.parameters(), *self.weights.buffers())
        return tensors[0].device if tensors else torch.device("cpu")

    @cached_property
    def _exact(self) -> frozenset[str]:
        """Values whose interval bounds are exact entry by entry.

        An affine layer gives exact bounds where no two entries of its operand depend on one
        variable (then they are `apart`), and keeps them exact where each output reads one entry.
        """
        exact, apart = {self.input}, {self.input}
        for step in self.steps:
            if step.kind != "affine" or len(step.boxed) != 1 or self.label in step.node.inputs:
                continue
            name = step.inputs[0]
            single = name in exact and self._reads_single_entries(step)
            if name in apart or single:
                exact.update(step.node.outputs)
            if name in apart and single:
                apart.update(step.node.outputs)
        return frozenset(exact)

    def _reads_single_entries(self, step: Step) -> bool:
        """Whether no row and no column of the layer's matrix has two entries that are not 0.

        For a row w and random v: (w v)^2 = (w 1) (w v^2) only where w has a single entry. A
        mistake here would cost tightness alone.
        """
        name, out = step.inputs[0], step.node.outputs[0]
        if len(step.node.outputs) > 1:
            return False
        draws = torch.Generator().manual_seed(0)

        def drawn(value: str) -> Tensor:
            shape = (1, *self.values[value][1:])
            found = torch.rand(shape, dtype=torch.float64, generator=draws) + 0.5
            return found.to(self.device, self.dtype)

        def of_rows(v: Tensor) -> Tensor:
            box = Interval.from_center(torch.zeros_like(v), v)
            found: Tensor = step.interval({name: box})[0].radius
            return found

        def of_columns(v: Tensor) -> Tensor:
            found = step.transpose([v.unsqueeze(1)], {})[0]
            return torch.zeros_like(v) if found is None else found

        with torch.no_grad():
            return _single(of_rows, drawn(name)) and _single(of_columns, drawn(out))


def _single(product: Callable[[Tensor], Tensor], v: Tensor) -> bool:
    ones, plain, squares = (product(power) for power in (torch.ones_like(v), v, v * v))
    return torch.allclose(plain**2, ones * squares, rtol=1e-4, atol=0.0)


def _sparse_if_it_pays(constant: Tensor | None, node: Node, place: int) -> Tensor | None:
    """A large constant matrix with few entries that are not 0 as a sparse one (CSR).

    Networks that select and compare, lattices of minima and maxima say, have such weights. Only
    where the operator's facets take one, which for Gemm asks for weights (outputs, inputs).
    """
    if constant is None or place not in operator(node.op).sparse or constant.dim() != 2:
        return constant
    if constant.numel() < SPARSE_FROM or not node.attributes.get("transB", 0):
        return constant
    if int(constant.count_nonzero()) * SPARSE_SHARE > constant.numel():
        return constant
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls the format a beta
        return constant.to_sparse_csr()


def _kind(op: str, boxed: tuple[int, ...]) -> Literal["affine", "bent", "boxed"]:
    """What an operator with these variable operands is to CROWN."""
    record = operator(op)
    if record.affine or (len(boxed) == 1 and boxed[0] in record.linear):
        return "affine"
    return "boxed" if record.relax is None else "bent"


def _whole_claim(graph: Graph) -> Graph:
    """The graph with its claim as it was before elision: going backward, the two are one."""
    node = graph.producer[graph.outputs[0]]
    if node.op != "ibpc.ElidedRows":
        return graph
    label, table = node.inputs[1], node.inputs[4:]
    op = "ibpc.ClaimRows" if any(table) else "ibpc.ArgmaxRows"
    operands = (logits_name(graph), label, *(name for name in table if name))
    claim = Node(node.name, op, operands, node.outputs)
    nodes = (*(other for other in graph.nodes if other is not node), claim)
    return graph.replace(nodes=nodes, outputs=node.outputs)


def _label(graph: Graph) -> str:
    """The input that holds labels; "" where the graph carries no claim."""
    node = graph.producer[graph.outputs[0]]
    if not node.op.startswith("ibpc."):
        return ""
    assert claim_node(graph) is node
    return label_name(graph)


def _only_input(graph: Graph, label: str) -> str:
    names = [name for name in graph.inputs if name != label]
    if len(names) != 1:
        problem = f"network `{graph.name}` has {len(names)} inputs; a box bounds one"
        raise ModelMistake(Diagnostic("E0821", problem, fix="export the network with one input"))
    return names[0]


def _needed(graph: Graph, output: str) -> set[str]:
    """The nodes that a value depends on."""
    reached, found = {output}, set()
    for node in reversed(graph.nodes):
        if reached.intersection(node.outputs):
            found.add(node.name)
            reached.update(node.inputs)
    return found
