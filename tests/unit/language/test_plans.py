"""Recipes, cascades, runs and sweeps; params from outside."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from language_texts import PLAN, mistakes, program

from ibpc.language import Fit, LossExpr, Split, VerifyTask, canonical, curve_value, identity

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.language import Target


def default(folder: Path, text: str = PLAN, **overrides: str) -> VerifyTask:
    task = program(folder, text, overrides=overrides).targets["default"].tasks[0]
    assert isinstance(task, VerifyTask)
    return task


def fit_of(task: VerifyTask) -> Fit:
    assert isinstance(task.network, Fit)
    return task.network


def test_a_run_becomes_a_task_with_a_recipe(tmp_path: Path) -> None:
    task = default(tmp_path)
    fit = fit_of(task)
    assert (task.name, task.title, task.bindings["eps"]) == (
        "table4",
        "table4 tiny",
        Fraction(1, 10),
    )
    assert (fit.steps, fit.epochs, fit.batch, fit.seed) == (60_000, None, 100, 0)
    assert ([p.method.word for p in fit.bound], fit.optimiser.word, fit.initialiser.word) == (
        ["ibp"],
        "adam",
        "orthogonal",
    )
    assert isinstance(task.data, Split)
    assert (task.data.part, fit.data.part, fit.data.dataset.train) == ("test", "train", 60_000)


def test_reports_have_their_stages_with_all_arguments(tmp_path: Path) -> None:
    first, second = default(tmp_path).reports
    assert dict(first.stages[0].arguments) == {"predicate": "argmax"}
    assert [stage.word for stage in second.stages] == ["pgd", "ibp", "mip"]
    assert dict(second.stages[0].arguments) == {"steps": 20, "restarts": 10}
    assert dict(second.stages[2].arguments) == {"timeout": 600.0}
    assert (first.otherwise, second.otherwise) == ("unknown", "attackable")


def test_the_default_loss_is_eq_12(tmp_path: Path) -> None:
    def text(loss: LossExpr) -> str:
        if loss.operator == "term":
            return f"{loss.term.word}:{loss.term.over}"
        if loss.operator in {"number", "schedule"}:
            return loss.name or str(loss.value)
        return f"({loss.operator.join(map(text, loss.operands))})"

    written = "    loss = kappa * xent(f(x), y) + (1 - kappa) * xent(worst(spec), y)\n"
    explicit = PLAN.replace("    steps = 60k\n", written + "    steps = 60k\n")
    loss = fit_of(default(tmp_path)).loss
    assert text(loss) == "((kappa*xent:logits)+((1-kappa)*xent:worst))"
    assert fit_of(default(tmp_path, explicit)).loss == loss


def test_schedules_hold_ramp_and_stay(tmp_path: Path) -> None:
    eps = fit_of(default(tmp_path)).curves["eps"]
    found = [curve_value(eps, step) for step in (0, 1999, 2000, 7000, 12_000, 10**9)]
    assert found == pytest.approx([0, 0, 0, 0.1, 0.2, 0.2])
    lr = fit_of(default(tmp_path)).curves["lr"]
    assert [curve_value(lr, step) for step in (14_999, 15_000, 25_000)] == [1e-3, 1e-4, 1e-5]


@pytest.mark.parametrize(("shape", "quarter"), [("cosine", 0.14644660), ("smooth", 0.15625)])
def test_smooth_ramps_start_and_end_slowly(shape: str, quarter: float, tmp_path: Path) -> None:
    text = PLAN.replace("linear to eps_train at 12k", f"{shape} to eps_train at 12k")
    eps = fit_of(default(tmp_path, text)).curves["eps"]
    found = [curve_value(eps, step) for step in (2000, 4500, 7000, 12_000)]
    assert found == pytest.approx([0, 0.2 * quarter, 0.1, 0.2])


def test_a_schedule_may_count_epochs(tmp_path: Path) -> None:
    text = PLAN.replace("0 until 2k, linear to eps_train at 12k", "0 until 2 epochs, 0.2")
    eps = fit_of(default(tmp_path, text)).curves["eps"]
    assert (eps.unit, eps.segments[0].until) == ("epochs", 2)


def test_params_are_set_from_outside(tmp_path: Path) -> None:
    task = default(tmp_path, eps_train="8/255", eps_test="eps_train / 2")
    assert task.claim.set.eps == Fraction(4, 255)
    assert fit_of(task).curves["eps"].segments[1].value == float(Fraction(8, 255))
    values = program(tmp_path, PLAN, overrides={"eps_test": "0"}).params
    assert [(one.name, one.value, one.overridden) for one in values] == [
        ("eps_train", Fraction(1, 5), False),
        ("eps_test", 0, True),
    ]


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("eps_tset", "0.1", "E0110"),
        ("tiny", "0.1", "E0110"),
        ("eps_test", "0.6", "E0304"),
        ("eps_test", "0.1 +", "E0001"),
        ("eps_test", "tiny", "E0301"),
        ("eps_test", "eps_test", "E0304"),
        ("eps_test", "1 / 0", "E0302"),
    ],
)
def test_wrong_params_are_refused(name: str, text: str, code: str, tmp_path: Path) -> None:
    plan = PLAN.replace("eps_test: real = 0.1", "eps_test: real = 0.7")
    found = mistakes(tmp_path, plan if text == "eps_test" else PLAN, {name: text})
    assert found[:1] == [code]


def test_a_param_may_be_a_network(tmp_path: Path) -> None:
    text = PLAN.replace("fit(tiny)", "fit(chosen)") + "param chosen: Image -> Logits = tiny\n"
    assert fit_of(default(tmp_path, text)).net.name == "tiny"
    assert fit_of(default(tmp_path, text, chosen="other")).net.name == "other"


SWEEP = (
    PLAN
    + """
