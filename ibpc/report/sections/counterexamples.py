"""Counterexamples as pictures: the datum, the point found, and the pixels that changed."""

from __future__ import annotations

from base64 import b64decode, b64encode
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ibpc.report import tables
from ibpc.report.markup import tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from xml.etree.ElementTree import Element

    import numpy as np

    from ibpc.report.facts import Run, Task
    from ibpc.report.markup import Child

MOST = 24
"""Pictures on a page; tasks share them evenly."""

APART = 3
"""Up to so many tasks have a heading of their own."""

FEW_INPUTS = 16
"""Inputs that are no image are told as numbers, up to so many."""

UP, DOWN = (0xD9, 0x62, 0x2B), (0x0B, 0x6E, 0x99)


def section(run: Run) -> Element | None:
    """A card for each; the tasks of a sweep share one grid, and each card names its task."""
    groups = [(task.title, cards) for task, cards in _groups(run) if cards]
    if not groups:
        return None
    note = tag(
        "p",
        "Each datum is classified rightly, and each point lies in its set: onnxruntime, on the "
        "ONNX file's own bytes, classifies it wrongly. Of images, changed pixels are orange where "
        "brighter and blue where darker, in full colour at the largest change.",
        class_="note",
    )
    if len(groups) <= APART:
        parts = [
            tag("div", tag("h3", title), tag("div", cards, class_="cards"))
            for title, cards in groups
        ]
    else:
        for title, cards in groups:
            for card in cards:
                card.insert(0, tag("p", title, class_="card-title"))
        parts = [tag("div", [card for _, cards in groups for card in cards], class_="cards")]
    return tables.section("counterexamples", "Counterexamples", note, parts)


def _groups(run: Run) -> Iterator[tuple[Task, list[Element]]]:
    """Each task's cards; what one task shows, another does not show again."""
    found = [task for task in run.verified if task.title in run.pictures]
    each = max(1, MOST // max(1, len(found)))
    seen: set[Any] = set()
    for task in found[:MOST]:
        facts = run.pictures[task.title]
        new = [one for one in facts["shown"] if (task.network, task.eps, one["index"]) not in seen]
        seen |= {(task.network, task.eps, one["index"]) for one in new}
        yield task, list(_cards(new[:each], facts.get("labels")))


def _cards(shown: list[Mapping[str, Any]], labels: list[str] | None) -> Iterator[Element]:
    for one in shown:
        datum, point = (_array(one[name], one["shape"]) for name in ("datum", "point"))
        attacked = one.get("attacked")
        reached = None if attacked is None else _array(attacked, one["shape"])
        names = [_class(labels, one[name]) for name in ("label", "prediction")]
        pictures = _pictures(datum, point, reached, *names)
        if pictures is not None:
            yield tag("figure", pictures, _told(one, datum, point), class_="card")


def _told(one: Mapping[str, Any], datum: np.ndarray, point: np.ndarray) -> Element:
    change = float(abs(point.astype("f8") - datum).max())
    found = str(one["stage"]).partition("(")[0]
    lines: list[Child] = [
        f"example {one['index']}, found by {found}",
        tag("br"),
        f"largest change {change:.4g}, violation {one['violation']:.3g}",
    ]
    if one.get("reached") is not None:
        lines += [tag("br"), f"the attack before it reached {one['reached']:.3g}"]
    return tag("figcaption", lines)


def _pictures(
    datum: np.ndarray, point: np.ndarray, reached: np.ndarray | None, label: str, prediction: str
) -> Element | None:
    """Pictures side by side, or a table of few numbers, or nothing."""
    if datum.ndim == 3 and datum.shape[0] in (1, 3):
        low, high = min(0.0, float(datum.min())), max(1.0, float(datum.max()))
        shown = [_picture(_grey_or_rgb(datum, low, high), f"datum, classified {label}", label)]
        if reached is not None:
            words = f"what the attack reached, classified {label}"
            shown.append(
                _picture(_grey_or_rgb(reached, low, high), words, f"{label}, under attack")
            )
        words = f"counterexample, classified {prediction}"
        shown.append(_picture(_grey_or_rgb(point, low, high), words, prediction, "wrong"))
        shown.append(_picture(_changes(datum, point), "changed pixels", "change"))
        return tag("div", shown, class_="pictures")
    if datum.size > FEW_INPUTS:
        return None
    pairs = zip(datum.reshape(-1).tolist(), point.reshape(-1).tolist(), strict=True)
    rows = [(str(place), f"{x:.6g}", f"{z:.6g}") for place, (x, z) in enumerate(pairs)]
    caption = f"{label} is classified {prediction}"
    return tables.table(("input", "datum", "point"), rows, caption, numbers=(1, 2))


def _picture(pixels: np.ndarray, words: str, under: str, kind: str | None = None) -> Element:
    image = tag("img", src=_png(pixels), alt=words, width=96, height=96)
    return tag("span", image, tag("span", under, class_=kind), class_="picture", title=words)


def _grey_or_rgb(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """(chan, high, wide) floats to (high, wide[, 3]) bytes."""
    import numpy as np

    scaled = np.clip((image.astype(np.float64) - low) / (high - low), 0, 1)
    pixels = np.rint(255 * scaled).astype(np.uint8)
    return np.asarray(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1))


def _changes(datum: np.ndarray, point: np.ndarray) -> np.ndarray:
    """The change of each pixel (of colours: the largest), as colour with opacity."""
    import numpy as np

    change = point.astype(np.float64) - datum
    strongest = np.abs(change).argmax(axis=0)[None]
    change = np.take_along_axis(change, strongest, axis=0)[0]
    share = np.abs(change) / max(float(np.abs(change).max()), 1e-12)
    pixels = np.zeros((*change.shape, 4), dtype=np.uint8)
    pixels[..., :3] = np.where((change > 0)[..., None], np.array(UP), np.array(DOWN))
    pixels[..., 3] = np.rint(255 * share).astype(np.uint8)
    return pixels


def _png(pixels: np.ndarray) -> str:
    """The picture as a data address."""
    from PIL import Image

    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + b64encode(file.getvalue()).decode()


def _array(text: str, shape: list[int]) -> np.ndarray:
    import numpy as np

    return np.frombuffer(b64decode(text), dtype="<f4").reshape(shape)


def _class(labels: list[str] | None, index: int) -> str:
    return str(index) if not labels else labels[index]
