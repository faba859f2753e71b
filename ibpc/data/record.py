"""What a data source, a built-in data set and an augmentation say about themselves.

One file for each of them exports a record; `ibpc.data` collects these from its folders. Nothing
here or at the top of a record's file imports numpy, torch, torchvision or Pillow, so that
`ibpc check` can read every record without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ibpc.errors import Diagnostic, FileMistake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    import torch

    from ibpc.language import Dataset, Entry, Shape


@dataclass(frozen=True, slots=True)
class Request:
    """What to read: a part of a declared data set, and where its files are.

    `part` is "train" or "test"; for a source that comes in one piece it is "all".
    """

    dataset: Dataset
    part: str
    data_dir: Path
    download: bool

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The source's arguments, checked and with their defaults."""
        return self.dataset.source.arguments

    def mistake(self, code: str, problem: str, fix: str = "") -> FileMistake:
        """A mistake in the data, located at the source's place in the spec."""
        return FileMistake(Diagnostic(code, problem, at=self.dataset.source.span, fix=fix))


@dataclass(frozen=True, slots=True)
class Raw:
    """What a source gives: pixel = images / scale in [0, 1], as float32.

    Shapes: images (n, *shape) uint8 or float32, labels (n,) int64.
    """

    images: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    scale: float
    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """A word after `source =`. `whole(arguments)`: comes in one piece, to be cut by sizes."""

    entry: Entry
    whole: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Request], Raw]


@dataclass(frozen=True, slots=True)
class Builtin:
    """A data set known by name: `builtin(mnist)`. `whole`: it comes in one piece."""

    name: str
    shape: Shape
    whole: bool
    read: Callable[[Request], Raw]
    source: str


@dataclass(frozen=True, slots=True)
class Augmentation:
    """A random change of training images.

    `apply(arguments, images, keys)` takes a batch (batch, chan, high, wide) of any dtype and one
    int64 key for each datum, and returns a batch of the same shape and dtype; what happens to one
    datum depends on its key alone.
    """

    entry: Entry
    apply: Callable[[Mapping[str, Any], torch.Tensor, torch.Tensor], torch.Tensor]
