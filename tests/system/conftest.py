"""How the system tests call the command line: as a user would, in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pictures import finish

if TYPE_CHECKING:
    from command import Ibpc


@pytest.fixture
def ibpc(root: Path, tmp_path: Path) -> Ibpc:
    """`ibpc("check", path)`: the finished process, with its output as text.

    Runs in an empty folder, so that nothing is written into the repository. `before` is a folder
    that Python looks into first; other keywords are environment variables.
    """

    def call(
        *arguments: object, before: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ibpc", *map(str, arguments)]
        path = os.pathsep.join(part for part in (before, str(root)) if part)
        env = {**os.environ, "PYTHONPATH": path, **environment}
        return subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False
        )

    return call


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the experiment of `pictures` was run; not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    finish(folder)
    return folder


@pytest.fixture
def work(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "work"))
