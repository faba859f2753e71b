"""`forall x in Type`: everything that the input's type allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.sets.record import SetForm

if TYPE_CHECKING:
    from ibpc.language import InputSet


def around(_: InputSet, x: Any, __: Any) -> tuple[Any, Any]:
    """No bounds of its own: the domain cuts it to a box."""
    import torch

    return torch.full_like(x, -torch.inf), torch.full_like(x, torch.inf)


def bounds(_: InputSet, __: Any, ___: bool) -> tuple[Any, Any]:
    """No bounds of its own."""
    return None, None


FORM = SetForm(kind="domain", entry=None, around=around, bounds=bounds)
