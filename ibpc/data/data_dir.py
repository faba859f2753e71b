"""Where data sets lie when the command line does not say."""

from __future__ import annotations

import os
from pathlib import Path


def default_data_dir() -> Path:
    """`$IBPC_DATA`, or else `$XDG_CACHE_HOME/ibpc`, or else `~/.cache/ibpc`.

    It is the root that torchvision's data sets use: MNIST lies in `MNIST/raw` below it.
    """
    named = os.environ.get("IBPC_DATA")
    if named:
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "ibpc"
