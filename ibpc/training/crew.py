"""Several processes that train one network together, as `torchrun` starts them.

    torchrun --nproc-per-node 2 -m ibpc run specs/mnist.ibp

Every process holds all examples and the whole network and takes its share of each batch, every
n-th example; the gradients are averaged before each update. So the loss is that of one process with
the same batch, up to the order of sums. Terms of a loss that are no mean over examples
(`tightness`, `balance`) are means over the processes. The first process writes all files, and
reports.

Processes agree on stopping and on checkpoints where they wait for each other anyway: at the lines
of metrics.jsonl and where a phase of a schedule ends.
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import torch
from torch import distributed

from ibpc.errors import Diagnostic, FileMistake, TypeMistake
from ibpc.training.codes import NO_DEVICE, NOT_SHARED
from ibpc.training.passage import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibpc.language import Fit

PATIENCE = timedelta(days=30)
"""How long a process waits for another: the first may verify for days between two trainings."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Which of how many processes this is."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        """Whether there are no others."""
        return self.size == 1

    def check(self, fit: Fit, batch: int, coupled: bool) -> None:
        """Raises TypeMistake where a recipe cannot be shared out evenly, or not at all."""
        if self.alone:
            return
        problem = fix = ""
        if batch % self.size:
            problem = f"a batch of {batch} examples has no {self.size} equal shares"
            fix = f"let `batch` be a multiple of {self.size}"
        elif coupled:
            problem = "batch normalisation and dropout are not shared between processes"
            fix = "train in one process, or leave these layers out"
        if problem:
            raise TypeMistake(Diagnostic(NOT_SHARED, problem, fit.span, fix=fix))

    def share(self, batch: Batch) -> Batch:
        """This process' examples: every `size`-th, from `rank` on."""
        return batch if self.alone else Batch(*(part[self.rank :: self.size] for part in batch))

    def mean(self, tensors: Sequence[torch.Tensor]) -> None:
        """Each tensor becomes its mean over the processes, in place."""
        if self.alone or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        flat /= self.size
        at = 0
        for tensor in tensors:
            count = tensor.numel()
            tensor.copy_(flat[at : at + count].view_as(tensor))
            at += count

    def any(self, flags: Sequence[bool], device: str) -> list[bool]:
        """Which flags are set in any process (waits for all of them)."""
        if self.alone:
            return list(flags)
        tensor = torch.tensor([float(flag) for flag in flags], device=device)
        distributed.all_reduce(tensor, distributed.ReduceOp.MAX)
        return [bool(flag) for flag in tensor.tolist()]

    def wait(self) -> None:
        """Until all processes are here."""
        if not self.alone:
            distributed.barrier()


def crew_of(device: str) -> Crew:
    """The crew that the environment names (RANK, WORLD_SIZE), joined; alone where there is none.

    Raises: FileMistake where a process has no CUDA device of its own.
    """
    size, rank = (int(os.environ.get(name, one)) for name, one in (("WORLD_SIZE", 1), ("RANK", 0)))
    if size == 1:
        return Crew()
    if device == "cuda":
        local = int(os.environ.get("LOCAL_RANK", rank))
        if local >= torch.cuda.device_count():
            problem = f"process {rank} has no CUDA device of its own"
            fix = f"start at most {torch.cuda.device_count()} processes on this machine"
            raise FileMistake(Diagnostic(NO_DEVICE, problem, fix=fix))
        torch.cuda.set_device(local)
    if not distributed.is_initialized():
        backend = "nccl" if device == "cuda" else "gloo"
        distributed.init_process_group(backend, timeout=PATIENCE)
        atexit.register(distributed.destroy_process_group)
    return Crew(rank, size)
