"""`ibpc explain CODE`: a code's long form; `ibpc explain SPEC [NAME]`: a claim in plain words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ibpc.cli.arguments import add_overrides, overrides
from ibpc.cli.long_forms import long_form

if TYPE_CHECKING:
    import argparse

_CODE = re.compile(r"[EWew]\d{1,5}$")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "explain",
        help="what a code of a message means; what a claim says, in words and numbers",
        description="With a code such as E0203: what it means, why, an example, and the fix."
        " With a spec file: every claim that is verified, in words, as C z + d <= 0, with sizes,"
        " the stages that decide it and what each of them does. Nothing is trained.",
    )
    parser.add_argument("what", metavar="CODE|FILE", help="a code, or a spec file (.ibp)")
    parser.add_argument("name", nargs="?", metavar="NAME", help="one declaration of the file")
    parser.add_argument(
        "--defaults", action="store_true", help="also print every setting that the text leaves out"
    )
    add_overrides(parser)
    parser.set_defaults(function=explain)


def explain(arguments: argparse.Namespace) -> int:
    """Print the long form, or the explanations of a spec."""
    if _CODE.match(arguments.what):
        print(long_form(arguments.what))
        return 0
    from ibpc.cli.explain_spec import explain_spec

    text = explain_spec(arguments.what, arguments.name, overrides(arguments), arguments.defaults)
    print(text)
    return 0
