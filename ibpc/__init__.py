"""ibpc: a compiler for provably robust neural networks.

    spec = ibpc.load("specs/digits.ibp")     nets, data, sets, claims and plans as objects
    ibpc.run(spec)                           what `ibpc run` does, with its results
    path = ibpc.train(spec)                  one trained network, as an ONNX file
    ibpc.bounds(path, lower, upper)          sound bounds of its outputs over a box
    ibpc.verify(path, "property.vnnlib")     a verdict, with a replayed witness

Importing it loads nothing; each function loads what it needs when it is first called.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ibpc.api import (
        Answer,
        Block,
        Bounds,
        NetView,
        Plan,
        Spec,
        bounds,
        load,
        robustness,
        run,
        train,
        verify,
    )
    from ibpc.errors import IbpcError

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Block",
    "Bounds",
    "IbpcError",
    "NetView",
    "Plan",
    "Spec",
    "__version__",
    "bounds",
    "load",
    "robustness",
    "run",
    "train",
    "verify",
]


Method = Literal["ibp", "crown", "alpha-crown"]


class _Room(ModuleType):
    """The room `ibpc.bounds`, which can be called like the function of the same name."""

    def __call__(
        self,
        model: Any,
        lower: Any,
        upper: Any,
        method: Literal["ibp", "crown", "alpha-crown"] = "ibp",
    ) -> Any:
        """See `ibpc.api.bounds`."""
        from ibpc.api import bounds

        return bounds(model, lower, upper, method)


class _Package(ModuleType):
    """Lets the room that the import system enters under the name `bounds` be called, too."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "bounds" and isinstance(value, ModuleType):
            value.__class__ = _Room
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    """The public names, loaded when they are first used."""
    if name not in __all__:
        raise AttributeError(f"module 'ibpc' has no attribute {name!r}")
    if name == "bounds":
        return import_module("ibpc.bounds")
    return getattr(import_module("ibpc.errors" if name == "IbpcError" else "ibpc.api"), name)
