"""`ibpc vnnlib`: property files from VNN-LIB 1.0 to 2.x or back; the standard's verifier."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ibpc.cli import vnnlib_solver
from ibpc.errors import Diagnostic, InternalError, ModelMistake

if TYPE_CHECKING:
    import argparse

    from ibpc.exchange import Interface, Property


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "vnnlib",
        help="convert property files between VNN-LIB 1.0 and 2.x; verify as 2.x says",
        description="Work with VNN-LIB property files of versions 1.0 and 2.x, packed or not.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    convert_parser = actions.add_parser(
        "convert",
        help="write a property in the other version",
        description="Read a property of either version and write it in the other one. What a"
        " version cannot say exactly is told on stderr and in the file's first lines.",
    )
    convert_parser.add_argument("file", metavar="FILE", help="a property (.vnnlib, .vnnlib.gz)")
    convert_parser.add_argument(
        "-o",
        dest="output",
        metavar="OUT",
        type=Path,
        help="where to write; packed if the name ends with .gz (default: stdout)",
    )
    convert_parser.add_argument(
        "--to", choices=("1.0", "2.0"), help="the version to write (default: the other one)"
    )
    convert_parser.add_argument(
        "--network",
        metavar="MODEL",
        type=Path,
        help="an ONNX file whose input and output give the shapes and element types for 2.0"
        " (default: the file's own; from 1.0 one axis of type real)",
    )
    convert_parser.add_argument(
        "--real", action="store_true", help="with --network: keep the element type real"
    )
    convert_parser.set_defaults(function=convert)
    vnnlib_solver.register(actions)


def convert(arguments: argparse.Namespace) -> int:
    """Convert one file."""
    from ibpc.exchange import export_notes, read_property, write_vnnlib1, write_vnnlib2

    given = read_property(arguments.file)
    version = arguments.to or ("2.0" if given.interface.version == "1.0" else "1.0")
    if version == "1.0":
        text = write_vnnlib1(given)
    else:
        text = write_vnnlib2(given, _interface(given, arguments.network, arguments.real))
    notes = export_notes(given, version=int(version[0]))
    if not notes:
        _check_same(given, text)
    for note in (*given.warnings, *notes):
        print(note.render(), file=sys.stderr)
    _write(text, arguments.output)
    return 0


def _check_same(given: Property, text: str) -> None:
    """A written file says what was read."""
    from ibpc.exchange import parse_property

    if parse_property(text) != given:
        raise InternalError("the written property differs from the one that was read")


def _write(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
    elif output.suffix == ".gz":
        output.write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        output.write_text(text, encoding="utf-8")


def _interface(given: Property, network: Path | None, real: bool) -> Interface:
    """The property's own interface, or the one that an ONNX file has."""
    if network is None:
        return given.interface
    from ibpc.exchange import Tensor, with_tensors

    model = _parsed(network)
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in stored]
    if len(inputs) != 1 or len(model.graph.output) != 1:
        raise _wrong_model(
            network,
            f"it has {len(inputs)} inputs and {len(model.graph.output)} outputs",
            "properties speak of networks with one input and one output",
        )
    source, target = (
        Tensor(
            tensor.name,
            "real" if real else _kind(value, network),
            # A dynamic axis is the batch: one example.
            tuple(max(1, axis.dim_value) for axis in value.type.tensor_type.shape.dim),
        )
        for tensor, value in (
            (given.interface.input, inputs[0]),
            (given.interface.output, model.graph.output[0]),
        )
    )
    return with_tensors(given.interface, source, target)


def _kind(value: Any, network: Path) -> str:
    """The element type of an ONNX value."""
    import onnx

    number = value.type.tensor_type.elem_type
    names = {
        onnx.TensorProto.FLOAT: "float32",
        onnx.TensorProto.DOUBLE: "float64",
        onnx.TensorProto.FLOAT16: "float16",
    }
    if number not in names:
        raise _wrong_model(network, f"`{value.name}` holds no real numbers", "see `ibpc ops`")
    return names[number]


def _parsed(network: Path) -> Any:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    from ibpc.graph import model_bytes

    try:
        return onnx.load_model_from_string(model_bytes(network))
    except (DecodeError, ValueError) as error:
        raise _wrong_model(network, f"it is no ONNX file: {error}", "export it again") from None


def _wrong_model(network: Path, problem: str, fix: str) -> ModelMistake:
    return ModelMistake(Diagnostic("E0801", f"{network}: {problem}", fix=fix))
