"""`ibpc compile FILE`: networks to ONNX, claims to bound programs and MILPs; nothing is trained."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ibpc.cli.arguments import add_overrides, overrides
from ibpc.cli.vocabulary import vocabulary
from ibpc.language import check_file

if TYPE_CHECKING:
    import argparse


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "compile",
        help="compile a spec's networks and claims: ONNX, PyTorch bound code, MILP",
        description="Compile every network of a spec file to ONNX, and every claim on it to a"
        " readable PyTorch bound program and, for small nets, a MILP. The same spec gives the same"
        " bytes.",
    )
    parser.add_argument("file", metavar="FILE", help="a spec file (.ibp)")
    parser.add_argument(
        "-o",
        dest="output",
        metavar="DIR",
        type=Path,
        help="where to write (default: build/NAME for NAME.ibp)",
    )
    parser.add_argument(
        "--passes", action="store_true", help="also write the graph after every pass"
    )
    add_overrides(parser)
    parser.set_defaults(function=compile_spec)


def compile_spec(arguments: argparse.Namespace) -> int:
    """Compile the file and say what was written."""
    program = check_file(arguments.file, vocabulary(), overrides(arguments))
    for warning in program.warnings:
        print(warning.render(), file=sys.stderr)

    from ibpc.experiment import compile_program

    folder = arguments.output or Path("build") / Path(arguments.file).stem
    files = compile_program(program, folder, arguments.passes)
    print(f"{len(files)} files written to {folder}")
    return 0
