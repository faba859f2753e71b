"""Arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, NameMistake

if TYPE_CHECKING:
    import argparse


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """`-p name=value`, as often as wanted."""
    parser.add_argument(
        "-p",
        dest="parameters",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="set a `param` of the spec, e.g. -p eps_train=8/255 (repeatable)",
    )


def overrides(arguments: argparse.Namespace) -> dict[str, str]:
    """The values that `-p` gave, by name."""
    values = {}
    for text in arguments.parameters:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise NameMistake(
                Diagnostic(
                    "E0190",
                    f"cannot read `-p {text}`",
                    fix="write -p NAME=VALUE, for instance -p eps=0.1",
                )
            )
        values[name.strip()] = value.strip()
    return values


def add_output(parser: argparse.ArgumentParser, default: str) -> None:
    """`-o DIR`."""
    parser.add_argument(
        "-o",
        dest="output",
        metavar="DIR",
        type=Path,
        default=Path(default),
        help=f"where to write (default: {default})",
    )


def add_places(parser: argparse.ArgumentParser) -> None:
    """Where runs and data sets lie, for commands that look at what is there."""
    parser.add_argument(
        "-o",
        "--run-dir",
        dest="output",
        metavar="DIR",
        type=Path,
        default=Path("runs"),
        help="where runs are (default: runs)",
    )
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        help="where data sets lie (default: $IBPC_DATA, else a cache folder)",
    )


def positive(text: str) -> int:
    """A whole number of at least one.  Raises: ArgumentTypeError."""
    import argparse

    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number of at least 1")
    return int(text)
