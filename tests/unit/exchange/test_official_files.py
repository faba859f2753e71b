"""All property files of the development suite, where it is at hand (IBPC_VNNCOMP)."""

from __future__ import annotations

import csv
import gzip
import os
import time
from pathlib import Path

import pytest

from ibpc.exchange import parse_property, read_property, write_vnnlib1, write_vnnlib2


@pytest.fixture
def suite() -> Path:
    folder = os.environ.get("IBPC_VNNCOMP", "")
    if not folder or not Path(folder, "instances.csv").is_file():
        pytest.skip("needs IBPC_VNNCOMP to name a folder with instances.csv")
    return Path(folder)


def test_every_official_file_is_read_and_written(
    suite: Path, record_property: pytest.RecordProperty
) -> None:
    with open(suite / "instances.csv", newline="") as table:
        names = sorted({row["vnnlib"] for row in csv.DictReader(table)})
    assert names
    for name in names:
        start = time.perf_counter()
        found = read_property(suite / name)
        seconds = time.perf_counter() - start
        record_property(name, f"{seconds:.3f} s")
        print(f"{seconds:7.3f} s  {found.inputs:6} inputs {len(found.disjuncts):6} cases  {name}")
        assert found.disjuncts, name
        assert not found.warnings, name
        assert seconds < 2, name
        assert parse_property(write_vnnlib1(found)) == found, name
        assert parse_property(write_vnnlib2(found)) == found, name


@pytest.mark.slow
def test_both_tiers_agree_on_every_official_file(suite: Path) -> None:
    for path in sorted((suite / "vnnlib").iterdir()):
        data = path.read_bytes()
        text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        assert parse_property(text, flat=False) == read_property(path), path
