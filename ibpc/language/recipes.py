"""Recipes: `train fit(f: Image -> Logits) { ... }`, and `fit(net)` as a value.

Defaults (of edition 1): `bound = ibp`, `attack = pgd`, `optimiser = adam`, `init = orthogonal`,
`batch = 100`, `seed = 0`, `lr = 1e-3`; the loss is Eq. 12 with `kappa = 1/2`, or plain
cross-entropy in a recipe without a spec. Gradients are not clipped and weights not averaged unless
`clip_gradient` and `average` say so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ibpc.language import specs
from ibpc.language.binding import bind
from ibpc.language.data import split_of
from ibpc.language.evaluate import (
    as_float,
    as_number,
    as_quantity,
    as_whole,
    evaluate,
    in_range,
)
from ibpc.language.invocations import invoke, invoke_all
from ibpc.language.losses import default_loss, read_loss, schedules_in, stands_over, terms_in
from ibpc.language.mistakes import Poisoned, suggestion, wrong
from ibpc.language.mixes import check_statistics, read_bound, schedules_of
from ibpc.language.polarity import check_polarity
from ibpc.language.program import BoundPart, Claim, Curve, Fit, Invocation, LossExpr, Symbol
from ibpc.language.schedules import constant, reach, read_curve
from ibpc.language.settings import by_name, require, value_of
from ibpc.language.values import (
    ClaimValue,
    DataValue,
    Datum,
    DatumLabel,
    Definition,
    Finite,
    Network,
    Tensor,
    kind_of,
)
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.language.binding import Bound
    from ibpc.language.scopes import Scope
    from ibpc.language.values import Value

PLAIN_SETTINGS = (
    "data",
    "spec",
    "bound",
    "attack",
    "loss",
    "optimiser",
    "clip_gradient",
    "average",
    "log",
    "init",
    "batch",
    "steps",
    "epochs",
    "seed",
)
CURVES = ("lr", "eps", "kappa", "beta")
"""Schedules that may also be set as plain numbers: `lr = 1e-3`."""

DEFAULTS = {"attack": "pgd", "optimiser": "adam", "init": "orthogonal", "average": ""}


def call_train(definition: Definition, expr: tree.Call, scope: Scope) -> Network:
    """The network that a recipe trains, for these arguments."""
    bound = bind(definition, expr.arguments, expr.span, scope)
    key = (definition.module.path, definition.declaration.name.text, _arguments_key(bound))
    found: Network | None = scope.world.cache.get(key)
    if found is None:
        with scope.world.entering(definition, expr.span):
            found = elaborate(definition, bound.scope, bound.values, expr)
        scope.world.cache[key] = found
    return found


def _arguments_key(bound: Bound) -> tuple[Any, ...]:
    return tuple(
        (name, (id(value.net), id(value.fit)) if isinstance(value, Network) else repr(value))
        for name, value in bound.values.items()
    )


def elaborate(
    definition: Definition, scope: Scope, values: dict[str, Value], expr: tree.Expr
) -> Network:
    """The recipe whose parameters are bound in `scope`.

    Raises: IbpcError for what concerns the call; gathers the mistakes of the settings.
    """
    declaration = definition.declaration
    assert isinstance(declaration, tree.Train)
    network = trained_network(definition, values, expr)
    known = (*PLAIN_SETTINGS, *CURVES)
    settings = by_name(declaration.settings, known, "`train`", scope, schedules=True)
    block = _Recipe(declaration, scope, network, settings)
    block.read()
    fit = block.fit()
    check_statistics(fit, scope)
    title = f"{declaration.name.text}({network[1].name})"
    return Network(title, network[1].arrow, fit.net, fit)


def trained_network(
    definition: Definition, values: dict[str, Value], expr: tree.Expr
) -> tuple[str, Network]:
    """The one network among a block's arguments, and the block's name for it.

    Raises: TypeMistake E0201.
    """
    found = [(name, value) for name, value in values.items() if isinstance(value, Network)]
    name = definition.declaration.name
    if len(found) != 1:
        fix = f"write `{name.text}(f: Image -> Logits)`"
        label = f"it has {len(found)}"
        raise wrong("E0201", f"`{name.text}` needs one network as parameter", name.span, label, fix)
    if isinstance(definition.declaration, tree.Train) and found[0][1].fit is not None:
        problem = "this network is trained already"
        raise wrong("E0111", problem, expr.span, "a recipe inside of a recipe")
    return found[0]


def with_data(scope: Scope, data: DataValue, at: tree.Setting) -> Scope:
    """The scope in which the data point's names (x, y) mean the datum."""
    (x_name, x), (y_name, y) = data.pair.fields
    assert isinstance(x, Tensor)
    assert isinstance(y, Finite)
    scope = scope.bind(tree.Name(x_name, at.span), Datum(x_name, x))
    return scope.bind(tree.Name(y_name, at.span), DatumLabel(y_name, y.type))


