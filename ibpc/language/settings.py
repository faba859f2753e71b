"""The settings of a block by name: each once, none unknown, the required ones there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.language.mistakes import suggestion, wrong
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ibpc.language.scopes import Scope


def by_name(
    settings: Sequence[tree.Setting],
    known: Collection[str],
    what: str,
    scope: Scope,
    schedules: bool = False,
) -> dict[str, tree.Setting]:
    """The settings of a block; unknown and doubled ones are reported and left out (E0104, E0114).

    With `schedules`, any name may be a schedule `name(t) = ...`.
    """
    found: dict[str, tree.Setting] = {}
    for setting in settings:
        name = setting.name.text
        is_schedule = isinstance(setting.value, tree.Schedule)
        with scope.world.sink.gathering(setting.span):
            if name in found:
                raise wrong("E0114", f"`{name}` is set twice", setting.name.span, "again here")
            if name not in known and not (schedules and is_schedule):
                fix = suggestion(name, known)
                problem = f"{what} has no setting `{name}`"
                raise wrong("E0104", problem, setting.name.span, "unknown setting", fix)
            found[name] = setting
    return found


def require(settings: dict[str, tree.Setting], name: str, block: tree.Name, fix: str) -> None:
    """Raise TypeMistake E0601 where a required setting is missing."""
    if name not in settings:
        raise wrong(
            "E0601", f"`{block.text}` needs the setting `{name}`", block.span, f"no {name}", fix
        )


def value_of(setting: tree.Setting) -> tree.Expr:
    """The expression of a setting that is no schedule; raises TypeMistake E0605."""
    if isinstance(setting.value, tree.Schedule):
        fix = f"write `{setting.name.text} = ...`"
        problem = f"`{setting.name.text}` does not depend on the step"
        raise wrong("E0605", problem, setting.span, "a schedule", fix)
    return setting.value
