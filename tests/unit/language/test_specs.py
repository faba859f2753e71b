"""Claims: Eq. 3 recognised, rows written out, what lies outside refused."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from drawn_claims import Drawn, general
from language_texts import PLAN, program

from ibpc.language import Application, InputSet, Product, Row, Symbol, VerifyTask

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.language import Claim

ONE = Fraction(1)


def claim(folder: Path, body: str, head: str = "x0: Image, y: Digit, eps: real") -> Claim:
    text = f"""{PLAN}
spec mine(f: Image -> Logits, {head}) {{
    {body}
}}

verify mine_only(f: Image -> Logits = tiny) {{
    data = mnist.test
    spec = mine(f, x, y, 0.1)
    report r = by ibp
}}
"""
    task = program(folder, text).targets["mine_only"].tasks[0]
    assert isinstance(task, VerifyTask)
    return task.claim


EQ_3 = [
    "forall k != y: z[k] - z[y] <= 0",
    "forall k != y: z[k] <= z[y]",
    "forall k != y: z[y] >= z[k]",
    "forall k != y: 2 * z[k] - 2 * z[y] <= 0",
    "argmax(z) == y",
    "maximal(z, y)",
    "forall k in Digit: k != y => z[k] <= z[y]",
    "forall j in Digit: j == y or not (z[j] > z[y])",
]


@pytest.mark.parametrize("body", EQ_3)
def test_eq_3_is_recognised_however_it_is_written(body: str, tmp_path: Path) -> None:
    found = claim(tmp_path, f"forall x in ball(x0, eps), z = f(x): {body}")
    assert (found.argmax, found.strict, found.rows, found.size) == (True, False, (), 10)
    assert found.set == InputSet("ball", eps=Fraction(1, 10))


def test_a_strict_claim_stays_strict(tmp_path: Path) -> None:
    found = claim(tmp_path, "forall x in ball(x0, eps), z = f(x): forall k != y: z[k] < z[y]")
    assert (found.argmax, found.strict) == (True, True)


@pytest.mark.parametrize(
    "body",
    [
        "forall k != y: z[y] - z[k] <= 0",
        "forall k != y: z[k] - z[y] <= 1",
        "forall k != y: z[k] + z[y] <= 0",
        "forall k in Digit: k != 3 => z[k] <= z[y]",
    ],
)
def test_what_only_resembles_eq_3_is_written_out(body: str, tmp_path: Path) -> None:
    found = claim(tmp_path, f"forall x in ball(x0, eps), z = f(x): {body}")
    assert not found.argmax
    assert len(found.rows) == 10


def test_rows_are_exact_and_have_the_papers_sign(tmp_path: Path) -> None:
    """z[3] + z[4] / 10 - 2 <= 0 and 0 < z[1] become C z + d <= 0 (Eq. 2)."""
    body = "forall x in ball(x0, eps), z = f(x): z[3] + 0.1 * z[4] <= 2 and 0 < z[1]"
    found = claim(tmp_path, body)
    assert found.rows == (
        (
            Row(((3, ONE), (4, Fraction(1, 10))), Fraction(-2), strict=False),
            Row(((1, -ONE),), Fraction(0), strict=True),
        ),
    )


def test_a_chain_is_a_conjunction_and_an_equation_two_rows(tmp_path: Path) -> None:
    found = claim(tmp_path, "forall x in ball(x0, eps), z = f(x): -1 <= z[0] <= 1 and z[1] == 2")
    (rows,) = found.rows
    assert [row.constant for row in rows] == [-1, -1, -2, 2]


def test_several_lines_are_a_conjunction(tmp_path: Path) -> None:
    line = "forall x in ball(x0, eps), z = f(x): z[{}] <= 0"
    found = claim(tmp_path, line.format(0) + "\n    " + line.format(1))
    assert [row.coefficients for row in found.rows[0]] == [((0, ONE),), ((1, ONE),)]


def test_lets_are_constants(tmp_path: Path) -> None:
    body = "let bound = 2 * eps\n    forall x in ball(x0, bound), z = f(x): z[0] <= bound"
    found = claim(tmp_path, body)
    assert found.set.eps == Fraction(1, 5)
    assert found.rows[0][0].constant == Fraction(-1, 5)


def test_a_claim_about_one_label_only(tmp_path: Path) -> None:
    found = claim(tmp_path, "forall x in ball(x0, eps), z = f(x): y == 3 => z[0] <= z[3]")
    assert [len(rows) for rows in found.rows] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]


def test_a_box_around_the_datum_is_the_ball(tmp_path: Path) -> None:
    body = "forall x in box(x0 - eps, x0 + eps), z = f(x): z[0] <= 0"
    assert claim(tmp_path, body).set == InputSet("ball", eps=Fraction(1, 10))


def test_a_thousand_classes_cost_nothing(tmp_path: Path) -> None:
    text = """
