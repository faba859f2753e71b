"""The Python interface: specs as objects, and bounds, verdicts and training as functions.

It stands above the command line because it is the other face of the same engines, and hands them
the same vocabulary. `import ibpc` loads nothing of it; each name is loaded when it is first used.
"""

from ibpc.api.bounding import Bounds, bounds
from ibpc.api.deciding import Answer, robustness, verify
from ibpc.api.running import run, train
from ibpc.api.spec import Block, NetView, Plan, Spec, load

__all__ = [
    "Answer",
    "Block",
    "Bounds",
    "NetView",
    "Plan",
    "Spec",
    "bounds",
    "load",
    "robustness",
    "run",
    "train",
    "verify",
]
