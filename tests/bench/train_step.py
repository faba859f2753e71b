"""What a training step costs, in plain training steps of the same network.

    python tests/bench/train_step.py [--nets small medium] [--batches 100 512] [--threads 1]
        [--repeats 20] [--channels-last]

The networks are those of `specs/gowal.ibp`: small, medium, large on MNIST, their `_cifar` forms,
and wide. For each network and batch size these steps run interleaved on random images, so that all
of them see the same machine:

* plain: the network as an ordinary `nn.Module` in the default layout, cross-entropy, fused Adam
  (`wide`, which branches, as our own forward program instead);
* warm-up: `lower_forward(training=True)`, which is what training runs while eps = 0;
* ibp: `lower_training`, 1/2 CE(logits) + 1/2 CE(worst case), with elision;
* pgd-7: the plain network on points that seven signed steps find, as adversarial training does;
* crown-ibp: the clean pass and one fused backward row (`--crown`);
* auto_LiRPA: its IBP bounds of the plain network and the same loss as ours, where the environment
  variable AUTO_LIRPA_PATH names a checkout (never part of this repository).

Printed: the median milliseconds of each and the median ratio to the plain step beside it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Large activations stay off mmap: read by the allocator at start, so set before a fresh exec.
_ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "4294967296"}
SPEC = Path(__file__).resolve().parents[2] / "specs" / "gowal.ibp"
EPS = 0.1
WARM = 2
"""Rounds that are not counted."""


def declared() -> dict[str, Any]:
    """The networks of the spec, by name."""
    from ibpc.cli.vocabulary import vocabulary
    from ibpc.language import check_file

    return dict(check_file(str(SPEC), vocabulary(), {}).nets)


def plain_net(graph: Any) -> Any:
    """A straight network as anyone would write it, with the graph's weights."""
    import torch
    from torch import nn

    layers: list[nn.Module] = []
    for node in graph.nodes:
        arrays = [torch.tensor(graph.constants[n]) for n in node.inputs if n in graph.constants]
        if node.op == "Conv":
            top, left, bottom, right = node.attributes["pads"]
            even = (top, left) == (bottom, right)
            layers += [] if even else [nn.ZeroPad2d((left, right, top, bottom))]
            out, chan, *kernel = arrays[0].shape
            stride = tuple(node.attributes["strides"])
            layers.append(nn.Conv2d(chan, out, kernel, stride, (top, left) if even else 0))
        elif node.op == "Gemm":
            layers.append(nn.Linear(*arrays[0].shape[::-1]))
        else:
            layers.append(nn.Flatten() if node.op == "Flatten" else nn.ReLU())
        if arrays:
            state = dict(zip(("weight", "bias"), arrays, strict=True))
            layers[-1].load_state_dict(state)
    return nn.Sequential(*layers)


def claim_on(classes: int) -> Any:
    """Eq. 3: no logit overtakes the label's."""
    from fractions import Fraction

    from ibpc.errors import Span
    from ibpc.language.program import Claim, InputSet

    span = Span("bench", 1, 1, 1, 1)
    return Claim(
        "robust", InputSet("ball", Fraction(1, 10)), classes, (), True, False, "argmax", span
    )


def worst_case(violation: Any) -> Any:
    """The cross-entropy of (margins, 0)."""
    import torch

    return torch.nn.functional.softplus(torch.logsumexp(violation, dim=1)).mean()


