"""The IR over networkx: records, law, printed text, ONNX reader and writer.

Light at import: networkx, numpy, torch, onnx and onnxruntime are loaded by what needs them.
"""

from ibpc.graph.emit import emit
from ibpc.graph.files import save_bytes, unsaved
from ibpc.graph.fingerprint import Fingerprint, fingerprint
from ibpc.graph.identity import structure_hash, weights_hash
from ibpc.graph.initialise import INITIALISERS, Initialiser, initial_weight
from ibpc.graph.ir import MAX_ENTRIES, Graph, Node, Shape, fresh_name
from ibpc.graph.law import broken_laws, check_law
from ibpc.graph.maps import attach_maps
from ibpc.graph.mistakes import (
    BAD_TENSOR,
    BATCH_AXIS,
    EXPLANATIONS,
    EXPORT_AGAIN,
    PASS_FAILED,
    RANDOM,
    SHAPES,
    SMALLER,
    TOO_LARGE,
    mistake,
)
from ibpc.graph.model_file import model_bytes
from ibpc.graph.node_writer import NodeWriter
from ibpc.graph.own_file import unwritable, with_constants
from ibpc.graph.product import product_graph
from ibpc.graph.reader import load_onnx, read_onnx
from ibpc.graph.runtime import Runtime, run_onnxruntime
from ibpc.graph.text import digest, print_graph
from ibpc.graph.upgrade import NEWEST as NEWEST_OPSET
from ibpc.graph.upgrade import OLDEST as OLDEST_OPSET
from ibpc.graph.upgrade import OPSET
from ibpc.graph.writer import write_onnx

__all__ = [
    "BAD_TENSOR",
    "BATCH_AXIS",
    "EXPLANATIONS",
    "EXPORT_AGAIN",
    "INITIALISERS",
    "MAX_ENTRIES",
    "NEWEST_OPSET",
    "OLDEST_OPSET",
    "OPSET",
    "PASS_FAILED",
    "RANDOM",
    "SHAPES",
    "SMALLER",
    "TOO_LARGE",
    "Fingerprint",
    "Graph",
    "Initialiser",
    "Node",
    "NodeWriter",
    "Runtime",
    "Shape",
    "attach_maps",
    "broken_laws",
    "check_law",
    "digest",
    "emit",
    "fingerprint",
    "fresh_name",
    "initial_weight",
    "load_onnx",
    "mistake",
    "model_bytes",
    "print_graph",
    "product_graph",
    "read_onnx",
    "run_onnxruntime",
    "save_bytes",
    "structure_hash",
    "unsaved",
    "unwritable",
    "weights_hash",
    "with_constants",
    "write_onnx",
]
