"""Model mistakes (E08xx): what is wrong with a network's file, said with the file's name.

An ONNX file has no lines to point at, so the place is the file's name and the node's.
"""

from __future__ import annotations

from ibpc.errors import Diagnostic, ModelMistake

NOT_ONNX = "E0801"
TOO_LARGE = "E0802"
VERSION = "E0803"
FOREIGN = "E0804"
EXTERNAL = "E0805"
INVALID = "E0806"
BAD_TENSOR = "E0807"
BAD_INPUT = "E0808"
OLD_FORM = "E0809"
LAW = "E0810"
SHAPES = "E0811"
BATCH_AXIS = "E0812"
RUNTIME = "E0813"
NOT_WRITABLE = "E0814"
RANDOM = "E0815"
PASS_FAILED = "E0890"

EXPLANATIONS = {
    NOT_ONNX: "The bytes are not an ONNX model, or not a whole one.",
    TOO_LARGE: "The file is larger than 1 GiB, or a value has more than 2^26 entries.",
    VERSION: "ibpc reads ONNX IR versions 3 to 10 and opsets 7 to 21; 17 is the best choice.",
    FOREIGN: "ibpc reads plain graphs of ONNX operators with dense numeric weights: no functions, "
    "no subgraphs, no other domains.",
    EXTERNAL: "Weights may lie in side files only in the folder of the network itself.",
    INVALID: "The file breaks the ONNX standard, as onnx.checker understands it.",
    BAD_TENSOR: "Weights must be finite numbers; only a bound of Clip may be infinite.",
    BAD_INPUT: "An input has fixed sizes, but for a batch axis in front, and real entries.",
    OLD_FORM: "The operator's form in this opset cannot be expressed in opset 17.",
    LAW: "Names, order and outputs of the graph contradict each other.",
    SHAPES: "The operands of a node do not fit together.",
    BATCH_AXIS: "Axis 0 of every value belongs to the examples of a batch, which stay apart.",
    RUNTIME: "onnxruntime, the referee, does not accept the network.",
    NOT_WRITABLE: "The graph holds what ONNX cannot say.",
    RANDOM: "A network that throws dice when it is evaluated computes no function.",
    PASS_FAILED: "A pass of the compiler left a graph that breaks its law: a bug in ibpc.",
}

SMALLER = "ibpc is made for networks whose values fit in memory many times"
EXPORT_AGAIN = "export the network to ONNX again, or download the file again"


def mistake(
    code: str, origin: str, problem: str, fix: str = "", notes: tuple[str, ...] = ()
) -> ModelMistake:
    """`origin: problem` as an error to raise; `origin` is a file's or a graph's name."""
    return ModelMistake(Diagnostic(code, f"{origin}: {problem}", fix=fix, notes=notes))
