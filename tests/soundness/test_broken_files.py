"""Files that are damaged, absurd or malicious: a message or a verdict that stands, in bounded time.

Each case runs `ibpc verify` as the command does, in a fork of this process. Not allowed are: a
crash, a traceback, more time or memory than agreed, bytes read from outside the folder, and
`unsat` where onnxruntime refuses the network or a sampled point is unsafe.
"""

from __future__ import annotations

import os
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import onnxruntime
import pytest
from broken_files import Broken, broken
from plain_vnnlib import NotPlain, PlainProperty
from small_instances import INPUTS

import ibpc.verification
from ibpc.cli import main

TIMEOUT = 4.0
"""Seconds that a case may ask for."""

LATE = 2.0
"""Seconds beyond that, on a machine that does other things too."""

MEMORY_MB = 700
"""What a case may need beyond what this process had when it was forked."""

SAMPLES, WORK = 200, 400_000
"""Points that are tried; fewer where points times characters of the property are more than that."""

ONCE_WRONG = (34, 726, 1481, 1518, 1750)
"""Cases that found a mistake of ours."""

SECRET = b"the bytes of a stranger" * 40


@dataclass(frozen=True)
class Outcome:
    """What a user sees, and what it cost."""

    code: int
    out: str
    err: str
    seconds: float
    memory_mb: float


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for the two files, with what must not be read around it."""
    inner = tmp_path / "inner"
    (inner / "sub").mkdir(parents=True)
    (tmp_path / "secret.bin").write_bytes(SECRET)
    (inner / "side.bin").write_bytes(np.arange(200, dtype=np.float32).tobytes())
    (inner / "link.bin").symlink_to(tmp_path / "secret.bin")
    os.mkfifo(inner / "fifo.bin")
    return tmp_path


def outcome(case: Broken, folder: Path) -> Outcome:
    """`ibpc verify` of one case, in a fork of this process."""
    started = time.monotonic()
    before_mb = _own_memory()
    child = os.fork()
    if child == 0:
        _verify(case, folder, started)
    _, status = os.waitpid(child, 0)
    seconds = time.monotonic() - started
    out, err, peak = ((folder / name).read_text(errors="replace") for name in ("out", "err", "mb"))
    memory_mb = float(peak or 0) - before_mb
    return Outcome(os.waitstatus_to_exitcode(status), out, err, seconds, memory_mb)


def _verify(case: Broken, folder: Path, started: float) -> NoReturn:
    """In the fork: the command, its output and the most memory that it took into files."""
    ibpc.verification.process_started = lambda: started
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    (folder / "mb").write_text("")
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    arguments = ["--timeout", str(TIMEOUT), "--jobs", "1", "--device", "cpu"]
    code = main(["verify", str(case.network), str(case.property), *arguments])
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with suppress(ChildProcessError):
        while True:
            os.wait()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    (folder / "mb").write_text(str(peak))
    os._exit(code)


def wrong(case: Broken, found: Outcome) -> str:
    """What is not as it must be; the empty string where all is well."""
    first = found.out.partition("\n")[0]
    told = found.err + found.out
    if found.seconds > TIMEOUT + LATE:
        return f"took {found.seconds:.1f} s"
    if found.memory_mb > MEMORY_MB:
        return f"took {found.memory_mb:.0f} MB"
    if re.search(r"Traceback|internal error|died|GiB of memory|did not suffice", told):
        return "crashed: " + told[-600:]
    if found.code == 1:
        return "" if re.search(r"^error\[E\d{4}\]: ", found.err, re.M) else "no message: " + told
    words = {0: ("unsat",), 10: ("sat",), 20: ("unknown", "timeout")}
    if first not in words.get(found.code, ()):
        return f"code {found.code} with {first!r}: {told[-300:]}"
    return unjustified(case) if first == "unsat" else ""


def unjustified(case: Broken) -> str:
    """Why `unsat` may not be said of these files, found without ibpc."""
    try:
        network = onnxruntime.InferenceSession(_unpacked(case.network), _quiet())
        text = _unpacked(case.property).decode()
        wanted, count = PlainProperty(text), min(SAMPLES, max(8, WORK // len(text)))
        for x in points(wanted, network.get_inputs()[0].shape, count):
            y = network.run(None, {network.get_inputs()[0].name: x})[0].ravel().tolist()
            if not np.isfinite(y).all():
                return "unsat, but the network gives numbers that are not finite"
            if wanted.unsafe(x.ravel().tolist(), y):
                return f"unsat, but {x.ravel().tolist()} is unsafe"
    except NotPlain as unknown:
        return f"unsat for a property with {unknown}"
    except Exception as error:
        return f"unsat, but onnxruntime says {error}"
    return ""


def points(wanted: PlainProperty, shape: list[object], number: int) -> list[np.ndarray]:
    """Corners, numbers that the property names, and points in between."""
    draw = np.random.default_rng(0)
    known = wanted.numbers()
    entries = int(np.prod([side if isinstance(side, int) else 1 for side in shape])) or INPUTS
    values = [np.array(sorted(known.get(i, {0.0, 1.0})), np.float64) for i in range(entries)]
    found = []
    for place in range(number):
        ends = [draw.choice(side) for side in values]
        inside = [side[0] + draw.random() * (side[-1] - side[0]) for side in values]
        x = np.array(ends if place % 3 == 0 else inside, np.float32)
        found.append(x.reshape([side if isinstance(side, int) else 1 for side in shape]))
    return found


def _unpacked(path: Path) -> bytes:
    import gzip

    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def _quiet() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return options


def run(numbers: Iterable[int], folder: Path, log: Path | None = None) -> Counter[str]:
    """All cases; fails with everything that is wrong.  Gives how often each first word came."""
    _warm_up()
    words: Counter[str] = Counter()
    faults = []
    for number in numbers:
        case = broken(number, folder)
        found = outcome(case, folder)
        assert SECRET[:20] not in found.err.encode()
        fault = wrong(case, found)
        code = re.search(r"error\[E\d+\]", found.err)
        word = found.out.partition("\n")[0] or (code[0] if code else "nothing")
        words[word] += 1
        if log is not None:
            with log.open("a") as file:
                cost = f"{found.seconds:.2f} s, {found.memory_mb:.0f} MB"
                print(f"{case.what}: {word}, {cost} {fault}", file=file, flush=True)
        if fault:
            faults.append(f"{case.what}: {fault}")
    assert not faults, "\n".join(faults)
    return words


def _own_memory() -> float:
    """What a fork of this process begins with, MB."""
    pages = Path("/proc/self/statm").read_text().split()
    return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGESIZE") / 2**20


def _warm_up() -> None:
    """What every fork needs is loaded once, here, without starting a thread."""
    import onnx2torch
    import torch

    del onnx2torch
    torch.set_num_threads(1)


def test_some_broken_files_give_messages_or_verdicts_that_stand(folder: Path) -> None:
    words = run([*range(40), *ONCE_WRONG], folder)
    assert words["sat"] + words["timeout"] >= 2  # a busy machine has no time for some
    assert sum(count for word, count in words.items() if word.startswith("error[E")) > 15


@pytest.mark.nightly
def test_2000_broken_files_give_messages_or_verdicts_that_stand(folder: Path) -> None:
    log = os.environ.get("IBPC_BROKEN_LOG")
    words = run(range(2000), folder, Path(log) if log else None)
    assert words["sat"] > 100
