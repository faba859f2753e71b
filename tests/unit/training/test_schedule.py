"""How long a recipe trains, and its schedules in steps."""

from __future__ import annotations

from recipes import curve, tiny_fit

from ibpc.language.program import Curve, Segment
from ibpc.training.schedule import Plan


def test_epochs_count_full_batches() -> None:
    plan = Plan.of(tiny_fit(steps=None, epochs=3), 64)
    assert (plan.steps_per_epoch, plan.steps) == (6, 18)
    assert [plan.epoch(step) for step in (0, 5, 6)] == [0, 0, 1]


def test_a_batch_larger_than_the_data_is_the_data() -> None:
    plan = Plan.of(tiny_fit(), 7)
    assert (plan.batch, plan.steps_per_epoch, plan.steps) == (7, 1, 60)


def test_breakpoints_in_epochs_become_steps() -> None:
    lr = Curve((Segment("hold", 1.0, 2), Segment("hold", 0.5, None)), unit="epochs")
    plan = Plan.of(tiny_fit(curves={"lr": lr}), 64)
    assert [plan.values(step)["lr"] for step in (11, 12)] == [1.0, 0.5]
    assert plan.breaks() == {12}


def test_values_follow_the_schedules() -> None:
    plan = Plan.of(tiny_fit(curves={"eps": curve(("hold", 0.0, 20), ("linear", 0.1, 40))}), 64)
    assert [round(plan.values(step)["eps"], 3) for step in (0, 20, 30, 40, 99)] == [
        0.0,
        0.0,
        0.05,
        0.1,
        0.1,
    ]
