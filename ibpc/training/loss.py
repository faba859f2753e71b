"""A recipe's loss as a sum of terms, whose coefficients are known numbers at every step.

    loss(t) = constant(t) + sum_i coefficient_i(t) * term_i

Schedules are numbers once the step is known, so the sum is worked out in plain arithmetic before
anything runs: a term whose coefficient is exactly 0 is not computed, and with it the pass that
only it needs. That is what makes the warm-up of Eq. 12 (kappa = 1) a plain training step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ibpc.errors import Diagnostic, InternalError, TypeMistake
from ibpc.training.codes import NO_SUCH_LOSS, NOT_A_SUM
from ibpc.training.losses import LOSSES
from ibpc.training.rows import chosen_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from ibpc.errors import Span
    from ibpc.language import LossExpr, LossTerm
    from ibpc.training.passage import Batch, Outputs


@dataclass(frozen=True, slots=True)
class Sum:
    """constant + sum of coefficient * term; coefficients of 0 are left out."""

    constant: float
    parts: tuple[tuple[float, LossTerm], ...] = ()

    @property
    def needs_logits(self) -> bool:
        """Whether some term stands over the clean logits."""
        return self._stands_over("logits")

    @property
    def needs_violation(self) -> bool:
        """Whether some term stands over the rows' upper bounds."""
        return self._stands_over("worst", "violation")

    @property
    def needs_attack(self) -> bool:
        """Whether some term stands over the logits at the attack's point."""
        return self._stands_over("attacked")

    @property
    def needs_inner(self) -> bool:
        """Whether some term stands over the bounds of hidden units."""
        return self._stands_over("inner")

    def _stands_over(self, *kinds: str) -> bool:
        return any(term.over in kinds for _, term in self.parts)

    def scaled(self, factor: float) -> Sum:
        """The sum times a number."""
        if factor == 0.0:
            return Sum(0.0)
        return Sum(self.constant * factor, tuple((c * factor, term) for c, term in self.parts))

    def plus(self, other: Sum) -> Sum:
        """The two sums added, equal terms merged."""
        coefficients = list(self.parts)
        for coefficient, term in other.parts:
            for place, (known, same) in enumerate(coefficients):
                if same == term:
                    coefficients[place] = (known + coefficient, term)
                    break
            else:
                coefficients.append((coefficient, term))
        kept = tuple(part for part in coefficients if part[0] != 0.0)
        return Sum(self.constant + other.constant, kept)


def loss_at(expression: LossExpr, values: Mapping[str, float], at: Span | None = None) -> Sum:
    """The loss at one step: `values` holds each schedule's value there.

    Raises: TypeMistake where terms are multiplied with or divided by each other.
    """
    kind = expression.operator
    if kind == "number":
        assert expression.value is not None
        return Sum(float(expression.value))
    if kind == "schedule":
        return Sum(values[expression.name])
    if kind == "term":
        assert expression.term is not None
        return Sum(0.0, ((1.0, expression.term),))
    operands = [loss_at(operand, values, at) for operand in expression.operands]
    if len(operands) == 1:
        return operands[0].scaled(-1.0 if kind == "-" else 1.0)
    left, right = operands
    if kind not in _ARITHMETIC:
        raise InternalError(f"loss with the operator {kind!r}")
    return _ARITHMETIC[kind](left, right, at)


def check_loss(expression: LossExpr, values: Mapping[str, float], at: Span | None) -> None:
    """Raises TypeMistake where a term's word is no loss, or stands over what it does not know."""
    loss_at(expression, dict.fromkeys(values, 1.0), at)
    for term in _terms(expression):
        forms = LOSSES[term.word].forms if term.word in LOSSES else {}
        if term.over not in forms:
            known = [f"{w} over {o}" for w, loss in LOSSES.items() for o in loss.forms]
            raise TypeMistake(
                Diagnostic(
                    NO_SUCH_LOSS,
                    f"there is no loss `{term.word}` over {term.over}",
                    at,
                    fix=f"there are: {', '.join(known)}",
                )
            )


def value_of(
    term: LossTerm, outputs: Outputs, batch: Batch, matrices: Sequence[torch.Tensor]
) -> torch.Tensor:
    """The term's value on one batch, a scalar; `matrices` are the network's."""
    values: Any = {
        "logits": outputs.logits,
        "attacked": outputs.attacked,
        "inner": outputs.inner,
        "weights": matrices,
    }.get(term.over, outputs.violation)
    if "rows" in term.arguments and outputs.violation is values:
        values = chosen_rows(values, batch.keys, term.arguments)
    value: torch.Tensor = LOSSES[term.word].forms[term.over](values, batch.label, term.arguments)
    return value


def _terms(expression: LossExpr) -> Sequence[LossTerm]:
    if expression.term is not None:
        return [expression.term]
    return [term for operand in expression.operands for term in _terms(operand)]


def _product(left: Sum, right: Sum, at: Span | None) -> Sum:
    if left.parts and right.parts:
        raise _not_linear("two losses are multiplied with each other", at)
    return right.scaled(left.constant) if right.parts else left.scaled(right.constant)


def _quotient(left: Sum, right: Sum, at: Span | None) -> Sum:
    if right.parts:
        raise _not_linear("a loss stands below a fraction line", at)
    if right.constant == 0.0:
        raise _not_linear("the loss divides by a number that is 0 at some step", at)
    return left.scaled(1.0 / right.constant)


def _not_linear(problem: str, at: Span | None) -> TypeMistake:
    fix = "write the loss as a sum of terms, each times numbers and schedules"
    return TypeMistake(Diagnostic(NOT_A_SUM, problem, at, fix=fix))


_ARITHMETIC: Mapping[str, Callable[[Sum, Sum, Span | None], Sum]] = {
    "+": lambda left, right, _: left.plus(right),
    "-": lambda left, right, _: left.plus(right.scaled(-1.0)),
    "*": _product,
    "/": _quotient,
}
