"""What all tests share: seeds, the real data's folder, golden files."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the golden files from what the code gives now",
    )


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Every test starts from the same random state."""
    import numpy as np

    random.seed(0)
    np.random.seed(0)


@pytest.fixture
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture
def data_dir() -> Path:
    """The folder with real data; tests that need it skip where it is absent."""
    folder = os.environ.get("IBPC_DATA", "")
    if not folder or not Path(folder, "MNIST", "raw").is_dir():
        pytest.skip("needs IBPC_DATA to name a folder that holds MNIST/raw")
    return Path(folder)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """`golden(path, text)`: text equals the file's, or becomes it under --update-golden."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        if not path.exists():
            pytest.fail(f"{path} is absent: run with --update-golden")
        assert text == path.read_text(encoding="utf-8")

    return compare
