"""Checkpoints: whole or refused."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ibpc.errors import FileMistake
from ibpc.training.checkpoint import Checkpoint, Damaged, Shelf, decode, encode

STATE = Checkpoint(
    key="k",
    step=5,
    seed=0,
    threads=1,
    device="cpu",
    layout="NCHW",
    seconds=1.5,
    weights={"w": torch.tensor([1.0, 2.0])},
    optimiser={"state": {0: {"step": torch.tensor(5.0)}}, "param_groups": [{"lr": 0.1}]},
    window={"counts": [0, 0], "sums": torch.zeros(2)},
)


def test_what_is_written_is_read() -> None:
    found = decode(encode(STATE))
    assert found.step == 5
    assert torch.equal(found.weights["w"], STATE.weights["w"])
    assert found.optimiser["param_groups"] == [{"lr": 0.1}]


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for step in (1, 2, 3):
        shelf.save(replace(STATE, step=step))
    assert decode(shelf.latest.read_bytes()).step == 3
    assert decode(shelf.previous.read_bytes()).step == 2
    shelf.clear()
    assert not tmp_path.exists()


def test_a_damaged_newest_gives_way_to_the_one_before(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.save(STATE)
    shelf.save(replace(STATE, step=6))
    data = bytearray(shelf.latest.read_bytes())
    data[-20] ^= 1
    shelf.latest.write_bytes(data)
    found, damage = shelf.load("k")
    assert found is not None
    assert found.step == 5
    assert damage == ["checkpoint latest.pt is damaged (its content does not match its checksum)"]


def test_nothing_whole_means_from_the_start(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.latest.write_bytes(b"")
    found, damage = shelf.load("k")
    assert found is None
    assert len(damage) == 1


def test_another_recipes_checkpoint_is_refused(tmp_path: Path) -> None:
    Shelf(tmp_path).save(STATE)
    with pytest.raises(FileMistake, match="another recipe"):
        Shelf(tmp_path).load("other")


def test_objects_are_never_loaded() -> None:
    buffer = io.BytesIO()
    torch.save({"format": 1, "weights": Path("x")}, buffer)
    import hashlib

    payload = buffer.getvalue()
    data = hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload
    with pytest.raises(Damaged):
        decode(data)
