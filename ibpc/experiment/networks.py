"""A network of a plan as an ONNX file: trained by its recipe, or written as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ibpc.data import load
from ibpc.errors import Diagnostic, FileMistake
from ibpc.graph import attach_maps, emit, load_onnx, save_bytes, write_onnx
from ibpc.language import DeclaredNet, Fit, OnnxNet
from ibpc.training import train

if TYPE_CHECKING:
    from ibpc.data import Examples
    from ibpc.experiment.folder import RunFolder
    from ibpc.language import Net, Split


@dataclass(frozen=True)
class Means:
    """What a run may use: where data lie, which device, worker processes, training's threads."""

    data_dir: Path
    device: str
    jobs: int
    threads: int


def network_file(network: Fit | Net, folder: RunFolder, means: Means) -> Path:
    """The ONNX file of a network; a recipe trains it first, or resumes, or finds it done."""
    if isinstance(network, Fit):
        return trained(network, folder, means)
    return written(network, folder.nets)


def trained(fit: Fit, folder: RunFolder, means: Means) -> Path:
    """Run the recipe (in its own folder, by content)."""
    examples = examples_of(fit.data, means)
    return train(fit, examples, folder.fit(fit), device=means.device, threads=means.threads)


def written(net: Net, folder: Path) -> Path:
    """Write a network that no recipe touches: initial weights of seed 0, or a third party's."""
    path = folder / f"{net.name}.onnx"
    if isinstance(net, DeclaredNet):
        save_bytes(path, write_onnx(emit(net, seed=0)))
        return path
    source = reference(net)
    if net.input_map is None and net.output_map is None:
        return source
    graph = attach_maps(load_onnx(source), net.input_map, net.output_map)
    save_bytes(path, write_onnx(graph))
    return path


def reference(net: OnnxNet) -> Path:
    """The third party's file, which must be there."""
    path = Path(net.path)
    if not path.is_file():
        raise FileMistake(
            Diagnostic(
                "E0502",
                f"the network's file `{net.path}` is absent",
                at=net.span,
                label="needed here",
                fix=f"put the ONNX file at {net.path}",
            )
        )
    return path


def examples_of(split: Split, means: Means) -> Examples:
    """The examples of a split."""
    return load(split, means.data_dir)
