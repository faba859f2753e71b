"""A network of a plan as an ONNX file: trained by its recipe, or written as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ibpc.data import load
from ibpc.errors import Diagnostic, FileMistake
from ibpc.experiment.folder import fit_folders
from ibpc.graph import (
    attach_maps,
    emit,
    load_onnx,
    product_graph,
    read_onnx,
    save_bytes,
    write_onnx,
)
from ibpc.language import DeclaredNet, Fit, OnnxNet, Product, identity
from ibpc.training import fit_key, fit_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibpc.data import Examples
    from ibpc.experiment.folder import RunFolder
    from ibpc.language import Net, Split


@dataclass(frozen=True)
class Means:
    """What a run may use: where data lie, which device, worker processes, training's threads.

    `cluster`: the address of a Dask scheduler whose workers take the place of those processes.
    """

    data_dir: Path
    device: str
    jobs: int
    threads: int
    cluster: str | None = None


def network_file(network: Fit | Net | Product, folder: RunFolder, means: Means) -> Path:
    """The ONNX file of a network; a recipe trains it first, or resumes, or finds it done.

    The networks of a product are made first, then merged into one file.
    """
    if isinstance(network, Product):
        parts = [network_file(one, folder, means).read_bytes() for one in network.networks]
        path = folder.nets / f"{network.name}-{identity(network)[:12]}.onnx"
        save_bytes(path, merged(network, parts))
        return path
    if isinstance(network, Fit):
        return trained(network, folder, means)
    return written(network, folder.nets)


def merged(product: Product, parts: Sequence[bytes]) -> bytes:
    """The ONNX bytes of a product, from those of its networks."""
    graphs = [
        read_onnx(data, one.net.name if isinstance(one, Fit) else one.name)
        for data, one in zip(parts, product.networks, strict=True)
    ]
    return write_onnx(product_graph(product, graphs))


def trained(fit: Fit, folder: RunFolder, means: Means) -> Path:
    """Run the recipe (in its own folder, by content), unless another run has done so."""
    from ibpc.training import train

    examples = examples_of(fit.data, means)
    own = folder.fit(fit)
    if not (own / "model.onnx").exists() and not (own / "checkpoint").exists():
        elder = trained_before(fit, examples, folder.path.parent)
        if elder is not None:
            _take_over(elder.parent, own)
    return train(fit, examples, folder.fit(fit), device=means.device, threads=means.threads)


def trained_before(fit: Fit, examples: Examples, root: Path) -> Path | None:
    """The file that a run under `root` has trained from this recipe and these data, if any."""
    key = fit_key(fit, examples)
    for folder in fit_folders(root, fit):
        path = folder / "model.onnx"
        if path.is_file() and fit_of(path) == key:
            return path
    return None


def _take_over(elder: Path, own: Path) -> None:
    """Copy a finished training; the network last, since it says that all is there."""
    for name in ("metrics.jsonl", "fit.json", "model.onnx"):
        if (elder / name).is_file():
            save_bytes(own / name, (elder / name).read_bytes())


def written(net: Net, folder: Path) -> Path:
    """The file of a network that no recipe touches; a third party's is used where it lies."""
    if isinstance(net, OnnxNet) and net.input_map is None and net.output_map is None:
        return reference(net)
    path = folder / f"{net.name}.onnx"
    save_bytes(path, untrained(net))
    return path


def untrained(net: Net) -> bytes:
    """The ONNX bytes of a network as it is: initial weights of seed 0, or a third party's."""
    if isinstance(net, DeclaredNet):
        return write_onnx(emit(net, seed=0))
    source = reference(net)
    if net.input_map is None and net.output_map is None:
        return source.read_bytes()
    return write_onnx(attach_maps(load_onnx(source), net.input_map, net.output_map))


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
