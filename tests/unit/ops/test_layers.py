"""Layer keywords: what they build, and what they refuse."""

from __future__ import annotations

from math import ceil, prod
from typing import Any

import pytest

from ibpc.language import REQUIRED, LayerMistake, Template
from ibpc.ops import LAYERS, OPERATORS, infer


def arguments(word: str, **given: Any) -> dict[str, Any]:
    """All arguments of a layer: the given ones, defaults for the others."""
    found = {slot.name: given.pop(slot.name, slot.default) for slot in LAYERS[word].slots}
    assert not given
    assert REQUIRED not in found.values()
    return found


def built(word: str, in_shape: tuple[int, ...], **given: Any) -> tuple[Template, ...]:
    return LAYERS[word].build(arguments(word, **given), in_shape, (10,))


def run(templates: tuple[Template, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape after the templates, by the shape rules of their operators."""
    for template in templates:
        shapes = (shape, *(weight.shape for weight in template.weights))
        values = (None, *(weight.values or None for weight in template.weights))
        shape = infer(template.op, template.attributes, shapes, values)
    return shape


def size(pad: str, *layers: tuple[Any, ...]) -> tuple[int, int]:
    """Hidden units and parameters of a network of Table 1 on 32x32x3."""
    shape: tuple[int, ...] = (1, 3, 32, 32)
    hidden = parameters = 0
    for count, *kernel in (*layers, (10,)):
        if kernel:
            side, stride = kernel
            chosen = {"count": count, "kernel": ((side, side), stride), "pad": pad}
            templates = built("conv", shape[1:], **chosen)
        else:
            templates = built("fc", shape[1:], count=count)
        shape = run(templates, shape)
        hidden += prod(shape)
        parameters += sum(prod(w.shape) for t in templates for w in t.weights)
    return hidden - 10, parameters


def test_the_networks_of_table_1_have_the_papers_sizes() -> None:
    assert size("valid", (16, 4, 2), (32, 4, 1), (100,)) == (8308, 470918)
    medium = ((32, 3, 1), (32, 4, 2), (64, 3, 1), (64, 4, 2), (512,), (512,))
    assert size("valid", *medium) == (46912, 1188906)
    large = ((64, 3, 1), (64, 3, 1), (128, 3, 2), (128, 3, 1), (128, 3, 1), (512,))
    assert size("same", *large) == (229888, 17190602)


@pytest.mark.parametrize("extent", range(4, 12))
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding_divides_by_the_stride_and_rounds_up(
    extent: int, stride: int, dilation: int
) -> None:
    chosen = {"count": 2, "kernel": ((3, 2), stride), "pad": "same", "dilation": dilation}
    templates = built("conv", (1, extent, extent + 1), **chosen)
    wanted = (1, 2, ceil(extent / stride), ceil((extent + 1) / stride))
    assert run(templates, (1, 1, extent, extent + 1)) == wanted
    top, left, bottom, right = templates[0].attributes["pads"]
    assert 0 <= bottom - top <= 1
    assert 0 <= right - left <= 1


def test_a_kernel_that_does_not_fit_points_at_itself() -> None:
    with pytest.raises(LayerMistake) as caught:
        built("conv", (64, 2, 2), count=64, kernel=((4, 4), 2))
    assert caught.value.problem == "needs at least 4x4 with pad = valid, its input is 2x2"
    assert caught.value.fix == "use `pad = same`, or remove a strided layer above"
    assert caught.value.argument == "kernel"


@pytest.mark.parametrize(
    ("word", "in_shape", "given", "out"),
    [
        ("relu", (3,), {}, (3,)),
        ("leaky_relu", (3,), {"slope": 0.2}, (3,)),
        ("sigmoid", (3,), {}, (3,)),
        ("tanh", (3,), {}, (3,)),
        ("clip", (3,), {"low": 0, "high": 1}, (3,)),
        ("dropout", (3,), {}, (3,)),
        ("flatten", (2, 3), {}, (6,)),
        ("reshape", (12,), {"shape": (3, -1)}, (3, 4)),
        ("transpose", (2, 3, 4), {"perm": (1, 2, 0)}, (3, 4, 2)),
        ("batch_norm", (2, 3, 4), {}, (2, 3, 4)),
        ("batch_norm", (5,), {}, (5,)),
        ("avg_pool", (2, 4, 6), {"kernel": ((2, 2), 2)}, (2, 2, 3)),
        ("max_pool", (2, 5, 5), {"kernel": ((3, 3), 2), "pad": "same"}, (2, 3, 3)),
        ("max_pool", (2, 5, 5), {"kernel": ((3, 3), 1), "pad": 1}, (2, 5, 5)),
        ("global_avg_pool", (2, 4, 6), {}, (2, 1, 1)),
        ("pad", (2, 4, 6), {"size": 2}, (2, 8, 10)),
        ("pad", (4,), {"size": 2, "value": 0.5}, (8,)),
        ("normalise", (3, 4, 4), {"mean": (0.1, 0.2, 0.3), "std": (1, 2, 3)}, (3, 4, 4)),
        ("normalise", (1, 4, 4), {"mean": (0.1,), "std": (0.5,)}, (1, 4, 4)),
        ("normalise", (5,), {"mean": (0.1,) * 5, "std": (2,)}, (5,)),
        ("conv", (4, 8, 8), {"count": 6, "kernel": ((3, 3), 1), "groups": 2}, (6, 6, 6)),
        ("fc", (4, 8), {"count": 7, "bias": False}, (7,)),
        ("out", (4, 8), {}, (10,)),
    ],
)
def test_a_layer_builds_nodes_of_the_right_shape(
    word: str, in_shape: tuple[int, ...], given: dict[str, Any], out: tuple[int, ...]
) -> None:
    assert run(built(word, in_shape, **given), (1, *in_shape)) == (1, *out)


@pytest.mark.parametrize(
    ("word", "in_shape", "given", "told"),
    [
        ("conv", (12,), {"count": 2, "kernel": ((3, 3), 1)}, "needs an input"),
        ("conv", (3, 8, 8), {"count": 4, "kernel": ((3, 3), 1), "groups": 2}, "do not divide"),
        ("conv", (3, 8, 8), {"count": 3, "kernel": ((3, 3), 1), "groups": 2}, "divide neither"),
        ("max_pool", (3, 2, 2), {"kernel": ((3, 3), 1)}, "needs at least 3x3"),
        ("global_avg_pool", (12,), {}, "needs an input"),
        ("reshape", (12,), {"shape": (5, -1)}, "do not fit"),
        ("reshape", (12,), {"shape": (3, 5)}, "do not fit"),
        ("reshape", (12,), {"shape": (-1, -1)}, "do not fit"),
        ("transpose", (2, 3), {"perm": (0, 0)}, "does not order"),
        ("normalise", (3, 4, 4), {"mean": (1, 2), "std": (1,)}, "2 numbers"),
        ("normalise", (3, 4, 4), {"mean": (1,), "std": (0,)}, "must be positive"),
        ("clip", (3,), {"low": 1, "high": 0}, "leaves nothing"),
        ("dropout", (3,), {"rate": 1}, "keeps nothing"),
        ("batch_norm", (), {}, "needs channels"),
        ("pad", (), {"size": 1}, "needs an axis"),
    ],
)
def test_a_layer_that_does_not_fit_says_so(
    word: str, in_shape: tuple[int, ...], given: dict[str, Any], told: str
) -> None:
    with pytest.raises(LayerMistake, match=told):
        built(word, in_shape, **given)


def test_crop_keeps_the_middle_of_an_image() -> None:
    (template,) = built("crop", (3, 64, 64), count=56)
    assert [weight.values for weight in template.weights] == [(4, 4), (60, 60), (2, 3)]
    assert run((template,), (1, 3, 64, 64)) == (1, 3, 56, 56)


@pytest.mark.parametrize(("shape", "count"), [((3, 8, 8), 9), ((3, 8, 4), 5), ((8,), 2)])
def test_a_crop_that_is_larger_than_the_image_is_refused(shape: Any, count: int) -> None:
    with pytest.raises(LayerMistake, match="needs an image of at least"):
        built("crop", shape, count=count)


def test_an_activation_is_one_operator() -> None:
    for layer in LAYERS.values():
        if layer.activation and all(slot.default is not REQUIRED for slot in layer.slots):
            assert len(built(layer.word, (4,))) == 1
            assert built(layer.word, (4,))[0].op in OPERATORS
