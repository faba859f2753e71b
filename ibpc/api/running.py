"""`ibpc.run` and `ibpc.train`: a spec's plans, with the same run folders as the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ibpc.api.spec import Spec, load
from ibpc.errors import Diagnostic, NameMistake, did_you_mean
from ibpc.language import Fit, Product

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibpc.experiment import Means
    from ibpc.language import Target
    from ibpc.verification import TaskResult


def run(
    spec: Spec | str | os.PathLike[str],
    target: str = "default",
    *,
    folder: str | os.PathLike[str] = "runs",
    data_dir: str | os.PathLike[str] | None = None,
    device: str = "auto",
    jobs: int = 1,
    threads: int = 1,
) -> tuple[TaskResult, ...]:
    """What `ibpc run` does, and its results: one for each verify block, with every verdict.

    The run folder below `folder` is the command's: stopped and called again, it resumes. Nothing is
    printed but the progress bars, and no report is written.

    Raises: IbpcError as the command would print it.
    """
    from ibpc.experiment import Trained, execute, opened, run_folder, write_manifest
    from ibpc.integrity import refuse_other_networks

    loaded = spec if isinstance(spec, Spec) else load(spec)
    wanted = _target(loaded, target)
    refuse_other_networks(loaded.program)
    place = run_folder(Path(folder), loaded.program, wanted)
    means = _means(data_dir, device, jobs, threads)
    with opened(place):
        write_manifest(place, loaded.program, wanted, threads=threads, device=device)
        results = list(execute(wanted, place, means))
    return tuple(one.result for one in results if not isinstance(one, Trained))


def train(
    spec: Spec | str | os.PathLike[str],
    recipe: str | None = None,
    *,
    folder: str | os.PathLike[str] = "runs",
    data_dir: str | os.PathLike[str] | None = None,
    device: str = "auto",
    threads: int = 1,
) -> Path:
    """Train one network of a spec, and give the path of its ONNX file.

    `recipe` is a training as plans write it, `fit(small)`; it may be left out where the spec's
    plans have only one. A training that an earlier run below `folder` has finished is taken over;
    one that was stopped goes on.

    Raises: NameMistake (E0195) where `recipe` is none of the spec's; IbpcError else.
    """
    from ibpc.experiment import network_file, opened, run_folder
    from ibpc.language import Target as Wanted

    loaded = spec if isinstance(spec, Spec) else load(spec)
    fit = _recipe(loaded, recipe)
    target = Wanted(fit.recipe, (fit,), fit.span)
    place = run_folder(Path(folder), loaded.program, target)
    with opened(place):
        return network_file(fit, place, _means(data_dir, device, 1, threads))


def _means(data_dir: str | os.PathLike[str] | None, device: str, jobs: int, threads: int) -> Means:
    from ibpc.data import default_data_dir
    from ibpc.experiment import Means

    return Means(Path(data_dir or default_data_dir()), device, jobs, threads)


def _target(spec: Spec, name: str) -> Target:
    if name in spec.plans:
        found: Target = spec.plans[name].target
        return found
    fix = did_you_mean(name, spec.plans) or f"there are: {', '.join(spec.plans) or 'none'}"
    problem = f"{spec.path} has no run or sweep called `{name}`"
    raise NameMistake(Diagnostic("E0191", problem, fix=fix))


def _recipe(spec: Spec, name: str | None) -> Fit:
    """The training that is meant."""
    known: dict[str, Fit] = {}
    for fit in _fits(spec):
        known.setdefault(f"{fit.recipe}({fit.net.name})", fit)
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name in known:
        return known[name]
    there = f"there are: {', '.join(known) or 'none'}"
    problem = "the spec trains several networks" if name is None else f"no plan trains `{name}`"
    if not known:
        problem = "no plan of the spec trains a network"
    fix = (did_you_mean(name, known) if name else "") or there
    raise NameMistake(Diagnostic("E0195", problem, fix=fix))


def _fits(spec: Spec) -> Iterator[Fit]:
    for target in spec.program.targets.values():
        for task in target.tasks:
            network = task if isinstance(task, Fit) else task.network
            parts = network.networks if isinstance(network, Product) else (network,)
            yield from (one for one in parts if isinstance(one, Fit))
