"""A fixed handful of damaged specs; `tests/bench/mutations.py` runs a million."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

from mutations import run


@pytest.fixture(autouse=True)
def _own_signal() -> Iterator[None]:
    before = signal.getsignal(signal.SIGVTALRM)
    yield
    signal.signal(signal.SIGVTALRM, before)


def test_a_damaged_spec_gets_located_messages_and_soon() -> None:
    failures, slowest = run(1500, seed=7)
    assert failures == []
    assert slowest < 1
