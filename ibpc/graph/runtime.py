"""onnxruntime, the referee: what a network's bytes compute, by code that is not ours."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.graph.mistakes import RUNTIME, mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

_QUIET = 3
"""Severity from which onnxruntime speaks: errors only."""


class Runtime:
    """A session over ONNX bytes, for many runs of one network.

    Raises: ModelMistake (E0813) where onnxruntime cannot load or run the network.
    """

    def __init__(self, data: bytes, threads: int = 1, origin: str = "the network") -> None:
        import onnxruntime

        self.origin = origin
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _QUIET
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        try:
            self._session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors share no base class
            raise self._failed("cannot load", error) from error

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names that `run` must be fed."""
        return tuple(value.name for value in self._session.get_inputs())

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the inputs as the file declares them, with 1 where an extent is open."""
        return {
            value.name: tuple(
                side if isinstance(side, int) and side > 0 else 1 for side in value.shape
            )
            for value in self._session.get_inputs()
        }

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs by name.

        Feeds are cast to the element types that the network declares, and take the shape that it
        declares where that is fixed and has as many entries: a point of an input without a batch
        axis may come with one.
        """
        declared = {value.name: value for value in self._session.get_inputs()}
        cast = {name: _as_declared(array, declared.get(name)) for name, array in feeds.items()}
        names = [value.name for value in self._session.get_outputs()]
        try:
            arrays = self._session.run(names, cast)
        except Exception as error:  # its errors share no base class
            raise self._failed("cannot run", error) from error
        return dict(zip(names, arrays, strict=True))

    def _failed(self, what: str, error: Exception) -> Exception:
        note = " ".join(str(error).split())[:300]
        problem = f"onnxruntime {what} the network"
        fix = "export the network again, in a form that onnxruntime runs: it is the referee"
        return mistake(RUNTIME, self.origin, problem, fix, (note,))


def run_onnxruntime(
    data: bytes, feeds: Mapping[str, np.ndarray], threads: int = 1
) -> dict[str, np.ndarray]:
    """Run ONNX bytes once; see `Runtime`."""
    return Runtime(data, threads).run(feeds)


def _as_declared(array: np.ndarray, declared: Any) -> np.ndarray:
    """A feed in the element type, and where it fits in the shape, that the network declares."""
    if declared is None:
        return array
    kind = _DTYPES.get(declared.type)
    found = array.astype(kind, copy=False) if kind else array
    fixed = all(isinstance(extent, int) for extent in declared.shape)
    if fixed and prod(declared.shape) == found.size:
        return found.reshape(declared.shape)
    return found


_DTYPES: dict[str, Any] = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
}
