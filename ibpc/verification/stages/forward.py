"""forward: the network's own output, judged by a predicate; test error is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Slot, StageEntry
from ibpc.verification.verdict import Answer, Evidence, Holds, Unknown, Violated, Witness

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from ibpc.verification.subject import Answered, Case, Subject

STAGE = StageEntry(
    "forward",
    (
        Slot(
            "predicate",
            "predicate",
            positional=True,
            doc="`argmax(f(x)) == y`; outputs that tie for the largest count as wrong",
        ),
    ),
    "runs the network on the datum itself, with onnxruntime",
    role="observe",
)

BATCH = 256


def decide(
    subject: Subject, arguments: Mapping[str, Any], cases: Sequence[Case]
) -> Iterator[Answered]:
    """Holds where the predicate is true at the datum, else Violated with the datum as witness.

    `argmax` is true where the label's output is larger than every other one.
    """
    for start in range(0, len(cases), BATCH):
        chunk = list(cases[start : start + BATCH])
        points = subject.pixels([case.index for case in chunk]).reshape(len(chunk), -1)
        outputs = subject.replayer.outputs(points)
        yield [
            (case, Answer(judge(point, output, case.label)))
            for case, point, output in zip(chunk, points, outputs, strict=True)
        ]


def judge(point: np.ndarray, output: np.ndarray, label: int) -> Holds | Violated | Unknown:
    """Whether the label's output is the only largest one."""
    import numpy as np

    if not np.isfinite(output).all():
        return Unknown("the network's output is not finite")
    best = np.flatnonzero(output == output.max())
    prediction = int(best[0]) if len(best) == 1 else None
    evidence = Evidence("forward, onnxruntime", {"prediction": prediction, "label": label})
    return Holds(evidence) if prediction == label else Violated(Witness(point.copy(), evidence))
