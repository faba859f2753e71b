"""A network's file as self-contained ONNX bytes: unpacked, and with external weights put inside.

These bytes are what the reader reads, what onnxruntime replays, and what is hashed.
"""

from __future__ import annotations

import gzip
import zlib
from errno import ENOENT
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ibpc.errors import Diagnostic, FileMistake, ModelMistake
from ibpc.graph.mistakes import EXPORT_AGAIN, EXTERNAL, INVALID, NOT_ONNX, TOO_LARGE, mistake

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

MAX_BYTES = 2**30
"""Larger files are refused (protobuf itself ends at 2 GiB)."""

_GZIP = b"\x1f\x8b"
_ABSENT, _FOLDER, _UNREADABLE = "E0502", "E0503", "E0504"
_INLINE = "save it in one file: onnx.save(onnx.load(path), path, save_as_external_data=False)"


def model_bytes(path: str | os.PathLike[str]) -> bytes:
    """The file's ONNX bytes: a gzip file unpacked, weights in side files put inside.

    Raises: FileMistake where it cannot be read; ModelMistake where it is too large, damaged, or
    keeps weights outside its own folder.
    """
    place = Path(path)
    data = _read(place)
    if data.startswith(_GZIP):
        data = _unpack(data, str(place))
    check_size(len(data), str(place))
    return _with_external(data, place)


def parse_model(data: bytes, origin: str) -> Any:
    """The bytes as `onnx.ModelProto`.  Raises: ModelMistake where they are not one."""
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    check_size(len(data), origin)
    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError) as error:
        raise _not_onnx(origin, str(error)) from error
    if not model.HasField("graph"):
        raise _not_onnx(origin, "there is no graph in it")
    return model


def tensors(message: Any) -> Iterator[Any]:
    """Every tensor of a graph: initialisers, and those in attributes of nodes."""
    yield from message.initializer
    for node in message.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def is_external(tensor: Any) -> bool:
    """Whether a tensor's content lies in another file."""
    import onnx

    return bool(tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data)


def check_size(size: int, origin: str) -> None:
    """Refuse what is larger than MAX_BYTES."""
    if size > MAX_BYTES:
        raise mistake(
            TOO_LARGE,
            origin,
            f"the network takes more than {MAX_BYTES // 2**20} MiB",
            "ibpc is made for networks whose weights fit in memory several times",
        )


def _not_onnx(origin: str, why: str) -> ModelMistake:
    note = " ".join(why.split())[:200]
    return mistake(
        NOT_ONNX, origin, "this is not an ONNX file, or it is damaged", EXPORT_AGAIN, (note,)
    )


def _read(place: Path) -> bytes:
    try:
        check_size(place.stat().st_size, str(place))
        return place.read_bytes()
    except FileNotFoundError as error:
        fix = "check the path; paths in a spec start at the spec's folder"
        raise _unread(_ABSENT, f"there is no file {place}", fix) from error
    except IsADirectoryError as error:
        problem = f"{place} is a folder, not an ONNX file"
        raise _unread(_FOLDER, problem, "name the .onnx file in it") from error
    except OSError as error:
        problem = f"cannot read {place}: {error.strerror or error}"
        raise _unread(_UNREADABLE, problem, "check the file's permissions") from error


def _unread(code: str, problem: str, fix: str) -> FileMistake:
    return FileMistake(Diagnostic(code, problem, fix=fix))


def _unpack(data: bytes, origin: str) -> bytes:
    import io

    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        problem = "the gzip file is damaged"
        raise mistake(NOT_ONNX, origin, problem, EXPORT_AGAIN, (str(error),)) from error


def _with_external(data: bytes, place: Path) -> bytes:
    """Put weights that lie in side files of the same folder inside."""
    if b"location" not in data:  # the key without which no tensor is external
        return data
    model = parse_model(data, str(place))
    outside = [tensor for tensor in tensors(model.graph) if is_external(tensor)]
    if not outside:
        return data
    total = len(data)
    for tensor in outside:
        tensor.raw_data = _side_content(tensor, place)
        total += len(tensor.raw_data)
        check_size(total, str(place))
        del tensor.external_data[:]
        tensor.ClearField("data_location")
    return bytes(model.SerializeToString(deterministic=True))


def _side_content(tensor: Any, place: Path) -> bytes:
    """The bytes of one external tensor."""
    keys = {entry.key: entry.value for entry in tensor.external_data}
    folder = place.parent.resolve()
    try:
        side = (folder / keys.get("location", "")).resolve()
        offset = int(keys.get("offset", "0"))
        length = int(keys["length"]) if "length" in keys else -1
    except (ValueError, OSError) as error:
        problem = f"tensor `{tensor.name}` says wrongly where its weights are"
        raise mistake(INVALID, str(place), problem, _INLINE, (str(error),)) from error
    if not side.is_relative_to(folder) or offset < 0 or length < -1:
        problem = f"tensor `{tensor.name}` keeps its weights outside the network's folder"
        raise mistake(EXTERNAL, str(place), problem, _INLINE)
    try:
        if not side.is_file():  # a pipe in its place would keep us waiting
            raise FileNotFoundError(ENOENT, "there is no such file")
        size = side.stat().st_size
        check_size(size, str(side))
        with side.open("rb") as file:
            file.seek(min(offset, size))
            content: bytes = file.read(min(length, size))
            return content
    except OSError as error:
        problem = f"cannot read the weights of `{tensor.name}` in {side}: {error.strerror}"
        fix = "put the weights' file beside the network, under the name it was exported with"
        raise mistake(EXTERNAL, str(place), problem, fix) from error
