"""SVHN, cropped digits: 73,257 + 26,032 colour images of 32x32, read by torchvision and scipy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.data.builtin.torchvision_files import obtain
from ibpc.data.record import Builtin, Raw

if TYPE_CHECKING:
    from ibpc.data.record import Request


def read(request: Request) -> Raw:
    """The part's images (n, 3, 32, 32) and labels (the file's label 10 is the digit 0)."""
    import numpy as np

    fix = (
        f"put train_32x32.mat and test_32x32.mat (http://ufldl.stanford.edu/housenumbers/) into "
        f"{request.data_dir}"
    )
    content = obtain(
        request,
        "svhn",
        lambda sets: sets.SVHN(request.data_dir, split=request.part, download=request.download),
        fix,
    )
    images = np.ascontiguousarray(content.data)
    return Raw(images, content.labels.astype(np.int64), scale=255.0, name="svhn")


BUILTIN = Builtin(
    "svhn",
    (3, 32, 32),
    whole=False,
    read=read,
    source="Netzer et al. 2011, Reading Digits in Natural Images with Unsupervised Learning",
)
