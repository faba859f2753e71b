"""Whatever tree or text comes, the checker answers with IbpcError or a program: never a crash."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from checker_words import VOCABULARY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from language_texts import HEAD, PLAN, mistakes

from ibpc.errors import Diagnostic, IbpcError, Span
from ibpc.language import check, check_file, modules
from ibpc.syntax import parse_text, tree

if TYPE_CHECKING:
    from pathlib import Path

SWEEP = (
    "sweep s {\n net in [tiny, other]\n eps in [0 .. 0.4] by 0.2\n run table4(fit(net), eps)\n}\n"
)
UNITS = "unit ft\nunit foot = 2 * ft\nrecord R {\n a: ft in [0 .. 3]\n b: real in [0 .. 1]\n}\n"
BOX = "spec s(f: R -> Logits) {\n forall r in box(a = [1 ft .. 2 ft]), z = f(r): minimal(z, 3)\n}\n"
LOGIC = """spec related(f: R -> Logits, g: R -> Logits, t: real) {
    let C = [[1, -1, 0, 0, 0, 0, 0, 0, 0, 0], [0, 2, 0, 0, 0, 0, 0, 0, 1, 0]]
    forall r in R, u in R, z = f(r):
        r.a <= 2 ft and agree(r, u, except = a) => C @ z <= t
        or (exists k in Digit: not (z[k] != g(u)[3]) or r[1] * 2 < 1)
}

spec reached(f: R -> Logits) {
    exists r in R, z = f(r): not minimal(z, 3) and z[1] - z[2] >= 1/2
}

verify apart(f: R -> Logits, g: R -> Logits) {
    spec = related(f, g, 1)
    report r = by ibp
}
"""
SEED = parse_text(HEAD + PLAN + SWEEP + UNITS + BOX + LOGIC, "seed.ibp")
AT = Span("seed.ibp", 1, 1, 1, 2)


def expressions(node: Any) -> list[tree.Expr]:
    """All expressions in a tree."""
    if isinstance(node, tuple):
        return [one for item in node for one in expressions(item)]
    if not is_dataclass(node) or isinstance(node, Span):
        return []
    inner = [e for one in fields(node) for e in expressions(getattr(node, one.name))]
    kinds = tree.Expr.__args__  # type: ignore[attr-defined]
    return [node, *inner] if isinstance(node, kinds) else inner  # type: ignore[list-item]


POOL = expressions(SEED.declarations)
TYPES = (tree.NamedType, tree.TupleType, tree.ArrowType)
NAMES = [one for one in POOL if isinstance(one, tree.Name)]
EXTRA: list[tree.Expr] = [
    tree.Number(Fraction(-1), None, "-1", AT),
    tree.Number(Fraction(10) ** 300, None, "1e300", AT),
    tree.Number(Fraction(1, 3), tree.Name("min", AT), "1/3", AT),
    tree.Text("no\0file", AT),
    tree.Listing((), AT),
    tree.Tuple((tree.Name("x", AT), tree.Name("y", AT)), AT),
    tree.Unary("not", tree.Name("true", AT), AT),
    tree.Name("robust", AT),
    tree.Name("Image", AT),
    tree.Name("fit", AT),
    tree.Binary("@", tree.Name("x", AT), tree.Name("x", AT), AT),
    tree.Binary("^", tree.Name("pi", AT), tree.Number(Fraction(10**9), None, "", AT), AT),
    tree.Image(
        tree.Name("x", AT), (tree.Binder("in", tree.Name("x", AT), tree.Name("Image", AT), AT),), AT
    ),
]


def mutated(node: Any, rng: random.Random, rate: float) -> Any:
    """The tree with some expressions replaced, and some items dropped or doubled."""
    if isinstance(node, tuple):
        items = [mutated(item, rng, rate) for item in node]
        pair = len(items) == 2 and (isinstance(items[0], str) or isinstance(items[1], TYPES))
        if items and not pair and rng.random() < rate / 2:
            place = rng.randrange(len(items))
            drop = len(items) > 1 and rng.random() < 0.5
            items[place : place + 1] = [] if drop else [items[place]] * 2
        return tuple(items)
    if not is_dataclass(node) or isinstance(node, Span):
        return node
    kinds = tree.Expr.__args__  # type: ignore[attr-defined]
    if isinstance(node, kinds) and not isinstance(node, tree.Name) and rng.random() < rate:
        return rng.choice(POOL + EXTRA)
    if isinstance(node, tree.Name) and rng.random() < rate:
        return replace(rng.choice(NAMES), span=node.span)
    kept = {"count"} if isinstance(node, tree.Layer) else set()
    names = [one.name for one in fields(node) if one.name not in kept]
    return replace(node, **{name: mutated(getattr(node, name), rng, rate) for name in names})


def said_of(file: tree.File) -> tuple[Diagnostic, ...]:
    """The diagnostics of a tree; rendering them must work too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modules, "parse_file", lambda _: file)
        try:
            check_file("seed.ibp", VOCABULARY)
        except IbpcError as mistake:
            return mistake.diagnostics if str(mistake) else ()
    return ()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9), rate=st.sampled_from([0.004, 0.02, 0.1]))
