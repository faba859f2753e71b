"""What a recipe asks to have written down: lines at the start, every so many steps, at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, TypeMistake
from ibpc.training.codes import NO_SUCH_EXAMPLE
from ibpc.training.logs import LOGS
from ibpc.training.metrics import MetricsFile
from ibpc.training.records import Look

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.data import Examples
    from ibpc.language import Fit
    from ibpc.training.step import Stepper


class Logbook:
    """WORD.jsonl in the fit's folder; a recipe without `log` has none."""

    def __init__(
        self, fit: Fit, examples: Examples, stepper: Stepper, folder: Path, step: int
    ) -> None:
        """`step`: that of the checkpoint that training goes on from; later lines are dropped."""
        self._log = fit.log
        if fit.log is None:
            return
        datum = fit.log.arguments.get("datum", 0)
        if datum >= len(examples):
            problem = f"the log looks at example {datum}, of {len(examples)} counted from 0"
            raise TypeMistake(Diagnostic(NO_SUCH_EXAMPLE, problem, fit.log.span))
        self._file = MetricsFile(folder / f"{fit.log.word}.jsonl", step)
        self._look = Look(fit, examples, stepper.programs.graph, stepper.weights, _largest(fit))

    def begin(self) -> None:
        """The line of the network before training, where it is not there yet."""
        if self._log is not None and self._file.empty:
            self._write(0)

    def note(self, step: int, last: bool) -> None:
        """A line after `step` steps, if it is due."""
        if self._log is not None and (last or step % self._log.arguments["every"] == 0):
            self._write(step)

    def _write(self, step: int) -> None:
        assert self._log is not None
        facts = LOGS[self._log.word].facts(self._look, self._log.arguments)
        self._file.append({"step": step, **facts})


def _largest(fit: Fit) -> float:
    """The largest value of the schedule in the claim's set (0 without one)."""
    schedule = None if fit.claim is None else fit.claim.set.schedule
    if schedule is None:
        return 0.0
    return max(part.value for part in fit.curves[schedule.name].segments)
