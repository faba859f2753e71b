"""From a checked target to results on disk: run folders, networks, and the order of the work.

Light at import: torch is loaded by what compiles, trains and verifies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.experiment.execute import Trained, Verified, execute, help_train
from ibpc.experiment.folder import (
    RecordedRun,
    RunFolder,
    fit_folders,
    opened,
    recorded_run,
    run_folder,
    stores,
    write_manifest,
)
from ibpc.experiment.networks import (
    Means,
    merged,
    network_file,
    reference,
    trained_before,
    untrained,
    written,
)

if TYPE_CHECKING:
    from ibpc.experiment.build import compile_program

__all__ = [
    "Means",
    "RecordedRun",
    "RunFolder",
    "Trained",
    "Verified",
    "compile_program",
    "execute",
    "fit_folders",
    "help_train",
    "merged",
    "network_file",
    "opened",
    "recorded_run",
    "reference",
    "run_folder",
    "stores",
    "trained_before",
    "untrained",
    "write_manifest",
    "written",
]


def __getattr__(name: str) -> Any:
    """Loads what needs torch when it is first asked for."""
    if name != "compile_program":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ibpc.experiment.build import compile_program

    return compile_program
