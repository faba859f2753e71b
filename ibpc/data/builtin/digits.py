"""UCI optical digits: 1,797 images of 8x8, as scikit-learn has them; shipped with the package.

`files/README.md` says how the file was made, and under which licence.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from ibpc.data.record import Builtin, Raw

if TYPE_CHECKING:
    from ibpc.data.record import Request


def read(request: Request) -> Raw:
    """The whole set, in scikit-learn's order; pixel values are 0 .. 16 before division by 16."""
    import numpy as np

    del request  # nothing to look up: the file is ours
    with (
        files("ibpc.data").joinpath("files/digits.npz").open("rb") as stream,
        np.load(stream, allow_pickle=False) as content,
    ):
        images, labels = content["images"], content["labels"].astype(np.int64)
    return Raw(images[:, None], labels, scale=16.0, name="digits")


BUILTIN = Builtin(
    "digits",
    (1, 8, 8),
    whole=True,
    read=read,
    source="Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI, CC BY 4.0",
)
