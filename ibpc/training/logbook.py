"""What a recipe asks to have written down: lines at the start, every so many steps, at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, TypeMistake
from ibpc.language import greatest
from ibpc.training.codes import NO_SUCH_EXAMPLE
from ibpc.training.logs import LOGS
from ibpc.training.metrics import MetricsFile
from ibpc.training.records import Look

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.data import Examples
    from ibpc.language import Fit, Invocation
    from ibpc.training.step import Stepper


class Logbook:
    """WORD.jsonl in the fit's folder for each log of the recipe."""

    def __init__(
        self, fit: Fit, examples: Examples, stepper: Stepper, folder: Path, step: int
    ) -> None:
        """`step`: that of the checkpoint that training goes on from; later lines are dropped."""
        self._logs = []
        for log in fit.logs:
            datum = log.arguments.get("datum", 0)
            if datum >= len(examples):
                problem = f"the log looks at example {datum}, of {len(examples)} counted from 0"
                fix = f"let `datum` be at most {len(examples) - 1}"
                raise TypeMistake(Diagnostic(NO_SUCH_EXAMPLE, problem, log.span, fix=fix))
            self._logs.append((log, MetricsFile(folder / f"{log.word}.jsonl", step)))
        self._look = Look(fit, examples, stepper.programs.graph, stepper.weights, _largest(fit))

    def begin(self) -> None:
        """The lines of the network before training, where they are not there yet."""
        for log, file in self._logs:
            if file.empty:
                self._write(log, file, 0)

    def note(self, step: int, last: bool) -> None:
        """A line of each log that is due after `step` steps."""
        for log, file in self._logs:
            if last or step % log.arguments["every"] == 0:
                self._write(log, file, step)

    def _write(self, log: Invocation, file: MetricsFile, step: int) -> None:
        file.append({"step": step, **LOGS[log.word].facts(self._look, log.arguments)})


def _largest(fit: Fit) -> float:
    """The largest value of the schedule in the claim's set (0 without one)."""
    schedule = None if fit.claim is None else fit.claim.set.schedule
    return 0.0 if schedule is None else greatest(fit.curves[schedule.name])
