"""Operators: one record in one file, with all that ibpc knows of it.

The files are found by looking into the folder: a module that exports `OPERATOR` (or several as
`OPERATORS`) is one, so adding an operator edits nothing else. Importing this room imports neither
torch, numpy nor onnx: facets import what they need when they run.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ibpc.errors import Diagnostic, UnsupportedOperator, did_you_mean
from ibpc.language import Layer, LayerMistake
from ibpc.ops.record import Example, Missing, Operator, Shape, ShapeMistake, Site, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "LAYERS",
    "OPERATORS",
    "Example",
    "Missing",
    "Operator",
    "Shape",
    "ShapeMistake",
    "Site",
    "Unsupported",
    "cannot",
    "infer",
    "operator",
]


def _records() -> Iterator[Operator]:
    """The records of every module in this folder, by file name."""
    for module in sorted(found.name for found in iter_modules(__path__)):
        contents = vars(import_module(f"{__name__}.{module}"))
        if "OPERATOR" in contents:
            yield contents["OPERATOR"]
        yield from contents.get("OPERATORS", ())


def _collect() -> tuple[Mapping[str, Operator], Mapping[str, Layer]]:
    """Operators by ONNX name and layers by keyword; two of one name are a bug."""
    operators: dict[str, Operator] = {}
    layers: dict[str, Layer] = {}
    for record in _records():
        assert record.op not in operators, f"two files define the operator {record.op}"
        operators[record.op] = record
        for layer in record.layers:
            assert layer.word not in layers, f"two files define the layer {layer.word}"
            layers[layer.word] = layer
    return MappingProxyType(operators), MappingProxyType(layers)


OPERATORS, LAYERS = _collect()


def operator(op: str) -> Operator:
    """The record of an operator.

    Raises: UnsupportedOperator where there is none.
    """
    found = OPERATORS.get(op)
    if found is None:
        fix = did_you_mean(op, OPERATORS) or "`ibpc ops` lists the operators that ibpc knows"
        raise UnsupportedOperator(Diagnostic("E0703", f"unknown operator {op}", fix=fix))
    return found


_FACETS = {"hull": "interval", "maximum": "interval", "milp": "milp"}
"""What a stage needs of every operator, by the lowering of the set that it works with."""


def cannot(op: str, needs: str) -> str:
    """Why what needs such a lowering cannot work on an operator; "" where it can.

    "no clean pass" is what bounds in training need that see the box alone.
    """
    facet, record = _FACETS.get(needs, ""), OPERATORS.get(op)
    if needs == "no clean pass" and record is not None and record.joint is not None:
        return "its training form depends on the clean batch"
    found = getattr(record, facet, None) if facet else None
    return found.why if isinstance(found, Missing) else ""


def infer(
    op: str,
    attributes: Mapping[str, Any],
    shapes: tuple[Shape | None, ...],
    values: tuple[Any, ...] = (),
) -> Shape:
    """The shape of an operator's first output, batch axis (extent 1) included.

    `values[i]`: a tuple of numbers where operand i is known, else None.
    Raises: LayerMistake where the operands do not fit, UnsupportedOperator for an unknown one.
    """
    known = (*values, *(None,) * (len(shapes) - len(values)))
    site = Site(name="", op=op, attributes=attributes, shapes=shapes, values=known)
    try:
        found: Shape = operator(op).shape(site)[0]
    except ShapeMistake as mistake:
        raise LayerMistake(mistake.problem, mistake.fix) from mistake
    except Unsupported as reason:
        raise LayerMistake(reason.why) from reason
    return found
