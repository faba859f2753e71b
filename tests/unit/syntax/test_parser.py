"""Whole files: the specs' golden trees, declarations of every kind, spans, doc strings."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from ibpc.errors import Span, SyntaxMistake
from ibpc.syntax import parse_expression, parse_file, parse_text, tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPECS = ("gowal", "digits", "mnist", "cifar", "toy")


def outline(node: Any, depth: int = 0) -> str:
    """A tree as indented text, with the span of each declaration and line."""
    pad = "  " * depth
    if isinstance(node, tree.Name):
        return f"{pad}{node.text}"
    if isinstance(node, tree.Number):
        unit = f" {node.unit.text}" if node.unit else ""
        return f"{pad}{node.value}{unit} ({node.text})"
    if isinstance(node, tuple):
        return "\n".join([f"{pad}()"] if not node else [outline(item, depth) for item in node])
    if not dataclasses.is_dataclass(node):
        return f"{pad}{node!r}"
    span = getattr(node, "span", None)
    where = f" {span.line}:{span.column}-{span.end_line}:{span.end_column}" if span else ""
    lines = [f"{pad}{type(node).__name__}{where}"]
    for field in dataclasses.fields(node):
        if field.name != "span" and not (isinstance(node, tree.File) and field.name == "path"):
            lines += [f"{pad}  .{field.name}", outline(getattr(node, field.name), depth + 2)]
    return "\n".join(lines)


def only(text: str) -> Any:
    """The one declaration of a file."""
    declarations = parse_text("ibp 1\n" + text, "a.ibp").declarations
    assert len(declarations) == 1
    return declarations[0]


@pytest.mark.parametrize("name", SPECS)
def test_the_tree_of_a_spec_is_the_golden_one(
    name: str, root: Path, golden: Callable[[Path, str], None]
) -> None:
    file = parse_file(root / "specs" / f"{name}.ibp")
    golden(root / "tests" / "golden" / "syntax" / f"{name}.tree", outline(file) + "\n")


def test_every_declaration_of_the_language_has_its_golden_tree(
    root: Path, golden: Callable[[Path, str], None]
) -> None:
    folder = root / "tests" / "golden" / "syntax"
    file = parse_file(folder / "everything.ibp")
    kinds = {type(declaration).__name__ for declaration in file.declarations}
    assert kinds == {kind.__name__ for kind in tree.Declaration.__args__}
    golden(folder / "everything.tree", outline(file) + "\n")


def test_spans_cover_what_they_name_and_carry_the_path_as_given() -> None:
    text = "ibp 1\n\nnet a: A -> B {\n    conv 16 4x4+2 pad = same  # why\n}\n"
    net = parse_text(text, "some/where.ibp").declarations[0]
    assert isinstance(net, tree.Net)
    assert net.span == Span("some/where.ibp", 3, 1, 5, 2)
    layer = net.layers[0]
    assert isinstance(layer, tree.Layer)
    assert layer.span == Span("some/where.ibp", 4, 5, 4, 29)
    assert layer.kernel == tree.Kernel(4, 4, 2, Span("some/where.ibp", 4, 13, 4, 18))
    assert layer.named[0].span == Span("some/where.ibp", 4, 19, 4, 29)


def test_every_span_of_the_specs_cuts_out_its_own_text(root: Path) -> None:
    seen = 0

    def walk(node: Any, lines: list[str]) -> None:
        nonlocal seen
        if isinstance(node, tuple):
            for item in node:
                walk(item, lines)
        elif dataclasses.is_dataclass(node) and not isinstance(node, Span):
            if isinstance(node, tree.Name):
                at = node.span
                assert at.line == at.end_line
                assert lines[at.line - 1][at.column - 1 : at.end_column - 1] == node.text
                seen += 1
            for field in dataclasses.fields(node):
                walk(getattr(node, field.name), lines)

    for name in SPECS:
        path = root / "specs" / f"{name}.ibp"
        walk(parse_file(path).declarations, path.read_text(encoding="utf-8").split("\n"))
    assert seen > 500


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Fraction(1, 10)),
        ("2k", Fraction(2000)),
        ("1.5k", Fraction(1500)),
        ("1e-3", Fraction(1, 1000)),
        ("2.5E+2", Fraction(250)),
        ("007", Fraction(7)),
    ],
)
def test_a_number_is_exact(text: str, value: Fraction) -> None:
    number = parse_expression(text, "-p x")
    assert isinstance(number, tree.Number)
    assert (number.value, number.text, number.unit) == (value, text, None)


def test_a_quotient_stays_a_quotient() -> None:
    node = parse_expression("8/255", "-p eps")
    assert isinstance(node, tree.Binary)
    assert node.operator == "/"
    assert isinstance(node.left, tree.Number)
    assert isinstance(node.right, tree.Number)
    assert (node.left.value, node.right.value) == (8, 255)


def test_a_unit_follows_its_number() -> None:
    number = parse_expression("10 min", "-p time")
    assert isinstance(number, tree.Number)
    assert number.unit is not None
    assert (number.value, number.unit.text) == (10, "min")
    assert number.span == Span("-p time", 1, 1, 1, 7)


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("-a ^ 2", "-(a ^ 2)"),
        ("a ^ -b", "a ^ (-b)"),
        ("a => b => c", "a => (b => c)"),
        ("a or b and not c <= d", "a or (b and (not (c <= d)))"),
        ("A @ z <= b + 1", "(A @ z) <= (b + 1)"),
        ("not a and b", "(not a) and b"),
        ("forall k != y: a and b", "forall k != y: (a and b)"),
    ],
)
def test_operators_bind_as_in_mathematics(text: str, grouped: str) -> None:
    def shape(node: Any) -> Any:
        if isinstance(node, tree.Name | tree.Number):
            return node.text
        if isinstance(node, str):
            return node
        if isinstance(node, tuple):
            return tuple(shape(item) for item in node)
        fields = [f.name for f in dataclasses.fields(node) if f.name != "span"]
        return (type(node).__name__, *(shape(getattr(node, name)) for name in fields))

    assert shape(parse_expression(text, "x")) == shape(parse_expression(grouped, "x"))


def test_a_chain_of_comparisons_is_one_node() -> None:
    node = parse_expression("-tau <= a < tau", "x")
    assert isinstance(node, tree.Comparison)
    assert [sign for sign, _ in node.rest] == ["<=", "<"]


def test_keywords_are_names_where_the_grammar_wants_a_name() -> None:
    train = only("train train(data: spec) {\n    data = data.train\n    spec = worst(spec)\n}\n")
    assert [setting.name.text for setting in train.settings] == ["data", "spec"]
    assert train.name.text == "train"


def test_named_arguments_of_a_layer_take_blanks_or_commas() -> None:
    net = only("net a: A -> B {\n    pool 2x2 a = 1 b = -1/2, c = same d = [1, 2]\n}\n")
    assert [option.name.text for option in net.layers[0].named] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("gap", [" ", "\n    ", "\n\n    # a comment\n    "])
def test_else_may_stand_on_the_same_line_or_a_later_one(gap: str) -> None:
    net = only(f"net a: A -> B {{\n residual {{\n  fc 1\n }}{gap}else {{\n  fc 2\n }}\n out\n}}\n")
    residual, out = net.layers
    assert residual.body[0].count.value == 1
    assert residual.shortcut[0].count.value == 2
    assert out.keyword.text == "out"


def test_a_residual_block_without_else_has_no_shortcut() -> None:
    net = only("net a: A -> B { residual { fc 1 } }\n")
    assert net.layers[0].shortcut is None


def test_line_ends_are_free_in_brackets_images_and_after_operators() -> None:
    together = only("set s(x: A) = { a * x + b for a in [0 .. 1], b in [0, 1] }\n")
    apart = only(
        "set s(\n  x: A\n) = {\n  a *\n  x + # why\n  b\n  for a in [0 .. 1],\n"
        "  b in [\n  0,\n  1\n  ]\n}\n"
    )
    plain = [
        [line.split(" ")[0] if ":" in line else line for line in outline(node).splitlines()]
        for node in (together.value.body, apart.value.body)
    ]
    assert [type(b.value).__name__ for b in apart.value.binders] == ["Range", "Listing"]
    assert plain[0][1:3] == plain[1][1:3]
    assert type(apart.value) is tree.Image


def test_a_leading_then_continues_the_line_before() -> None:
    verify = only("verify v(f: A) {\n report r = by a\n  then b(t = 1)\n\n  else unknown\n}\n")
    report = verify.reports[0]
    assert len(report.stages) == 2
    assert report.otherwise.text == "unknown"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_tabs_and_a_byte_order_mark_are_fine(end: str) -> None:
    text = end.join(["\ufeffibp 1", "net a:\tA -> B {", "\tout", "}", ""])
    net = parse_text(text, "a.ibp").declarations[0]
    assert isinstance(net, tree.Net)
    assert net.layers[0].span == Span("a.ibp", 3, 2, 3, 5)


def test_the_last_line_needs_no_end() -> None:
    assert only("unit ft").name.text == "ft"


def test_double_hashes_directly_above_a_declaration_are_its_doc_string() -> None:
    file = parse_text(
        "ibp 1\n## not this one\n\n## A foot,\n## in metres.\nunit ft = 0.3048\n"
        "# plain\nunit m\nunit x  ## behind\nunit y\n",
        "a.ibp",
    )
    assert file.docs == {"ft": "A foot,\nin metres."}


def test_an_expression_must_be_whole() -> None:
    with pytest.raises(SyntaxMistake) as caught:
        parse_expression("1 +", "-p eps")
    diagnostic = caught.value.diagnostics[0]
    assert "expected an expression, found the end of the text" in diagnostic.problem
    assert diagnostic.at is not None
    assert diagnostic.at.path == "-p eps"