type Many = real[index[1000]]
type Wide = index[1000]

data many: (x: Image, y: Wide) {
    source = image_folder("pictures")
}

spec robust(f: Image -> real[Wide], x0: Image, y: Wide, eps: real) {
    forall x in ball(x0, eps), z = f(x): forall k != y: z[k] <= z[y]
}

net wide: Image -> real[Wide] {
    out
}

verify v(f: Image -> real[Wide] = wide) {
    data = many.test
    spec = robust(f, x, y, 1/255)
    report r = by ibp
}
"""
    task = (
        program(tmp_path, text.replace("type Many = real[index[1000]]\n", "")).targets["v"].tasks[0]
    )
    assert isinstance(task, VerifyTask)
    assert (task.claim.argmax, task.claim.size) == (True, 1000)


ACAS = """
unit ft
unit rad
unit deg = pi / 180 * rad

enum Advisory { COC, WL, WR }

record Encounter {
    rho: ft in [0 .. 60760]
    theta: rad in [-pi .. pi]
    psi: deg in [-180 .. 180]
}

type Score = real[Advisory]

const mean = [19791.091, 0, 0]
const range = [60261, 2 * pi, 2]

net acas: Encounter -> Score = onnx("nets/acas.onnx") {
    input = (x - mean) / range
    output = 373.94992 * y + 7.518884
}

set near() = box(
    rho = [1500 ft .. 70000 ft],
    psi = [3 rad .. 10 rad],
)

spec phi(f: Encounter -> Score) {
    forall s in near, z = f(s): minimal(z, COC) and z[WL] < z[WR]
}

verify v(f: Encounter -> Score = acas) {
    spec = phi(f)
    report r = by ibp then mip
}
"""


def test_boxes_are_in_the_fields_units_and_cut_with_the_domain(tmp_path: Path) -> None:
    found = program(tmp_path, ACAS)
    task = found.targets["v"].tasks[0]
    assert isinstance(task, VerifyTask)
    box = task.claim.set
    assert (task.data, box.kind) == (None, "box")
    assert box.lower[0] == 1500
    assert box.upper[0] == 60760
    assert float(box.lower[2]) == pytest.approx(171.887338539)
    assert box.upper[2] == 180
    assert [one.code for one in found.warnings] == ["W0501"]


def test_maps_of_a_network_by_reference_are_exact(tmp_path: Path) -> None:
    net = program(tmp_path, ACAS).nets["acas"]
    assert net.input_map.scale[0] == 1 / Fraction(60261)
    assert net.input_map.offset[0] == Fraction("-19791.091") / 60261
    assert net.output_map.scale == (Fraction("373.94992"),)
    assert net.output_map.offset == (Fraction("7.518884"),)
    assert net.input.labels == ("rho", "theta", "psi")


def test_the_file_of_a_network_is_hashed(tmp_path: Path) -> None:
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "acas.onnx").write_bytes(b"abc")
    found = program(tmp_path, ACAS)
    assert found.nets["acas"].sha256.startswith("ba7816bf8f01cfea")
    assert found.warnings == ()


def test_a_recipes_radius_is_a_schedule(tmp_path: Path) -> None:
    fit = program(tmp_path, PLAN).targets["default"].tasks[0].network
    assert fit.claim.set.eps == Symbol("eps")


def told(claim_: Claim, label: int, values: list[Fraction]) -> bool:
    """Whether a claim's rows and clauses hold at exact outputs (and inputs behind them)."""
    rows = claim_.rows[label if len(claim_.rows) > 1 else 0]

    def holds(row: Row) -> bool:
        total = row.constant + sum(f * values[k] for k, f in row.coefficients)
        return total < 0 or (total == 0 and not row.strict)

    return all(any(holds(rows[r]) for r in clause) for clause in claim_.clauses_of(label))


@pytest.mark.parametrize("seed", range(60))
def test_clauses_say_what_the_text_says(seed: int, tmp_path: Path) -> None:
    drawn = Drawn(seed)
    text, truth = drawn.body(2)
    word = drawn.random.choice(["forall", "exists"])
    claim_ = general(tmp_path, text, word).claim
    assert claim_.exists == (word == "exists")
    for _ in range(200):
        z = [Fraction(drawn.random.randint(-4, 4), 2) for _ in range(3)]
        x = [Fraction(drawn.random.randint(0, 4), 2) for _ in range(2)]
        wanted = truth(z, x) != claim_.exists
        assert told(claim_, 0, [*z, *x]) == wanted, (text, z, x)


