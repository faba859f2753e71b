"""Functions that a lowered program calls as they are, instead of recording what they do.

A custom autograd function must be a leaf: recorded operation by operation, its backward is lost.
A leaf's function lives in a module that imports torch alone (`ibpc.domains.rectify`, say), so
that a lowered program can be written out with the source of that whole module
(`inspect.getsource(inspect.getmodule(target))`) and needs nothing of ibpc.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def leaf(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run on tensors; on `torch.fx.Proxy`s record one call of `function` itself."""

    @wraps(function)
    def called(*operands: Any) -> Any:
        from torch.fx import Proxy

        for operand in operands:
            if isinstance(operand, Proxy):
                return operand.tracer.create_proxy("call_function", called, operands, {})
        return function(*operands)

    return called
