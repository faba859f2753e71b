"""Runs a suite of VNN-COMP instances, one process each, and says what was decided.

    python tests/bench/vnncomp.py SUITE_DIR [--timeout 60] [--jobs 1] [--out CSV] [--only WORD]...

SUITE_DIR holds `instances.csv` with the columns category, onnx, vnnlib and (optionally) expected.
Started again with the same CSV, it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GRACE = 5.0
"""Seconds beyond the limit after which an instance is ended from outside."""


@dataclass(frozen=True)
class Row:
    """One instance and what came of it; `overrun` in seconds beyond the limit."""

    category: str
    onnx: str
    vnnlib: str
    expected: str
    verdict: str
    seconds: float
    overrun: float
    code: int
    message: str

    @property
    def wrong(self) -> bool:
        """Whether a verdict contradicts a known one."""
        decided = {"sat", "unsat"}
        return (
            self.verdict in decided and self.expected in decided and (self.verdict != self.expected)
        )


def main() -> int:
    """Run, print the table, and return 1 where an answer is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("suite", type=Path, metavar="SUITE_DIR")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="S")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="instances at a time")
    parser.add_argument("--out", type=Path, default=Path("vnncomp.csv"), metavar="CSV")
    parser.add_argument("--only", action="append", metavar="CATEGORY", help="repeatable")
    parser.add_argument("--arguments", default="", help="more arguments for `ibpc verify`")
    given = parser.parse_args()
    with (given.suite / "instances.csv").open(newline="") as file:
        instances = list(csv.DictReader(file))
    if given.only:
        instances = [one for one in instances if one["category"] in given.only]
    rows = _known(given.out)
    keys = {(row.onnx, row.vnnlib) for row in rows}
    waiting = [one for one in instances if (one["onnx"], one["vnnlib"]) not in keys]
    with ThreadPoolExecutor(given.jobs) as pool:
        extra = given.arguments.split()
        for row in pool.map(lambda one: _run(given.suite, one, given.timeout, extra), waiting):
            rows.append(row)
            _append(given.out, row)
            mark = "WRONG" if row.wrong else ""
            name = f"{row.category} {Path(row.onnx).name} {Path(row.vnnlib).name}"
            words = f"{row.verdict:8}{row.expected:8}"
            print(f"{row.seconds:7.2f} s  {words} {mark} {name}", flush=True)
    print(table(rows))
    return 1 if any(row.wrong for row in rows) else 0


def table(rows: list[Row]) -> str:
    """Per category: decided / total, wrong, median and total time."""
    categories = list(dict.fromkeys(row.category for row in rows))
    lines = [f"{'category':20} {'decided':>9} {'wrong':>6} {'median s':>9} {'total s':>9}"]
    for name in [*categories, "all"]:
        chosen = [row for row in rows if name in (row.category, "all")]
        if not chosen:
            continue
        decided = sum(row.verdict in ("sat", "unsat") for row in chosen)
        seconds = [row.seconds for row in chosen]
        lines.append(
            f"{name:20} {decided:>4}/{len(chosen):<4} {sum(row.wrong for row in chosen):>6}"
            f" {statistics.median(seconds):>9.2f} {sum(seconds):>9.2f}"
        )
    return "\n".join(lines)


def _run(suite: Path, instance: dict[str, str], timeout: float, extra: list[str]) -> Row:
    """One instance as a user would run it."""
    command = [sys.executable, "-m", "ibpc", "verify"]
    command += [str(suite / instance["onnx"]), str(suite / instance["vnnlib"])]
    command += ["--timeout", str(timeout), *extra]
    started = time.monotonic()
    try:
        ended = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout + GRACE,
            check=False,
        )
        code, verdict = ended.returncode, (ended.stdout.splitlines() or ["error"])[0]
        message = " ".join(ended.stderr.split())[-300:]
    except subprocess.TimeoutExpired:
        code, verdict, message = -1, "overrun", "did not stop by itself"
    seconds = time.monotonic() - started
    return Row(
        instance["category"],
        instance["onnx"],
        instance["vnnlib"],
        instance.get("expected", "unknown"),
        verdict,
        round(seconds, 2),
        round(max(0.0, seconds - timeout), 2),
        code,
        message,
    )


def _known(path: Path) -> list[Row]:
    """What an earlier run has written."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [
            Row(**{field.name: _as(str(field.type), line[field.name]) for field in fields(Row)})
            for line in csv.DictReader(file)
        ]


def _as(kind: str, text: str) -> str | float | int:
    return {"float": float, "int": int}.get(kind, str)(text)


def _append(path: Path, row: Row) -> None:
    """One more line, the header first."""
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        if fresh:
            writer.writeheader()
        writer.writerow(asdict(row))


if __name__ == "__main__":
    sys.exit(main())