def claim_of(expr: tree.Expr, scope: Scope) -> ClaimValue:
    """The claim of a `spec =` setting; raises NameMistake E0111."""
    value = evaluate(expr, scope)
    if isinstance(value, Definition) and isinstance(value.declaration, tree.Spec):
        value = specs.call_spec(value, tree.Call(expr, (), expr.span), scope)
    if not isinstance(value, ClaimValue):
        fix = "write `spec = robust(f, x, y, eps)`"
        raise wrong("E0111", "a spec was expected", expr.span, f"this is {kind_of(value)}", fix)
    return value


def trainable(value: ClaimValue, at: tree.Expr) -> Claim:
    """The claim, if a recipe can train it; raises TypeMistake E0403, E0413."""
    claim = value.claim
    if claim.clauses:
        problem = "a recipe trains a conjunction; this claim needs an `or`"
        fix = "train one of the cases, or rows that imply the claim; verify the claim itself"
        raise wrong("E0403", problem, at.span, "not a conjunction", fix)
    what = "several networks or tensors" if value.product is not None else ""
    what = what or ("its input beside its output" if claim.inputs else "")
    what = what or ("something that exists" if claim.exists else "")
    if what:
        fix = "train a claim about one network's output; verify this one"
        raise wrong("E0413", "a recipe cannot train this claim", at.span, f"speaks of {what}", fix)
    return claim


