"""Prints which third-party networks are read, and how far our reading is from two others.

    python tests/bench/third_party.py SUITE_DIR

SUITE_DIR holds `instances.csv` with a column onnx. For each network: the largest difference from
onnxruntime and from onnx2torch on random points, relative to the largest output, or the node that
is not supported, why, and what to do.
"""

from __future__ import annotations

import argparse
import csv
import sys
from math import prod
from pathlib import Path

import numpy as np

from ibpc.bounds import agree
from ibpc.errors import IbpcError
from ibpc.graph import load_onnx, model_bytes
from ibpc.passes import prepare
from ibpc.verification.query.reading import DISAGREEMENT
from ibpc.verification.query.second_reading import second_difference


def main() -> int:
    """Print the table; 1 where a network is read differently without a message."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("suite", type=Path, metavar="SUITE_DIR")
    suite = parser.parse_args().suite
    with (suite / "instances.csv").open(newline="") as file:
        names = sorted({row["onnx"] for row in csv.DictReader(file)})
    silent = refused = 0
    for name in names:
        try:
            first, second = differences(suite / name)
        except IbpcError as error:
            refused += 1
            print(f"{Path(name).name:60} {error.diagnostics[0].problem}", flush=True)
            continue
        silent += not first <= DISAGREEMENT or (second is not None and not second <= DISAGREEMENT)
        other = "cannot convert" if second is None else f"{second:.1e}"
        print(f"{Path(name).name:60} {first:.1e}  {other}", flush=True)
    print(f"{len(names)} networks, {refused} refused, {silent} read differently", flush=True)
    return 1 if silent else 0


def differences(path: Path) -> tuple[float, float | None]:
    """From onnxruntime on the file's bytes, and from onnx2torch."""
    data, graph = model_bytes(path), prepare(load_onnx(path), "evaluation")
    entries = prod(next(iter(graph.inputs.values())))
    box = (np.zeros(entries), np.ones(entries))
    return agree(graph, data), second_difference(graph, data, box)


if __name__ == "__main__":
    sys.exit(main())
