"""onnxruntime, the referee: what a network's bytes compute, by code that is not ours."""

from __future__ import annotations

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

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs by name; feeds are cast to the element types that the network declares."""
        types = {value.name: _DTYPES.get(value.type) for value in self._session.get_inputs()}
        cast = {
            name: array.astype(types[name], copy=False) if types.get(name) else array
            for name, array in feeds.items()
        }
        names = [value.name for value in self._session.get_outputs()]
        try:
            arrays = self._session.run(names, cast)
        except Exception as error:  # its errors share no base class
            raise self._failed("cannot run", error) from error
        return dict(zip(names, arrays, strict=True))

    def _failed(self, what: str, error: Exception) -> Exception:
        note = " ".join(str(error).split())[:300]
        return mistake(RUNTIME, self.origin, f"onnxruntime {what} the network", notes=(note,))


def run_onnxruntime(
    data: bytes, feeds: Mapping[str, np.ndarray], threads: int = 1
) -> dict[str, np.ndarray]:
    """Run ONNX bytes once; see `Runtime`."""
    return Runtime(data, threads).run(feeds)


_DTYPES: dict[str, Any] = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
}
