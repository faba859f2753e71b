"""`ibpc verify MODEL.onnx PROPERTY.vnnlib`, or `ibpc verify SPEC.ibp [CLAIM]`: one verdict.

The question is whether the unsafe set of the property (of a claim: where it fails) is reached.
The first line of stdout is the verdict, for sat the witness follows; all else goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from typing import TYPE_CHECKING, Any

from ibpc.cli.arguments import add_overrides, overrides, positive
from ibpc.errors import Diagnostic, FileMistake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibpc.verification import Clock, Ended

CODES = {"unsat": 0, "sat": 10, "unknown": 20, "timeout": 20}
"""Exit codes, fixed: scripts depend on them."""

WRONG_INPUT, WRONG_USAGE, BUG = 1, 2, 70

MARGIN_S = 0.4
"""The engine stops so long before the time is up: what it says must still be written."""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "verify",
        help="decide a VNN-LIB property of an ONNX network, or a claim of a spec",
        description="Decide whether the unsafe set that a VNN-LIB file describes is reached by an"
        " ONNX network; or, of a spec file with networks by reference, whether a claim that needs"
        " no data fails (for `exists`: whether what it claims is reached). The first line printed"
        " is sat (with a witness that onnxruntime confirms), unsat (proved in exact terms), unknown"
        " or timeout. Exit codes: 0 unsat, 10 sat, 20 unknown or timeout, 1 the input is wrong, 2"
        " wrong usage.",
    )
    parser.add_argument(
        "model", metavar="MODEL.onnx|SPEC.ibp", help="a network (.onnx, .onnx.gz), or a spec file"
    )
    parser.add_argument(
        "property",
        metavar="PROPERTY.vnnlib|CLAIM",
        nargs="?",
        default="",
        help="a property (.vnnlib, .vnnlib.gz); of a spec one of its claims: phi3, or"
        " 'phi3(acas_1_1)' (default: its only one)",
    )
    add_overrides(parser)
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=math.inf,
        metavar="S",
        help="seconds from the start of the process (default: no limit)",
    )
    parser.add_argument(
        "--device", choices=("cpu", "cuda", "auto"), default="auto", help="where to compute"
    )
    parser.add_argument(
        "--jobs",
        type=positive,
        default=0,
        metavar="N",
        help="threads and processes to use (default: one per core)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="another seed, other attack points"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object after the verdict"
    )
    parser.add_argument(
        "--cross-check",
        action="store_true",
        help="also compare the network as read with onnx2torch's reading",
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="say on stderr what is done, and when"
    )
    parser.set_defaults(function=run)


def run(arguments: argparse.Namespace) -> int:
    """Decide, print, and return the exit code."""
    from ibpc.verification import Clock, process_started, run_guarded

    started = process_started()
    deadline = started + arguments.timeout
    overrides(arguments)
    if _is_spec(arguments):
        check_files(arguments.model)
    else:
        _check_usage(arguments)
        check_files(arguments.model, arguments.property)
    clock = Clock(started, deadline - MARGIN_S)
    ended = run_guarded(lambda: _work(arguments, clock), deadline)
    return _report(ended, arguments)


def _work(arguments: argparse.Namespace, clock: Clock) -> Mapping[str, Any]:
    """In the child process: read, decide, and give the answer as JSON-like values."""
    # Threads that wait for work must not spin: on a busy machine that costs more than it gains.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from ibpc.verification import QuerySettings, decide_query

    log = _log(clock) if arguments.verbose else _silent
    query = None
    if _is_spec(arguments):
        from ibpc.cli.spec_query import spec_query

        query = spec_query(arguments.model, arguments.property, overrides(arguments))
        data, origin, wanted = query.data, query.origin, query.wanted
    else:
        from ibpc.exchange import read_property
        from ibpc.graph import model_bytes

        wanted = read_property(arguments.property)
        data, origin = model_bytes(arguments.model), arguments.model
    for warning in (*(query.vacuity() if query is not None else ()), *wanted.warnings):
        print(warning.render(), file=sys.stderr)
    log(f"files read: {len(wanted.disjuncts)} cases over {wanted.inputs} inputs")
    jobs = arguments.jobs or cores()
    settings = QuerySettings(arguments.device, jobs, arguments.seed, log, arguments.cross_check)
    answer = decide_query(data, origin, wanted, settings, clock).plain()
    return answer if query is None else {**answer, **query.told(answer)}


def _report(ended: Ended, arguments: argparse.Namespace) -> int:
    """The verdict on stdout, everything else on stderr."""
    if ended.kind == "mistake":
        print(ended.text, file=sys.stderr)
        return WRONG_INPUT
    if ended.kind == "bug":
        print(
            f"internal error: {ended.text}\nThis is a bug in ibpc, not in your files. Run again"
            " with IBPC_TRACEBACK=1 for details, and please report it with the files.",
            file=sys.stderr,
        )
    word, value = "unknown", dict(ended.value)
    if ended.kind == "done":
        word = value["verdict"]
    elif ended.kind == "timeout":
        word = "timeout"
    why = value.get("why") or (ended.text if ended.kind != "bug" else "")
    if why:
        print(f"{word}: {why}", file=sys.stderr)
    _tell_claim(value)
    print(word)
    if arguments.json:
        print(json.dumps({"verdict": word, "why": why, **value}))
    elif word == "sat":
        from ibpc.exchange import witness_text

        print(witness_text(value["inputs"], value["outputs"]), end="")
    if word == "sat" and value.get("nearest"):
        note = f"{value['nearest']} inputs' bounds hold no float32; the nearest is used"
        print(f"note: {note}", file=sys.stderr)
    sys.stdout.flush()
    return BUG if ended.kind == "bug" else CODES[word]


def _tell_claim(value: Mapping[str, Any]) -> None:
    """What the verdict says of a spec's claim, and its witness in the spec's units."""
    for line in (value.get("claim"), *value.get("witness", ())):
        if line:
            print(line, file=sys.stderr)


def _is_spec(arguments: argparse.Namespace) -> bool:
    return str(arguments.model).endswith(".ibp")


def _check_usage(arguments: argparse.Namespace) -> None:
    """A network wants a property; exits as argparse does."""
    if not arguments.property:
        print(
            "ibpc verify: a network wants a PROPERTY.vnnlib (or give a SPEC.ibp)", file=sys.stderr
        )
        raise SystemExit(2)
    if arguments.parameters:
        print("ibpc verify: -p sets params of a spec, this is a network", file=sys.stderr)
        raise SystemExit(2)


def check_files(*paths: str) -> None:
    """Absent files are told at once, before anything heavy is loaded."""
    for path in paths:
        if not os.path.exists(path):
            fix = "check the path"
            raise FileMistake(Diagnostic("E0502", f"there is no file {path}", fix=fix))


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _log(clock: Clock) -> Callable[[str], None]:
    def say(text: str) -> None:
        print(f"{clock.spent:7.2f} s  {text}", file=sys.stderr, flush=True)

    return say


def _silent(_: str) -> None:
    """Says nothing."""


def seconds(text: str) -> float:
    """A time limit.  Raises: ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise argparse.ArgumentTypeError(f"`{text}` is no positive number of seconds")
    return value