@dataclass(slots=True)
class _Recipe:
    """Reads the settings of one recipe, gathering mistakes."""

    declaration: tree.Train
    scope: Scope
    network: tuple[str, Network]
    settings: dict[str, tree.Setting]
    failed: bool = False
    data: DataValue | None = None
    claim: Claim | None = None
    loss: LossExpr | None = None
    bound: tuple[BoundPart, ...] = ()
    clip: float | None = None
    logs: tuple[Invocation, ...] = ()
    words: dict[str, Invocation] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    numbers: dict[str, int | None] = field(default_factory=dict)

    def attempt(self, rule: Callable[[], None]) -> None:
        """Read one thing; go on behind a mistake."""
        with self.scope.world.sink.gathering(self.declaration.name.span) as failures:
            rule()
        self.failed |= failures.any

    def read(self) -> None:
        """All settings, in the order in which they depend on each other."""
        outer = self.scope
        for name, setting in self.settings.items():
            if name in CURVES or isinstance(setting.value, tree.Schedule):
                self.attempt(lambda s=setting: self.curve(s, outer))  # type: ignore[misc]
        self.attempt(self.read_data)
        self.attempt(self.read_claim)
        for name in DEFAULTS:
            self.attempt(lambda n=name: self.word(n))  # type: ignore[misc]
        self.attempt(self.read_logs)
        self.attempt(self.read_mix)
        self.attempt(self.read_clip)
        self.attempt(lambda: self.number("batch", 100, low=1))
        self.attempt(lambda: self.number("seed", 0, low=0))
        self.attempt(self.duration)
        if self.failed:
            raise Poisoned
        self.attempt(self.read_loss)
        if not self.failed:
            self.attempt(self.check_curves)
            self.attempt(self.check_attack)
            self.attempt(self.check_fusion)

    def curve(self, setting: tree.Setting, outer: Scope) -> None:
        """One schedule; from here on its name means the schedule."""
        self.scope = self.scope.bind(setting.name, Symbol(setting.name.text))
        self.curves[setting.name.text] = read_curve(setting, outer)

    def read_data(self) -> None:
        """`data = mnist.train`; x and y mean the datum from here on."""
        require(self.settings, "data", self.declaration.name, "write `data = mnist.train`")
        setting = self.settings["data"]
        data = split_of(value_of(setting), self.scope)
        self.scope = with_data(self.scope, data, setting)
        self.data = data

    def read_claim(self) -> None:
        """`spec = robust(f, x, y, eps)`."""
        if "spec" in self.settings and self.data is not None:
            expr = value_of(self.settings["spec"])
            self.claim = trainable(claim_of(expr, self.scope), expr)

    def word(self, name: str) -> None:
        """`optimiser = adam` and the like."""
        vocabulary = self.scope.world.vocabulary
        entries: Any = {
            "attack": vocabulary.attacks,
            "optimiser": vocabulary.optimisers,
            "init": vocabulary.initialisers,
            "average": vocabulary.averages,
        }[name]
        if name in self.settings:
            self.words[name] = invoke(value_of(self.settings[name]), entries, name, self.scope)
        elif DEFAULTS[name] in entries:
            expr = tree.Name(DEFAULTS[name], self.declaration.name.span)
            self.words[name] = invoke(expr, entries, name, self.scope)

    def read_logs(self) -> None:
        """`log = polytope`, or a list: `log = [polytope(samples = 10k), bounds(ibp)]`."""
        if "log" in self.settings:
            logs = self.scope.world.vocabulary.logs
            self.logs = invoke_all(value_of(self.settings["log"]), logs, "log", self.scope)

    def read_mix(self) -> None:
        """`bound = ibp`, or a mix of bounds."""
        expr: tree.Expr = tree.Name("ibp", self.declaration.name.span)
        if "bound" in self.settings:
            expr = value_of(self.settings["bound"])
        self.bound = read_bound(expr, self.scope)

    def read_clip(self) -> None:
        """`clip_gradient = 10`."""
        if "clip_gradient" in self.settings:
            expr = value_of(self.settings["clip_gradient"])
            number = as_number(evaluate(expr, self.scope), expr.span)
            in_range(number, expr.span, 0, None)
            if number == 0:
                fix = "give the largest norm, as in `clip_gradient = 10`"
                raise wrong("E0304", "no gradient has a norm below 0", expr.span, "0", fix)
            self.clip = as_float(number, expr.span)

    def number(self, name: str, default: int | None, low: int) -> None:
        """A whole number."""
        self.numbers[name] = default
        if name in self.settings:
            expr = value_of(self.settings[name])
            value = evaluate(expr, self.scope)
            quantity = as_quantity(value, expr.span)
            if quantity.dimension == (("epochs", 1),):
                fix = f"write `epochs = {quantity.value}`"
                raise wrong("E0602", f"`{name}` counts steps", expr.span, "this is in epochs", fix)
            self.numbers[name] = as_whole(value, expr.span, low=low, high=2**62)

    def duration(self) -> None:
        """Exactly one of `steps` and `epochs`."""
        given = [name for name in ("steps", "epochs") if name in self.settings]
        if len(given) != 1:
            name = self.declaration.name
            at = self.settings["epochs"].span if given else name.span
            problem = "a recipe has either `steps` or `epochs`"
            label = "both are given" if given else "neither is given"
            raise wrong("E0602", problem, at, label, "write `steps = 60k`, or `epochs = 100`")
        self.number("steps", None, low=1)
        self.number("epochs", None, low=1)

    def read_loss(self) -> None:
        """`loss = ...`, or the default."""
        name = self.declaration.name
        if "loss" not in self.settings:
            self.loss = default_loss(self.claim, name, self.scope)
            if "kappa" in schedules_in(self.loss):
                self.curves.setdefault("kappa", constant(0.5))
            return
        expr = value_of(self.settings["loss"])
        self.loss = read_loss(expr, self.network[0], self.claim, self.scope)
        if self.claim is not None and "logits" in stands_over(self.loss):
            at = value_of(self.settings["spec"]).span
            check_polarity(self.claim, at, "and the loss", self.scope)

    def check_curves(self) -> None:
        """Every schedule is used by something; none reaches beyond the end (W0604)."""
        assert self.loss is not None
        used = {"lr", *schedules_in(self.loss)}
        if stands_over(self.loss) & {"worst", "violation"}:
            used |= schedules_of(self.bound)
        if self.claim is not None and self.claim.set.schedule is not None:
            used.add(self.claim.set.schedule.name)
        self.curves.setdefault("lr", constant(1e-3))
        for name, curve in self.curves.items():
            setting = self.settings.get(name)
            if setting is None:
                continue
            if name not in used:
                fix = suggestion(name, used) or "remove it, or name it in `loss` or `spec`"
                problem = f"the schedule `{name}` is used by nothing"
                raise wrong("E0104", problem, setting.name.span, "unused", fix)
            last = self.numbers[curve.unit]
            if last is not None and reach(curve) > last:
                label = f"reaches to {reach(curve)} {curve.unit}"
                problem = f"training ends at {curve.unit[:-1]} {last}, before `{name}` is done"
                self.scope.world.sink.warn("W0604", problem, setting.span, label)

    def check_attack(self) -> None:
        """An `attack` that nothing asks for is a mistake (E0104); its words are then dropped."""
        assert self.loss is not None
        entries = self.scope.world.vocabulary.bounds
        over = stands_over(self.loss)
        by_bound = any(
            getattr(entries[part.method.word], "attacks", False) for part in self.bound
        ) and bool(over & {"worst", "violation"})
        if "attacked" in over or by_bound:
            return
        self.words.pop("attack", None)
        if "attack" in self.settings:
            fix = "name it in the loss: `xent(attacked(spec), y)`"
            at = self.settings["attack"].name.span
            raise wrong("E0104", "the attack is used by nothing", at, "unused", fix)

    def check_fusion(self) -> None:
        """A fused bound bounds a cross-entropy, and nothing else (E0612)."""
        assert self.loss is not None
        fused = [part.method for part in self.bound if part.method.arguments.get("fused")]
        if fused and any(
            term.over == "violation" or (term.over == "worst" and term.word != "xent")
            for term in terms_in(self.loss)
        ):
            fix = "use `xent(worst(spec), y)`, or leave `fused = true` out"
            problem = "a fused bound bounds the cross-entropy alone"
            raise wrong("E0612", problem, fused[0].span, "fused with the loss", fix)

    def fit(self) -> Fit:
        """The recipe's value, once all is read."""
        if self.failed or self.data is None or self.loss is None:
            raise Poisoned
        net = self.network[1].net
        batch, seed = self.numbers["batch"], self.numbers["seed"]
        assert net is not None
        assert batch is not None
        assert seed is not None
        return Fit(
            recipe=self.declaration.name.text,
            net=net,
            data=self.data.split,
            claim=self.claim,
            bound=self.bound,
            loss=self.loss,
            optimiser=self.words["optimiser"],
            initialiser=self.words["init"],
            batch=batch,
            steps=self.numbers["steps"],
            epochs=self.numbers["epochs"],
            seed=seed,
            curves=self.curves,
            attack=self.words.get("attack"),
            clip_gradient=self.clip,
            average=self.words.get("average"),
            logs=self.logs,
            span=self.declaration.name.span,
        )
