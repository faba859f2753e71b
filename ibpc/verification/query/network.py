"""The network with the property's forms as its output: g = -(A y + B x), one entry a form."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ibpc.errors import Diagnostic, ModelMistake
from ibpc.graph import Graph, Node, fresh_name

if TYPE_CHECKING:
    from ibpc.exchange import Property
    from ibpc.verification.query.cases import Forms

SIZES, OUTPUTS = "E0830", "E0831"


@dataclass(frozen=True)
class Subject:
    """The bytes that verdicts speak of, the network read from them, and the one that is bounded.

    `graph` is prepared for evaluation and gives g; `outputs` names the value y in it, flat.
    `shape` is the input's, batch axis first.
    """

    data: bytes
    origin: str
    network: Graph
    graph: Graph
    outputs: str
    shape: tuple[int, ...]


def load_subject(data: bytes, origin: str, wanted: Property, forms: Forms) -> Subject:
    """Read a network and append the forms.

    Raises: ModelMistake where it cannot be read or does not fit the property.
    """
    network = load_network(data, origin, wanted)
    ((name, shape),) = network.inputs.items()
    graph, outputs = append_forms(network, name, forms)
    return Subject(data, origin, network, graph, outputs, shape)


def load_network(data: bytes, origin: str, wanted: Property) -> Graph:
    """Read and prepare a network.

    Raises: ModelMistake where it cannot be read or does not fit the property.
    """
    from ibpc.graph import read_onnx
    from ibpc.passes import prepare

    network = prepare(read_onnx(data, origin), "evaluation")
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        counts = f"{len(network.inputs)} inputs and {len(network.outputs)} outputs"
        problem = f"{origin}: the network has {counts}; a property speaks of one of each"
        fix = "export the network with one input and one output"
        raise ModelMistake(Diagnostic(OUTPUTS, problem, fix=fix))
    (shape,) = network.inputs.values()
    _fits("inputs", prod(shape), wanted.inputs, origin, wanted)
    _fits("outputs", _output_entries(network, origin), wanted.outputs, origin, wanted)
    return network


def append_forms(network: Graph, source: str, forms: Forms) -> tuple[Graph, str]:
    """The network with g as its only output, and the name of its flat output."""
    taken = {
        *network.inputs,
        *network.constants,
        *network.producer,
        *(node.name for node in network.nodes),
    }

    def name(stem: str) -> str:
        found = fresh_name(f"property.{stem}", taken)
        taken.add(found)
        return found

    constants = dict(network.constants)
    nodes = list(network.nodes)

    def product(value: str, matrix: np.ndarray, stem: str) -> tuple[str, str]:
        flat, out, weight = name(f"flat_{stem}"), name(f"of_{stem}"), name(f"rows_{stem}")
        constants[weight] = matrix
        nodes.append(Node(flat, "Flatten", (value,), (flat,), {"axis": 1}))
        nodes.append(Node(out, "Gemm", (flat, weight), (out,), {"transB": 1}))
        return out, flat

    out, outputs = product(network.outputs[0], forms.outputs, "outputs")
    if forms.inputs is not None:
        other, _ = product(source, forms.inputs, "inputs")
        total = name("g")
        nodes.append(Node(total, "Add", (out, other), (total,)))
        out = total
    return network.replace(nodes=tuple(nodes), constants=constants, outputs=(out,)), outputs


def _output_entries(network: Graph, origin: str) -> int:
    from ibpc.passes import infer_shapes

    shape = infer_shapes(network).get(network.outputs[0])
    if shape is None:
        problem = f"{origin}: the shape of the network's output is not known"
        raise ModelMistake(Diagnostic(SIZES, problem))
    return prod(shape)


def _fits(what: str, has: int, wants: int, origin: str, wanted: Property) -> None:
    if has == wants:
        return
    problem = f"{wanted.origin} declares {wants} {what}, the network {origin} has {has}"
    fix = "check that the property was written for this network"
    raise ModelMistake(Diagnostic(SIZES, problem, fix=fix))
