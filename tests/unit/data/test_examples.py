"""Loaded splits: pixels and content keys."""

from __future__ import annotations

import numpy as np

from ibpc.data import Examples


def examples(scale: float = 255.0) -> Examples:
    images = np.arange(24, dtype=np.uint8).reshape(6, 1, 2, 2)
    return Examples(images, np.array([0, 1, 2, 0, 1, 2]), scale, "six")


def test_pixels_are_divided_once_and_rounded_to_float32() -> None:
    pixels = examples().pixels(np.array([5, 0]))
    assert pixels.dtype == np.float32
    assert pixels[0, 0, 1, 1] == np.float32(23 / 255)
    assert pixels.shape == (2, 1, 2, 2)
    assert examples().pixels(3).shape == (1, 2, 2)
    assert examples().pixels().shape == (6, 1, 2, 2)


def test_the_key_follows_images_labels_and_scale() -> None:
    same, other = examples(), examples(254.0)
    assert same.key == examples().key
    assert same.key != other.key
    assert same.key != same.take(slice(5)).key
    relabelled = Examples(same.images, same.labels[::-1].copy(), 255.0, "six")
    assert same.key != relabelled.key


def test_a_digest_is_of_the_content_and_not_of_the_place() -> None:
    whole = examples()
    assert whole.take(slice(2, 6)).digest(1) == whole.digest(3)
    assert len({whole.digest(i) for i in range(6)}) == 6
    as_floats = Examples(whole.pixels(), whole.labels, 1.0, "other")
    assert as_floats.digest(4) == whole.digest(4)
