"""Loss expressions: numbers, schedules and losses, under + - * /.

What a loss stands over is spelled by a call: `f(x)` the logits, `worst(spec)` the worst-case
logits of Eq. 10, `violation(spec)` the rows' upper bounds, `attacked(spec)` the logits at the point
that the recipe's `attack` finds, `inner(spec)` the interval bounds of the hidden units,
`weights(f)` the network's matrices.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.language.evaluate import evaluate
from ibpc.language.invocations import fill
from ibpc.language.mistakes import suggestion, wrong
from ibpc.language.program import LossExpr, LossTerm, Symbol
from ibpc.language.quantities import Quantity
from ibpc.language.spelling import expression_text
from ibpc.language.values import DatumLabel, kind_of
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.language.program import Claim
    from ibpc.language.scopes import Scope

OVER = ("worst", "violation", "attacked", "inner")
"""What `word(spec)` may be in a loss."""

WEIGHTS = "weights"
"""`weights(f)`: what a loss on the network itself stands over."""

LABELLED = ("logits", "worst", "attacked")
"""What needs the datum's label beside it."""


def read_loss(expr: tree.Expr, network: str, claim: Claim | None, scope: Scope) -> LossExpr:
    """The loss that an expression spells; `network` is the recipe's name for what it trains.

    Raises: TypeMistake E0606 (no loss), E0630 (over what), E0631 (no sum), E0411 (worst of a claim
    that is not argmax), E0608.
    """
    loss = _expression(expr, network, claim, scope)
    if not has_term(loss):
        fix = "a recipe's loss is like `xent(f(x), y)`"
        raise wrong("E0606", "this loss contains no loss function", expr.span, "a number", fix)
    return loss


def has_term(loss: LossExpr) -> bool:
    """Whether the network's output matters at all."""
    return loss.term is not None or any(has_term(operand) for operand in loss.operands)


def terms_in(loss: LossExpr) -> tuple[LossTerm, ...]:
    """The losses in it."""
    own = () if loss.term is None else (loss.term,)
    return own + tuple(term for operand in loss.operands for term in terms_in(operand))


def stands_over(loss: LossExpr) -> set[str]:
    """What the losses in it stand over."""
    return {term.over for term in terms_in(loss)}


def schedules_in(loss: LossExpr) -> set[str]:
    """The schedules that a loss names."""
    inner = (schedules_in(operand) for operand in loss.operands)
    return set[str]().union(*inner, {loss.name} if loss.operator == "schedule" else ())


def _expression(expr: tree.Expr, network: str, claim: Claim | None, scope: Scope) -> LossExpr:
    if isinstance(expr, tree.Binary) and expr.operator in "+-*/":
        left = _expression(expr.left, network, claim, scope)
        right = _expression(expr.right, network, claim, scope)
        return _combined(expr, left, right)
    if isinstance(expr, tree.Unary) and expr.operator == "-":
        return LossExpr("-", (_expression(expr.operand, network, claim, scope),))
    if isinstance(expr, tree.Call) and isinstance(expr.function, tree.Name):
        return LossExpr("term", term=_term(expr, expr.function, network, claim, scope))
    value = evaluate(expr, scope)
    if isinstance(value, Symbol):
        return schedule_term(value)
    if isinstance(value, Quantity) and not value.dimension:
        return LossExpr("number", value=value.value)
    fix = "use numbers, schedules and losses with + - * /"
    raise wrong("E0606", "this cannot stand in a loss", expr.span, f"this is {kind_of(value)}", fix)


def schedule_term(value: Symbol) -> LossExpr:
    """A schedule, times its factor, in a loss or in the weight of a bound."""
    schedule = LossExpr("schedule", name=value.name)
    if value.factor == 1:
        return schedule
    return LossExpr("*", (LossExpr("number", value=value.factor), schedule))


def _combined(expr: tree.Binary, left: LossExpr, right: LossExpr) -> LossExpr:
    if expr.operator == "*" and has_term(left) and has_term(right):
        fix = "add them, each with a weight"
        raise wrong("E0631", "two losses are multiplied", expr.span, "a product of losses", fix)
    if expr.operator == "/":
        if has_term(right):
            raise wrong("E0631", "a number is divided by a loss", expr.right.span, "a loss")
        if right.operator == "number" and right.value == 0:
            raise wrong("E0302", "division by zero", expr.right.span, "the divisor is 0")
    return LossExpr(expr.operator, (left, right))


