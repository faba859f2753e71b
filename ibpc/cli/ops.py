"""`ibpc ops [NAME]`: what is supported, read off the operators' records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.ops import OPERATORS, Missing, Operator, operator

if TYPE_CHECKING:
    import argparse

FACETS = ("forward", "interval", "milp")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "ops",
        help="list the operators, what each can do, and the layers of the language",
        description="List every operator with its facets (forward, interval bounds, MILP) and the"
        " layer keywords that it brings; with NAME, that operator's record in full.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="an operator, e.g. Conv")
    parser.add_argument("--markdown", action="store_true", help="print the README's table")
    parser.set_defaults(function=ops)


def ops(arguments: argparse.Namespace) -> int:
    """Print the table, or one record."""
    if arguments.name:
        print(record_text(operator(arguments.name)))
    elif arguments.markdown:
        print(markdown_table())
    else:
        print(plain_table())
    return 0


def rows() -> list[tuple[str, ...]]:
    """One row per operator: name, forward, interval, MILP, CROWN, layers."""
    return [
        (
            name,
            *("no" if isinstance(getattr(record, facet), Missing) else "yes" for facet in FACETS),
            crown(record),
            ", ".join(layer.word for layer in record.layers),
        )
        for name, record in sorted(OPERATORS.items())
        if not name.startswith("ibpc.")
    ]


def crown(record: Operator) -> str:
    """How linear bounds pass: `yes`, or `box` where the interval rule stands in."""
    if isinstance(record.interval, Missing):
        return "no"
    linear = record.affine or record.linear or record.transpose is not None
    return "yes" if linear or record.relax is not None else "box"


def plain_table() -> str:
    """The table as aligned text."""
    head = ("operator", *FACETS, "crown", "layers")
    table = [head, *rows()]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )


def markdown_table() -> str:
    """The table as markdown."""
    head = "| operator | forward | interval | MILP | CROWN | layers |\n" + "| --- " * 6 + "|"
    body = [f"| {name} | {' | '.join(cells)} |" for name, *cells in rows()]
    return "\n".join([head, *body])


def record_text(record: Operator) -> str:
    """One record in words, with the reason for each missing facet."""
    lines = [f"{record.op}  (versions {', '.join(map(str, record.versions))})"]
    lines.append(f"  source    {record.source}")
    for facet in FACETS:
        value = getattr(record, facet)
        lines.append(f"  {facet:<9} {value.why if isinstance(value, Missing) else 'yes'}")
    lines.append(f"  crown     {crown(record)}")
    for layer in record.layers:
        lines.append(f"  layer     {layer.word}: {layer.doc}")
        lines.extend(f"              {slot.name}: {slot.doc}" for slot in layer.slots)
    return "\n".join(lines)
