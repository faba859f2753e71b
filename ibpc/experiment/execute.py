"""Does a target's tasks in order: trains what has to be trained, then verifies."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibpc.experiment.networks import examples_of, network_file
from ibpc.language import Fit, Product
from ibpc.progress import progress_on
from ibpc.verification import Archive, Store, verify_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ibpc.errors import Diagnostic
    from ibpc.experiment.folder import RunFolder
    from ibpc.experiment.networks import Means
    from ibpc.language import Target, VerifyTask
    from ibpc.verification import TaskResult


@dataclass(frozen=True)
class Trained:
    """A task that only trains, and the file that it gave."""

    fit: Fit
    path: Path


@dataclass(frozen=True)
class Verified:
    """A verify task with what came of it; `fit` names its network's folder, if it was trained."""

    task: VerifyTask
    result: TaskResult
    fit: str | None


def execute(
    target: Target,
    folder: RunFolder,
    means: Means,
    warn: Callable[[Diagnostic], None] | None = None,
) -> Iterator[Verified | Trained]:
    """The results of a target's tasks, each as soon as it is there; `warn` as for `verify_task`.

    Networks are trained once, by content; verdicts are kept in the folder's store, so that a run
    that was stopped goes on where it was; what other runs under the same root know is taken over.
    """
    with Archive(folder.elder_stores()) as elders, Store(folder.store, elders) as store:
        for task in target.tasks:
            if isinstance(task, Fit):
                path = network_file(task, folder, means)
                yield Trained(task, path)
            else:
                yield _verified(task, folder, means, store, warn)


def help_train(target: Target, folder: RunFolder, means: Means) -> None:
    """What the other processes of a crew do: train with the first, in the order of `execute`."""
    for task in target.tasks:
        network = task if isinstance(task, Fit) else task.network
        for one in network.networks if isinstance(network, Product) else (network,):
            if isinstance(one, Fit):
                network_file(one, folder, means)


def _verified(
    task: VerifyTask,
    folder: RunFolder,
    means: Means,
    store: Store,
    warn: Callable[[Diagnostic], None] | None,
) -> Verified:
    model = network_file(task.network, folder, means)
    examples = None if task.data is None else examples_of(task.data, means)
    told = progress_on(sys.stderr)
    result = verify_task(
        task, model, examples, store, means.jobs, means.device, told, means.cluster, warn
    )
    fit = folder.fit(task.network).name if isinstance(task.network, Fit) else None
    return Verified(task, result, fit)