def _term(
    expr: tree.Call, word: tree.Name, network: str, claim: Claim | None, scope: Scope
) -> LossTerm:
    """`xent(f(x), y)`, `xent(worst(spec), y)`, `hinge(violation(spec))`."""
    entries = scope.world.vocabulary.losses
    entry = entries.get(word.text)
    if entry is None:
        fix = suggestion(word.text, entries)
        if word.text in (*OVER, WEIGHTS):
            fix = f"put it into a loss: `xent({word.text}(spec), y)`"
        raise wrong("E0106", f"unknown loss `{word.text}`", word.span, "not a loss", fix)
    first, label, rest = _split(expr, word, network, scope)
    over = _over(first, network, claim, scope)
    forms = getattr(entry, "forms", None)
    if forms is not None and over not in forms:
        fix = f"`{word.text}` stands over " + ", ".join(sorted(forms))
        problem = f"`{word.text}` does not stand over {over}"
        raise wrong("E0630", problem, first.span, f"this is {over}", fix)
    if label is None and over in LABELLED:
        fix = f"write `{word.text}({expression_text(first)}, y)`"
        raise wrong("E0210", f"`{word.text}` needs the label", expr.span, "no label", fix)
    return LossTerm(word.text, over, fill(word, entry.slots, rest, scope))


def _split(
    expr: tree.Call, word: tree.Name, network: str, scope: Scope
) -> tuple[tree.Expr, tree.Expr | None, tuple[tree.Argument, ...]]:
    """What the loss stands over, its label, and the other arguments."""
    unnamed = [argument for argument in expr.arguments if argument.name is None]
    if not unnamed:
        fix = f"write `{word.text}({network}(x), y)`"
        raise wrong("E0210", f"`{word.text}` stands over nothing", expr.span, "no argument", fix)
    label = None
    second = unnamed[1].value if len(unnamed) > 1 else None
    if isinstance(second, tree.Name) and isinstance(evaluate(second, scope), DatumLabel):
        label = unnamed[1]
    taken = [unnamed[0], label]
    rest = tuple(a for a in expr.arguments if not any(a is one for one in taken))
    return unnamed[0].value, label.value if label else None, rest


def _over(expr: tree.Expr, network: str, claim: Claim | None, scope: Scope) -> str:
    """What a loss stands over: "logits", "weights", or a word of `OVER`."""
    fix = f"write `{network}(x)`, `worst(spec)`, `violation(spec)` or `attacked(spec)`"
    if not isinstance(expr, tree.Call) or not isinstance(expr.function, tree.Name):
        raise wrong("E0606", "a loss stands over outputs or bounds", expr.span, fix=fix)
    word, arguments = expr.function.text, [argument.value for argument in expr.arguments]
    name = arguments[0].text if arguments and isinstance(arguments[0], tree.Name) else ""
    if word == network and len(arguments) == 1 and type(scope.names.get(name)).__name__ == "Datum":
        return "logits"
    if word == WEIGHTS and len(arguments) == 1 and name == network:
        return WEIGHTS
    if word not in OVER or len(arguments) != 1 or name != "spec":
        if word == WEIGHTS:
            fix = f"write `{WEIGHTS}({network})`"
        elif word not in OVER and word != network:
            fix = suggestion(word, {*OVER, WEIGHTS, network}) or fix
        raise wrong("E0606", "a loss stands over outputs or bounds", expr.span, fix=fix)
    if claim is None:
        fix = "add `spec = robust(f, x, y, eps)`"
        raise wrong("E0601", "this recipe has no setting `spec`", expr.span, "which spec?", fix)
    if word == "worst" and not claim.argmax:
        fix = "use `violation(spec)`, with a loss such as `hinge`"
        problem = "worst-case logits exist only for argmax claims"
        raise wrong("E0411", problem, expr.span, f"`{claim.name}` is another claim", fix)
    return word


def default_loss(claim: Claim | None, block: tree.Name, scope: Scope) -> LossExpr:
    """Eq. 12 where there is an argmax claim, plain cross-entropy where there is none.

    kappa * xent(f(x), y) + (1 - kappa) * xent(worst(spec), y)
    """
    if "xent" not in scope.world.vocabulary.losses or (claim is not None and not claim.argmax):
        fix = "for example `loss = hinge(violation(spec))`"
        problem = f"`{block.text}` needs the setting `loss`"
        raise wrong("E0601", problem, block.span, "no default for this claim", fix)
    nominal = LossExpr("term", term=LossTerm("xent", "logits", {}))
    if claim is None:
        return nominal
    worst = LossExpr("term", term=LossTerm("xent", "worst", {}))
    kappa = LossExpr("schedule", name="kappa")
    rest = LossExpr("-", (LossExpr("number", value=Fraction(1)), kappa))
    return LossExpr("+", (LossExpr("*", (kappa, nominal)), LossExpr("*", (rest, worst))))
