"""Metrics for TensorBoard, where its package is installed; without it nothing is written."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Events:
    """Event files in `folder`; those of steps after `step` (before a resumption) are purged."""

    def __init__(self, folder: Path, step: int) -> None:
        self._writer: Any = None
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder), purge_step=step + 1)

    def add(self, step: int, facts: Mapping[str, float | None]) -> None:
        """One point of each curve."""
        if self._writer is None:
            return
        for name, value in facts.items():
            if value is not None:
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Writes what is buffered."""
        if self._writer is not None:
            self._writer.close()
