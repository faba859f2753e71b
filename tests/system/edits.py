"""Edits of the experiment in `pictures`: of its text, its network, its data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from pictures import COUNT
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def text(*pairs: tuple[str, str]) -> Callable[[Path], None]:
    """Replace words of the spec; each must stand in it."""

    def edit(folder: Path) -> None:
        spec = (folder / "spec.ibp").read_text(encoding="utf-8")
        for old, new in pairs:
            assert re.search(old, spec), old
            spec = re.sub(old, new, spec)
        (folder / "spec.ibp").write_text(spec, encoding="utf-8")

    return edit


def rename(old: str, new: str) -> Callable[[Path], None]:
    return text((rf"\b{old}\b", new))


def reformat(folder: Path) -> None:
    path = folder / "spec.ibp"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n\n".join(f"  {line.strip()}   " for line in lines) + "\n", encoding="utf-8")


def reorder(folder: Path) -> None:
    """The declarations in the opposite order."""
    path = folder / "spec.ibp"
    head, *blocks = path.read_text(encoding="utf-8").split("\n\n")
    path.write_text("\n\n".join([head, *reversed(blocks)]) + "\n", encoding="utf-8")


def split_in_two(folder: Path) -> None:
    """The claim moves to a file of its own."""
    path = folder / "spec.ibp"
    spec = path.read_text(encoding="utf-8")
    start, end = spec.index("spec robust"), spec.index("train fit")
    (folder / "claims.ibp").write_text(f"ibp 1\n\n{spec[start:end]}", encoding="utf-8")
    spec = spec[:start] + spec[end:]
    spec = spec.replace("ibp 1\n", 'ibp 1\n\nfrom "claims.ibp" import robust\n', 1)
    path.write_text(spec, encoding="utf-8")


def edit_network(change: Callable[[Any], None]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "nets" / "third.onnx"
        model = onnx.load_model(path)
        change(model)
        path.write_bytes(model.SerializeToString())

    return edit


def rename_values(model: Any) -> None:
    model.doc_string, model.graph.name = "edited", "another"
    for node in model.graph.node:
        node.name = f"renamed_{node.name}"
        node.input[:] = [f"v_{name}" for name in node.input]
        node.output[:] = [f"v_{name}" for name in node.output]
    for group in (model.graph.input, model.graph.output, model.graph.initializer):
        for one in group:
            one.name = f"v_{one.name}"
    del model.graph.value_info[:]


def one_weight(model: Any) -> None:
    tensor = next(one for one in model.graph.initializer if one.data_type == 1)
    array = onnx.numpy_helper.to_array(tensor).copy()
    array.reshape(-1)[0] = np.nextafter(array.reshape(-1)[0], np.float32(9))
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))


def pixel(part: str, number: int) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        place = folder / "pictures" / part / f"kind{number % 4}" / f"{number:03}.png"
        picture = np.asarray(Image.open(place)).copy()
        picture[0, 0] ^= 1
        Image.fromarray(picture).save(place)

    return edit


def another_container(folder: Path) -> None:
    """The same pictures, compressed otherwise."""
    for place in (folder / "pictures").rglob("*.png"):
        Image.open(place).save(place, compress_level=0)


NOTHING: dict[str, Callable[[Path], None]] = {
    "a comment": text(("# A comment.", "# Another comment,\n# of two lines.")),
    "a doc string": text(("net tiny", "## The small one.\nnet tiny")),
    "reformatted": reformat,
    "reordered": reorder,
    "a spec renamed": rename("robust", "stays"),
    "a network renamed": rename("tiny", "minute"),
    "a reference renamed": rename(r"third(?!\.)", "theirs"),
    "a recipe renamed": rename("fit", "taught"),
    "verify blocks renamed": text((r"\btable\b", "figures"), (r"\bother\b", "more")),
    "a data set renamed": rename("pictures(?!\")", "images"),
    "a type renamed": rename("Image", "Picture"),
    "a param renamed": rename("radius", "size"),
    "schedules renamed": text((r"\bkappa\b", "mix"), (r"(?<=, y, )eps(?=\))", "grow"),
                              (r"\beps\(t\)", "grow(t)")),
    "a number written otherwise": text(("0.04", "1/25"), ("5e-3", "0.005")),
    "an undecided example counted otherwise": text(("else unknown", "else attackable")),
    "a file split in two": split_in_two,
    "names and notes in the ONNX file": edit_network(rename_values),
    "the same pixels in another container": another_container,
    "a data set's picture that no claim uses": pixel("test", COUNT - 1),
    "more time than was needed": text(("timeout = 30 s", "timeout = 31 s")),
    "less time than was allowed": text(("timeout = 30 s", "timeout = 29 s")),
    "a stage behind those that decide": text(("then mip\\(timeout = 30 s\\)",
                                              "then mip(timeout = 30 s)\n        then lp")),
}  # fmt: skip
