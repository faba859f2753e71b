"""What training tells of itself: sums kept on the device, and lines of metrics.jsonl.

A line every so many steps holds the step, the means over the window since the last line, and the
schedules' values at that step:

    {"step": 200, "epoch": 0, "loss": 0.41, "fit": 0.41, "spec": null, "train_error": 0.12,
     "attack_error": null, "verified_error": null, "bound": null, "margin": null, "gap": null,
     "steps_per_s": 130.2, "schedules": {...}}

`attack_error`: the share of examples that were wrong at the attack's point, in the form that was
trained. `verified_error`: the share of examples whose claim the bounds did not prove at that step's
radius. `bound`, `margin` and `gap` are of the line's last batch: the mean over its examples of the
largest bound of a row `z[k] - z[y]`, of its largest value at the datum itself, and of their
distance. The truth over the set lies between them, so a small gap means tight bounds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch

from ibpc.graph import save_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.training.crew import Crew
    from ibpc.training.step import Step

_NEVER = float(2**53)


class Window:
    """Sums since the last line. Sums of numbers live on the device; only counts are known here."""

    def __init__(self, device: str, strict: bool) -> None:
        self._device, self._strict = device, strict
        self.clear()

    def clear(self) -> None:
        """Starts a new window."""
        self._steps = self._fitted = self._bounded = 0
        self._clean = self._hit = self._boxed = 0
        self._sums = torch.zeros(6, dtype=torch.float64, device=self._device)
        self._first_bad = torch.full((), _NEVER, dtype=torch.float64, device=self._device)

    def add(self, number: int, step: Step, label: torch.Tensor) -> None:
        """Takes in one step without waiting for the device."""
        zero = torch.zeros((), device=step.loss.device)
        wrong = hit = unproved = zero
        self._steps += 1
        self._fitted += step.fit is not None
        self._bounded += step.spec is not None
        if step.logits is not None:
            wrong = (step.logits.argmax(1) != label).sum()
            self._clean += len(label)
        if step.attacked is not None:
            hit = (step.attacked.argmax(1) != label).sum()
            self._hit += len(label)
        if step.violation is not None:
            worst = step.violation.amax(1)
            unproved = (worst >= 0 if self._strict else worst > 0).sum()
            self._boxed += len(label)
        fit = zero if step.fit is None else step.fit
        spec = zero if step.spec is None else step.spec
        self._sums += torch.stack([step.loss, fit, spec, wrong, hit, unproved])
        bad = torch.where(torch.isfinite(step.loss), _NEVER, float(number))
        self._first_bad = torch.minimum(self._first_bad, bad)

    def settle(self, crew: Crew) -> None:
        """The sums become their means over the processes, each of which counted its own examples.

        (A sum that is no number stays so.)
        """
        if crew.alone:
            return
        crew.mean([self._sums])
        (bad,) = crew.any([float(self._first_bad) != _NEVER], self._device)
        if bad and float(self._first_bad) == _NEVER:
            self._first_bad.fill_(0.0)

    def first_bad(self) -> int | None:
        """The first step of the window whose loss was not finite (waits for the device)."""
        found = float(self._first_bad)
        return None if found == _NEVER else int(found)

    def means(self) -> dict[str, float | None]:
        """The means of the window; None where nothing was gathered (waits for the device)."""
        names = ("loss", "fit", "spec", "train_error", "attack_error", "verified_error")
        sums: list[float] = self._sums.tolist()
        return {
            name: total / count if count else None
            for name, total, count in zip(names, sums, self._counts(), strict=True)
        }

    def _counts(self) -> tuple[int, ...]:
        """What each sum is divided by."""
        return (
            self._steps,
            self._fitted,
            self._bounded,
            self._clean,
            self._hit,
            self._boxed,
        )

    def state(self) -> dict[str, Any]:
        """The window for a checkpoint."""
        return {"counts": list(self._counts()), "sums": self._sums.cpu()}

    def restore(self, state: dict[str, Any]) -> None:
        """The window of a checkpoint."""
        self.clear()
        counts = state["counts"]
        self._steps, self._fitted, self._bounded, self._clean, self._hit, self._boxed = counts
        self._sums = state["sums"].to(self._device)


def tightness(step: Step, label: torch.Tensor) -> dict[str, float | None]:
    """How far the bounds of one batch lie from what is seen at its data (waits for the device).

    bound = mean max_k upper(z_k - z_y),  margin = mean max_k (z_k - z_y)(x),  gap = bound - margin

    For claims whose rows are those of Eq. 3; None where a pass did not run. Gowal et al. 2019,
    section 4.3, judge tightness by the exact error; in training there is time for this alone.
    """
    if step.logits is None or step.violation is None:
        return dict.fromkeys(("bound", "margin", "gap"))
    own = step.logits.gather(1, label[:, None])
    others = step.logits.scatter(1, label[:, None], -torch.inf)
    bound, margin = step.violation.amax(1), (others - own).amax(1)
    means = torch.stack([bound.mean(), margin.mean(), (bound - margin).mean()])
    return dict(zip(("bound", "margin", "gap"), means.tolist(), strict=True))


class MetricsFile:
    """metrics.jsonl: lines are appended; a resumed run drops those beyond its checkpoint.

    `empty`: whether no line is from before the checkpoint.
    """

    def __init__(self, path: Path, step: int) -> None:
        self._path = path
        kept = [line for line in _lines(path) if json.loads(line)["step"] <= step]
        self.empty = not kept
        if kept or path.exists():
            save_bytes(path, "".join(f"{line}\n" for line in kept).encode())

    def append(self, facts: dict[str, Any]) -> None:
        """Adds one line."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(facts) + "\n")


def _lines(path: Path) -> list[str]:
    """The whole lines of the file; a crash may leave a torn last one, which is dropped."""
    if not path.exists():
        return []
    whole = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            known = isinstance(json.loads(line), dict) and "step" in json.loads(line)
        except ValueError:
            continue
        if known:
            whole.append(line)
    return whole
