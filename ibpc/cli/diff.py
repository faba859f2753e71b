"""`ibpc diff A B`: what changed in meaning between two specs, or two revisions of one."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ibpc.cli.arguments import add_overrides, overrides
from ibpc.cli.vocabulary import vocabulary
from ibpc.language import check_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ibpc.integrity import Comparison


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "diff",
        help="what changed in meaning between two specs, or revisions of one",
        description="Compare what two specs mean, field by field: params, networks, data, training,"
        " claims and plans. Layout, comments, order, names and the way in which a number is written"
        " are no changes. Exits with 1 where the meaning differs.",
        epilog="ibpc diff A.ibp B.ibp | ibpc diff REV FILE | ibpc diff REV..REV FILE",
    )
    parser.add_argument("old", metavar="A|REV", help="a spec file, a git revision, or REV..REV")
    parser.add_argument("new", metavar="FILE", help="a spec file (.ibp)")
    add_overrides(parser)
    parser.set_defaults(function=diff)


def diff(arguments: argparse.Namespace) -> int:
    """Print the changes; 1 where there are any."""
    from ibpc.integrity import compare, revision_of

    words, values = vocabulary(), overrides(arguments)
    with ExitStack() as stack:
        if Path(arguments.old).is_file():
            paths = [arguments.old, arguments.new]
        else:
            before, dots, after = arguments.old.partition("..")
            paths = [stack.enter_context(revision_of(arguments.new, before or "HEAD"))]
            then = stack.enter_context(revision_of(arguments.new, after or "HEAD")) if dots else ""
            paths.append(then or arguments.new)
        found = compare(*(check_file(path, words, values) for path in paths))
        text = lines(found)
    if text:
        print("\n".join(text))
    return 1 if found.sections else 0


def lines(found: Comparison) -> Sequence[str]:
    """Sections with their changes; renamed things at the end."""
    text = []
    for section in found.sections:
        text.append(section.title)
        for change in section.changes:
            head = f"{change.path}: " if change.path else ""
            text.append(f"    {head}{change.old} -> {change.new}")
    return [*text, *(f"renamed: {kind} {old} -> {new}" for kind, old, new in found.renamed)]
