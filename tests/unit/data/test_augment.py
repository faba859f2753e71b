"""Augmentations, one by one and together."""

from __future__ import annotations

import pytest
import torch

from ibpc.data import augment, datum_keys
from ibpc.errors import Span
from ibpc.language.program import Invocation

AT = Span("spec.ibp", 1, 1, 1, 2)
FLIP = Invocation("flip", {"axis": "horizontal"}, AT)
UPSIDE = Invocation("flip", {"axis": "vertical"}, AT)
CROP = Invocation("crop", {"pad": 2}, AT)
MOVE = Invocation("translate", {"pixels": 2}, AT)
KEYS = datum_keys(0, 3, torch.arange(400))


@pytest.fixture(params=[torch.uint8, torch.float32])
def images(request: pytest.FixtureRequest) -> torch.Tensor:
    drawn = torch.randint(1, 256, (400, 3, 6, 5), generator=torch.Generator().manual_seed(0))
    return drawn.to(request.param)


@pytest.mark.parametrize("steps", [(FLIP,), (CROP,), (MOVE,), (FLIP, CROP), (UPSIDE, MOVE, FLIP)])
def test_a_datums_change_does_not_depend_on_its_batch(
    images: torch.Tensor, steps: tuple[Invocation, ...]
) -> None:
    whole = augment(steps, images, KEYS)
    assert whole.shape == images.shape
    assert whole.dtype == images.dtype
    some = torch.tensor([399, 5, 17, 5])
    assert torch.equal(augment(steps, images[some], KEYS[some]), whole[some])
    assert not torch.equal(augment(steps, images, datum_keys(0, 4, torch.arange(400))), whole)


@pytest.mark.parametrize(("step", "axis"), [(FLIP, -1), (UPSIDE, -2)])
def test_half_of_the_images_are_mirrored(images: torch.Tensor, step: Invocation, axis: int) -> None:
    out = augment((step,), images, KEYS)
    same = (out == images).flatten(1).all(1)
    mirrored = (out == images.flip(axis)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 150 < int(mirrored.sum()) < 250


def test_every_crop_is_a_window_of_the_padded_image(images: torch.Tensor) -> None:
    out = augment((CROP,), images, KEYS)
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
    seen = set()
    for one, source in zip(out, padded, strict=True):
        windows = [
            (i, j) for i in range(5) for j in range(5)
            if torch.equal(source[:, i : i + 6, j : j + 5], one)
        ]  # fmt: skip
        assert len(windows) == 1
        seen.add(windows[0])
    assert len(seen) == 25


def test_a_shift_repeats_the_border(images: torch.Tensor) -> None:
    out = augment((MOVE,), images, KEYS)
    padded = torch.nn.functional.pad(images.float(), (2, 2, 2, 2), mode="replicate")
    shifts = [
        padded[:, :, i : i + 6, j : j + 5].to(images.dtype) for i in range(5) for j in range(5)
    ]
    found = torch.stack([(out == shift).flatten(1).all(1) for shift in shifts])
    assert found.any(0).all()
    assert found.any(1).all()


def test_two_equal_steps_draw_their_own_numbers(images: torch.Tensor) -> None:
    once, twice = augment((FLIP,), images, KEYS), augment((FLIP, FLIP), images, KEYS)
    assert not torch.equal(twice, images)
    assert not torch.equal(twice, once)
