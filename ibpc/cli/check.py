"""`ibpc check FILE...`: parse and check everything, print each network's shapes; nothing runs.

Where a lock stands beside the spec, networks' files are held against it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ibpc.cli.arguments import add_overrides, overrides
from ibpc.cli.vocabulary import vocabulary
from ibpc.errors import IbpcError
from ibpc.integrity import refuse_other_networks
from ibpc.language import DeclaredNet, check_file, describe_net

if TYPE_CHECKING:
    import argparse

    from ibpc.language import Program


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "check",
        help="parse and check spec files, and print their networks' shapes",
        description="Parse and check spec files: names, types, shapes, units, claims and plans."
        " Prints every network with shapes and parameters. Nothing is trained or downloaded.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="spec files (.ibp)")
    parser.add_argument("-q", "--quiet", action="store_true", help="print mistakes only")
    add_overrides(parser)
    parser.set_defaults(function=check)


def check(arguments: argparse.Namespace) -> int:
    """Check every file; 1 if any has a mistake."""
    words = vocabulary()
    failed = False
    for path in arguments.files:
        try:
            program = check_file(path, words, overrides(arguments))
            refuse_other_networks(program)
        except IbpcError as error:
            print(error, file=sys.stderr)
            failed = True
            continue
        for warning in program.warnings:
            print(warning.render(), file=sys.stderr)
        if not arguments.quiet:
            print(_summary(path, program))
    return 1 if failed else 0


def _summary(path: str, program: Program) -> str:
    """The networks' tables, then one line that counts what was found."""
    tables = [describe_net(net) for net in program.nets.values() if isinstance(net, DeclaredNet)]
    counts = f"{len(program.nets)} nets, {len(program.data)} data sets"
    targets = ", ".join(program.targets) or "none"
    return "\n\n".join([*tables, f"{path}: {counts}, targets: {targets}"]) + "\n"
