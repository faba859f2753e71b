"""Bounds of many boxes: chosen by what one box costs, not by how busy the machine is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from test_query_roots import engine

from ibpc.verification.query import linear

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.verification.query.linear import LinearBounder


def waiting(seconds: float) -> None:
    time.sleep(seconds)


def working(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def chosen(
    monkeypatch: pytest.MonkeyPatch, *costs: tuple[Callable[[float], None], float]
) -> tuple[LinearBounder, int]:
    """What is chosen where refining the first box costs so much, and how often it was tried."""
    made = engine(0, (3, 6, 1))
    bounder, tried = made.linear, iter(costs)
    monkeypatch.setattr(linear, "SLOW_S", 0.05)
    monkeypatch.setattr(linear, "PATIENCE_S", 0.5)

    def costly(*_: object) -> None:
        cost, seconds = next(tried)
        cost(seconds)

    monkeypatch.setattr(bounder, "_all", costly)
    bounder.choose(-np.ones((1, 3)), np.ones((1, 3)), made.clock)
    return bounder, len(costs) - len(list(tried))


def test_a_box_that_costs_little_is_refined(monkeypatch: pytest.MonkeyPatch) -> None:
    bounder, tries = chosen(monkeypatch, (working, 0.0), (working, 0.0))
    assert (bounder.thorough, tries) == (True, 1)


def test_a_process_without_a_core_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bounder, tries = chosen(monkeypatch, (waiting, 0.2), (waiting, 0.2))
    assert (bounder.thorough, tries) == (True, 2)


def test_with_patience_too_there_is_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    bounder, tries = chosen(monkeypatch, (waiting, 0.2), (waiting, 0.6))
    assert (bounder.thorough, tries) == (False, 2)


def test_work_that_takes_long_by_itself_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "STARVED", 0.0)  # whatever else this machine does meanwhile
    bounder, tries = chosen(monkeypatch, (working, 0.2), (working, 0.0))
    assert (bounder.thorough, tries) == (False, 1)
