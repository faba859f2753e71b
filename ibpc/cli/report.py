"""`ibpc report RUN...`: a run's page again, or a page that compares several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "report",
        help="write a run's page again, or compare runs",
        description="With one RUN: write its report.html again. With several: one page with their"
        " results side by side, curves laid over each other, and what differs between them.",
    )
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", type=Path, help="a folder that `ibpc run` wrote"
    )
    parser.add_argument(
        "-o",
        dest="output",
        metavar="FILE",
        type=Path,
        help="the page to write (default: report.html in the run folder; comparison.html here)",
    )
    parser.set_defaults(function=report)


def report(arguments: argparse.Namespace) -> int:
    """Write the page and say where it is."""
    from ibpc.report import write_comparison, write_report

    if len(arguments.runs) == 1:
        page = write_report(arguments.runs[0], arguments.output)
    else:
        page = write_comparison(arguments.runs, arguments.output or Path("comparison.html"))
    print(f"open {page}")
    return 0
