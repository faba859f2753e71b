"""The entrance: a file or text of either version to a `Property`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ibpc.exchange.forms import SKIP
from ibpc.exchange.mistakes import NO_NETWORK, mistake
from ibpc.exchange.source import Text, decode, read_text
from ibpc.exchange.vnnlib1 import read_vnnlib1
from ibpc.exchange.vnnlib2 import read_vnnlib2

if TYPE_CHECKING:
    import os

    from ibpc.exchange.property import Property


_ANYTHING = re.compile(SKIP + r"\S")
_FIRST_WORD = re.compile(SKIP + r"\(" + SKIP + r"([a-z-]++)")


def read_property(path: str | os.PathLike[str]) -> Property:
    """The property in a VNN-LIB file of version 1.0 or 2.x, packed with gzip or not.

    Raises: PropertyMistake where the file is absent, damaged, wrong or unsupported.
    """
    return _read(read_text(path), flat=True)


def parse_property(text: str | bytes, origin: str = "property", flat: bool = True) -> Property:
    """The property in a text; `origin` names it in messages.

    The version is told by the first command. `flat = False` keeps the fast tier out, which
    changes the time but not the result.
    Raises: PropertyMistake where the text is wrong or unsupported.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return _read(decode(data, origin), flat)


def _read(text: Text, flat: bool) -> Property:
    if not _ANYTHING.match(text.content):
        raise mistake(NO_NETWORK, f"`{text.origin}` is empty")
    first = _FIRST_WORD.match(text.content)
    second = first is not None and first[1] in {"vnnlib-version", "declare-network"}
    return (read_vnnlib2 if second else read_vnnlib1)(text, flat)
