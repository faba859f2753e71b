"""A small experiment on pictures in a folder, and the folder in which it was run."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image
from small_networks import write_network

from ibpc.cli import main

COUNT = 16
"""Test pictures; two of each of eight classes."""

SPEC = """\
ibp 1

# A comment.
type Image = real[1, 6, 6] in [0 .. 1]
type Kind = index[4]
type Logits = real[Kind]

param radius: real = 0.04

data pictures: (x: Image, y: Kind) {
    source = image_folder("pictures")
}

net tiny: Image -> Logits {
    default act = relu, pad = valid
    conv 4 3x3+1
    fc 12
    out
}

net third: Image -> Logits = onnx("nets/third.onnx")

spec robust[X, K](f: X -> real[K], x0: X, y: K, eps: real) {
    forall x in ball(x0, eps), z = f(x):
        forall k != y: z[k] - z[y] <= 0
}

train fit(f: Image -> Logits) {
    data = pictures.train
    spec = robust(f, x, y, eps)
    bound = ibp
    loss = kappa * xent(f(x), y) + (1 - kappa) * xent(worst(spec), y)
    optimiser = adam
    batch = 16
    steps = 60
    seed = 0
    lr(t) = 5e-3
    eps(t) = 0 until 5, linear to 0.02 at 40
    kappa(t) = 1 until 5, linear to 1/2 at 40
}

verify table(f: Image -> Logits) {
    data = pictures.test
    first = 14
    spec = robust(f, x, y, radius)
    report test_error = by forward(argmax(f(x)) == y)
    report ibp_bound = by ibp
    report verified = by ibp
        then pgd(steps = 5, restarts = 2)
        then mip(timeout = 30 s)
        else unknown
}

verify other(f: Image -> Logits) {
    data = pictures.test
    first = 14
    spec = robust(f, x, y, 0.03)
    report crown_bound = by crown
    report attacked = by pgd(steps = 5, restarts = 1)
}

run default {
    table(fit(tiny))
    other(third)
}
"""

FIRST = 14
"""How many of them are verified."""


def paint(folder: Path) -> None:
    """Pictures of four kinds: a bright quarter in noise."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 40), ("test", COUNT)):
        for number in range(count):
            kind = number % 4
            picture = rng.integers(0, 110, size=(6, 6)).astype(np.uint8)
            row, column = divmod(kind, 2)
            picture[3 * row : 3 * row + 3, 3 * column : 3 * column + 3] += 70
            place = folder / part / f"kind{kind}" / f"{number:03}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(place)


def finish(folder: Path) -> None:
    """Run the experiment in an empty folder."""
    paint(folder / "pictures")
    write_network(folder / "nets" / "third.onnx", (1, 6, 6), 10, 4)
    (folder / "spec.ibp").write_text(SPEC, encoding="utf-8")
    before = Path.cwd()
    os.chdir(folder)
    try:
        command = ["run", "spec.ibp", "--jobs", "1", "--device", "cpu", "--data-dir", "."]
        assert main(command) == 0
    finally:
        os.chdir(before)
