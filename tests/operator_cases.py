"""Every operator's examples made concrete, and the checks that an operator's facets must pass.

The suites in soundness/ and agreement/ run these checks over all records; a planted error must
make them fail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack
from torch import fx
from torch.fx.proxy import GraphAppendingTracer

from ibpc.domains import Interval, LinearForm
from ibpc.ops import OPERATORS, Example, Operator, Site, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UNIT = {torch.float32: 2.0**-24, torch.float64: 2.0**-53}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """The cases are tiny; a test module that imports this runs on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass(frozen=True)
class Case:
    """One example of one operator."""

    record: Operator
    number: int

    @property
    def example(self) -> Example:
        return self.record.examples[self.number]

    @cached_property
    def constants(self) -> tuple[np.ndarray | None, ...]:
        """Constants as arrays (float32, int64), None where an operand varies or is absent."""
        return tuple(_array(operand) for operand in self.example.operands)

    @cached_property
    def site(self) -> Site:
        shapes = tuple(
            operand if isinstance(operand, tuple) else None if array is None else array.shape
            for operand, array in zip(self.example.operands, self.constants, strict=True)
        )
        site = Site("node", self.record.op, self.example.attributes, shapes, self.constants)
        return replace(site, out_shapes=self.record.shape(site))

    @property
    def variable(self) -> list[int]:
        """Positions of variable operands."""
        return [i for i in range(len(self.constants)) if self.site.varies(i)]

    def box(self, seed: int, dtype: torch.dtype) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """A box of one example for every variable operand; some entries have no width."""
        torch.manual_seed(seed)
        low, high = self.example.low, self.example.high
        found = []
        for position in self.variable:
            shape = self.site.shapes[position]
            lower = torch.rand(shape, dtype=dtype) * (high - low) + low
            width = torch.rand(shape, dtype=dtype) * 1.5 * (torch.rand(shape) > 0.2)
            found.append((lower, torch.minimum(lower + width, torch.tensor(high, dtype=dtype))))
        return [(torch.minimum(lower, upper), upper) for lower, upper in found]

    def operands(self, values: Sequence[Any], dtype: torch.dtype) -> list[Any]:
        """Operands in order: the given ones where they vary, else constants as tensors."""
        given = iter(values)
        return [
            next(given) if self.site.varies(i) else None if array is None else _tensor(array, dtype)
            for i, array in enumerate(self.constants)
        ]

    def forward(self, values: Sequence[torch.Tensor]) -> torch.Tensor:
        dtype = values[0].dtype if values else torch.float32
        return self.record.forward(self.site, *self.operands(values, dtype))

    def interval(self, box: Sequence[Any], roundoff: float, dtype: torch.dtype) -> Interval:
        boxes = [Interval.from_bounds(lower, upper, roundoff) for lower, upper in box]
        return self.record.interval(self.site, *self.operands(boxes, dtype))

    def missing(self, facet: str) -> str | None:
        """Why a facet is missing for this example; None where it is there."""
        kept = getattr(self.record, facet)
        if not callable(kept):
            return kept.why
        try:
            if facet == "interval":
                self.interval(self.box(0, torch.float64), 0.0, torch.float64)
            else:
                encoded(self, self.box(0, torch.float64))
        except Unsupported as reason:
            return reason.why
        return None


def cases(records: Sequence[Operator] | None = None) -> list[Any]:
    """All examples, as pytest parameters."""
    records = list(OPERATORS.values()) if records is None else records
    return [
        pytest.param(Case(record, number), id=f"{record.op}-{number}")
        for record in records
        for number in range(len(record.examples))
    ]


