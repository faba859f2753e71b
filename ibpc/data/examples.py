"""A loaded split: images and labels in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Examples:
    """Images with their labels; pixel = images / scale, rounded once, to float32.

    Shapes: images (n, *shape) uint8 or float32; labels (n,) int64.
    """

    images: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    scale: float
    name: str

    def __len__(self) -> int:
        return len(self.labels)

    def pixels(self, indices: Any = slice(None)) -> np.ndarray[Any, Any]:
        """The examples at `indices` (an int, a slice or an array) as float32, images / scale."""
        chosen = self.images[indices].astype(np.float32)
        return np.asarray(chosen / np.float32(self.scale), dtype=np.float32)

    def take(self, indices: slice) -> Examples:
        """The examples of a slice, in their order."""
        return Examples(self.images[indices], self.labels[indices], self.scale, self.name)

    @cached_property
    def key(self) -> str:
        """The sha256 of the content: shape, kind and scale of the numbers, images, labels."""
        head = f"{self.images.shape} {self.images.dtype.str} {float(self.scale).hex()}"
        digest = hashlib.sha256(head.encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()

    def digest(self, index: int) -> str:
        """The sha256 of one example: its shape, its float32 pixels and its label.

        Equal examples have equal digests, whichever data set or split they come from.
        """
        x = np.ascontiguousarray(self.pixels(index))
        head = f"{x.shape} {int(self.labels[index])} ".encode()
        return hashlib.sha256(head + x.astype("<f4").tobytes()).hexdigest()
