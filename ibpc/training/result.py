"""What a training leaves: model.onnx, and fit.json with how it was made.

model.onnx is written last: where it stands with the right key, the training is done. Its metadata
say nothing of machines, paths or times, so that equal weights give equal bytes.
"""

from __future__ import annotations

import json
import platform
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ibpc.errors import Diagnostic, FileMistake, ModelMistake
from ibpc.graph import load_onnx, save_bytes, write_onnx
from ibpc.language import identity
from ibpc.training.codes import FOREIGN_NETWORK

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.data import Examples
    from ibpc.graph import Graph
    from ibpc.language import Fit

KEY = "ibpc.fit"


def fit_key(fit: Fit, examples: Examples) -> str:
    """sha256 of the recipe with its network, and of the examples' content."""
    return sha256(f"{identity(fit)}/{examples.key}".encode()).hexdigest()


def finished(path: Path, key: str) -> bool:
    """Whether `path` holds the network that the recipe with this key trains.

    Raises: FileMistake where it holds another one, or something that is no network.
    """
    if not path.exists():
        return False
    if fit_of(path) == key:
        return True
    raise FileMistake(
        Diagnostic(
            FOREIGN_NETWORK,
            f"{path} is not the network that this recipe trains",
            fix="give another output folder, or remove the file to train afresh",
        )
    )


def fit_of(path: Path) -> str | None:
    """The key of the recipe and the data that a network's file was trained from, if it says."""
    try:
        return load_onnx(path).metadata.get(KEY)
    except ModelMistake:
        return None


def metadata(fit: Fit, key: str, steps: int) -> dict[str, str]:
    """What the file says of itself."""
    import torch

    from ibpc import __version__

    return {
        KEY: key,
        "ibpc.recipe": fit.recipe,
        "ibpc.net": fit.net.name,
        "ibpc.seed": str(fit.seed),
        "ibpc.steps": str(steps),
        "ibpc.version": __version__,
        "torch.version": str(torch.__version__),
    }


def write_result(folder: Path, graph: Graph, facts: dict[str, Any]) -> Path:
    """Writes fit.json, then model.onnx; gives the latter's path."""
    record = {**facts, "python": platform.python_version(), "machine": platform.machine()}
    save_bytes(folder / "fit.json", (json.dumps(record, indent=2, sort_keys=True) + "\n").encode())
    path = folder / "model.onnx"
    save_bytes(path, write_onnx(graph))
    return path
