"""Declared networks: shapes, counts, names, residual blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from checker_words import VOCABULARY
from language_texts import HEAD, program

from ibpc.language import DeclaredNet, Vocabulary, check_file, describe_net
from ibpc.ops import LAYERS, infer

if TYPE_CHECKING:
    from pathlib import Path

TABLE_1 = {
    "small": (8_308, 470_918),
    "medium": (46_912, 1_188_906),
    "large": (229_888, 17_190_602),
    "small_mnist": (6_004, 329_606),
    "medium_mnist": (34_688, 893_418),
    "large_mnist": (176_128, 13_257_290),
}

SMALL = "default act = relu, pad = valid\n conv 16 4x4+2\n conv 32 4x4+1\n fc 100\n out\n"
MEDIUM = (
    "default act = relu, pad = valid\n conv 32 3x3+1\n conv 32 4x4+2\n conv 64 3x3+1\n"
    " conv 64 4x4+2\n fc 512\n fc 512\n out\n"
)
LARGE = (
    "default act = relu, pad = same\n conv 64 3x3+1\n conv 64 3x3+1\n conv 128 3x3+2\n"
    " conv 128 3x3+1\n conv 128 3x3+1\n fc 512\n out\n"
)


def real_vocabulary() -> Vocabulary:
    """The tests' words with the operators' own layers."""
    from dataclasses import replace

    return replace(VOCABULARY, layers=LAYERS, infer=infer)


@pytest.mark.parametrize("words", [VOCABULARY, real_vocabulary()], ids=["small", "real"])
def test_table_1_of_the_paper(words: Vocabulary, tmp_path: Path) -> None:
    """Gowal et al. 2019, Table 1: the counts on 32x32x3, and those on MNIST."""
    layers = {"small": SMALL, "medium": MEDIUM, "large": LARGE}
    text = "type Colour = real[3, 32, 32] in [0 .. 1]\n"
    text += "".join(f"net {name}: Colour -> Logits {{\n{body}}}\n" for name, body in layers.items())
    text += "".join(f"net {n}_mnist: Image -> Logits {{\n{b}}}\n" for n, b in layers.items())
    nets = program(tmp_path, text, words).nets
    found = {n: (net.hidden, net.parameters) for n, net in nets.items() if n in TABLE_1}
    assert found == TABLE_1


def test_the_wide_network_of_the_specs(root: Path) -> None:
    """WideResNet-10-10 on 56x56: 1,806,336 hidden units."""
    nets = check_file(str(root / "specs" / "gowal.ibp"), real_vocabulary()).nets
    wide = [net for net in nets.values() if net.input.shape == (3, 56, 56)]
    assert [net.hidden for net in wide if isinstance(net, DeclaredNet)] == [1_806_336]


def test_the_table_is_that_of_the_design(tmp_path: Path) -> None:
    net = program(tmp_path, f"net small: Image -> Logits {{\n{SMALL}}}\n").nets["small"]
    assert isinstance(net, DeclaredNet)
    assert describe_net(net).splitlines() == [
        "net small: Image[1,28,28] -> Logits[10]",
        "  conv 16 4x4+2  valid  relu  16x13x13     272 params",
        "  conv 32 4x4+1  valid  relu  32x10x10    8224",
        "  fc 100                relu  100       320100",
        "  out                         10          1010",
        "  hidden 6004, parameters 329606",
    ]


def nodes(tmp_path: Path, body: str) -> list[tuple[str, tuple[str, ...], str]]:
    net = program(tmp_path, f"net n: Image -> Logits {{\n{body}}}\n").nets["n"]
    assert isinstance(net, DeclaredNet)
    return [(node.name, node.inputs, node.template.op) for node in net.nodes]


def test_nodes_are_named_after_their_layers(tmp_path: Path) -> None:
    body = (
        "default act = relu, pad = same\nconv 4 3x3\nlast: fc 5\nrelu\nrelu\nfc 6 act = tanh\nout\n"
    )
    assert nodes(tmp_path, body) == [
        ("conv1", ("x",), "Conv"),
        ("conv1_relu", ("conv1",), "Relu"),
        ("last_flatten", ("conv1_relu",), "Flatten"),
        ("last", ("last_flatten",), "Gemm"),
        ("last_relu", ("last",), "Relu"),
        ("relu", ("last_relu",), "Relu"),
        ("relu2", ("relu",), "Relu"),
        ("fc1", ("relu2",), "Gemm"),
        ("fc1_tanh", ("fc1",), "Tanh"),
        ("out", ("fc1_tanh",), "Gemm"),
    ]


def test_a_residual_block_adds_its_branches(tmp_path: Path) -> None:
    body = (
        "default pad = same\nresidual {\nconv 4 3x3\ndefault act = relu\nconv 8 3x3\n} else {\n"
        "conv 8 1x1\n}\nresidual {\nconv 8 3x3\n}\nout\n"
    )
    assert [node for node in nodes(tmp_path, body) if node[2] == "Add"] == [
        ("residual1", ("conv2_relu", "conv3"), "Add"),
        ("residual2", ("conv4", "residual1"), "Add"),
    ]


def test_a_label_does_not_collide_with_a_generated_name(tmp_path: Path) -> None:
    body = "default act = relu\nfc1_relu: fc 5\nfc 5\nout\n"
    names = [name for name, _, _ in nodes(tmp_path, body)]
    assert len(set(names)) == len(names)


def test_statistics_are_no_parameters(tmp_path: Path) -> None:
    text = f"{HEAD}net n: Image -> Logits {{\nnormalise mean=[0.5] std=[0.5]\nout\n}}\n"
    net = program(tmp_path, text.removeprefix(HEAD)).nets["n"]
    assert isinstance(net, DeclaredNet)
    assert net.parameters == 784 * 10 + 10