def test_an_implication_keeps_the_premise_and_the_strictness(tmp_path: Path) -> None:
    found = general(tmp_path, "z[0] <= 0 => z[1] < 1").claim
    assert found.rows == (
        (
            Row(((0, -ONE),), Fraction(0), strict=True),
            Row(((1, ONE),), Fraction(-1), strict=True),
        ),
    )
    assert found.clauses == (((0, 1),),)
    assert (found.inputs, found.argmax) == (0, False)


def test_a_matrix_of_a_file_bounds_the_outputs(tmp_path: Path) -> None:
    (tmp_path / "polytope.csv").write_text("# C\n1; -1; 0.1\n0; 2; 1/3\n", encoding="utf-8")
    found = general(tmp_path, 'table("polytope.csv") @ z <= [1, 2]').claim
    assert found.rows[0] == (
        Row(((0, ONE), (1, -ONE), (2, Fraction(1, 10))), Fraction(-1), strict=False),
        Row(((1, Fraction(2)), (2, Fraction(1, 3))), Fraction(-2), strict=False),
    )
    refused = general(tmp_path, 'not (table("polytope.csv") @ z <= [1, 2])').claim
    assert refused.clauses == (((0, 1),),)
    assert all(row.strict for row in refused.rows[0])


def test_a_claim_may_speak_of_fields_in_their_units(tmp_path: Path) -> None:
    spec = """
spec phi(f: Encounter -> Score) {
    forall s in near, z = f(s): s.psi <= 3.1 rad and s.rho >= 2 * s.rho => z[WL] < z[WR]
}
"""
    start, end = ACAS.index("spec phi"), ACAS.index("verify v")
    task = program(tmp_path, ACAS[:start] + spec + ACAS[end:]).targets["v"].tasks[0]
    assert isinstance(task, VerifyTask)
    premise = task.claim.rows[0][0]
    ((column, factor),) = premise.coefficients
    assert (column, task.claim.inputs) == (3 + 2, 3)
    in_degrees = -premise.constant / factor
    assert float(in_degrees) == pytest.approx(3.1 * 180 / 3.141592653589793)


TWO = """
type Point = real[2] in [0 .. 2]

net one: Point -> real[3] {
    out
}

net two: Point -> real[3] {
    fc 4
    out
}

spec near_equal(f: Point -> real[3], g: Point -> real[3], tau: real) {
    forall x in Point: forall k in [0 .. 2]: -tau <= f(x)[k] - g(x)[k] <= tau
}

spec monotone(f: Point -> real[3], i: int) {
    forall x in Point, x' in box([0, 1], [3, 4]):
        x[i] <= x'[i] and agree(x, x', except = i) => f(x)[0] <= f(x')[0]
}

verify both(f: Point -> real[3] = one, g: Point -> real[3] = two) {
    spec = near_equal(f, g, 1/4)
    report r = by ibp
}

verify rising(f: Point -> real[3] = one) {
    spec = monotone(f, 1)
    report r = by ibp
}
"""


def test_two_networks_are_one_whose_outputs_stand_behind_each_other(tmp_path: Path) -> None:
    task = program(tmp_path, TWO).targets["both"].tasks[0]
    assert isinstance(task, VerifyTask)
    product = task.network
    assert isinstance(product, Product)
    assert [one.name for one in product.networks] == ["one", "two"]
    assert product.applications == (Application(0, None), Application(1, None))
    assert (product.output.shape, task.claim.size, task.claim.set.kind) == ((6,), 6, "domain")
    assert task.claim.rows[0][:2] == (
        Row(((0, -ONE), (3, ONE)), Fraction(-1, 4), strict=False),
        Row(((0, ONE), (3, -ONE)), Fraction(-1, 4), strict=False),
    )


def test_what_a_claim_makes_equal_is_one_input(tmp_path: Path) -> None:
    """x' differs from x in entry 1 only; entry 0 lies in both sets."""
    task = program(tmp_path, TWO).targets["rising"].tasks[0]
    assert isinstance(task, VerifyTask)
    product = task.network
    assert isinstance(product, Product)
    assert product.applications == (Application(0, (0, 1)), Application(0, (0, 2)))
    assert task.claim.set == InputSet("box", lower=(0, 0, 1), upper=(2, 2, 2))
    assert task.claim.clauses == (((0, 1),),)
    assert task.claim.rows[0] == (
        Row(((7, -ONE), (8, ONE)), Fraction(0), strict=True),
        Row(((0, ONE), (3, -ONE)), Fraction(0), strict=False),
    )
