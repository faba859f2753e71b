"""The records that the checker reads."""

from __future__ import annotations

import subprocess
import sys

from ibpc import data

HEAVY = ("numpy", "torch", "torchvision", "PIL", "scipy")


def test_records_are_found_in_their_folders() -> None:
    assert set(data.SOURCES) == {"builtin", "image_folder", "scatter", "sentences"}
    assert set(data.AUGMENTATIONS) == {"crop", "flip", "translate"}
    assert data.BUILTIN == {
        "cifar10": (3, 32, 32),
        "digits": (1, 8, 8),
        "imagenet64": (3, 64, 64),
        "mnist": (1, 28, 28),
        "svhn": (3, 32, 32),
    }
    assert data.SOURCES["builtin"].slots[0].choices == tuple(data.BUILTIN)


def test_reading_the_records_loads_nothing_heavy() -> None:
    code = f"import sys, ibpc.data; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_heavy_names_are_functions_and_not_modules() -> None:
    assert callable(data.augment)
    assert callable(data.load)
    assert data.Examples.__name__ == "Examples"
