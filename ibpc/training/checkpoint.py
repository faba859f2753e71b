"""Checkpoints: what a training needs to go on as if it had never stopped.

A file is the sha256 of its payload, a newline, and the payload: `torch.save` of tensors, numbers,
strings, lists and dicts only, read back with `weights_only=True`. The newest two are kept, so that
a machine that dies while writing leaves one that is whole.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field, fields
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from ibpc.errors import Diagnostic, FileMistake
from ibpc.graph import save_bytes
from ibpc.training.codes import FOREIGN_CHECKPOINT

FORMAT = 1


class Damaged(Exception):
    """A checkpoint file is not what was written; the message says why."""


@dataclass(frozen=True)
class Checkpoint:
    """The state after `step` steps.

    `key` names the recipe, data and seed; `threads`, `device` and `layout` what exactness of the
    resumed run depends on; `window` the metrics gathered since the last line of metrics.jsonl;
    `seconds` the time trained so far; `average` the averaged weights, where the recipe has any.
    """

    key: str
    step: int
    seed: int
    threads: int
    device: str
    layout: str
    seconds: float
    weights: dict[str, torch.Tensor]
    optimiser: dict[str, Any]
    window: dict[str, Any]
    average: dict[str, torch.Tensor] = field(default_factory=dict)


class Shelf:
    """The folder that holds the newest checkpoint and the one before it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.latest, self.previous = folder / "latest.pt", folder / "previous.pt"

    def save(self, state: Checkpoint) -> None:
        """Writes the newest; a crash at any moment leaves at least one whole file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        data = encode(state)
        if self.latest.exists():
            self.latest.replace(self.previous)
        save_bytes(self.latest, data)

    def load(self, key: str) -> tuple[Checkpoint | None, list[str]]:
        """The newest whole checkpoint, if any, and what was wrong with newer ones.

        Raises: FileMistake where it belongs to another recipe.
        """
        damage = []
        for path in (self.latest, self.previous):
            if not path.exists():
                continue
            try:
                state = decode(path.read_bytes())
            except Damaged as reason:
                damage.append(f"checkpoint {path.name} is damaged ({reason})")
                continue
            if state.key != key:
                raise _foreign(self.folder)
            return state, damage
        return None, damage

    def clear(self) -> None:
        """Removes the checkpoints: the trained network is written."""
        for path in (self.latest, self.previous):
            path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def encode(state: Checkpoint) -> bytes:
    """The file of a checkpoint."""
    buffer = io.BytesIO()
    content = {one.name: getattr(state, one.name) for one in fields(state)}
    torch.save({"format": FORMAT, **content}, buffer)
    payload = buffer.getvalue()
    return hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload


def decode(data: bytes) -> Checkpoint:
    """The checkpoint in a file. Raises: Damaged."""
    digest, _, payload = data.partition(b"\n")
    if hashlib.sha256(payload).hexdigest().encode() != digest:
        raise Damaged("its content does not match its checksum")
    try:
        content = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError) as reason:
        raise Damaged("it holds more than tensors and numbers") from reason
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise Damaged("another version of ibpc wrote it")
    return Checkpoint(**content)


def _foreign(folder: Path) -> FileMistake:
    return FileMistake(
        Diagnostic(
            FOREIGN_CHECKPOINT,
            f"{folder} holds a checkpoint of another recipe, network, data set or seed",
            fix="give another output folder, or remove this one to train afresh",
        )
    )
