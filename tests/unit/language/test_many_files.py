"""Checks of several files in one go, and of sweeps in part: nothing is passed over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from checker_words import VOCABULARY
from language_texts import HEAD, PLAN

from ibpc.cli.vocabulary import vocabulary
from ibpc.language import Analysis, analyse, identity

if TYPE_CHECKING:
    from collections.abc import Sequence

SPECS = sorted((Path(__file__).parents[3] / "specs").glob("*.ibp"))

USER = """ibp 1

from "base.ibp" import tiny, table4, fit

run default { table4(fit(tiny)) }
"""


def in_one_go(paths: Sequence[Path], words: object = VOCABULARY) -> list[Analysis]:
    found: list[Analysis] = []
    for path in paths:
        before = found[-1] if found else None
        found.append(analyse(str(path), words, before=before))  # type: ignore[arg-type]
    return found


def written(folder: Path, **texts: str) -> list[Path]:
    paths = [folder / f"{name}.ibp" for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


@pytest.mark.parametrize("order", [1, -1])
def test_specs_mean_the_same_in_one_go(order: int) -> None:
    words = vocabulary()
    for together in in_one_go(SPECS[::order], words):
        assert together.main is not None
        alone = analyse(together.main.path, words)
        mine, other = together.checked(), alone.checked()
        assert {n: [identity(t) for t in x.tasks] for n, x in mine.targets.items()} == {
            n: [identity(t) for t in x.tasks] for n, x in other.targets.items()
        }
        assert (set(mine.files), mine.params, list(mine.nets), list(mine.data)) == (
            set(other.files),
            other.params,
            list(other.nets),
            list(other.data),
        )


def test_a_mistake_in_a_shared_file_is_told_of_every_file(tmp_path: Path) -> None:
    broken = HEAD + PLAN.replace("net tiny: Image -> Logits {", "net tiny: Image -> Logits {\n 7")
    unknown = HEAD + PLAN.replace("batch = 100", "").replace("fc 10", "relue")
    for base in (broken, unknown):
        paths = written(tmp_path, base=base, first=USER, second=USER)
        for found in in_one_go(paths):
            assert found.program is None
            assert found.diagnostics


def test_a_mistake_of_one_file_is_none_of_the_next(tmp_path: Path) -> None:
    wrong = USER.replace("table4(fit(tiny))", "table4(fit(tinny))")
    paths = written(tmp_path, base=HEAD + PLAN, first=wrong, second=USER)
    assert [found.program is None for found in in_one_go(paths)] == [False, True, False]


def test_a_file_knows_the_files_that_it_needs_and_no_others(tmp_path: Path) -> None:
    other = 'ibp 1\n\nfrom "base.ibp" import other, fit\n\nrun default { fit(other) }\n'
    paths = written(tmp_path, base=HEAD + PLAN, first=USER, second=other)
    names = [[Path(file).stem for file in found.checked().files] for found in in_one_go(paths)]
    assert names == [["base"], ["first", "base"], ["second", "base"]]


SWEEP = """
sweep many {
    eps in [1/10, 2/10, 3/10, EPS]
    net in [tiny, other]
    run table4(net, eps)
}
"""


def swept(folder: Path, *, thorough: bool, eps: str = "1/4") -> Analysis:
    text = HEAD + PLAN + SWEEP.replace("EPS", eps)
    return analyse(str(written(folder, sweep=text)[0]), VOCABULARY, thorough=thorough)


def test_a_part_of_a_sweep_meets_every_value_of_a_list(tmp_path: Path) -> None:
    whole = swept(tmp_path, thorough=True).checked().targets["many"].tasks
    part = swept(tmp_path, thorough=False).checked().targets["many"].tasks
    assert (len(whole), len(part)) == (8, 6)
    for name in ("eps", "net"):
        values = [{str(task.bindings[name]) for task in tasks} for tasks in (whole, part)]  # type: ignore[union-attr]
        assert values[0] == values[1]


def test_a_part_of_a_sweep_has_the_ends_of_an_interval(tmp_path: Path) -> None:
    text = HEAD + PLAN + "\nsweep s {\n    eps in [0 .. 0.4] by 0.1\n    run table4(tiny, eps)\n}\n"
    paths = written(tmp_path, sweep=text)
    found = analyse(str(paths[0]), VOCABULARY, thorough=False).checked()
    shown = [float(task.bindings["eps"]) for task in found.targets["s"].tasks]  # type: ignore[union-attr]
    assert shown == [0.0, 0.4]


@pytest.mark.parametrize("thorough", [True, False])
def test_a_wrong_value_of_an_axis_is_found_either_way(tmp_path: Path, thorough: bool) -> None:
    found = swept(tmp_path, thorough=thorough, eps="tiny")
    assert found.program is None
    assert any(one.code.startswith("E0") for one in found.diagnostics)


def test_a_block_that_another_file_runs_is_checked_alone_all_the_same(tmp_path: Path) -> None:
    narrow = PLAN.replace(
        "    spec = robust(f, x, y, eps)\n    report test_error",
        "    spec = robust(f, x, y, 1 / (eps - 1/8))\n    report test_error",
    )
    assert narrow != PLAN
    other = 'ibp 1\n\nfrom "base.ibp" import other, fit\n\nrun default { fit(other) }\n'
    paths = written(tmp_path, base=HEAD + narrow, first=USER, second=other)
    together = [[one.code for one in found.diagnostics] for found in in_one_go(paths[1:])]
    alone = [[one.code for one in analyse(str(path), VOCABULARY).diagnostics] for path in paths[1:]]
    assert together == alone
