"""The paper's tables and figures as spec files: their settings, and that each can be run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ibpc.cli.vocabulary import vocabulary
from ibpc.language import Fit, VerifyTask, check_file, curve_value

if TYPE_CHECKING:
    from ibpc.language import Program

ROOT = Path(__file__).resolve().parents[2]
SPECS = (
    "table2_imagenet64",
    "table3",
    "table4_mnist",
    "table4_cifar",
    "table4_svhn",
    "figure1",
    "figure3",
    "figure4",
    "ablation",
    "best",
)


def program(name: str, **params: str) -> Program:
    return check_file(str(ROOT / "specs" / f"{name}.ibp"), vocabulary(), params)


def tasks(name: str, target: str = "default", **params: str) -> list[VerifyTask]:
    found = program(name, **params).targets[target].tasks
    return [task for task in found if isinstance(task, VerifyTask)]


def fits(name: str, **params: str) -> list[Fit]:
    """Every recipe of every target."""
    targets = program(name, **params).targets.values()
    found = [task.network for target in targets for task in target.tasks]
    return [network for network in found if isinstance(network, Fit)]


@pytest.mark.parametrize("name", SPECS)
def test_a_quick_budget_is_smaller(name: str) -> None:
    full, quick = fits(name), fits(name, budget="quick")
    assert max((fit.steps for fit in quick), default=0) <= 3000
    if name != "figure1":  # nothing is trained
        assert max(fit.steps for fit in quick) < max(fit.steps for fit in full)
    for target in program(name, budget="quick").targets.values():
        for task in target.tasks:
            if isinstance(task, VerifyTask) and name not in {"figure1", "figure4"}:
                assert task.data.first <= 200


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("budget", ["full", "quick"])
def test_no_schedule_reaches_beyond_the_end(name: str, budget: str) -> None:
    assert not [one for one in program(name, budget=budget).warnings if one.code != "W0602"]


def test_table_4_trains_mnist_as_the_paper_does() -> None:
    """60K steps of batch 100, warm-up 2K, ramp 10K, learning rate cut at 15K and 25K."""
    fit = tasks("table4_mnist", "ours")[0].network
    assert isinstance(fit, Fit)
    assert (fit.net.hidden, fit.steps, fit.batch) == (176_128, 60_000, 100)
    eps, kappa, lr = (fit.curves[name] for name in ("eps", "kappa", "lr"))
    assert [curve_value(eps, t) for t in (0, 2000, 7000, 12_000, 59_999)] == pytest.approx(
        [0, 0, 0.1, 0.2, 0.2]
    )
    assert [curve_value(kappa, t) for t in (0, 2000, 12_000)] == [1, 1, 0.5]
    assert [curve_value(lr, t) for t in (0, 15_000, 25_000)] == pytest.approx([1e-3, 1e-4, 1e-5])


def test_table_4_compares_the_papers_methods_at_the_papers_radii() -> None:
    shown = []
    for task in tasks("table4_mnist"):
        assert isinstance(task.network, Fit)
        shown.append((float(task.claim.set.eps), task.network.recipe, task.network.net.name))
    assert [one for one in shown if one[0] == 0.1] == [
        (0.1, "nominal", "large"),
        (0.1, "madry", "large"),
        (0.1, "wong", "medium"),
        (0.1, "ibp", "large"),
    ]
    assert sum(recipe == "ibp" for _, recipe, _ in shown) == 4
    assert len({task.title for task in tasks("table4_mnist")}) == 15


def test_figure_3_is_every_network_radius_and_method() -> None:
    found = tasks("figure3", "curves")
    assert len(found) == 3 * 4 * 10 * 2
    assert len({task.title for task in found}) == len(found)


def test_the_ablation_has_three_seeds_of_each_variant() -> None:
    found = tasks("ablation", "variants")
    assert len(found) == 3 * 14
    assert {fit.seed for fit in fits("ablation")} == {0, 1, 2}
    bounds = {fit.recipe: fit.bound[0].method.arguments["elide"] for fit in fits("ablation")}
    assert bounds["no_elision"] is False
    assert bounds["ibp"] is True
    abrupt = next(fit for fit in fits("ablation") if fit.recipe == "no_schedule")
    assert curve_value(abrupt.curves["eps"], 0) == 0.2


@pytest.mark.parametrize("budget", ["full", "cpu", "quick"])
def test_the_best_recipe_is_compared_at_equal_epochs(budget: str) -> None:
    found = program("best", budget=budget).targets["default"].tasks
    networks = [task.network for task in found if isinstance(task, VerifyTask)]
    plain, better = (fit for fit in networks[:2] if isinstance(fit, Fit))
    assert networks == [plain, better] * 2
    assert plain.recipe == "plain"
    assert (plain.steps, plain.batch, plain.data) == (better.steps, better.batch, better.data)
    normalised = [any("batch" in node.name for node in fit.net.nodes) for fit in (plain, better)]
    assert normalised == [False, True]
    for fit in (plain, better):  # none is cut off: all schedules end before the training does
        assert curve_value(fit.curves["eps"], fit.steps - 1) >= 0.3


def test_the_imagenet_network_has_the_papers_units_on_the_crop() -> None:
    fit = next(fit for fit in fits("table2_imagenet64") if fit.recipe == "ibp")
    assert (fit.net.hidden, fit.net.input.shape) == (1_806_336, (3, 64, 64))


# --- running them ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["table4_mnist", "table4_cifar", "best", "ablation", "figure4"])
def test_full_recipes_take_a_step(name: str) -> None:
    """Every recipe on its full network, on two random examples: all programs are made and run.

    Left out is Wong et al.'s bound on the medium network, which takes gigabytes an example.
    """
    import torch

    from ibpc.passes import prepare
    from ibpc.training import Batch, Stepper
    from ibpc.training.trainer import initial_graph

    seen = set()
    for fit in fits(name):
        if fit.recipe == "wong" or (fit.recipe, fit.net.name) in seen:
            continue
        seen.add((fit.recipe, fit.net.name))
        stepper = Stepper(fit, prepare(initial_graph(fit), "training"), fit.curves)
        last = {name: curve_value(curve, fit.steps - 1) for name, curve in fit.curves.items()}
        batch = Batch(
            torch.rand(2, *fit.net.input.shape), torch.tensor([0, 1]), torch.tensor([5, 6])
        )
        assert torch.isfinite(stepper.step(0, batch, last).loss)
