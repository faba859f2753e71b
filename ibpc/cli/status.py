"""`ibpc status [FILE]`: which verdicts are there, which are stale and why; nothing is computed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ibpc.cli.arguments import add_overrides, add_places, overrides
from ibpc.cli.targets import target_of
from ibpc.cli.vocabulary import vocabulary
from ibpc.errors import Diagnostic, FileMistake
from ibpc.language import check_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from ibpc.integrity import CellStanding
    from ibpc.language import Program

HEAD = ("claim", "report", "proved", "refuted", "unknown", "stale", "never run")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "status",
        help="which verdicts are there, which are stale and why",
        description="For every report of a spec's verify blocks: how many examples are proved,"
        " refuted or undecided, how many verdicts are stale (something that they rest on is another"
        " now) and how many examples were never verified. Verdicts are found by content in all run"
        " folders: moving, renaming and reformatting make nothing stale. Nothing is computed.",
    )
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="a spec file (default: every .ibp file below this folder that has a target `default`)",
    )
    parser.add_argument(
        "target", nargs="?", metavar="TARGET", help="a `run` or `sweep` (default: default)"
    )
    parser.add_argument("--all", action="store_true", help="every target of the spec")
    parser.add_argument(
        "--exit-code",
        action="store_true",
        help="exit with 1 where a verdict is stale or was never asked for",
    )
    add_overrides(parser)
    add_places(parser)
    parser.set_defaults(function=status)


def status(arguments: argparse.Namespace) -> int:
    """Print a table for each spec; with --exit-code 1 where something is not settled."""
    from ibpc.data import default_data_dir
    from ibpc.integrity import cell_standings

    data_dir = arguments.data_dir or default_data_dir()
    settled = True
    for program, targets in _programs(arguments):
        cells, unread = cell_standings(program, targets, arguments.output, data_dir)
        for text in unread:
            print(f"note: a verdict store cannot be read: {text}", file=sys.stderr)
        print(f"{program.path}: {', '.join(targets) or 'no target'}")
        print("\n".join(f"    {line}" for line in table(cells)), end="\n\n")
        settled &= all(cell.settled for cell in cells)
    return 1 if arguments.exit_code and not settled else 0


def table(cells: Sequence[CellStanding]) -> list[str]:
    """One line a cell, with its reasons indented below it."""
    if not cells:
        return ["nothing to verify"]
    rows = [[one.task, one.report, *_counts(one)] for one in cells]
    widths = [max(map(len, column)) for column in zip(HEAD, *rows, strict=True)]
    lines = [_line(HEAD, widths)]
    for one, row in zip(cells, rows, strict=True):
        lines.append(_line(row, widths))
        lines += [f"  {'stale' if one.stale else 'note'}: {reason}" for reason in one.why]
        if one.vacuous:
            reasons = ", ".join(sorted(set(one.vacuous)))
            lines.append(f"  note: {len(one.vacuous):,} of these are vacuous ({reasons})")
    return lines


def _counts(one: CellStanding) -> list[str]:
    """The five numbers; "?" where the data are not at hand."""
    if one.unseen:
        return ["?"] * 5
    counts = (one.proved, one.refuted, one.unknown, one.stale, one.never)
    return [f"{count:,}" if count else "-" for count in counts]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    names = [text.ljust(width) for text, width in zip(row[:2], widths[:2], strict=True)]
    numbers = [text.rjust(width) for text, width in zip(row[2:], widths[2:], strict=True)]
    return "  ".join([*names, *numbers])


def _programs(arguments: argparse.Namespace) -> Iterator[tuple[Program, list[str]]]:
    """The specs that are meant, each with the names of its targets."""
    words, values = vocabulary(), overrides(arguments)
    if arguments.file is not None:
        program = check_file(arguments.file, words, values)
        if arguments.all:
            yield program, list(program.targets)
        else:
            yield program, [target_of(program, arguments.target or "default").name]
        return
    found = False
    for path in sorted(Path().rglob("*.ibp")):
        if _inside_a_run(path):
            continue
        program = check_file(str(path), words, values)
        targets = list(program.targets) if arguments.all else ["default"]
        if arguments.all or "default" in program.targets:
            found = True
            yield program, targets
    if not found:
        problem = "there is no spec file with a target `default` below this folder"
        raise FileMistake(Diagnostic("E0502", problem, fix="name one: ibpc status FILE"))


def _inside_a_run(path: Path) -> bool:
    """Whether a file is a copy that a run keeps, or hidden."""
    hidden = any(part.startswith(".") for part in path.parts)
    return hidden or any((parent / "manifest.json").is_file() for parent in path.parents)
