"""specs/acas.ibp says in physical units what the official VNN-LIB files say in the networks'."""

from __future__ import annotations

import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from ibpc.cli.vocabulary import vocabulary
from ibpc.exchange import Property, claim_property, read_property, through_maps
from ibpc.language import OnnxNet, check_claim

SPEC = Path(__file__).resolve().parents[3] / "specs" / "acas.ibp"

HALF = ("-0.5", "0.5")
BOXES = {
    "phi1": (("0.6", "0.679857769"), HALF, HALF, ("0.45", "0.5"), ("-0.5", "-0.45")),
    "phi2": (("0.6", "0.679857769"), HALF, HALF, ("0.45", "0.5"), ("-0.5", "-0.45")),
    "phi3": (
        ("-0.303531156", "-0.298552812"),
        ("-0.009549297", "0.009549297"),
        ("0.493380324", "0.5"),
        ("0.3", "0.5"),
        ("0.3", "0.5"),
    ),
    "phi4": (
        ("-0.303531156", "-0.298552812"),
        ("-0.009549297", "0.009549297"),
        ("0", "0"),
        ("0.318181818", "0.5"),
        ("0.083333333", "0.166666667"),
    ),
}
"""As the official files print them, to 9 decimals."""

OFFICIAL = {"phi2": "prop_2", "phi3": "prop_3", "phi4": "prop_4"}


def lowered(name: str) -> Property:
    """The property of one claim, over the network's own units."""
    asked = check_claim(str(SPEC), vocabulary(), f"{name}(acas_1_1)")
    net = asked.network
    assert isinstance(net, OnnxNet)
    assert [unit for _, unit in asked.inputs] == ["ft", "rad", "rad", "ft_s", "ft_s"]
    wanted = claim_property(asked.claim, net.input, [0.0] * 5, 0)
    return through_maps(wanted, net.input_map, net.output_map)


@pytest.mark.parametrize("name", BOXES)
def test_the_boxes_are_the_official_ones(name: str) -> None:
    (case,) = lowered(name).disjuncts
    found = [
        tuple(round(Fraction(end), 9) for end in pair)
        for pair in zip(case.lower, case.upper, strict=True)
    ]
    assert found == [tuple(map(Fraction, pair)) for pair in BOXES[name]]


def test_the_rows_are_the_official_ones() -> None:
    """phi1: unsafe where COC's score exceeds 1500; phi2: COC largest; phi3, phi4: COC smallest."""
    (row,) = lowered("phi1").disjuncts[0].rows
    ((index, factor),) = row.outputs
    assert (index, row.strict) == (0, True)
    assert float(Fraction(row.bound) / Fraction(factor)) == pytest.approx(3.991125645861615)
    for name, sign in (("phi2", -1), ("phi3", 1), ("phi4", 1)):
        rows = lowered(name).disjuncts[0].rows
        assert [dict(row.outputs) for row in rows] == [{0: sign, k: -sign} for k in range(1, 5)]
        assert all(row.bound == 0 and not row.strict for row in rows)


@pytest.mark.parametrize("name", OFFICIAL)
def test_the_official_files_agree(name: str) -> None:
    suite = os.environ.get("IBPC_VNNCOMP")
    path = Path(suite or "") / "vnnlib" / f"acasxu__{OFFICIAL[name]}.vnnlib.gz"
    if not suite or not path.is_file():
        pytest.skip("IBPC_VNNCOMP names no folder with the official ACAS Xu properties")
    (official,) = read_property(str(path)).disjuncts
    (ours,) = lowered(name).disjuncts
    assert set(ours.rows) == set(official.rows)
    for mine, theirs in ((ours.lower, official.lower), (ours.upper, official.upper)):
        assert [round(Fraction(one), 9) for one in mine] == [Fraction(Decimal(x)) for x in theirs]