def test_mutated_trees_give_only_located_mistakes(seed: int, rate: float) -> None:
    declarations = mutated(SEED.declarations, random.Random(seed), rate)
    said = said_of(tree.File("seed.ibp", 1, declarations, {}))
    assert all(one.at is not None for one in said)


def test_the_seed_itself_is_right() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modules, "parse_file", lambda _: SEED)
        assert set(check.check_file("seed.ibp", VOCABULARY).targets) == {"default", "s"}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("const a = 10^10^9\n", {"E0303"}),
        ("const a = 0^(-1)\n", {"E0302"}),
        ("type A = real[1e30]\n", {"E0304"}),
        ("type A = real[1000000, 1000000]\n", {"E0208"}),
        ("type A = real[-3]\n", {"E0304"}),
        ("type A = index[1e9]\n", {"E0304"}),
        ("net n: Image -> Logits {\n fc 0\n out\n}\n", {"E0304"}),
        ("net n: Image -> Logits {\n fc 9999999\n fc 9999999\n out\n}\n", {"E0208"}),
        ("net n: Image -> Logits {\n default pad = same\n conv 4 0x3+1\n out\n}\n", {"E0304"}),
        ("net n: Image -> Logits {\n default pad = same\n conv 4 3x3+0\n out\n}\n", {"E0304"}),
        ("net n: Image -> Logits {\n default pad = valid\n fc 5\n conv 4 3x3\n}\n", {"E0203"}),
        ("unit a = b\nunit b = a\n", {"E0112"}),
        ("unit a = 0\n", {"E0304"}),
        ("param p: real = p\n", {"E0112"}),
        ("const e = 1e300 * 1e300 * 1e300 * 1e300 * 1e300 * 1e300\n", {"E0303"}),
        ("enum E { a, a }\n", {"E0103"}),
        ("record R {\n a: real\n a: real\n}\n", {"E0103"}),
        ("type A = real[Digit, 3]\n", {"E0201"}),
        ("type A = Image -> Digit\n", {"E0201"}),
        ("param p: Image = 3\n", {"E0111", "E0205"}),
        ("train t() {\n steps = 1\n}\n", {"E0201"}),
        ("sweep s {\n a in [0 .. 1] by 1/100000\n run f(a)\n}\n", {"E0208"}),
        (
            "type L = index[1000000]\ntype W = real[1000000000] in [0 .. 1]\n"
            "spec s(f: W -> Logits) {\n forall x in box(0, 1), z = f(x): z[0] <= 0\n}\n"
            "spec t(f: Image -> Logits, y: L) {\n"
            " forall x in Image, z = f(x): y == 3 => z[0] <= 0\n}\n",
            {"E0208"},
        ),
        ("sweep s {\n a in [0 .. 1] by 0\n run f(a)\n}\n", {"E0610"}),
    ],
)
def test_extreme_declarations_are_refused(text: str, codes: set[str], tmp_path: Path) -> None:
    found = mistakes(tmp_path, text)
    assert found
    assert set(found) <= codes


def test_an_expression_beyond_the_stack_is_refused(tmp_path: Path) -> None:
    expr: tree.Expr = tree.Name("pi", AT)
    for _ in range(5000):
        expr = tree.Unary("-", expr, AT)
    const = tree.Const(tree.Name("a", AT), None, expr, AT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modules, "parse_file", lambda _: tree.File("a.ibp", 1, (const,), {}))
        with pytest.raises(IbpcError) as caught:
            check_file("a.ibp", VOCABULARY)
    assert [one.code for one in caught.value.diagnostics] == ["E0307"]


def test_a_claim_that_explodes_is_refused_quickly(tmp_path: Path) -> None:
    text = """
type Wide = index[3000]
net wide: Image -> real[Wide] {
    out
}
spec s(f: Image -> real[Wide]) {
    forall x in Image, z = f(x):
        forall i in Wide: forall j in Wide: forall k in Wide: z[i] + z[j] <= z[k]
}
"""
    start = time.process_time()
    assert mistakes(tmp_path, text) == ["E0208"]
    assert time.process_time() - start < 10


def test_checking_is_light() -> None:
    code = (
        "import sys, ibpc.language\n"
        "heavy = {'torch', 'onnx', 'mip', 'networkx', 'numpy', 'lark'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
