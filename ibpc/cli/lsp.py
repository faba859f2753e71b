"""`ibpc lsp`: the language server, which editors start."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ibpc.cli.vocabulary import vocabulary
from ibpc.editor import serve
from ibpc.errors import Diagnostic, FileMistake

if TYPE_CHECKING:
    import argparse


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "lsp",
        help="the language server for editors",
        description="Speak the Language Server Protocol over stdin and stdout: diagnostics while"
        " typing, hover, definitions, completion, outline and layout. Editors start it themselves;"
        " `integrations/vscode` does.",
    )
    parser.add_argument("--stdio", action="store_true", help="what it does anyway")
    parser.set_defaults(function=lsp)


def lsp(_: argparse.Namespace) -> int:
    """Serve until the editor ends it.

    Raises: FileMistake E0594 where pygls is not installed.
    """
    print("ibpc lsp: listening on stdin", file=sys.stderr)
    try:
        serve(vocabulary())
    except ImportError as absent:
        if not str(absent.name).startswith(("pygls", "lsprotocol")):
            raise
        problem = "the language server needs pygls, which is not installed"
        fix = "pip install 'ibpc[lsp]'"
        raise FileMistake(Diagnostic("E0594", problem, fix=fix)) from None
    return 0
