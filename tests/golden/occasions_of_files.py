"""Specs that are no text, and data that are absent, damaged, or not what was declared."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from occasion import occasion, said, toy
from PIL import Image

from ibpc.cli.vocabulary import vocabulary
from ibpc.data import load
from ibpc.errors import Span
from ibpc.language import Split, check_file, modules
from ibpc.syntax import automaton, tree

SCATTER = "source = scatter(n = 12, positives = 5, separation = 0.1, seed = 1)"
POINT = "type Point = real[2] in [0 .. 1]"
IMAGES = "type Point = real[1, 28, 28] in [0 .. 1]"
TEN = (
    "enum Sign { neg, pos }\ntype Score = real[Sign]",
    "type Sign = index[10]\ntype Score = real[Sign]",
)


def data_of(*changes: tuple[str, str], part: str = "train") -> None:
    """Loads the data of a spec, without a network to download them from."""
    found = check_file(toy(*changes), vocabulary()).data["toy"]
    load(Split(found, part), Path("data"), download=False)


@occasion("E0013")
def latin_1(_: Path, __: Any) -> str:
    Path("spec.ibp").write_bytes("ibp 1\n# naïve\n".encode("latin-1"))
    return said("check", "spec.ibp")


@occasion("E0014")
def model_as_spec(_: Path, __: Any) -> str:
    Path("model.onnx").write_bytes(b"\x08\x08\x12\x00pytorch")
    return said("check", "model.onnx")


@occasion("E0506")
def weights_as_spec(_: Path, __: Any) -> str:
    Path("weights.bin").write_bytes(b" " * (4 * 2**20 + 1))
    return said("check", "weights.bin")


@occasion("E0507")
def no_tables(_: Path, monkeypatch: Any) -> None:
    """A source tree whose grammar was edited, on a machine without lark."""

    def refuse(_: str) -> str:
        raise ImportError("No module named 'lark'")

    monkeypatch.setattr(automaton, "_stored", lambda *_: None)
    monkeypatch.setattr(automaton, "compile_grammar", refuse)
    automaton.load_tables.__wrapped__()


@occasion("E0307")
def tree_by_hand(_: Path, monkeypatch: Any) -> None:
    """The parser's own limit, E0012, comes first for whatever stands in a file."""
    at = Span("made.ibp", 1, 1, 1, 2)
    expr: tree.Expr = tree.Name("pi", at)
    for _number in range(5000):
        expr = tree.Unary("-", expr, at)
    const = tree.Const(tree.Name("a", at), None, expr, at)
    made = tree.File("made.ibp", 1, (const,), {})
    monkeypatch.setattr(modules, "parse_file", lambda _: made)
    check_file("made.ibp", vocabulary())


@occasion("E0512")
def header_line(_: Path, __: Any) -> str:
    Path("mask.csv").write_text("first, second\n1, 2\n")
    changed = ("ball(x0, eps)", 'box(x0 - eps * list("mask.csv"), x0 + eps * list("mask.csv"))')
    names = (("verify table", "verify judge"), ("table(", "judge("), ("list(", "table("))
    return said("check", toy(changed, *names))


@occasion("E0520")
def absent_data(_: Path, __: Any) -> None:
    data_of((SCATTER, "source = builtin(mnist)"), (POINT, IMAGES), TEN)


@occasion("E0521")
def download_cut_off(_: Path, __: Any) -> None:
    folder = Path("data/MNIST/raw")
    folder.mkdir(parents=True)
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (folder / f"{name}.gz").write_bytes(gzip.compress(b"\0\0\x08\3\0\0", mtime=0))
    data_of((SCATTER, "source = builtin(mnist)"), (POINT, IMAGES), TEN)


@occasion("E0522")
def other_shape(_: Path, __: Any) -> None:
    wide = "type Point = real[3] in [0 .. 1]"
    data_of((POINT, wide), part="all")


@occasion("E0523")
def too_many(_: Path, __: Any) -> None:
    data_of((SCATTER, f"{SCATTER}\n    train = 100k"))


@occasion("E0524")
def no_room(_: Path, __: Any) -> None:
    data_of((SCATTER, "source = scatter(n = 1k, positives = 5, separation = 0.4)"), part="all")


FOLDER = (SCATTER, 'source = image_folder("pictures")')
SMALL = (POINT, "type Point = real[1, 4, 4] in [0 .. 1]")


def picture(path: str, side: int = 4) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((side, side), dtype=np.uint8)).save(path)


@occasion("E0525")
def pictures_without_classes(_: Path, __: Any) -> None:
    picture("data/pictures/train/one.png")
    data_of(FOLDER, SMALL)


@occasion("E0526")
def larger_picture(_: Path, __: Any) -> None:
    picture("data/pictures/train/neg/one.png")
    picture("data/pictures/train/pos/two.png", side=5)
    data_of(FOLDER, SMALL)


@occasion("E0528")
def unknown_word(_: Path, __: Any) -> None:
    Path("reviews.tsv").write_text("pos\tgod\tfilm\n")
    Path("words.tsv").write_text("good\nfilm\n")
    texts = (SCATTER, 'source = sentences("reviews.tsv", words = "words.tsv")')
    data_of(texts, (POINT, "type Point = real[1, 2, 2] in [0 .. 1]"), part="all")
