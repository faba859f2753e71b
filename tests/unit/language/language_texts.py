"""Texts that the tests of the checker share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checker_words import VOCABULARY

from ibpc.errors import IbpcError
from ibpc.language import check_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ibpc.language import Program, Vocabulary

HEAD = """ibp 1

type Image = real[1, 28, 28] in [0 .. 1]
type Digit = index[10]
type Logits = real[Digit]
"""

PLAN = """
param eps_train: real = 0.2 in [0 .. 0.5]
param eps_test: real = 0.1 in [0 .. 0.5]

net tiny: Image -> Logits {
    out
}

net other: Image -> Logits {
    default act = relu
    fc 10
    out
}

data mnist: (x: Image, y: Digit) {
    source = builtin(mnist)
    train = 60k
}

spec robust[X, K](f: X -> real[K], x0: X, y: K, eps: real) {
    forall x in ball(x0, eps), z = f(x):
        forall k != y: z[k] - z[y] <= 0
}

train fit(f: Image -> Logits, eps_train: real = eps_train) {
    data = mnist.train
    spec = robust(f, x, y, eps)
    steps = 60k
    lr(t) = 1e-3 until 15k, 1e-4 until 25k, 1e-5
    eps(t) = 0 until 2k, linear to eps_train at 12k
    kappa(t) = 1 until 2k, linear to 1/2 at 12k
}

verify table4(f: Image -> Logits, eps: real = eps_test) {
    data = mnist.test
    spec = robust(f, x, y, eps)
    report test_error = by forward(argmax(f(x)) == y)
    report verified = by pgd(steps = 20) then ibp then mip(timeout = 10 min) else attackable
}

run default {
    table4(fit(tiny))
}
"""


def program(
    folder: Path,
    text: str,
    words: Vocabulary = VOCABULARY,
    overrides: Mapping[str, str] | None = None,
) -> Program:
    """The program of HEAD and `text`."""
    path = folder / "spec.ibp"
    path.write_text(HEAD + text, encoding="utf-8")
    return check_file(str(path), words, overrides or {})


def mistakes(folder: Path, text: str, overrides: Mapping[str, str] | None = None) -> list[str]:
    """The codes of all mistakes in HEAD and `text`."""
    try:
        program(folder, text, overrides=overrides)
    except IbpcError as mistake:
        return [one.code for one in mistake.diagnostics]
    return []
