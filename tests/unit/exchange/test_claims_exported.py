"""Claims written as VNN-LIB 1.0 and 2.x and read again give the same boxes and matrices."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from drawn_claims import Drawn, general

from ibpc.cli import full_vocabulary
from ibpc.errors import IbpcError
from ibpc.exchange import (
    Property,
    claim_property,
    outward_boxes,
    parse_property,
    row_matrices,
    through_maps,
    write_vnnlib1,
    write_vnnlib2,
)
from ibpc.language import DeclaredNet, Fit, OnnxNet, VerifyTask, canonical, check_file
from ibpc.sets import lacks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibpc.language import Claim, Product

    Subject = DeclaredNet | OnnxNet | Product

SPECS = Path(__file__).resolve().parents[3] / "specs"
FILES = sorted(path.relative_to(SPECS).as_posix() for path in SPECS.rglob("*.ibp"))
LIBRARIES = {"gowal.ibp", "cifar_methods.ibp", "mnist_methods.ibp", "svhn_methods.ibp"}
"""They have no plan; their claims are those of the specs that import them."""

BODIES = [
    "z[0] <= z[1] and z[1] < z[2] / 3",
    "z[0] <= 0.1 or z[1] <= 1/3 and z[2] > 2",
    "x[0] <= 0.5 => minimal(z, 2)",
    "[[1, -1, 0.25], [1/7, 0, 1]] @ z <= [1, 2]",
    "exists k in [0 .. 2]: k != 1 and z[k] < z[1]",
    "z[0] == z[1] => z[2] != 0",
]


def exported(task: VerifyTask) -> Property:
    assert isinstance(task.network, DeclaredNet)
    kind = task.network.input
    return claim_property(task.claim, kind, [0.0] * kind.entries, 0)


def same_matrices(one: Property, other: Property) -> None:
    for mine, theirs in zip(one.disjuncts, other.disjuncts, strict=True):
        left, right = row_matrices(mine, one), row_matrices(theirs, other)
        for name in ("outputs", "inputs", "bound", "strict"):
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    boxes = zip(outward_boxes(one.disjuncts), outward_boxes(other.disjuncts), strict=True)
    for side, again in boxes:
        np.testing.assert_array_equal(side, again)


def round_trip(given: Property) -> None:
    second = parse_property(write_vnnlib2(given))
    assert second == given
    same_matrices(given, second)
    first = parse_property(write_vnnlib1(given))
    assert first == given.closed()
    same_matrices(given.closed(), first)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("word", ["forall", "exists"])
def test_every_form_comes_back(body: str, word: str, tmp_path: Path) -> None:
    round_trip(exported(general(tmp_path, body, word)))


@pytest.mark.parametrize("seed", range(100, 140))
def test_drawn_claims_come_back(seed: int, tmp_path: Path) -> None:
    drawn = Drawn(seed)
    text, _ = drawn.body(2)
    round_trip(exported(general(tmp_path, text, drawn.random.choice(["forall", "exists"]))))


# --- every claim of every spec ----------------------------------------------------------------


def claims(path: Path) -> Iterator[tuple[Claim, Subject]]:
    """What the spec's plans verify and train, each once, with what it is claimed of."""
    seen = set[str]()
    for target in check_file(str(path), full_vocabulary()).targets.values():
        for task in target.tasks:
            network = task.network if isinstance(task, VerifyTask) else task
            subject = network.net if isinstance(network, Fit) else network
            found = [task.claim] if isinstance(task, VerifyTask) else []
            if isinstance(network, Fit) and network.claim is not None:
                found.append(network.claim)
            for claim in found:
                key = canonical(claim)
                if key not in seen:
                    seen.add(key)
                    yield claim, subject


def labels(claim: Claim, entries: int) -> list[int]:
    """All labels that the claim speaks of; one of them where the input is large."""
    count = claim.size if claim.argmax else len(claim.rows)
    return list(range(count)) if entries <= 100 else [count // 2]


def datum(subject: Subject) -> list[float]:
    """A random float32 input of the domain, the same every time."""
    kind = subject.input
    domain = kind.domain or ((Fraction(0), Fraction(1)),)
    low, high = np.array([[float(end) for end in pair] for pair in domain]).T
    share = np.random.default_rng(11).random(kind.entries)
    point: list[float] = (low + (high - low) * share).astype(np.float32).tolist()
    return point


def comes_back(given: Property) -> None:
    """Rows exactly; ends of boxes too where they are decimals, others rounded away by an ulp."""
    for write, wanted in ((write_vnnlib2, given), (write_vnnlib1, given.closed())):
        again = parse_property(write(wanted))
        assert [case.rows for case in again.disjuncts] == [case.rows for case in wanted.disjuncts]
        assert parse_property(write(again)) == again
        boxes: dict[tuple[int, int], tuple[object, object]] = {}
        for mine, theirs in zip(wanted.disjuncts, again.disjuncts, strict=True):
            written_box = (theirs.lower, theirs.upper)
            if boxes.setdefault((id(mine.lower), id(mine.upper)), written_box) is not written_box:
                assert boxes[id(mine.lower), id(mine.upper)] == written_box
                continue
            for before, after, sign in (
                (mine.lower, theirs.lower, -1),
                (mine.upper, theirs.upper, 1),
            ):
                for end, written in zip(map(Fraction, before), map(Fraction, after), strict=True):
                    assert written == end if is_decimal(end) else sign * (written - end) > 0
                    assert abs(written - end) <= abs(end) / 2**52
        if [case.lower for case in wanted.disjuncts] == [case.lower for case in again.disjuncts]:
            same_matrices(wanted, again)


def is_decimal(number: Fraction) -> bool:
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


@pytest.mark.parametrize(
    "name",
    [pytest.param(f, marks=pytest.mark.slow) if "imagenet" in f else f for f in FILES],
)
def test_every_claim_of_a_spec_comes_back(name: str) -> None:
    seen = 0
    for claim, subject in claims(SPECS / name):
        eps, point, seen = Fraction(1, 10), datum(subject), seen + 1
        if lacks(claim.set, "query"):
            with pytest.raises(IbpcError, match="is not a box"):
                claim_property(claim, subject.input, point, 0, eps)
            continue
        schedule = eps if claim.set.schedule is not None else None
        for label in labels(claim, subject.input.entries):
            wanted = claim_property(claim, subject.input, point, label, schedule)
            comes_back(wanted)
            if isinstance(subject, OnnxNet):
                comes_back(through_maps(wanted, subject.input_map, subject.output_map))
    assert (seen == 0) == (name in LIBRARIES)
