"""`ibpc fmt FILE...`: the canonical layout of spec files; says the same, and stable."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from ibpc.cli.showing import tell
from ibpc.errors import IbpcError
from ibpc.syntax import Source, format_source, read_source, source_of_bytes

if TYPE_CHECKING:
    import argparse

STDIN = "-"


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "fmt",
        help="put spec files into their canonical layout",
        description="Put spec files into their canonical layout: blanks, indentation, line ends,"
        " blank lines and the commas of lists. Comments stay where they are; nothing is reordered"
        " and no number is rewritten. A file with a mistake is left untouched.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="spec files (.ibp); `-` is stdin to stdout"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 where a file would change"
    )
    parser.add_argument(
        "--diff", action="store_true", help="write nothing; print what would change"
    )
    parser.set_defaults(function=fmt)


def fmt(arguments: argparse.Namespace) -> int:
    """Format every file; 1 if any is broken or, under --check, would change."""
    failed = False
    for path in arguments.files:
        try:
            source, raw = _read(path)
            text = format_source(source)
        except IbpcError as error:
            tell(error)
            failed = True
            continue
        changed = text.encode("utf-8") != raw
        if arguments.diff:
            sys.stdout.writelines(_diff(path, source.text, text))
        if arguments.check:
            failed = failed or changed
            if changed:
                print(f"would reformat {path}", file=sys.stderr)
        elif not arguments.diff:
            _give(path, text, changed=changed)
    return 1 if failed else 0


def _read(path: str) -> tuple[Source, bytes]:
    """The text and its bytes as they are: line ends and all."""
    if path == STDIN:
        raw = sys.stdin.buffer.read()
        return source_of_bytes("<stdin>", raw), raw
    source = read_source(path)
    with open(path, "rb") as file:
        return source, file.read()


def _diff(path: str, before: str, after: str) -> list[str]:
    import difflib

    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    lines = difflib.unified_diff(old, new, path, path)
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]


def _give(path: str, text: str, *, changed: bool) -> None:
    if path == STDIN:
        sys.stdout.write(text)
    elif changed:
        replace_text(path, text)
        print(f"reformatted {path}", file=sys.stderr)


def replace_text(path: str, text: str) -> None:
    """Writes a file whole or not at all; links and permissions stay.

    Raises: OSError where the folder cannot be written.
    """
    import shutil
    import tempfile

    place = os.path.realpath(path)
    handle, name = tempfile.mkstemp(dir=os.path.dirname(place), prefix=".fmt-", suffix=".ibp")
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        shutil.copymode(place, name)
        os.replace(name, place)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