def _array(operand: Any) -> np.ndarray | None:
    if operand is None or isinstance(operand, tuple):
        return None
    array = np.asarray(operand)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _tensor(array: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    tensor = torch.from_numpy(array.copy())
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def points(box: Sequence[tuple[torch.Tensor, torch.Tensor]], count: int) -> list[torch.Tensor]:
    """Float64 points of the box: a third of them corners, never outside by rounding."""
    found = []
    for lower, upper in box:
        lo, up = lower.double(), upper.double()
        share = torch.rand(count, *lower.shape[1:], dtype=torch.float64)
        share[: count // 3] = (share[: count // 3] > 0.5).double()
        found.append(torch.minimum(torch.maximum(lo + share * (up - lo), lo), up))
    return found


def check_samples(case: Case, seed: int, dtype: torch.dtype, roundoff: float) -> None:
    """1,000 points of a box are mapped into the bounds; where rounding is covered, strictly."""
    box = case.box(seed, dtype)
    found = case.interval(box, roundoff, dtype)
    values = case.forward(points(box, 1000))
    size = float(values.abs().max()) + 1.0
    slack = size * (2.0**-48 if roundoff else 100 * UNIT[dtype])
    assert found.lower.shape == found.upper.shape == found.center.shape == found.radius.shape
    assert bool((found.lower.double() - values <= slack).all()), "a sample lies below the bounds"
    assert bool((values - found.upper.double() <= slack).all()), "a sample lies above the bounds"


def check_tightness(case: Case, seed: int) -> None:
    """Affine rules attain both bounds at corners; monotone ones at the ends of the box."""
    box = case.box(seed, torch.float64)
    found = case.interval(box, 0.0, torch.float64)
    low, high = exact_range(case, box)
    torch.testing.assert_close(found.lower, low, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(found.upper, high, rtol=1e-9, atol=1e-9)


def exact_range(
    case: Case, box: Sequence[tuple[torch.Tensor, torch.Tensor]]
) -> tuple[torch.Tensor, torch.Tensor]:
    """The exact range of every output entry of an affine or monotone operator."""
    lowers, uppers = tuple(b[0] for b in box), tuple(b[1] for b in box)
    slopes = jacobians(case, lowers)
    if not constant_slopes(case, box):
        assert len(box) == 1, "an operator that is neither affine nor of one operand"
        return case.forward(lowers), case.forward(uppers)
    center = case.forward([(lower + upper) / 2 for lower, upper in box])
    reach = torch.zeros_like(center).reshape(-1)
    for slope, (lower, upper) in zip(slopes, box, strict=True):
        reach = reach + slope.abs() @ (upper - lower).reshape(-1) / 2
    return center - reach.reshape(center.shape), center + reach.reshape(center.shape)


def jacobians(case: Case, at: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
    """Derivative of the flat output by each flat operand."""
    found = torch.autograd.functional.jacobian(lambda *values: case.forward(values), at)
    outputs = case.forward(at).numel()
    return [slope.reshape(outputs, -1) for slope in found]


def constant_slopes(case: Case, box: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> bool:
    """Whether the operator is affine, judged at points away from zero and from each other."""
    first = jacobians(case, tuple(lower - 9.7 for lower, _ in box))
    second = jacobians(case, tuple(upper + 8.3 for _, upper in box))
    third = jacobians(case, tuple((lower + upper) / 2 for lower, upper in box))
    if not any(bool(slope.any()) for slope in first):
        return False  # steps, and what is cut off on both sides
    return all(
        torch.allclose(a, b) and torch.allclose(a, c)
        for a, b, c in zip(first, second, third, strict=True)
    )


def check_recorded(case: Case, roundoff: float) -> None:
    """Recorded on proxies, forward and interval give what they give on tensors."""
    dtype = torch.float64
    box = case.box(3, dtype)
    lowers, uppers = [b[0] for b in box], [b[1] for b in box]
    constants = [_tensor(array, dtype) for array in case.constants if array is not None]
    graph = fx.Graph()
    tracer = GraphAppendingTracer(graph)

    def made(kind: str, count: int) -> list[fx.Proxy]:
        return [fx.Proxy(graph.placeholder(f"{kind}_{i}"), tracer) for i in range(count)]

    los, ups, given = (
        made("lower", len(box)),
        made("upper", len(box)),
        iter(made("constant", len(constants))),
    )

    def operands(values: Sequence[Any]) -> list[Any]:
        left = iter(values)
        return [
            next(left) if case.site.varies(i) else None if array is None else fixed[i]
            for i, array in enumerate(case.constants)
        ]

    fixed = {i: next(given) for i, array in enumerate(case.constants) if array is not None}
    boxes = [Interval.from_bounds(*pair, roundoff) for pair in zip(los, ups, strict=True)]
    clean = case.record.forward(case.site, *operands(los))
    bounds = case.record.interval(case.site, *operands(boxes))
    graph.output((clean.node, bounds.lower.node, bounds.upper.node))
    program = fx.GraphModule(torch.nn.Module(), graph)
    found = program(*lowers, *uppers, *constants)
    eager = case.interval(box, roundoff, dtype)
    for got, wanted in zip(found, (case.forward(lowers), eager.lower, eager.upper), strict=True):
        assert torch.equal(got, wanted)


class Columns:
    """An encoder that collects variables and rows for `scipy.optimize.milp`."""

    relaxed = False

    def __init__(self) -> None:
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.integral: list[int] = []
        self.rows: list[tuple[csr_array, np.ndarray, str]] = []

    def continuous(self, lower: np.ndarray, upper: np.ndarray) -> LinearForm:
        return self._new(np.asarray(lower), np.asarray(upper), 0)

    def binary(self, count: int) -> LinearForm:
        return self._new(np.zeros(count), np.ones(count), 1)

    def require(self, form: LinearForm, sense: str) -> None:
        assert sense in ("<", "=")
        self.rows.append((form.matrix, form.bias, sense))

    def _new(self, lower: np.ndarray, upper: np.ndarray, integral: int) -> LinearForm:
        start, count = len(self.lower), len(lower)
        self.lower.extend(lower)
        self.upper.extend(upper)
        self.integral.extend([integral] * count)
        place = (np.arange(count), np.arange(start, start + count))
        matrix = csr_array((np.ones(count), place), shape=(count, start + count))
        zero = np.zeros(count)
        return LinearForm(self, (count,), matrix, zero, lower.astype(float), upper.astype(float))

    def maximise(self, terms: list[tuple[np.ndarray, LinearForm]]) -> tuple[float, np.ndarray]:
        """The largest sum of weights @ form, and the variables there."""
        width = len(self.lower)
        cost = sum(weights @ _wide(form.matrix, width) for weights, form in terms)
        offset = sum(weights @ form.bias for weights, form in terms)
        constraints = []
        if self.rows:
            wide = [_wide(matrix, width) for matrix, _, _ in self.rows]
            top = np.concatenate([-bias for _, bias, _ in self.rows])
            floor = [-b if s == "=" else np.full(len(b), -np.inf) for _, b, s in self.rows]
            constraints = [LinearConstraint(vstack(wide), np.concatenate(floor), top)]
        bounds = Bounds(np.array(self.lower), np.array(self.upper))
        found = milp(-cost, integrality=self.integral, bounds=bounds, constraints=constraints)
        assert found.success, found.message
        return float(cost @ found.x + offset), found.x


def _wide(matrix: csr_array, width: int) -> csr_array:
    wider = matrix.copy()
    wider.resize(matrix.shape[0], width)
    return wider


def encoded(case: Case, box: Sequence[Any]) -> tuple[Columns, list[LinearForm], LinearForm]:
    encoder, forms = Columns(), []
    for position, (lower, upper) in zip(case.variable, box, strict=True):
        form = encoder.continuous(lower.numpy().reshape(-1), upper.numpy().reshape(-1))
        forms.append(replace(form, shape=case.site.shapes[position]))
    given = iter(forms)
    operands = [
        next(given) if case.site.varies(i) else array for i, array in enumerate(case.constants)
    ]
    return encoder, forms, case.record.milp(case.site, *operands)


def check_milp(case: Case, seed: int) -> None:
    """The encoding admits every pair (input, output) of the operator, and no other.

    Every: no sample beats the optimum of a random functional of inputs and outputs. No other: at
    the optimum, the form says what the forward facet says. The form's own bounds hold the samples.
    """
    box = case.box(seed, torch.float64)
    encoder, forms, found = encoded(case, box)
    assert found.shape == case.site.out_shapes[0]
    drawn = points(box, 500)
    values = case.forward(drawn).reshape(500, -1).numpy()
    assert (found.lower - values <= 1e-9).all(), "a sample lies below the form's bounds"
    assert (values - found.upper <= 1e-9).all(), "a sample lies above the form's bounds"
    bounds = case.interval(box, 0.0, torch.float64)
    low, high = (v.reshape(-1).numpy() for v in (bounds.lower, bounds.upper))
    generator = np.random.default_rng(seed)
    for _ in range(3):
        pulls = [generator.normal(size=len(form.bias)) for form in forms]
        weights = generator.normal(size=values.shape[1])
        best, solution = encoder.maximise([*zip(pulls, forms, strict=True), (weights, found)])
        reached = values @ weights
        limit = np.maximum(weights * low, weights * high).sum()
        for pull, drawn_one, (lower, upper) in zip(pulls, drawn, box, strict=True):
            reached = reached + drawn_one.reshape(500, -1).numpy() @ pull
            ends = [pull * end.reshape(-1).numpy() for end in (lower, upper)]
            limit += np.maximum(*ends).sum()
        assert reached.max() <= best + 1e-6, "a sample beats the optimum"
        assert best <= limit + 1e-6, "the optimum beats the interval bound"
        inputs = [torch.from_numpy(_at(form, solution)).reshape(form.shape) for form in forms]
        wanted = case.forward(inputs).reshape(-1).numpy()
        np.testing.assert_allclose(_at(found, solution), wanted, rtol=1e-5, atol=1e-5)


def _at(form: LinearForm, solution: np.ndarray) -> np.ndarray:
    return form.matrix @ solution[: form.matrix.shape[1]] + form.bias
