"""Property files: VNN-LIB 1.0 and 2.x to a `Property` and back.

A file names the unsafe set: `sat` means that some input in a box reaches it. Reading has two
tiers, regular expressions for the flat statements of large files and a full parser for the rest;
numbers stay exact until they are lowered, outward for proofs and inward for witnesses. Light at
import: numpy is loaded by the lowering only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ibpc.exchange.mistakes import EXPLANATIONS, PropertyMistake
from ibpc.exchange.property import Constraint, Disjunct, Exact, Interface, Property, Tensor

if TYPE_CHECKING:
    from ibpc.exchange.from_claim import claim_property
    from ibpc.exchange.lowering import (
        Rows,
        inward_box,
        inward_boxes,
        outward_box,
        outward_boxes,
        row_matrices,
    )
    from ibpc.exchange.maps import back_to_spec, through_maps
    from ibpc.exchange.reading import parse_property, read_property
    from ibpc.exchange.witness import read_witness, witness_text
    from ibpc.exchange.writing import export_notes, with_tensors, write_vnnlib1, write_vnnlib2

__all__ = [
    "EXPLANATIONS",
    "Constraint",
    "Disjunct",
    "Exact",
    "Interface",
    "Property",
    "PropertyMistake",
    "Rows",
    "Tensor",
    "back_to_spec",
    "claim_property",
    "export_notes",
    "inward_box",
    "inward_boxes",
    "outward_box",
    "outward_boxes",
    "parse_property",
    "read_property",
    "read_witness",
    "row_matrices",
    "through_maps",
    "with_tensors",
    "witness_text",
    "write_vnnlib1",
    "write_vnnlib2",
]

_LATER = {
    "Rows": "lowering",
    "back_to_spec": "maps",
    "claim_property": "from_claim",
    "export_notes": "writing",
    "inward_box": "lowering",
    "inward_boxes": "lowering",
    "outward_box": "lowering",
    "outward_boxes": "lowering",
    "parse_property": "reading",
    "read_property": "reading",
    "read_witness": "witness",
    "row_matrices": "lowering",
    "through_maps": "maps",
    "with_tensors": "writing",
    "witness_text": "witness",
    "write_vnnlib1": "writing",
    "write_vnnlib2": "writing",
}


def __getattr__(name: str) -> Any:
    """What costs time to import, loaded on first use."""
    if name not in _LATER:
        raise AttributeError(f"module 'ibpc.exchange' has no attribute {name!r}")
    value = getattr(import_module(f"ibpc.exchange.{_LATER[name]}"), name)
    globals()[name] = value
    return value
