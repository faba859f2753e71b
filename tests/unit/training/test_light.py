"""The checker reads the records of this room without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_records_are_read_without_heavy_imports(root: Path) -> None:
    script = (
        "import sys; import ibpc.training as room; "
        "assert room.LOSSES and room.OPTIMISERS and room.BOUNDS; "
        "heavy = {'torch', 'onnx', 'mip', 'networkx', 'numpy', 'tqdm'} & set(sys.modules); "
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr


def test_every_code_is_explained_and_used() -> None:
    from ibpc.training import EXPLANATIONS, codes

    names = {name: code for name, code in vars(codes).items() if isinstance(code, str)}
    named = {name: code for name, code in names.items() if name.isupper()}
    assert set(named.values()) == set(EXPLANATIONS)
    folder = Path(codes.__file__).parent
    others = "".join(p.read_text() for p in folder.glob("*.py") if p.name != "codes.py")
    assert [name for name in named if f"{name}," not in others] == []
