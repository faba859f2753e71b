"""`builtin(mnist)`: a data set known by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.data.collected import collect
from ibpc.data.record import Builtin, Raw, Source
from ibpc.language import Entry, Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.data.record import Request

KNOWN: Mapping[str, Builtin] = {one.name: one for one in collect("ibpc.data.builtin", Builtin)}


def whole(arguments: Mapping[str, Any]) -> bool:
    """As the named data set says."""
    return KNOWN[arguments["name"]].whole


def read(request: Request) -> Raw:
    """As the named data set does."""
    return KNOWN[request.arguments["name"]].read(request)


SOURCE = Source(
    Entry(
        "builtin",
        (
            Slot(
                "name",
                "word",
                choices=tuple(KNOWN),
                positional=True,
                doc="which data set: " + "; ".join(f"{k}: {v.source}" for k, v in KNOWN.items()),
            ),
        ),
        "a data set known by name; all but `digits` are downloaded where absent",
    ),
    whole,
    read,
)
