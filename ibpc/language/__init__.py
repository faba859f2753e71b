"""From syntax to a checked `Program`: names, types, shapes, units, claims, plans.

`check_file` is the entrance. Expressions become values in `evaluate`; `world` knows what each name
of each file means, and `blocks` how each kind of declaration is worked out.
"""

from ibpc.language.asked import AskedClaim, check_claim
from ibpc.language.canonical import canonical, identity, schedule_names
from ibpc.language.check import Analysis, analyse, check_file
from ibpc.language.codes import CODES
from ibpc.language.losses import stands_over
from ibpc.language.modules import Module
from ibpc.language.premises import never_true, never_true_by_numbers, premises_of
from ibpc.language.products import Application, Product
from ibpc.language.program import (
    AffineMap,
    BoundPart,
    Claim,
    Curve,
    Dataset,
    DeclaredNet,
    Fit,
    IndexType,
    InputSet,
    Invocation,
    LayerLine,
    LossExpr,
    LossTerm,
    Net,
    OnnxNet,
    ParamValue,
    PlannedNode,
    Program,
    Report,
    Row,
    Segment,
    Split,
    Symbol,
    Target,
    TensorType,
    VerifyTask,
)
from ibpc.language.quantities import BUILTIN_UNITS, number_text
from ibpc.language.schedules import curve_value, greatest, trained_radius
from ibpc.language.spelling import expression_text
from ibpc.language.table import describe_net
from ibpc.language.told import CALLABLE, CONSTANT_WORDS, OUTCOMES, SETTINGS, told
from ibpc.language.values import Network
from ibpc.language.vocabulary import (
    REQUIRED,
    Entry,
    Layer,
    LayerMistake,
    Shape,
    Slot,
    StageEntry,
    Template,
    Vocabulary,
    Weight,
)
from ibpc.language.word_tables import read_words

__all__ = [
    "BUILTIN_UNITS",
    "CALLABLE",
    "CODES",
    "CONSTANT_WORDS",
    "OUTCOMES",
    "REQUIRED",
    "SETTINGS",
    "AffineMap",
    "Analysis",
    "Application",
    "AskedClaim",
    "BoundPart",
    "Claim",
    "Curve",
    "Dataset",
    "DeclaredNet",
    "Entry",
    "Fit",
    "IndexType",
    "InputSet",
    "Invocation",
    "Layer",
    "LayerLine",
    "LayerMistake",
    "LossExpr",
    "LossTerm",
    "Module",
    "Net",
    "Network",
    "OnnxNet",
    "ParamValue",
    "PlannedNode",
    "Product",
    "Program",
    "Report",
    "Row",
    "Segment",
    "Shape",
    "Slot",
    "Split",
    "StageEntry",
    "Symbol",
    "Target",
    "Template",
    "TensorType",
    "VerifyTask",
    "Vocabulary",
    "Weight",
    "analyse",
    "canonical",
    "check_claim",
    "check_file",
    "curve_value",
    "describe_net",
    "expression_text",
    "greatest",
    "identity",
    "never_true",
    "never_true_by_numbers",
    "number_text",
    "premises_of",
    "read_words",
    "schedule_names",
    "stands_over",
    "told",
    "trained_radius",
]
