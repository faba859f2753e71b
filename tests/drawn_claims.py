"""Random bodies of claims over three outputs and two inputs, as text and as truth."""

from __future__ import annotations

import operator
import random
from fractions import Fraction
from typing import TYPE_CHECKING

from checker_words import VOCABULARY

from ibpc.language import VerifyTask, check_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Drawn:
    """A random body of a claim as text, and its truth at a point worked out by itself."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def body(self, depth: int) -> tuple[str, Callable[[list[Fraction], list[Fraction]], bool]]:
        kind = self.random.choice(["and", "or", "=>", "not", "atom", "rank"] if depth else ["atom"])
        if kind == "atom":
            return self.atom()
        if kind == "rank":
            return self.rank()
        left, first = self.body(depth - 1)
        if kind == "not":
            return f"not ({left})", lambda z, x: not first(z, x)
        right, second = self.body(depth - 1)
        rules = {
            "and": lambda z, x: first(z, x) and second(z, x),
            "or": lambda z, x: first(z, x) or second(z, x),
            "=>": lambda z, x: not first(z, x) or second(z, x),
        }
        return f"({left}) {kind} ({right})", rules[kind]

    def atom(self) -> tuple[str, Callable[[list[Fraction], list[Fraction]], bool]]:
        sign = self.random.choice(["<=", "<", ">=", ">", "==", "!="])
        i, k = self.random.randrange(3), self.random.randrange(2)
        j = (i + self.random.randint(1, 2)) % 3
        a, b = self.random.randint(1, 3), Fraction(self.random.randint(-2, 2), 2)
        rules = {
            "<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt,
            "==": operator.eq, "!=": operator.ne,
        }  # fmt: skip
        compare = rules[sign]
        text = f"{a} * z[{i}] - z[{j}] + x[{k}] {sign} {b.numerator}/{b.denominator}"
        return text, lambda z, x: compare(a * z[i] - z[j] + x[k], b)

    def rank(self) -> tuple[str, Callable[[list[Fraction], list[Fraction]], bool]]:
        k = self.random.randrange(3)
        word = self.random.choice(["minimal", "maximal"])
        best = min if word == "minimal" else max
        return f"{word}(z, {k})", lambda z, _: z[k] == best(z)


GENERAL = """ibp 1

type Point = real[2] in [0 .. 2]

net plain: Point -> real[3] {{
    out
}}

spec mine(f: Point -> real[3]) {{
    {word} x in Point, z = f(x): {body}
}}

verify v(f: Point -> real[3] = plain) {{
    spec = mine(f)
    report r = by ibp
}}
"""


def general(folder: Path, body: str, word: str = "forall") -> VerifyTask:
    path = folder / "general.ibp"
    path.write_text(GENERAL.format(word=word, body=body), encoding="utf-8")
    task = check_file(str(path), VOCABULARY).targets["v"].tasks[0]
    assert isinstance(task, VerifyTask)
    return task