sweep figure3 {
    net in [tiny, other]
    eps_train in [0.1, 0.2]
    eps in [0 .. 0.3] by 0.1
    run table4(fit(net, eps_train), eps)
}
"""
)


def tasks(target: Target) -> list[VerifyTask]:
    return [task for task in target.tasks if isinstance(task, VerifyTask)]


def test_a_sweep_is_the_product_of_its_axes(tmp_path: Path) -> None:
    found = tasks(program(tmp_path, SWEEP).targets["figure3"])
    assert len(found) == 16
    assert len({task.title for task in found}) == 16
    assert found[0].title == "table4 tiny eps_train=0.1 eps=0"
    assert found[-1].title == "table4 other eps_train=0.2 eps=0.3"
    assert found[-1].claim.set.eps == Fraction(3, 10)
    assert found[-1].bindings["net"] == "other"
    assert len({identity(task.network) for task in found}) == 4


def test_a_sweep_over_a_param_reaches_everything_that_depends_on_it(tmp_path: Path) -> None:
    text = PLAN + "sweep s {\n    eps_test in [0.1, 0.3]\n    run table4(tiny)\n}\n"
    found = tasks(program(tmp_path, text).targets["s"])
    assert [task.claim.set.eps for task in found] == [Fraction(1, 10), Fraction(3, 10)]


def test_a_sweep_stays_inside_the_params_range(tmp_path: Path) -> None:
    text = PLAN + "sweep s {\n    eps_test in [0.1, 0.7]\n    run table4(tiny)\n}\n"
    assert mistakes(tmp_path, text) == ["E0304"]


def test_a_bare_fit_trains_and_stops(tmp_path: Path) -> None:
    text = PLAN.replace("table4(fit(tiny))", "fit(other)")
    (task,) = program(tmp_path, text).targets["default"].tasks
    assert isinstance(task, Fit)
    assert task.net.name == "other"


def test_first_keeps_the_first_examples(tmp_path: Path) -> None:
    text = PLAN.replace("    data = mnist.test\n", "    data = mnist.test\n    first = 1k\n")
    task = default(tmp_path, text)
    assert task.data is not None
    assert task.data.first == 1000


def test_data_may_be_one_example(tmp_path: Path) -> None:
    task = default(tmp_path, PLAN.replace("data = mnist.test", "data = mnist.test[247]"))
    assert task.data is not None
    assert (task.data.part, task.data.only) == ("test", 247)


@pytest.mark.parametrize(
    ("index", "code"), [("-1", "E0304"), ("1/2", "E0305"), ("1, 2", "E0207"), ("tiny", "E0301")]
)
def test_an_example_has_a_whole_number(index: str, code: str, tmp_path: Path) -> None:
    text = PLAN.replace("data = mnist.test", f"data = mnist.test[{index}]")
    assert mistakes(tmp_path, text)[:1] == [code]


BUDGET = (
    PLAN.replace("steps = 60k", "steps = [60k, 600][budget]").replace(
        "timeout = 10 min", "timeout = [10 min, 10 s][budget]"
    )
    + """
enum Budget { full, quick }
param budget: Budget = full
"""
)


def test_a_label_picks_from_a_list(tmp_path: Path) -> None:
    full, quick = default(tmp_path, BUDGET), default(tmp_path, BUDGET, budget="quick")
    assert (fit_of(full).steps, fit_of(quick).steps) == (60_000, 600)
    timeouts = [task.reports[1].stages[2].arguments["timeout"] for task in (full, quick)]
    assert timeouts == [600.0, 10.0]


def test_a_list_for_a_label_has_an_item_for_each(tmp_path: Path) -> None:
    text = BUDGET.replace("[60k, 600][budget]", "[60k, 6k, 600][budget]")
    assert mistakes(tmp_path, text) == ["E0207"]


# --- identity --------------------------------------------------------------------------------


def test_what_does_not_matter_leaves_the_identity_alone(tmp_path: Path) -> None:
    wanted = identity(default(tmp_path))
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    text = PLAN.replace("robust", "sturdy").replace("tiny", "little").replace("    ", "\t\t")
    text = "\n# a comment\n" + text.replace("0.2 in", "1/5 in").replace("verified", "verified")
    assert identity(default(folder, text)) == wanted


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("eps_test: real = 0.1", "eps_test: real = 0.11"),
        ("    out\n}\n\nnet other", "    fc 10\n    out\n}\n\nnet other"),
        ("batch", "batch"),
        ("steps = 60k", "steps = 61k"),
        ("steps = 20", "steps = 21"),
        ("<= 0", "< 0"),
        ("else attackable", "else unknown"),
        ("train = 60k", "train = 50k"),
    ],
)
def test_what_matters_changes_the_identity(old: str, new: str, tmp_path: Path) -> None:
    same = identity(default(tmp_path, PLAN.replace(old, new))) == identity(default(tmp_path))
    assert same == (old == new)


def test_the_canonical_text_is_stable_and_names_no_place(tmp_path: Path) -> None:
    text = canonical(default(tmp_path))
    assert text == canonical(default(tmp_path))
    assert "span" not in text
    assert str(tmp_path) not in text


def test_tasks_of_equal_titles_name_their_recipes(tmp_path: Path) -> None:
    other = PLAN.replace("train fit(", "train again(").split("train again(")[1].split("verify")[0]
    text = PLAN.replace("    table4(fit(tiny))", "    table4(fit(tiny))\n    table4(again(tiny))")
    found = tasks(program(tmp_path, f"{text}\ntrain again({other}").targets["default"])
    assert [task.title for task in found] == ["table4 fit(tiny)", "table4 again(tiny)"]
