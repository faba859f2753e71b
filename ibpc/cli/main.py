"""The command line: finds the command, runs it, and turns errors into messages and exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from ibpc import __version__
from ibpc.cli import (
    check,
    compile_spec,
    diff,
    explain,
    fmt,
    lock,
    lsp,
    ops,
    recheck,
    report,
    run,
    status,
    verify,
    vnnlib,
)
from ibpc.cli.showing import tell
from ibpc.errors import Diagnostic, FileMistake, IbpcError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (
    check,
    fmt,
    explain,
    compile_spec,
    run,
    verify,
    status,
    recheck,
    report,
    lock,
    diff,
    vnnlib,
    ops,
    lsp,
)

DONE, WRONG_INPUT, BUG, INTERRUPTED = 0, 1, 70, 130

DESCRIPTION = """\
A compiler for provably robust neural networks: a spec file describes networks, perturbations,
claims and training; ibpc trains, attacks, bounds and exactly verifies."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parsed = build_parser().parse_args(arguments)
    try:
        return int(parsed.function(parsed))
    except IbpcError as error:
        tell(error)
        return WRONG_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WRONG_INPUT
    except OSError as error:
        tell(_as_mistake(error))
        return WRONG_INPUT
    except KeyboardInterrupt:
        print("interrupted; the same command resumes where it stopped", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        return _report_bug(error)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands with their help texts."""
    parser = argparse.ArgumentParser(prog="ibpc", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"ibpc {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.register(commands)
    return parser


def _as_mistake(error: OSError) -> FileMistake:
    """A file system's refusal as a message: which file, why, what to do."""
    place = error.filename or "a file"
    reason = error.strerror or str(error)
    return FileMistake(
        Diagnostic(
            "E0590",
            f"cannot use {place}: {reason}",
            fix="free some space, or name another folder with -o DIR"
            " (what was finished is kept and the same command resumes)",
        )
    )


def _report_bug(error: Exception) -> int:
    """Say that this is our fault; the traceback is shown on request only."""
    if os.environ.get("IBPC_TRACEBACK"):
        raise error
    print(
        f"internal error: {type(error).__name__}: {error}\n"
        "This is a bug in ibpc, not in your files. Run again with IBPC_TRACEBACK=1 for details,\n"
        "and please report it with the spec and the command.",
        file=sys.stderr,
    )
    return BUG
