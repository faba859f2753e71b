"""The table of a network that `ibpc check` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.language.spelling import shape_text

if TYPE_CHECKING:
    from ibpc.language.program import DeclaredNet


def describe_net(net: DeclaredNet) -> str:
    """Each layer with its padding, activation, output shape and parameters; then the sums.

    net small: Image[1,28,28] -> Logits[10]
      conv 16 4x4+2  valid  relu  16x13x13     272 params
      ...
      hidden 6004, parameters 329606
    """
    rows = [
        (line.text, *line.details.partition("|")[::2], shape_text(line.out_shape), line.parameters)
        for line in net.lines
    ]
    texts, paddings, acts, shapes, counts = zip(*rows, strict=True)
    width = max(len(str(count)) for count in counts)
    lines = [f"net {net.name}: {net.signature}"]
    unit = " params"
    for text, padding, act, shape, count in rows:
        cells = [
            text.ljust(max(map(len, texts))),
            padding.ljust(max(map(len, paddings))),
            act.ljust(max(map(len, acts))),
            shape.ljust(max(map(len, shapes))),
        ]
        shown = str(count).rjust(width) + unit if count else ""
        unit = "" if count else unit
        lines.append("  " + "  ".join([cell for cell in cells if cell] + [shown]).rstrip())
    lines.append(f"  hidden {net.hidden}, parameters {net.parameters}")
    return "\n".join(lines)
