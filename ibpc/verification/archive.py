"""Verdict stores of earlier runs, read together and never written."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ibpc.verification.cells import Cell
from ibpc.verification.store import check_layout, stored_answers, table_names
from ibpc.verification.verdict import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibpc.verification.store import Key, Question
    from ibpc.verification.verdict import Answer


@dataclass(frozen=True)
class Recorded:
    """A cell that some run finished, and the digests of its examples."""

    cell: Cell
    digests: tuple[str, ...]


class Archive:
    """All readable stores among `paths`, the newest first; `unread` says why others are not.

    A context manager. Answers are the same wherever they stand, since keys are content addresses.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self.unread: list[str] = []
        self._stores: list[sqlite3.Connection] = []
        for path in sorted(paths, key=_age):
            try:
                self._stores.append(_opened(path))
            except sqlite3.Error as error:
                self.unread.append(f"{path}: {error}")

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        for store in self._stores:
            store.close()

    def get(self, question: Question, keys: Iterable[Key]) -> dict[Key, Answer]:
        """The answers that any store has; a store that breaks while it is read counts as empty."""
        left = set(keys)
        found: dict[Key, Answer] = {}
        for store in self._stores:
            with suppress(sqlite3.Error):
                _fill_in(found, stored_answers(store, question))
            if all(key in found and _decided(found[key]) for key in left):
                break
        return {key: found[key] for key in left & found.keys()}

    def all_answers(self, question: Question) -> dict[Key, Answer]:
        """Every answer to a question.  Raises sqlite3.Error where a store is broken."""
        found: dict[Key, Answer] = {}
        for store in self._stores:
            _fill_in(found, stored_answers(store, question))
        return found

    def put(self, question: Question, datum: str, proved: tuple[int, ...], answer: Answer) -> None:
        """Never called: an archive is only read."""
        raise AssertionError("an archive of stores is only read")

    def commit(self) -> None:
        """There is nothing to commit."""

    def cells(self) -> Iterator[Recorded]:
        """The cells that runs finished, those of the newest store first, newest first in each."""
        for store in self._stores:
            with suppress(sqlite3.Error):
                if "cells" in table_names(store):
                    yield from _cells(store)


def _decided(answer: Answer) -> bool:
    return not isinstance(answer.verdict, Unknown)


def _fill_in(found: dict[Key, Answer], others: dict[Key, Answer]) -> None:
    """Take what is missing, and verdicts where nothing was found."""
    for key, answer in others.items():
        if key not in found or (_decided(answer) and not _decided(found[key])):
            found[key] = answer


def _opened(path: Path) -> sqlite3.Connection:
    """A store opened for reading; of a disk that cannot be written to, as it lies there."""
    place = f"file:{quote(str(path.resolve()))}?mode=ro"
    try:
        store = sqlite3.connect(place, uri=True, timeout=10.0)
        check_layout(store)
    except sqlite3.OperationalError:
        store = sqlite3.connect(f"{place}&immutable=1", uri=True)
        check_layout(store)
    return store


def _cells(store: sqlite3.Connection) -> Iterator[Recorded]:
    rows = store.execute(
        "SELECT task, report, net, facts, cells.data, digests FROM cells"
        " JOIN data ON data.key = cells.data ORDER BY id DESC"
    )
    for *fields, digests in rows.fetchall():
        yield Recorded(Cell(*fields), tuple(bytes(digests).decode().split(" ")))


def _age(path: Path) -> float:
    """Seconds before the end of time: the newest first."""
    times = [one.stat().st_mtime for one in (path, Path(f"{path}-wal")) if one.exists()]
    return -max(times, default=0.0)
