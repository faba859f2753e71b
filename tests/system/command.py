"""The type of the fixture `ibpc`: arguments in, finished process out."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

Ibpc = Callable[..., CompletedProcess[str]]
