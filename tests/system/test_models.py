"""The networks in `models/` reach what their table says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ibpc.cli.vocabulary import vocabulary
from ibpc.data import default_data_dir, load
from ibpc.language import VerifyTask, check_file
from ibpc.verification import Store, verify_task

ROOT = Path(__file__).resolve().parents[2]
CASES = (("digits-small-0.1.onnx", "digits.ibp"), ("mnist-small-0.2.onnx", "mnist.ibp"))


def figures(file: str) -> tuple[float, float]:
    """Test error and IBP bound in percent, from the table's row."""
    text = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if line.startswith(f"| `{file}`"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    return float(cells[4]), float(cells[7])


@pytest.mark.parametrize(("file", "spec"), CASES)
def test_a_models_test_error_and_bound_are_those_of_its_row(
    file: str, spec: str, tmp_path: Path
) -> None:
    if spec == "mnist.ibp" and not Path(os.environ.get("IBPC_DATA", ""), "MNIST").is_dir():
        pytest.skip("needs IBPC_DATA to name a folder that holds MNIST/raw")
    program = check_file(str(ROOT / "specs" / spec), vocabulary())
    task = program.targets["default"].tasks[0]
    assert isinstance(task, VerifyTask)
    assert task.data is not None
    quick = [one for one in task.reports if one.name in ("test_error", "ibp_bound")]
    shown = VerifyTask(
        task.name, task.title, task.network, task.data, task.claim, tuple(quick), {}, task.span
    )
    examples = load(task.data, default_data_dir())
    with Store(tmp_path / "verdicts.sqlite") as store:
        result = verify_task(shown, ROOT / "models" / file, examples, store)
    rates = [100 * (report.rate or 0.0) for report in result.reports]
    np.testing.assert_allclose(rates, figures(file), atol=0.005)
