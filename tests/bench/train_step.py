"""What an interval training step costs, in plain training steps of the same network.

    python tests/bench/train_step.py [--net small] [--batch 100] [--threads 1] [--repeats 60]
        [--channels-last]

Three steps run interleaved on random MNIST-shaped data, so that all three see the same machine:

* plain: the network as an ordinary `nn.Module` in the default layout, cross-entropy, fused Adam;
* warm-up: `lower_forward(training=True)`, which is what training runs while eps = 0;
* ibp: `lower_training`, 1/2 CE(logits) + 1/2 CE(worst case), with elision.

Printed: the median seconds of each and the medians of the ratios to the plain step beside it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Large activations stay off mmap: read by the allocator at start, so set before a fresh exec.
_ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "4294967296"}

Line = tuple[str, int, int, int]
"""A layer of Table 1: ("conv", filters, kernel, stride) or ("fc", outputs, 0, 0)."""

NETS: dict[str, tuple[Line, ...]] = {
    "small": (("conv", 16, 4, 2), ("conv", 32, 4, 1), ("fc", 100, 0, 0)),
    "medium": (
        ("conv", 32, 3, 1),
        ("conv", 32, 4, 2),
        ("conv", 64, 3, 1),
        ("conv", 64, 4, 2),
        ("fc", 512, 0, 0),
        ("fc", 512, 0, 0),
    ),
}
"""Small and medium of Gowal et al. 2019, Table 1, all convolutions without padding."""


def plain_net(lines: tuple[Line, ...], shape: tuple[int, int, int]) -> Any:
    """The network as anyone would write it."""
    import torch
    from torch import nn

    layers: list[nn.Module] = []
    chan, high, wide = shape
    flat = False
    for kind, size, kernel, stride in (*lines, ("fc", 10, 0, 0)):
        if kind == "conv":
            layers += [nn.Conv2d(chan, size, kernel, stride), nn.ReLU()]
            chan, high, wide = size, (high - kernel) // stride + 1, (wide - kernel) // stride + 1
            continue
        layers += [] if flat else [nn.Flatten()]
        layers += [nn.Linear(size_in(flat, chan, high, wide), size), nn.ReLU()]
        flat, chan = True, size
    for layer in layers:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            torch.nn.init.orthogonal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers[:-1])


def size_in(flat: bool, chan: int, high: int, wide: int) -> int:
    """The entries that a fully connected layer reads."""
    return chan if flat else chan * high * wide


def graph_of(net: Any, shape: tuple[int, int, int]) -> Any:
    """The same network, with the same weights, as an ibpc graph."""
    from torch import nn

    from ibpc.graph import Graph, Node

    nodes, constants, value = [], {}, "x"
    for layer in net:
        name = f"n{len(nodes)}"
        operands: tuple[str, ...] = (value,)
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            constants[f"{name}.weight"] = layer.weight.detach().numpy().copy()
            constants[f"{name}.bias"] = layer.bias.detach().numpy().copy()
            operands = (value, f"{name}.weight", f"{name}.bias")
        nodes.append(Node(name, *_operator(layer)[:1], operands, (name,), _operator(layer)[1]))
        value = name
    return Graph("bench", {"x": (1, *shape)}, (value,), tuple(nodes), constants)


def _operator(layer: Any) -> tuple[str, dict[str, Any]]:
    """The ONNX operator of a layer, with its attributes."""
    from torch import nn

    if isinstance(layer, nn.Conv2d):
        return "Conv", {
            "kernel_shape": list(layer.kernel_size),
            "strides": list(layer.stride),
            "pads": [0, 0, 0, 0],
        }
    if isinstance(layer, nn.Linear):
        return "Gemm", {"transB": 1}
    return ("Flatten", {"axis": 1}) if isinstance(layer, nn.Flatten) else ("Relu", {})


def claim_on(classes: int) -> Any:
    """Eq. 3: no logit overtakes the label's."""
    from fractions import Fraction

    from ibpc.errors import Span
    from ibpc.language.program import Claim, InputSet

    span = Span("bench", 1, 1, 1, 1)
    ball = InputSet("ball", Fraction(1, 10))
    return Claim("robust", ball, classes, (), True, False, "argmax", span)


def steps_of(
    lines: tuple[Line, ...], batch: int, channels_last: bool = False
) -> dict[str, Callable[[], None]]:
    """The three steps, as functions without arguments; the plain one keeps the default layout."""
    import torch

    from ibpc.bounds import Weights, lower_forward, lower_training
    from ibpc.claims import append_claim
    from ibpc.passes import elide

    shape = (1, 28, 28)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    torch.manual_seed(0)
    x, y = torch.rand(batch, *shape), torch.randint(10, (batch,))
    net = plain_net(lines, shape)
    graph = graph_of(net, shape)
    claimed = elide(append_claim(graph, claim_on(10)))
    weights, warm_weights = (Weights(claimed).to(memory_format=layout) for _ in range(2))
    x_own = x.to(memory_format=layout)
    program = lower_training(claimed, weights)
    warm = lower_forward(graph, warm_weights, training=True)
    cross_entropy = torch.nn.functional.cross_entropy
    zero = torch.zeros(batch, dtype=torch.int64)

    def worst_case(violation: Any) -> Any:
        margins = torch.cat([torch.zeros_like(violation[:, :1]), violation], dim=1)
        return cross_entropy(margins, zero)

    def ibp_loss() -> Any:
        lower, upper = (x_own - 0.1).clamp(min=0.0), (x_own + 0.1).clamp(max=1.0)
        logits, violation = program(x_own, lower, upper, y)
        return 0.5 * cross_entropy(logits, y) + 0.5 * worst_case(violation)

    losses = {
        "plain": (lambda: cross_entropy(net(x), y), net.parameters()),
        "warm-up": (lambda: cross_entropy(warm(x_own), y), warm_weights.parameters()),
        "ibp": (ibp_loss, weights.parameters()),
    }
    return {name: _step(loss, parameters) for name, (loss, parameters) in losses.items()}


def _step(loss: Callable[[], Any], parameters: Any) -> Callable[[], None]:
    """One step of fused Adam on a loss."""
    import torch

    optimiser = torch.optim.Adam(list(parameters), lr=1e-3, fused=True)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        loss().backward()
        optimiser.step()

    return step


def measure(net: str, batch: int, repeats: int, channels_last: bool) -> dict[str, list[float]]:
    """Seconds of each step, interleaved; every step has run three times before."""
    steps = steps_of(NETS[net], batch, channels_last)
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(repeats + 3):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if number >= 3:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="interval training step over plain step")
    parser.add_argument("--net", choices=sorted(NETS), default="small")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--channels-last", action="store_true", help="layout of our two steps")
    arguments = parser.parse_args()
    if any(os.environ.get(name) is None for name in _ALLOCATOR):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **_ALLOCATOR})
    import torch

    torch.set_num_threads(arguments.threads)
    seconds = measure(arguments.net, arguments.batch, arguments.repeats, arguments.channels_last)
    for name, taken in seconds.items():
        ratios = [own / plain for own, plain in zip(taken, seconds["plain"], strict=True)]
        print(
            f"{name:8} {statistics.median(taken) * 1e3:8.2f} ms   "
            f"ratio {statistics.median(ratios):.3f}"
        )


if __name__ == "__main__":
    main()
