"""`ibpc lock FILE...`: write down which networks and data the specs mean, or check that."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ibpc.cli.vocabulary import vocabulary
from ibpc.errors import IbpcError
from ibpc.language import check_file

if TYPE_CHECKING:
    import argparse

    from ibpc.integrity import Outcome


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "lock",
        help="write down which networks and data the specs mean, or check it",
        description="Write ibpc.lock beside the specs: hashes of every network's file (bytes, graph"
        " and weights apart) and of every data set's decoded content. What is locked already and"
        " differs is an error, until --update says that it is intended. Nothing is downloaded:"
        " data that are not on this machine are named and keep their entry.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="spec files (.ibp)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--check", action="store_true", help="write nothing; 1 where anything is not as locked"
    )
    how.add_argument(
        "--update",
        nargs="?",
        const="",
        metavar="NAME",
        help="accept what differs: of net:NAME or data:NAME, or of everything",
    )
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        help="where data sets lie (default: $IBPC_DATA, else a cache folder)",
    )
    parser.set_defaults(function=lock)


def lock(arguments: argparse.Namespace) -> int:
    """Write or check the locks of the specs; 1 where something is not as locked."""
    from ibpc.data import default_data_dir
    from ibpc.integrity import check_lock, update_lock

    files, renewed = list(arguments.files), arguments.update
    if renewed and renewed.endswith(".ibp"):  # `--update spec.ibp`: a file, no resource's name
        files, renewed = [renewed, *files], ""
    words = vocabulary()
    programs = [check_file(path, words) for path in files]
    data_dir = arguments.data_dir or default_data_dir()
    if arguments.check:
        outcomes = check_lock(programs, data_dir)
    else:
        outcomes = update_lock(programs, data_dir, renewed)
    for outcome in outcomes:
        _tell(outcome, checked=arguments.check)
    return 1 if any(outcome.mistakes for outcome in outcomes) else 0


def _tell(outcome: Outcome, checked: bool) -> None:
    """Mistakes and what was not looked at to stderr, one line of what came of it to stdout."""
    if outcome.mistakes:
        print(IbpcError(*outcome.mistakes), file=sys.stderr)
    for text in outcome.absent:
        print(f"note: not looked at: {text}", file=sys.stderr)
    if outcome.mistakes:
        return
    done = "holds" if checked else "written" if outcome.changed else "unchanged"
    count = f"{outcome.entries} entr{'y' if outcome.entries == 1 else 'ies'}"
    print(f"{outcome.path}: {done}, {count}")
