"""From a declared split to examples in memory, checked against the declared types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ibpc.data import AUGMENTED, READ
from ibpc.data.examples import Examples
from ibpc.data.record import Request
from ibpc.errors import Diagnostic, FileMistake, TypeMistake

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.data.record import Raw, Source
    from ibpc.language import Dataset, Split

IMAGE_RANK = 3


def load(split: Split, data_dir: Path, download: bool = True) -> Examples:
    """The examples of a split, in a fixed order.

    A source with its own train and test parts gives the first `train`/`test` examples of each (all
    where the spec gives no size); one that comes in one piece is cut into the first `train` and the
    last `test` examples (either is the rest of the other). "all" is train, then test; of one piece,
    the whole of it. `split.first` keeps the first n of what results, `split.only` one example.

    Needs:  pixels in [0, 1], hence a declared domain of exactly [0 .. 1], or none.
    Raises: FileMistake (E0520 to E0527), TypeMistake (E0240) where an augmentation does not fit.
    """
    dataset = split.dataset
    source = READ[dataset.source.word]
    _check_augmentations(dataset)
    if source.whole(dataset.source.arguments):
        whole = _read(source, Request(dataset, "all", data_dir, download))
        found = _cut(dataset, split.part, whole)
    else:
        parts = ("train", "test") if split.part == "all" else (split.part,)
        found = _joined(
            [_sized(dataset, part, source, data_dir, download=download) for part in parts]
        )
    if split.only is not None:
        if split.only >= len(found):
            problem = f"{split.part} has {len(found)} examples, none with the number {split.only}"
            raise _mistake(dataset, problem, "count from 0")
        found = found.take(slice(split.only, split.only + 1))
    if split.first is None:
        return found
    if split.first > len(found):
        raise _mistake(dataset, f"{split.part} has {len(found)} examples, fewer than {split.first}")
    return found.take(slice(split.first))


def _read(source: Source, request: Request) -> Examples:
    """What the source gives, once it fits the declared types."""
    raw = source.read(request)
    _check_types(request.dataset, raw)
    return Examples(raw.images, raw.labels, raw.scale, raw.name)


def _sized(
    dataset: Dataset, part: str, source: Source, data_dir: Path, *, download: bool
) -> Examples:
    """The first `train` or `test` examples of a part that the source has."""
    found = _read(source, Request(dataset, part, data_dir, download))
    wanted = dataset.train if part == "train" else dataset.test
    if wanted is None:
        return found
    if wanted > len(found):
        raise _mistake(dataset, f"{part} = {wanted}, but the {part} part has {len(found)} examples")
    return found.take(slice(wanted))


def _cut(dataset: Dataset, part: str, whole: Examples) -> Examples:
    """The first `train` or the last `test` examples of a set that comes in one piece."""
    if part == "all":
        return whole
    total = len(whole)
    train, test = dataset.train, dataset.test
    if train is None and test is None:
        raise _mistake(
            dataset,
            f"{whole.name} comes in one piece of {total} examples, without a {part} part",
            f"say how many belong to each, as `train = {total * 4 // 5}` and "
            f"`test = {total - total * 4 // 5}`, or use `{dataset.name}` as a whole",
        )
    # The size that is not given is the rest of the other.
    train = total - (test or 0) if train is None else train
    test = total - train if test is None else test
    if min(train, test) < 0 or train + test > total:
        given = (("train", dataset.train), ("test", dataset.test))
        asked = " and ".join(f"{name} = {size}" for name, size in given if size is not None)
        raise _mistake(
            dataset,
            f"{whole.name} has {total} examples, fewer than {asked} ask for",
            f"let `train` and `test` be at most {total} together",
        )
    return whole.take(slice(train) if part == "train" else slice(total - test, total))


def _joined(parts: list[Examples]) -> Examples:
    """One after the other."""
    if len(parts) == 1:
        return parts[0]
    images = np.concatenate([part.images for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    return Examples(images, labels, parts[0].scale, parts[0].name)


def _check_types(dataset: Dataset, raw: Raw) -> None:
    """Shapes, number of labels and domain are the declared ones."""
    shape = raw.images.shape[1:]
    if shape != dataset.x.shape:
        raise _mistake(
            dataset,
            f"examples of {raw.name} have shape {list(shape)}, the declared type "
            f"{list(dataset.x.shape)}",
            f"declare the input type as real{list(shape)}",
            code="E0522",
        )
    low, high = (int(raw.labels.min()), int(raw.labels.max())) if len(raw.labels) else (0, 0)
    if low < 0 or high >= dataset.y.size:
        raise _mistake(
            dataset,
            f"labels of {raw.name} run from {low} to {high}, the declared type has "
            f"{dataset.y.size} values",
            f"declare the label type as index[{high + 1}]",
            code="E0522",
        )
    domain = dataset.x.domain
    if domain is not None and any(start != 0 or end != 1 for start, end in domain):
        raise _mistake(
            dataset,
            f"pixels of {raw.name} lie in [0 .. 1], the declared type's domain is another",
            "declare the input type `in [0 .. 1]`; radii are in these units (8/255 is 8 levels)",
            code="E0522",
        )


def _check_augmentations(dataset: Dataset) -> None:
    """Augmentations move pixels: the data must be images, larger than what is moved."""
    for one in dataset.augment:
        if len(dataset.x.shape) != IMAGE_RANK:
            raise TypeMistake(
                Diagnostic(
                    "E0240",
                    f"`{one.word}` needs images [chan, high, wide], the data have shape "
                    f"{list(dataset.x.shape)}",
                    at=one.span,
                    fix="leave it out: only images are moved",
                )
            )
        assert one.word in AUGMENTED, f"{one.word} passed the checker without a record"


def _mistake(dataset: Dataset, problem: str, fix: str = "", code: str = "E0523") -> FileMistake:
    """A mistake located at the data set's declaration."""
    return FileMistake(
        Diagnostic(code, f"data {dataset.name}: {problem}", at=dataset.span, fix=fix)
    )
