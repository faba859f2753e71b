"""W0614 and W0612 are told of what cannot be meant, and of nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibpc.cli.vocabulary import vocabulary
from ibpc.language import analyse

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """ibp 1

type Point = real[3] in [0 .. 1]
type Kind = index[3]

net small: Point -> real[Kind] {{
    out
}}

data toy: (x: Point, y: Kind) {{
    source = scatter(n = 20, positives = 8, separation = 0.05, seed = 1)
}}

spec mine(f: Point -> real[Kind], x0: Point, y: Kind) {{
    {claim}
}}

verify v(f: Point -> real[Kind]) {{
    data = toy
    spec = mine(f, x, y)
    report test_error = by forward(argmax(f(x)) == y)
    report bounds = by ibp
}}

run default {{
    v(small)
}}
"""


def codes(claim: str, folder: Path) -> set[str]:
    path = str(folder / "a.ibp")
    text = TEXT.format(claim=claim)
    found = analyse(path, vocabulary(), {}, {path: text}).diagnostics
    assert not [one for one in found if one.severity == "error"], [one.problem for one in found]
    return {one.code for one in found}


BALL = "forall x in ball(x0, 0.1), z = f(x): "


@pytest.mark.parametrize(
    "claim",
    ["forall k != y: z[y] - z[k] <= 0", "forall k != y: 2 * z[k] >= 2 * z[y]"],
)
def test_the_opposite_of_the_report_is_told(claim: str, tmp_path: Path) -> None:
    assert codes(BALL + claim, tmp_path) == {"W0614"}


@pytest.mark.parametrize(
    "claim",
    [
        "forall k != y: z[k] - z[y] <= 0",
        "forall k != y: z[y] - z[k] <= 1",
        "forall k != y: z[y] - 2 * z[k] <= 0",
        "z[0] - z[y] <= 1",
        "z[0] <= z[1]",
        "forall k != y: x[0] >= 0 => z[y] <= z[k]",
    ],
)
def test_other_claims_are_not_told(claim: str, tmp_path: Path) -> None:
    assert codes(BALL + claim, tmp_path) == set()


def test_what_exists_nowhere_fails_whatever_the_network_does(tmp_path: Path) -> None:
    path = str(tmp_path / "a.ibp")
    text = TEXT.format(claim="exists x in Point, z = f(x): x[0] >= 2 and z[0] >= z[1]")
    (found,) = analyse(path, vocabulary(), {}, {path: text}).diagnostics
    assert (found.code, found.label) == ("W0612", "fails whatever the network does")


@pytest.mark.parametrize(
    ("premise", "told"),
    [
        ("x[0] >= 2", True),
        ("x[0] > 1", True),
        ("x[0] + x[1] >= 2.5", True),
        ("x[0] - x[1] > 1", True),
        ("x[0] >= 1", False),
        ("x[0] + x[1] >= 2", False),
        ("x[0] >= 2 or x[1] >= 0.5", False),
        ("x[0] >= 2 and x[1] >= 0.5", True),
        ("x[0] >= 1/2 and x[0] <= 1/2", False),
    ],
)
def test_a_premise_is_told_where_no_point_of_the_box_makes_it_true(
    premise: str, told: bool, tmp_path: Path
) -> None:
    claim = f"forall x in Point, z = f(x): {premise} => z[0] <= z[1]"
    assert codes(claim, tmp_path) == ({"W0612"} if told else set())