class Bench:
    """One network and batch size: a fresh copy of the weights for each step."""

    def __init__(self, net: Any, batch: int, channels_last: bool) -> None:
        import torch

        from ibpc.claims import append_claim
        from ibpc.graph import emit
        from ibpc.passes import elide, prepare

        torch.manual_seed(0)
        classes = net.output.shape[0]
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.x, self.y = torch.rand(batch, *net.input.shape), torch.randint(classes, (batch,))
        self.graph = prepare(emit(net, 0, "orthogonal"), "training")
        self.unelided = append_claim(self.graph, claim_on(classes))
        self.claimed = elide(self.unelided)
        self.straight = all(node.op != "Add" for node in self.graph.nodes)
        self.classes = classes

    def steps(self, crown: bool) -> dict[str, Callable[[], None]]:
        """The steps by name, plain first."""
        found = {"plain": self.plain(), "warm-up": self.warm_up(), "ibp": self.ibp()}
        found["pgd-7"] = self.adversarial()
        if crown:
            found["crown-ibp"] = self.crown_ibp()
        if self.straight and os.environ.get("AUTO_LIRPA_PATH"):
            try:
                found["auto_LiRPA"] = self.auto_lirpa()
            except TypeError as error:  # large's convolutions pad one side more than the other
                print(f"    auto_LiRPA cannot read this network: {error}")
        return {name: _step(*loss) for name, loss in found.items()}

    def _module(self) -> tuple[Any, Any]:
        """The plain network and its parameters."""
        from ibpc.bounds import Weights, lower_forward

        if self.straight:
            net = plain_net(self.graph)
            return net, net.parameters()
        weights = Weights(self.graph)
        return lower_forward(self.graph, weights, training=True), weights.parameters()

    def plain(self) -> tuple[Any, Any]:
        """Cross-entropy of the plain network."""
        net, parameters = self._module()
        return lambda: _entropy(net(self.x), self.y), parameters

    def warm_up(self) -> tuple[Any, Any]:
        """Cross-entropy of our forward program."""
        from ibpc.bounds import Weights, lower_forward

        weights = Weights(self.claimed).to(memory_format=self.layout)
        program = lower_forward(self.graph, weights, training=True)
        x = self.x.to(memory_format=self.layout)
        return lambda: _entropy(program(x), self.y), weights.parameters()

    def ibp(self) -> tuple[Any, Any]:
        """Eq. 12 at kappa = 1/2."""
        from ibpc.bounds import Weights, lower_training

        weights = Weights(self.claimed).to(memory_format=self.layout)
        program = lower_training(self.claimed, weights)
        x = self.x.to(memory_format=self.layout)

        def loss() -> Any:
            logits, violation = program(x, *_box(x), self.y)
            return 0.5 * _entropy(logits, self.y) + 0.5 * worst_case(violation)

        return loss, weights.parameters()

    def adversarial(self) -> tuple[Any, Any]:
        """Cross-entropy at the point that seven signed steps find."""
        import torch

        net, parameters = self._module()
        lower, upper = _box(self.x)

        def loss() -> Any:
            point = lower + (upper - lower) * torch.rand_like(self.x)
            for _ in range(7):
                point = point.detach().requires_grad_()
                (gradient,) = torch.autograd.grad(_entropy(net(point), self.y), point)
                point = torch.minimum(
                    torch.maximum(point + EPS / 4 * gradient.sign(), lower), upper
                )
            return _entropy(net(point.detach()), self.y)

        return loss, parameters

    def crown_ibp(self) -> tuple[Any, Any]:
        """The clean pass, and CROWN-IBP's bound of the cross-entropy as one row."""
        from ibpc.bounds import CrownInTraining, Weights, lower_forward

        weights = Weights(self.unelided)
        program = lower_forward(self.graph, weights, training=True)
        crown = CrownInTraining(self.unelided, weights)

        def loss() -> Any:
            fused = crown.fused(*_box(self.x), self.y)
            return 0.5 * _entropy(program(self.x), self.y) + 0.5 * worst_case(fused)

        return loss, weights.parameters()

    def auto_lirpa(self) -> tuple[Any, Any]:
        """IBP with auto_LiRPA, rows of the claim as its matrix C."""
        import torch

        sys.path.insert(0, os.environ["AUTO_LIRPA_PATH"])
        from auto_LiRPA import BoundedModule, BoundedTensor, PerturbationLpNorm

        net = plain_net(self.graph)
        bounded = BoundedModule(net, torch.empty_like(self.x), device="cpu")
        eye = torch.eye(self.classes)
        rows = eye[self.y].unsqueeze(1) - eye.unsqueeze(0)
        kept = ~torch.nn.functional.one_hot(self.y, self.classes).bool()
        rows = rows[kept].view(len(self.y), self.classes - 1, self.classes)

        def loss() -> Any:
            lower, upper = _box(self.x)
            ball = PerturbationLpNorm(norm=float("inf"), eps=EPS, x_L=lower, x_U=upper)
            x = BoundedTensor(self.x, ball)
            logits = bounded(x)
            low, _ = bounded.compute_bounds(x=(x,), C=rows, IBP=True, method=None)
            return 0.5 * _entropy(logits, self.y) + 0.5 * worst_case(-low)

        return loss, bounded.parameters()


def _box(x: Any) -> tuple[Any, Any]:
    return (x - EPS).clamp(min=0.0), (x + EPS).clamp(max=1.0)


def _entropy(logits: Any, label: Any) -> Any:
    import torch

    return torch.nn.functional.cross_entropy(logits, label)


def _step(loss: Callable[[], Any], parameters: Any) -> Callable[[], None]:
    """One step of fused Adam on a loss."""
    import torch

    optimiser = torch.optim.Adam(list(parameters), lr=1e-3, fused=True)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        loss().backward()
        optimiser.step()

    return step


def measure(steps: dict[str, Callable[[], None]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each step, interleaved; every step has run before."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(repeats + WARM):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if number >= WARM:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def lines(seconds: dict[str, list[float]]) -> Iterator[str]:
    """A line for each step."""
    for name, taken in seconds.items():
        ratios = [own / plain for own, plain in zip(taken, seconds["plain"], strict=True)]
        yield (
            f"    {name:10} {statistics.median(taken) * 1e3:9.2f} ms   "
            f"ratio {statistics.median(ratios):6.3f}"
        )


def main() -> None:
    """Measure and print."""
    nets = declared()
    parser = argparse.ArgumentParser(description="training steps over plain steps")
    parser.add_argument("--nets", nargs="+", choices=sorted(nets), default=["small", "medium"])
    parser.add_argument("--batches", nargs="+", type=int, default=[100, 512])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--channels-last", action="store_true", help="layout of our own steps")
    parser.add_argument("--crown", action="store_true", help="CROWN-IBP with loss fusion as well")
    arguments = parser.parse_args()
    if any(os.environ.get(name) is None for name in _ALLOCATOR):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **_ALLOCATOR})
    import torch

    torch.set_num_threads(arguments.threads)
    for name in arguments.nets:
        for batch in arguments.batches:
            print(f"{name}, batch {batch}, {arguments.threads} thread(s)", flush=True)
            steps = Bench(nets[name], batch, arguments.channels_last).steps(arguments.crown)
            for line in lines(measure(steps, arguments.repeats)):
                print(line, flush=True)


if __name__ == "__main__":
    main()
