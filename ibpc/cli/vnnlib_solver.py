"""`ibpc vnnlib verify` and `supports`: the command line that VNN-LIB 2.x asks of every verifier.

Tools that speak it (Vehicle, the reference libraries) start `ibpc vnnlib` as they would start any
other verifier.

Source: VNNLIB-Standard, chapter "Command-line Interface", and the reference library's client.
"""

from __future__ import annotations

import math
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ibpc.cli.verify import MARGIN_S, check_files, cores, seconds
from ibpc.errors import Diagnostic, NameMistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping

    from ibpc.exchange import Property
    from ibpc.verification import Clock

WORDS = {"timeout": "timed-out"}
"""Our words as the standard spells them; the others are the same."""

WRONG_INPUT, BUG = 1, 70


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the two actions to `ibpc vnnlib`."""
    parser = actions.add_parser(
        "verify",
        help="decide a query, called as VNN-LIB 2.x says",
        description="Decide a query. The first line printed is sat, unsat, unknown or timed-out;"
        " for sat the assignment follows, for each tensor a line `NAME type [shape]` and one value"
        " a line in row-major order. The exit code is 0 for every verdict.",
    )
    parser.add_argument("query", metavar="QUERY.vnnlib", help="a query (.vnnlib, .vnnlib.gz)")
    parser.add_argument(
        "--network",
        metavar="NAME=MODEL.onnx",
        action="append",
        required=True,
        help="the ONNX file of a network that the query declares",
    )
    parser.add_argument("--timeout", type=seconds, default=math.inf, metavar="S", help="seconds")
    parser.add_argument(
        "--serialise-assignments",
        metavar="DIR",
        type=Path,
        help="write each tensor of an assignment to DIR/NAME.pb (an ONNX TensorProto) instead",
    )
    parser.set_defaults(function=verify)
    supports_parser = actions.add_parser(
        "supports",
        help="say what is supported, as VNN-LIB 2.x asks",
        description="Print one capability, an entry a line.",
    )
    which = supports_parser.add_mutually_exclusive_group(required=True)
    for name in CAPABILITIES:
        which.add_argument(f"--{name}", dest="capability", action="store_const", const=name)
    supports_parser.set_defaults(function=supports)


def supports(arguments: argparse.Namespace) -> int:
    """Print one capability."""
    for line in CAPABILITIES[arguments.capability]():
        print(line)
    return 0


def verify(arguments: argparse.Namespace) -> int:
    """Decide, print the verdict and the assignment; the exit code is 0 where there is a verdict."""
    from ibpc.verification import Clock, process_started, run_guarded

    started = process_started()
    deadline = started + arguments.timeout
    networks = dict(map(_named, arguments.network))
    check_files(arguments.query, *networks.values())
    clock = Clock(started, deadline - MARGIN_S)
    ended = run_guarded(lambda: _work(arguments.query, networks, clock), deadline)
    if ended.kind in ("mistake", "bug"):
        print(ended.text, file=sys.stderr)
        return WRONG_INPUT if ended.kind == "mistake" else BUG
    word = str(ended.value["verdict"]) if ended.kind == "done" else "unknown"
    word = "timeout" if ended.kind == "timeout" else word
    why = ended.value.get("why") or ended.text
    if why:
        print(f"{word}: {why}", file=sys.stderr)
    print(WORDS.get(word, word))
    if word == "sat":
        _tell(ended.value, arguments.serialise_assignments)
    return 0


def _named(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        problem = f"cannot read `--network {text}`"
        fix = "write --network NAME=MODEL.onnx, NAME as the query declares it"
        raise NameMistake(Diagnostic("E0193", problem, fix=fix))
    return name, path


def _work(query: str, networks: Mapping[str, str], clock: Clock) -> Mapping[str, Any]:
    """In the child process: the answer, and the tensors that it assigns."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from ibpc.exchange import read_property
    from ibpc.graph import model_bytes
    from ibpc.verification import QuerySettings, decide_query

    wanted = read_property(query)
    for warning in wanted.warnings:
        print(warning.render(), file=sys.stderr)
    path = _file_of(wanted, networks)
    settings = QuerySettings("auto", cores(), 0, lambda _: None)
    answer = decide_query(model_bytes(path), path, wanted, settings, clock).plain()
    sides = ((wanted.interface.input, "inputs"), (wanted.interface.output, "outputs"))
    tensors = [(one.name, one.kind, list(one.shape), answer.get(side, [])) for one, side in sides]
    return {**answer, "tensors": tensors}


def _file_of(wanted: Property, networks: Mapping[str, str]) -> str:
    """The file of the query's network; a 1.0 file does not name it, so any name will do."""
    name = wanted.interface.network
    if len(networks) == 1 and (name in networks or wanted.interface.version == "1.0"):
        return next(iter(networks.values()))
    given = ", ".join(f"`{one}`" for one in networks)
    problem = f"{wanted.origin} declares the network `{name}`, --network names {given}"
    raise NameMistake(Diagnostic("E0194", problem, fix=f"write --network {name}=MODEL.onnx"))


def _tell(value: Mapping[str, Any], folder: Path | None) -> None:
    """The assignment on stdout, or as files of a folder."""
    for name, kind, shape, numbers in value["tensors"]:
        if folder is None:
            print(f"{name} {kind} [{','.join(map(str, shape))}]")
            print("\n".join(f"{number:.9g}" for number in numbers))
            continue
        import numpy as np
        from onnx import numpy_helper

        from ibpc.graph import save_bytes

        tensor = numpy_helper.from_array(np.array(numbers, np.float32).reshape(shape), name)
        save_bytes(folder / f"{name}.pb", tensor.SerializeToString(deterministic=True))


def _operators() -> Iterable[str]:
    """Operators that can be bounded, constants' operators included."""
    from ibpc.ops import OPERATORS, Missing

    for name, record in sorted(OPERATORS.items()):
        bounded = not isinstance(record.interval, Missing) or name == "Constant"
        if bounded and not name.startswith("ibpc."):
            yield name


def _opsets() -> Iterable[str]:
    from ibpc.graph import NEWEST_OPSET, OLDEST_OPSET

    return str(OLDEST_OPSET), str(NEWEST_OPSET)


CAPABILITIES: Mapping[str, Callable[[], Iterable[str]]] = {
    "vnnlib-versions": partial(tuple, ("1.0", "2.1")),
    "onnx-opset-versions": _opsets,
    "onnx-element-types": partial(tuple, ("real",)),  # proofs speak of real arithmetic
    "onnx-operators": _operators,
    "hidden-node-theories": partial(tuple, ("NH",)),
    "multiple-input-output-theories": partial(tuple, ("SIO",)),
    "multiple-network-theories": partial(tuple, ("SNET",)),
    "multiple-node-comparison-theories": partial(tuple, ("SNC", "MNC")),
    "arithmetic-complexity-theories": partial(tuple, ("BND", "OUTC", "LIN")),
    "optimised-disjunctive-reasoning": partial(tuple, ("true",)),
    "serialise-assignments": partial(tuple, ("true",)),
}
"""What the standard's `supports` may ask for, and the lines of the answer."""
