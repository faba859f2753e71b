"""How long stages show that they go on."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Somebody who is told how far a stage is; what shows training's progress fits."""

    def start(self, total: int, title: str, done: int = 0) -> None:
        """A stage with `total` examples begins; `done` have their answers in the store."""

    def update(self, step: int) -> None:
        """`step` examples have their answers."""

    def finish(self) -> None:
        """The stage is over, done or not."""


class Silent:
    """Tells nobody."""

    def start(self, total: int, title: str, done: int = 0) -> None:
        """Nothing."""

    def update(self, step: int) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""
