"""Order and augmentation belong to (seed, epoch, datum)."""

from __future__ import annotations

import numpy as np
import torch
from recipes import HERE, dots, tiny_fit

from ibpc.data import Examples
from ibpc.language.program import Invocation
from ibpc.training.batches import Batches, order
from ibpc.training.schedule import Plan


def test_an_order_is_a_permutation() -> None:
    assert sorted(order(0, 0, 100).tolist()) == list(range(100))


def test_orders_depend_on_seed_and_epoch_alone() -> None:
    assert torch.equal(order(1, 2, 50), order(1, 2, 50))
    assert not torch.equal(order(1, 2, 50), order(1, 3, 50))
    assert not torch.equal(order(1, 2, 50), order(2, 2, 50))


def test_an_epoch_shows_each_example_once_at_most() -> None:
    images = np.arange(64, dtype=np.float32)[:, None]
    examples = Examples(images, np.arange(64), 1.0, "numbers")
    batches = Batches(examples, Plan.of(tiny_fit(), 64), 0, (), "cpu")
    shown = torch.cat([batches.at(step)[1] for step in range(6)])
    assert len(set(shown.tolist())) == 60
    again = torch.cat([batches.at(step)[1] for step in range(6, 12)])
    assert not torch.equal(shown, again)


def test_a_step_gives_the_same_batch_whenever_it_is_asked_for() -> None:
    plan, examples = Plan.of(tiny_fit(), 64), dots()
    one, other = Batches(examples, plan, 3, (), "cpu"), Batches(examples, plan, 3, (), "cpu")
    for step in range(20):
        one.at(step)
    for left, right in zip(one.at(13), other.at(13), strict=True):
        assert torch.equal(left, right)


def test_pixels_are_those_of_the_examples() -> None:
    examples = dots()
    pixels, labels, _ = Batches(examples, Plan.of(tiny_fit(), 64), 0, (), "cpu").at(0)
    chosen = order(0, 0, 64)[:10].numpy()
    assert np.array_equal(pixels.numpy(), examples.pixels(chosen))
    assert np.array_equal(labels.numpy(), examples.labels[chosen])


def test_augmentation_depends_on_epoch_and_datum_not_on_the_batch() -> None:
    images = np.random.default_rng(0).integers(0, 256, size=(12, 1, 8, 8), dtype=np.uint8)
    examples = Examples(images, np.arange(12), 255.0, "pictures")
    crop = (Invocation("crop", {"pad": 2}, HERE),)

    def shown(batch: int, epoch: int) -> dict[int, torch.Tensor]:
        plan = Plan.of(tiny_fit(batch=batch), 12)
        batches = Batches(examples, plan, 5, crop, "cpu")
        first = epoch * plan.steps_per_epoch
        pairs = [batches.at(step) for step in range(first, first + plan.steps_per_epoch)]
        return {int(y): x for xs, ys, _ in pairs for x, y in zip(xs, ys, strict=True)}

    by_four, by_six = shown(4, 1), shown(6, 1)
    assert all(torch.equal(by_four[datum], by_six[datum]) for datum in range(12))
    later = shown(4, 2)
    assert any(not torch.equal(by_four[datum], later[datum]) for datum in range(12))
