"""All that a training writes down on its way: metrics.jsonl, a log, events for TensorBoard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.training.events import Events
from ibpc.training.logbook import Logbook
from ibpc.training.metrics import MetricsFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ibpc.data import Examples
    from ibpc.language import Fit
    from ibpc.training.step import Stepper


class Journal:
    """The files of one training, going on from `step`; lines of later steps are dropped."""

    def __init__(
        self, fit: Fit, examples: Examples, stepper: Stepper, folder: Path, step: int
    ) -> None:
        self._metrics = MetricsFile(folder / "metrics.jsonl", step)
        self._log = Logbook(fit, examples, stepper, folder, step)
        self._events = Events(folder / "tensorboard", step)

    def begin(self) -> None:
        """What is to be told of the network before training."""
        self._log.begin()

    def line(
        self, line: dict[str, Any], means: Mapping[str, Any], values: Mapping[str, float]
    ) -> None:
        """One line of metrics, and a point of each curve."""
        self._metrics.append({**line, "schedules": dict(values)})
        self._events.add(line["step"], {**means, **values})

    def note(self, step: int, last: bool) -> None:
        """What the recipe's log is due to tell after `step` steps."""
        self._log.note(step, last)

    def close(self) -> None:
        """Writes what is buffered."""
        self._events.close()
