"""Recipes: what cannot be trained, and folders and machines that stand in the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from occasion import occasion, said, small_graph, small_network, toy

from ibpc.cli.vocabulary import vocabulary
from ibpc.data import load
from ibpc.graph import Node, write_onnx
from ibpc.language import Fit, check_file
from ibpc.training import third_party, train
from ibpc.training.crew import Crew

LOSS = "    kappa(t) = 1 until 2, linear to 1/2 at 10\n"
BETA = "    beta(t) = 0 until 2, linear to 1 at 10\n"


def fit_of(*changes: tuple[str, str]) -> Fit:
    """The recipe of the toy spec."""
    (task,) = check_file(toy(*changes), vocabulary()).targets["trained"].tasks
    assert isinstance(task, Fit)
    return task


def trained(*changes: tuple[str, str], folder: str = "fit") -> None:
    fit = fit_of(*changes)
    train(fit, load(fit.data, Path("data")), Path(folder))


@occasion("E0540")
def two_recipes_in_one_folder(_: Path, monkeypatch: Any) -> None:
    """The first is stopped after its first checkpoint, as by a full queue or a closed lid."""
    monkeypatch.setattr("ibpc.training.trainer.CHECKPOINT_S", 0.0)
    monkeypatch.setattr("ibpc.training.checkpoint.Shelf.clear", lambda _: None)
    trained()
    Path("fit/model.onnx").unlink()
    trained(("steps = 20", "steps = 30"))


@occasion("E0541")
def copied_network(_: Path, __: Any) -> None:
    Path("fit").mkdir()
    Path("fit/model.onnx").write_bytes(small_network())
    trained()


@occasion("E0542")
def no_permission(_: Path, __: Any) -> None:
    Path("fit/metrics.jsonl").mkdir(parents=True)
    trained()


@occasion("E0543")
def no_gpu(_: Path, monkeypatch: Any) -> str:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return said("run", toy(), "trained", "--device", "cuda")


@occasion("E0612")
def fused_with_hinge(_: Path, __: Any) -> None:
    fit_of((LOSS, "    bound = crown(fused = true)\n    loss = hinge(violation(spec))\n"))


@occasion("E0630")
def hinge_of_logits(_: Path, __: Any) -> None:
    fit_of((LOSS, "    loss = hinge(f(x))\n"))


@occasion("E0632")
def negative(_: Path, __: Any) -> None:
    trained((LOSS, f"{LOSS}{BETA}    bound = (beta - 1) * crown + (2 - beta) * ibp\n"))


@occasion("E0633")
def beyond_the_data(_: Path, __: Any) -> None:
    trained((LOSS, f"{LOSS}    log = [polytope(samples = 10, datum = 2000)]\n"))


@occasion("E0634")
def three_processes(_: Path, __: Any) -> None:
    Crew(0, 3).check(fit_of(), batch=100, coupled=False)


@occasion("E0740")
def huge_steps(_: Path, __: Any) -> None:
    trained((LOSS, f"{LOSS}    lr(t) = 1e30\n"), ("steps = 20", "steps = 200"))


@occasion("E0741")
def no_clean_pass(_: Path, __: Any) -> None:
    norm = ("    fc 4\n", "    fc 4\n    batch_norm\n")
    trained((LOSS, f"{LOSS}    bound = crown\n"), norm)


THEIRS = (
    "    fc 4\n    out\n}",
    '    fc 4\n    out\n}\n\nnet theirs: Point -> Score = onnx("theirs.onnx")',
)
CALLED = ("    fit(small)\n", "    fit(theirs)\n")


@occasion("E0841")
def no_weights(_: Path, __: Any) -> None:
    graph = small_graph(Node("act", "Relu", ("x",), ("z",)))
    Path("theirs.onnx").write_bytes(write_onnx(graph))
    trained(THEIRS, CALLED)


@occasion("E0842")
def computed_weight(_: Path, __: Any) -> None:
    doubled = Node("double", "Add", ("w", "w"), ("v",))
    layer = Node("fc", "Gemm", ("x", "v"), ("z",), {"transB": 1})
    graph = small_graph(doubled, layer, w=np.eye(2, dtype="f4"))
    Path("theirs.onnx").write_bytes(write_onnx(graph))
    trained(THEIRS, CALLED)


@occasion("E0843")
def other_network(_: Path, monkeypatch: Any) -> None:
    """A writer that loses the trained weights on the way."""
    Path("theirs.onnx").write_bytes(small_network())
    monkeypatch.setattr(third_party, "with_constants", lambda *_: small_network())
    trained(THEIRS, CALLED)
