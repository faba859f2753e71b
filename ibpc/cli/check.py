"""`ibpc check FILE...`: parse and check everything, print each network's shapes; nothing runs.

Where a lock stands beside the spec, networks' files are held against it.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from ibpc.cli.arguments import add_overrides, overrides
from ibpc.cli.showing import tell
from ibpc.cli.vocabulary import vocabulary
from ibpc.editor import ERROR, diagnostic_shape
from ibpc.errors import IbpcError
from ibpc.integrity import refuse_other_networks
from ibpc.language import DeclaredNet, analyse, describe_net

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ibpc.language import Analysis, Program


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "check",
        help="parse and check spec files, and print their networks' shapes",
        description="Parse and check spec files: names, types, shapes, units, claims and plans."
        " Prints every network with shapes and parameters. Nothing is trained or downloaded."
        " Of a sweep every listed value, both ends of each interval and all corners are worked out;"
        " `ibpc run` works out the whole before it starts.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="spec files (.ibp)")
    parser.add_argument("-q", "--quiet", action="store_true", help="print mistakes only")
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="json: every diagnostic as editors take them, with its file's path, on stdout",
    )
    add_overrides(parser)
    parser.set_defaults(function=check)


def check(arguments: argparse.Namespace) -> int:
    """Check every file; 1 if any has a mistake."""
    collects = gc.isenabled()
    gc.disable()  # a sixth of the time, to look for garbage that a check does not make
    try:
        as_json = arguments.format == "json"
        return _check_as_json(arguments) if as_json else _check_as_text(arguments)
    finally:
        if collects:
            gc.enable()


def _check_as_text(arguments: argparse.Namespace) -> int:
    """What is wrong with each file, on stderr, and the networks of those that are right."""
    failed = False
    for _, found in _analyses(arguments):
        try:
            program = found.checked()
            refuse_other_networks(program)
        except IbpcError as error:
            tell(error)
            failed = True
            continue
        for warning in program.warnings:
            tell(warning.render())
        if not arguments.quiet:
            print(_summary(program))
    return 1 if failed else 0


def _analyses(arguments: argparse.Namespace) -> Iterator[tuple[str, Analysis]]:
    """Each file with its check, which takes over what an earlier file's has worked out."""
    words, values = vocabulary(), overrides(arguments)
    found: Analysis | None = None
    for path in arguments.files:
        found = analyse(path, words, values, thorough=False, before=found)
        yield path, found


def _check_as_json(arguments: argparse.Namespace) -> int:
    """One JSON list over all files; a file that cannot be read is a diagnostic too."""
    import json

    found = [
        {"path": path if one.at is None else one.at.path, **diagnostic_shape(one)}
        for path, analysis in _analyses(arguments)
        for one in analysis.diagnostics
    ]
    print(json.dumps(found, indent=2))
    return 1 if any(one["severity"] == ERROR for one in found) else 0


def _summary(program: Program) -> str:
    """The networks' tables, then one line that counts what was found."""
    tables = [describe_net(net) for net in program.nets.values() if isinstance(net, DeclaredNet)]
    counts = f"{len(program.nets)} nets, {len(program.data)} data sets"
    targets = ", ".join(program.targets) or "none"
    return "\n\n".join([*tables, f"{program.path}: {counts}, targets: {targets}"]) + "\n"
