"""CIFAR-10: 50,000 + 10,000 colour images of 32x32, read by torchvision.

The batches are pickles: torchvision unpickles only files whose MD5 is the published one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.data.builtin.torchvision_files import obtain
from ibpc.data.record import Builtin, Raw

if TYPE_CHECKING:
    from ibpc.data.record import Request


def read(request: Request) -> Raw:
    """The part's images (n, 3, 32, 32) and labels; downloads them where they are absent."""
    import numpy as np

    fix = (
        f"unpack cifar-10-python.tar.gz (https://www.cs.toronto.edu/~kriz/cifar.html) in "
        f"{request.data_dir}, so that {request.data_dir / 'cifar-10-batches-py'} exists"
    )
    content = obtain(
        request,
        "cifar10",
        lambda sets: sets.CIFAR10(
            request.data_dir, train=request.part == "train", download=request.download
        ),
        fix,
    )
    images = np.ascontiguousarray(np.moveaxis(content.data, -1, 1))
    return Raw(images, np.array(content.targets, np.int64), scale=255.0, name="cifar10")


BUILTIN = Builtin(
    "cifar10",
    (3, 32, 32),
    whole=False,
    read=read,
    source="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
)
