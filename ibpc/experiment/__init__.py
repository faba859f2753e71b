"""From a checked target to results on disk: run folders, networks, and the order of the work."""

from ibpc.experiment.build import compile_program
from ibpc.experiment.execute import Trained, Verified, execute
from ibpc.experiment.folder import RunFolder, opened, run_folder, write_manifest
from ibpc.experiment.networks import Means, written

__all__ = [
    "Means",
    "RunFolder",
    "Trained",
    "Verified",
    "compile_program",
    "execute",
    "opened",
    "run_folder",
    "write_manifest",
    "written",
]
