"""The target that a command line means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, NameMistake, did_you_mean

if TYPE_CHECKING:
    from ibpc.language import Program, Target


def target_of(program: Program, name: str) -> Target:
    """The target of that name.  Raises: NameMistake (E0191)."""
    if name in program.targets:
        return program.targets[name]
    known = ", ".join(program.targets) or "none"
    hint = did_you_mean(name, program.targets)
    fix = hint or f"the file's targets are: {known}; add `run {name} {{ ... }}`"
    problem = f"{program.path} has no run or sweep called `{name}`"
    raise NameMistake(Diagnostic("E0191", problem, fix=fix))
