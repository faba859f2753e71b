"""The verdict store: one SQLite file, one writer, rows keyed by what was asked.

A question is (claim with its set and radius, the network's bytes, a stage with its arguments, the
rows already proved), and each datum has one row under it. The keys are content hashes, so moving a
folder, renaming a spec or editing a comment invalidates nothing, and changing a weight, a pixel or
a seed invalidates exactly what it touches. A verdict that was found within one time limit holds
under any other; that nothing was found, under smaller ones. Answers are only ever added. In WAL
mode, what was committed survives `kill -9`.

Beside the answers stand the cells that runs have finished (ibpc.verification.cells): not needed to
find an answer again, but to say later why one is missing. Stores of earlier runs (`elders`) are
read where this one has no answer, and what they know is copied.
"""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ibpc.errors import Diagnostic, FileMistake
from ibpc.verification.verdict import Answer, Evidence, Holds, Unknown, Verdict, Violated, Witness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ibpc.verification.cells import Cell

VERSION = 2
"""The layout of the tables; a file with another one is not read."""

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE questions (
    id INTEGER PRIMARY KEY,
    claim TEXT NOT NULL,
    network TEXT NOT NULL,
    stage TEXT NOT NULL,
    limit_s REAL NOT NULL,
    UNIQUE (claim, network, stage, limit_s)
);
CREATE TABLE answers (
    question INTEGER NOT NULL REFERENCES questions (id),
    datum TEXT NOT NULL,
    proved TEXT NOT NULL,
    verdict TEXT NOT NULL,
    why TEXT NOT NULL,
    evidence TEXT NOT NULL,
    witness BLOB,
    rows_proved TEXT NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (question, datum, proved)
) WITHOUT ROWID;
"""


_CELL_TABLES = """
CREATE TABLE IF NOT EXISTS data (key TEXT PRIMARY KEY, digests BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS cells (
    id INTEGER PRIMARY KEY,
    task TEXT NOT NULL,
    report TEXT NOT NULL,
    net TEXT NOT NULL,
    facts TEXT NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (task, report, net, facts, data)
);
"""

_SAME = "claim = ? AND network = ? AND stage = ?"

Key = tuple[str, tuple[int, ...]]
"""A datum's digest, and the rows proved before."""


class Answers(Protocol):
    """Where answers are found, and put."""

    def get(self, question: Question, keys: Iterable[Key]) -> dict[Key, Answer]:
        """The answers that are known."""

    def put(self, question: Question, datum: str, proved: tuple[int, ...], answer: Answer) -> None:
        """Adds one answer, which `commit` makes safe."""

    def commit(self) -> None:
        """Makes everything put so far safe."""


@dataclass(frozen=True)
class Question:
    """What one stage is asked of each datum: hashes of claim and network, and the stage's text.

    `limit_s` is the time that it may take for one datum.
    """

    claim: str
    network: str
    stage: str
    limit_s: float = math.inf


class Store:
    """Verdicts in a file; a context manager. Only the driver process writes.

    Raises FileMistake (E0531) where the file is not a verdict store or cannot be used.
    """

    def __init__(self, path: Path | str, elders: Answers | None = None) -> None:
        self.path = str(path)
        self._elders = elders
        self._numbers: dict[Question, int] = {}
        with self._told():
            # Transactions are ours to begin and end.
            self._db = sqlite3.connect(self.path, timeout=10.0, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._prepare()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Commits and closes; what was put is on disk."""
        self.commit()
        self._db.close()

    def get(self, question: Question, keys: Iterable[Key]) -> dict[Key, Answer]:
        """The answers that are known, here or to the elders."""
        wanted = list(keys)
        with self._told():
            known = stored_answers(self._db, question)
        found = {key: known[key] for key in wanted if key in known}
        if self._elders is not None and len(found) < len(wanted):
            others = self._elders.get(question, [key for key in wanted if key not in found])
            for (datum, proved), answer in others.items():
                self.put(question, datum, proved, answer)
            self.commit()
            found |= others
        return found

    def record(self, cell: Cell, digests: Sequence[str]) -> None:
        """Notes that a cell is finished, on the data with these digests."""
        with self._told():
            self.commit()
            self._db.execute("BEGIN")
            blob = " ".join(digests).encode()
            self._db.execute("INSERT OR IGNORE INTO data VALUES (?, ?)", (cell.data, blob))
            row = (cell.task, cell.report, cell.net, cell.facts, cell.data)
            self._db.execute(
                "INSERT OR REPLACE INTO cells (task, report, net, facts, data)"
                " VALUES (?, ?, ?, ?, ?)",
                row,
            )
        self.commit()

    def put(self, question: Question, datum: str, proved: tuple[int, ...], answer: Answer) -> None:
        """Adds one answer, which `commit` makes safe."""
        with self._told():
            number = self._number(question)
            if not self._db.in_transaction:
                self._db.execute("BEGIN")
            self._db.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, datum, json.dumps(proved), *_written(answer)),
            )

    def commit(self) -> None:
        """Makes everything put so far safe against a crash."""
        with self._told():
            if self._db.in_transaction:
                self._db.execute("COMMIT")

    def _prepare(self) -> None:
        if not table_names(self._db):
            self._db.executescript(
                f"BEGIN; {_TABLES} INSERT INTO meta VALUES ('version', '{VERSION}'); COMMIT;"
            )
        check_layout(self._db)
        self._db.executescript(_CELL_TABLES)

    def _number(self, question: Question) -> int:
        """The question's row, made where it is new."""
        if question in self._numbers:
            return self._numbers[question]
        fields = (question.claim, question.network, question.stage, question.limit_s)
        self._db.execute(
            "INSERT OR IGNORE INTO questions (claim, network, stage, limit_s) VALUES (?, ?, ?, ?)",
            fields,
        )
        find = f"SELECT id FROM questions WHERE {_SAME} AND limit_s = ?"
        self._numbers[question] = int(self._db.execute(find, fields).fetchone()[0])
        return self._numbers[question]

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's complaints as a message for the user."""
        try:
            yield
        except sqlite3.Error as error:
            raise FileMistake(
                Diagnostic(
                    "E0531",
                    f"the verdict store {self.path} cannot be used: {error}",
                    fix="if another run has it open, wait for that; else move the file away: its"
                    " verdicts are then computed again",
                )
            ) from error


def table_names(db: sqlite3.Connection) -> set[str]:
    """The tables that a file holds."""
    return {name for (name,) in db.execute("SELECT name FROM sqlite_master")}


def check_layout(db: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError where the file is not a verdict store of this layout."""
    if "meta" not in table_names(db):
        raise sqlite3.DatabaseError("its tables are not those of a verdict store")
    row = db.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
    if row is None or row[0] != str(VERSION):
        raise sqlite3.DatabaseError(f"its layout is version {row and row[0]}, not {VERSION}")


def stored_answers(db: sqlite3.Connection, question: Question) -> dict[Key, Answer]:
    """All answers to one question: its own, and those under other limits that hold for it too."""
    found: dict[Key, Answer] = {}
    rows = db.execute(
        "SELECT datum, proved, verdict, why, evidence, witness, rows_proved, seconds"
        f" FROM answers JOIN questions ON answers.question = questions.id WHERE {_SAME}"
        " AND (limit_s >= ? OR verdict != 'unknown')"
        " ORDER BY verdict = 'unknown' DESC, limit_s = ?",  # the best ones last
        (question.claim, question.network, question.stage, question.limit_s, question.limit_s),
    )
    for datum, proved, *rest in rows:
        found[datum, tuple(json.loads(proved))] = _read(rest)
    return found


def _written(answer: Answer) -> tuple[Any, ...]:
    verdict = answer.verdict
    witness: Witness | None = None
    evidence: Evidence | None = None
    why = ""
    match verdict:
        case Holds():
            evidence = verdict.evidence
        case Violated():
            witness, evidence = verdict.witness, verdict.witness.evidence
        case Unknown():
            why, evidence = verdict.why, verdict.evidence
    text = {} if evidence is None else {"method": evidence.method, "facts": dict(evidence.facts)}
    blob = None if witness is None else witness.point.astype("<f4").tobytes()
    proved = json.dumps(answer.proved)
    return verdict.kind, why, json.dumps(text, sort_keys=True), blob, proved, answer.seconds


def _read(fields: list[Any]) -> Answer:
    kind, why, text, blob, proved, seconds = fields
    found = json.loads(text)
    evidence = Evidence(found["method"], found["facts"]) if found else None
    return Answer(_verdict(kind, why, evidence, blob), tuple(json.loads(proved)), seconds)


def _verdict(kind: str, why: str, evidence: Evidence | None, blob: bytes | None) -> Verdict:
    import numpy as np

    if kind == "holds" and evidence is not None:
        return Holds(evidence)
    if kind == "violated" and evidence is not None and blob is not None:
        return Violated(Witness(np.frombuffer(blob, dtype="<f4").astype(np.float32), evidence))
    if kind == "unknown":
        return Unknown(why, evidence)
    raise sqlite3.DatabaseError(f"a row says `{kind}` without its evidence")
