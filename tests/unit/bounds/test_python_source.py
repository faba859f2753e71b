from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch
from bound_nets import claimed, conv_net

from ibpc.bounds import Weights, lower_training, lower_violation, write_source

LABEL = torch.tensor([2, 0])


def written(folder: Path, batch_norm: bool = False) -> tuple[torch.nn.Module, str]:
    graph = claimed(conv_net(batch_norm))
    module = lower_training(graph, Weights(graph))
    write_source(module, folder, "training_step", note="Compiled from net.ibp.")
    return module, (folder / "training_step.py").read_text()


def test_the_written_file_needs_torch_alone_and_computes_the_same(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums depend on how they are shared out
    module, text = written(tmp_path)
    assert "ibpc" not in text.replace("ibpc.ElidedRows", "")
    x = torch.rand(2, 2, 6, 6)
    logits, violation = module(x, x - 0.1, x + 0.1, LABEL)
    violation.sum().backward()
    torch.set_num_threads(threads)
    torch.save(
        [x, LABEL, logits.detach(), violation.detach(), module.conv1_weight.grad], tmp_path / "case"
    )
    script = (
        "import sys, torch; import training_step; torch.set_num_threads(1)\n"
        "x, label, logits, violation, grad = torch.load('case', weights_only=True)\n"
        "module = training_step.load()\n"
        "found = module(x, x - 0.1, x + 0.1, label)\n"
        "found[1].sum().backward()\n"
        "same = [torch.equal(found[0], logits), torch.equal(found[1], violation)]\n"
        "same += [torch.equal(module.conv1_weight.grad, grad), 'ibpc' not in sys.modules]\n"
        "print(all(same), same)\n"
    )
    (tmp_path / "run.py").write_text(script)
    found = subprocess.run(
        [sys.executable, "run.py"], cwd=tmp_path, capture_output=True, text=True, env={}
    )
    assert found.stdout.startswith("True"), found.stdout + found.stderr


def test_the_same_program_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        written(tmp_path / folder, batch_norm=True)
    for name in ("training_step.py", "training_step.pt"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_file_says_what_it_is_and_shows_every_tensor_with_its_shape(tmp_path: Path) -> None:
    _, text = written(tmp_path)
    assert "Compiled from net.ibp." in text
    assert "conv1: Conv -> (batch, 3, 4, 4)" in text
    assert "Gowal et al. 2019, Eq. 9" in text
    assert (
        "self.conv1_weight = torch.nn.Parameter(torch.empty((3, 2, 3, 3), dtype=torch.float32))"
        in text
    )
    assert "= None" not in text.split("def forward(self, x")[1].split("def load")[0]


def test_a_program_with_rounding_covered_is_written_too(tmp_path: Path) -> None:
    graph = claimed(conv_net())
    module = lower_violation(graph, Weights(graph, torch.float64), 2.0**-53)
    write_source(module, tmp_path, "bounds")
    names: dict[str, object] = {"__name__": "bounds", "__file__": str(tmp_path / "bounds.py")}
    exec((tmp_path / "bounds.py").read_text(), names)
    x = torch.rand(2, 2, 6, 6, dtype=torch.float64)
    loaded = names["load"]()  # type: ignore[operator]
    assert torch.equal(loaded(x, x + 0.1, LABEL), module(x, x + 0.1, LABEL))
