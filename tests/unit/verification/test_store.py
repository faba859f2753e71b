"""The verdict store: what was committed is there again, and nothing else is believed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from ibpc.errors import FileMistake
from ibpc.verification import (
    Answer,
    Archive,
    Evidence,
    Holds,
    Question,
    Store,
    Unknown,
    Violated,
    Witness,
)

QUESTION = Question("claim", "network", "stage")


def test_answers_come_back_as_they_were(tmp_path: Path) -> None:
    point = np.array([0.1, 1e-40, 3.5], dtype=np.float32)
    answers = {
        ("a", ()): Answer(Holds(Evidence("ibp", {"bound": -0.25})), (0, 2), 1.5),
        ("a", (1,)): Answer(Unknown("time-out", Evidence("mip", {"solver": "cbc"}))),
        ("b", ()): Answer(Violated(Witness(point, Evidence("replayed", {"row": 3})))),
        ("c", ()): Answer(Unknown("no evidence")),
    }
    with Store(tmp_path / "store") as store:
        for (datum, proved), answer in answers.items():
            store.put(QUESTION, datum, proved, answer)
    with Store(tmp_path / "store") as store:
        found = store.get(QUESTION, [*answers, ("d", ())])
    assert found.keys() == answers.keys()
    for key, answer in answers.items():
        if key != ("b", ()):
            assert found[key] == answer
    witness = found["b", ()].verdict.witness
    assert witness is not None
    assert witness.point.tobytes() == point.tobytes()
    assert witness.evidence == Evidence("replayed", {"row": 3})


@pytest.mark.parametrize(
    "other",
    [
        Question("other claim", "network", "stage"),
        Question("claim", "other network", "stage"),
        Question("claim", "network", "other stage"),
    ],
)
def test_another_question_has_other_answers(tmp_path: Path, other: Question) -> None:
    with Store(tmp_path / "store") as store:
        store.put(QUESTION, "a", (), Answer(Unknown("why")))
        assert not store.get(other, [("a", ())])
        assert store.get(QUESTION, [("a", ())])


PROOF = Answer(Holds(Evidence("mip", {"solver": "cbc"})))
NOTHING = Answer(Unknown("time-out"))


def of_limit(seconds: float) -> Question:
    return replace(QUESTION, limit_s=seconds)


@pytest.mark.parametrize("elder", [False, True])
def test_a_verdict_holds_under_any_limit_and_a_time_out_under_smaller_ones(
    tmp_path: Path, *, elder: bool
) -> None:
    with Store(tmp_path / "store") as store:
        store.put(of_limit(10.0), "decided", (), PROOF)
        store.put(of_limit(10.0), "open", (), NOTHING)
    archive = Archive([tmp_path / "store"])
    keys: list[tuple[str, tuple[int, ...]]] = [("decided", ()), ("open", ())]
    with Store(tmp_path / ("new" if elder else "store"), archive) as store:
        for seconds in (1.0, 10.0):
            assert set(store.get(of_limit(seconds), keys)) == set(keys)
        for seconds in (11.0, inf):
            assert store.get(of_limit(seconds), keys) == {keys[0]: PROOF}
        assert not store.get(of_limit(20.0), [("decided", (1,))])


def test_a_verdict_counts_before_a_time_out(tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        for limit, answer in ((5.0, NOTHING), (10.0, PROOF), (20.0, NOTHING)):
            store.put(of_limit(limit), "a", (), answer)
        for seconds in (1.0, 5.0, 15.0, 20.0, 25.0):
            assert store.get(of_limit(seconds), [("a", ())]) == {("a", ()): PROOF}
    with Store(tmp_path / "later") as store:
        store.put(of_limit(30.0), "a", (), NOTHING)
    os.utime(tmp_path / "store", (1, 1))
    with Archive([tmp_path / "later", tmp_path / "store"]) as archive:
        assert archive.get(of_limit(20.0), [("a", ())]) == {("a", ()): PROOF}
        assert archive.all_answers(of_limit(20.0)) == {("a", ()): PROOF}


def test_a_file_that_is_no_store_gets_a_message(tmp_path: Path) -> None:
    path = tmp_path / "store"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(FileMistake, match="cannot be used") as caught:
        Store(path)
    assert "move the file away" in caught.value.diagnostics[0].fix


def test_a_store_of_another_layout_gets_a_message(tmp_path: Path) -> None:
    with Store(tmp_path / "store"):
        pass
    with sqlite3.connect(tmp_path / "store") as database:
        database.execute("UPDATE meta SET value = '99'")
    database.close()
    with pytest.raises(FileMistake, match="version 99"):
        Store(tmp_path / "store")


def test_another_database_is_not_written_to(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "store")
    database.execute("CREATE TABLE theirs (x)")
    database.commit()
    database.close()
    with pytest.raises(FileMistake, match="not those of a verdict store"):
        Store(tmp_path / "store")


def test_a_row_without_its_evidence_is_not_believed(tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        store.put(QUESTION, "a", (), Answer(Holds(Evidence("ibp", {}))))
    with sqlite3.connect(tmp_path / "store") as database:
        database.execute("UPDATE answers SET evidence = '{}'")
    database.close()
    with Store(tmp_path / "store") as store, pytest.raises(FileMistake, match="evidence"):
        store.get(QUESTION, [("a", ())])


def test_what_was_committed_survives_a_kill(tmp_path: Path) -> None:
    script = """
import sys
from ibpc.verification import Answer, Evidence, Holds, Question, Store
store = Store(sys.argv[1])
for number in range(10**9):
    answer = Answer(Holds(Evidence("ibp", {"bound": -number})))
    store.put(Question("claim", "network", "stage"), str(number), (), answer)
    store.commit()
    print(number, flush=True)
"""
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "store")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        text=True,
    )
    assert writer.stdout is not None
    announced = [int(writer.stdout.readline()) for _ in range(50)]
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    announced += [int(line) for line in writer.stdout.read().splitlines()]
    writer.stdout.close()
    with Store(tmp_path / "store") as store:
        found = store.get(QUESTION, [(str(number), ()) for number in announced])
    assert len(found) == len(announced)
    for number in announced:
        assert found[str(number), ()].verdict == Holds(Evidence("ibp", {"bound": -number}))
