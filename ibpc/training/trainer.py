"""Trains a recipe's network: from its seed, or from where an earlier run was stopped.

Source: Gowal et al. 2019, sections 3 (Eq. 12) and 4. Exactness: on one CPU, with the same layout
and thread count, a resumed run ends in the same weights, bit for bit, as one that never stopped.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from ibpc.errors import Diagnostic, FileMistake, NumericalDoubt
from ibpc.graph import emit
from ibpc.language import DeclaredNet, OnnxNet
from ibpc.passes import prepare
from ibpc.progress import SilentProgress, progress_on
from ibpc.training.allocator import keep_large_blocks
from ibpc.training.batches import Batches
from ibpc.training.checkpoint import Checkpoint, Shelf
from ibpc.training.codes import NO_DEVICE, NOT_FINITE, UNWRITABLE
from ibpc.training.crew import crew_of
from ibpc.training.interrupts import noted_interrupts
from ibpc.training.journal import Journal
from ibpc.training.metrics import Window, tightness
from ibpc.training.result import finished, fit_key, metadata, write_result
from ibpc.training.schedule import Plan
from ibpc.training.step import Step, Stepper
from ibpc.training.third_party import check_trainable, load_reference, write_tuned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ibpc.data import Examples
    from ibpc.graph import Graph
    from ibpc.language import Fit
    from ibpc.progress import Progress
    from ibpc.training.crew import Crew

CHECKPOINT_S = 30.0
METRICS_STEPS = 100
LAYOUT = "NCHW"


def train(
    fit: Fit,
    examples: Examples,
    folder: Path,
    *,
    device: str = "cpu",
    threads: int = 1,
    progress: Progress | None = None,
) -> Path:
    """Trains `fit` on `examples` and gives the path of the ONNX file with the trained weights.

    Writes model.onnx (and, of a third party's network, tuned.onnx), fit.json, metrics.jsonl and,
    while it runs, checkpoint/ into `folder`. A finished model.onnx of the same recipe and data is
    returned as it is; an unfinished training goes on from its checkpoint. `device` is cpu, cuda or
    auto; `threads` counts CPU threads.

    Raises: NumericalDoubt where the loss stops being a number; FileMistake where the folder holds
    something else or cannot be written; KeyboardInterrupt once a checkpoint is safe.
    """
    key = fit_key(fit, examples)
    try:
        if finished(folder / "model.onnx", key):
            return folder / "model.onnx"
        folder.mkdir(parents=True, exist_ok=True)
        told = progress_on(sys.stderr) if progress is None else progress
        with _threads(threads):
            here = device_for(device)
            run = _Run(fit, examples, folder, here, key, told, crew_of(here))
            return run.finish() if run.go() else _stopped()
    except OSError as reason:
        problem = f"training cannot write to {reason.filename or folder}: {reason.strerror}"
        fix = "free some space there, or give another folder with -o DIR"
        raise FileMistake(Diagnostic(UNWRITABLE, problem, fit.span, fix=fix)) from reason


def device_for(device: str) -> str:
    """The device that `auto` means here; others are themselves.

    Raises: FileMistake where CUDA is asked for and absent.
    """
    there = torch.cuda.is_available()
    if device == "auto":
        return "cuda" if there else "cpu"
    if device.startswith("cuda") and not there:
        fix = "use --device cpu, or auto"
        raise FileMistake(Diagnostic(NO_DEVICE, "there is no CUDA device on this machine", fix=fix))
    return device


class _Run:
    """One training, or one process' share of it."""

    def __init__(
        self,
        fit: Fit,
        examples: Examples,
        folder: Path,
        device: str,
        key: str,
        progress: Progress,
        crew: Crew,
    ) -> None:
        keep_large_blocks()
        self._crew = crew
        self._fit, self._folder, self._device, self._key = fit, folder, device, key
        self._progress = progress if crew.first else SilentProgress()
        self._plan = Plan.of(fit, len(examples))
        self._graph = prepare(initial_graph(fit), "training")
        if isinstance(fit.net, OnnxNet):
            check_trainable(fit.net, self._graph, fit.span)
        self._stepper = Stepper(fit, self._graph, self._plan.curves, device, crew)
        crew.check(fit, self._plan.batch, self._stepper.programs.coupled)
        augmentations = fit.data.dataset.augment
        self._batches = Batches(examples, self._plan, fit.seed, augmentations, device)
        self._window = Window(device, strict=fit.claim is not None and fit.claim.strict)
        self._shelf = Shelf(folder / "checkpoint")
        self._step, self._seconds = 0, 0.0
        self._resume()
        crew.wait()  # until all have read what the first is going to write
        self._journal = None
        if crew.first:
            self._journal = Journal(fit, examples, self._stepper, folder, self._step)
        self._begun = self._line_time = self._saved_time = time.monotonic()
        self._line_step = self._step

    def go(self) -> bool:
        """Trains to the end, or until a signal; gives whether the end was reached."""
        breaks = self._plan.breaks()
        title = f"{self._fit.recipe}({self._fit.net.name})"
        if self._journal is not None:
            self._journal.begin()
        self._progress.start(self._plan.steps, title, self._step)
        try:
            with noted_interrupts() as interrupt:
                stop = False
                while self._step < self._plan.steps and not stop:
                    self._one_step()
                    due = time.monotonic() - self._saved_time > CHECKPOINT_S
                    stop = interrupt.received is not None
                    if not self._crew.alone:
                        stop, due = self._agreed(stop, due, breaks)
                    if due or stop or self._step in breaks:
                        self._save()
        finally:
            self._progress.finish()
            if self._journal is not None:
                self._journal.close()
        return not stop

    def _agreed(self, stop: bool, due: bool, breaks: frozenset[int]) -> tuple[bool, bool]:
        """What any process of the crew asks for; only where all of them look."""
        if self._step % METRICS_STEPS and self._step not in breaks:
            return False, False
        stop, due = self._crew.any([stop, due], self._device)
        return stop, due

    def finish(self) -> Path:
        """Writes the trained network; gives its path once it is there."""
        self._save()
        if self._crew.first:
            self._write()
        self._crew.wait()
        return self._folder / "model.onnx"

    def _write(self) -> None:
        """The network, and how it was made."""
        about = metadata(self._fit, self._key, self._step)
        graph = self._stepper.trained(self._graph)
        facts = {
            **about,
            "device": self._device,
            "threads": torch.get_num_threads(),
            "layout": LAYOUT,
            "processes": self._crew.size,
            "seconds": round(self._elapsed(), 3),
        }
        if isinstance(self._fit.net, OnnxNet):
            write_tuned(self._folder, self._fit.net, self._graph, graph, self._fit.span)
        named = graph.replace(metadata={**graph.metadata, **about})
        write_result(self._folder, named, facts)
        self._shelf.clear()

    def _one_step(self) -> None:
        number = self._step
        batch = self._crew.share(self._batches.at(number))
        values = self._plan.values(number)
        step = self._stepper.step(number, batch, values)
        self._window.add(number, step, batch.label)
        self._step = number + 1
        if self._step % METRICS_STEPS == 0 or self._step == self._plan.steps:
            self._tell(values, step, batch.label)
        if self._journal is not None:
            self._journal.note(self._step, last=self._step == self._plan.steps)

    def _tell(self, values: dict[str, float], step: Step, label: torch.Tensor) -> None:
        """One line of metrics, and the progress bar; the only place that waits for the device."""
        self._window.settle(self._crew)
        self._check_finite()
        means = self._window.means()
        if self._fit.claim is not None and self._fit.claim.argmax:
            means |= tightness(step, label)
        self._window.clear()
        now = time.monotonic()
        speed = (self._step - self._line_step) / max(now - self._line_time, 1e-9)
        self._line_time, self._line_step = now, self._step
        facts = {"step": self._step, "epoch": self._plan.epoch(self._step - 1), **means}
        if self._journal is not None:
            self._journal.line({**facts, "steps_per_s": round(speed, 2)}, means, values)
        shown = {name: means[name] for name in ("loss", "train_error", "verified_error")}
        self._progress.update(self._step, **shown, **_shown(values))

    def _save(self) -> None:
        """A checkpoint of what is now, unless what is now is broken."""
        self._window.settle(self._crew)
        self._check_finite()
        self._saved_time = time.monotonic()
        if not self._crew.first:
            return
        weights = self._stepper.weights.state_dict()
        state = Checkpoint(
            key=self._key,
            step=self._step,
            seed=self._fit.seed,
            threads=torch.get_num_threads(),
            device=self._device,
            layout=LAYOUT,
            seconds=self._elapsed(),
            weights={name: value.detach().cpu() for name, value in weights.items()},
            optimiser=self._stepper.optimiser.state_dict(),
            window=self._window.state(),
            average={name: one.cpu() for name, one in self._stepper.average.items()},
        )
        self._shelf.save(state)

    def _resume(self) -> None:
        """Takes up the newest whole checkpoint, if there is one."""
        state, damage = self._shelf.load(self._key)
        then = "starting afresh" if state is None else f"going on from step {state.step}"
        for text in damage:
            self._progress.note(f"{text}; {then}")
        if state is None:
            return
        here = (torch.get_num_threads(), self._device, LAYOUT)
        if here != (state.threads, state.device, state.layout):
            before = f"{state.device}, {state.threads} threads, {state.layout}"
            self._progress.note(
                f"the checkpoint was made with {before}: the last digits of the weights will "
                "differ from those of an uninterrupted run"
            )
        self._stepper.weights.load_state_dict(state.weights)
        self._stepper.optimiser.load_state_dict(state.optimiser)
        for name, tensor in state.average.items():
            self._stepper.average[name].copy_(tensor)
        self._window.restore(state.window)
        self._step, self._seconds = state.step, state.seconds

    def _check_finite(self) -> None:
        bad = self._window.first_bad()
        if bad is None:
            return
        raise NumericalDoubt(
            Diagnostic(
                NOT_FINITE,
                f"the loss is no longer a finite number at step {bad}",
                self._fit.span,
                label="this training",
                fix="lower the learning rate, lengthen the ramp of eps, or end it at a smaller eps",
            )
        )

    def _elapsed(self) -> float:
        return self._seconds + time.monotonic() - self._begun


def initial_graph(fit: Fit) -> Graph:
    """The network before training: emitted with the recipe's seed, or a third party's weights."""
    net = fit.net
    if isinstance(net, DeclaredNet):
        return emit(net, fit.seed, fit.initialiser.word)
    return load_reference(net)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Runs with `count` CPU threads, and afterwards with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _shown(values: dict[str, float]) -> dict[str, float]:
    """The schedules that a progress bar has room for."""
    return {name: value for name, value in values.items() if name != "lr"}


def _stopped() -> Path:
    """A signal stopped the training and was raised again, but whoever handled it went on."""
    raise KeyboardInterrupt
