"""`image_folder("path")`: pictures in train/CLASS/ and test/CLASS/, read with Pillow."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ibpc.data.record import Raw, Source
from ibpc.errors import did_you_mean
from ibpc.language import Entry, Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from ibpc.data.record import Request

SUFFIXES = {".png", ".jpg", ".jpeg"}
GREY = {"1", "L"}
COLOUR = GREY | {"RGB", "P", "CMYK", "YCbCr"}


def read(request: Request) -> Raw:
    """The part's pictures as bytes (n, chan, high, wide), scale 255.

    Label i is the i-th name of the label type's enum, or else the i-th class folder by name. The
    order is round robin over the classes (first pictures of each, then second ones, ...), files by
    name, so that the first n examples are of all classes.

    Raises: FileMistake (E0525 for the folders, E0526 naming the picture that does not fit).
    """
    import numpy as np

    if len(request.dataset.x.shape) != 3 or request.dataset.x.shape[0] not in (1, 3):
        raise request.mistake(
            "E0522",
            f"pictures cannot have shape {list(request.dataset.x.shape)}",
            "declare the input type as real[1, high, wide], or real[3, high, wide] for colour",
        )
    root = _root(request)
    classes = _classes(request, root)
    files = [_pictures(root / request.part / name) for name in classes]
    turns = zip_longest(*([(path, i) for path in paths] for i, paths in enumerate(files)))
    found = [pair for pair in chain.from_iterable(turns) if pair is not None]
    if not found:
        kinds = ", ".join(sorted(SUFFIXES))
        fix = f"put them into a folder for each class: {root / request.part / 'CLASS'}"
        raise request.mistake("E0525", f"no pictures ({kinds}) in {root / request.part}", fix)
    # Pillow lets go of the interpreter's lock while it decodes.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        images = np.stack(list(pool.map(partial(_decode, request), [path for path, _ in found])))
    return Raw(images, np.array([i for _, i in found], np.int64), scale=255.0, name=root.name)


def _root(request: Request) -> Path:
    """The folder, looked for below the data folder and then below the current one."""
    path = Path(request.arguments["path"]).expanduser()
    places = [request.data_dir / path, Path.cwd() / path]
    for place in places:
        if (place / request.part).is_dir():
            return place
    seen = " nor ".join(dict.fromkeys(str(place / request.part) for place in places))
    raise request.mistake(
        "E0525",
        f"there is no folder {seen}",
        "an image folder holds train/CLASS/*.png (or .jpg) and test/CLASS/*.png",
    )


def _classes(request: Request, root: Path) -> list[str]:
    """Class names in the order of their labels."""
    folder = root / request.part
    found = sorted(one.name for one in folder.iterdir() if one.is_dir() and one.name[0] != ".")
    labels = request.dataset.y.labels
    if labels is None:
        if len(found) != request.dataset.y.size:
            raise request.mistake(
                "E0525",
                f"{folder} has {len(found)} class folders, the label type {request.dataset.y.size}",
            )
        return found
    for name in found:
        if name not in labels:
            raise request.mistake(
                "E0525",
                f"{folder / name} is named after no label of the type ({', '.join(labels)})",
                did_you_mean(name, labels),
            )
    return list(labels)


def _pictures(folder: Path) -> list[Path]:
    """The folder's pictures by name; none where there is no folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def _decode(request: Request, path: Path) -> np.ndarray[Any, Any]:
    """One picture as bytes (chan, high, wide), of the declared shape."""
    import numpy as np
    from PIL import Image

    chan, high, wide = request.dataset.x.shape
    try:
        with Image.open(path) as picture:
            picture.load()
            mode, size = picture.mode, picture.size
            data = np.asarray(picture.convert("L" if chan == 1 else "RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise request.mistake("E0526", f"{path} is no readable picture: {error}") from error
    if mode not in (GREY if chan == 1 else COLOUR):
        raise request.mistake(
            "E0526",
            f"{path} is a picture of mode {mode}, which does not give {chan} channel(s) of 8 bits",
            "convert it, or declare the type as real[3, high, wide] for colour",
        )
    if size != (wide, high):
        raise request.mistake(
            "E0526",
            f"{path} is {size[1]}x{size[0]} (high x wide), the declared type {high}x{wide}",
            "all pictures must have the declared size: scale them before",
        )
    return data[None] if chan == 1 else np.moveaxis(data, -1, 0)


def whole(arguments: Mapping[str, Any]) -> bool:
    """Comes with its own train and test parts."""
    del arguments
    return False


SOURCE = Source(
    Entry(
        "image_folder",
        (
            Slot(
                "path",
                "text",
                positional=True,
                doc="folder with train/CLASS/*.png|jpg and test/CLASS/*, below the data folder "
                "or the current one",
            ),
        ),
        "pictures of one size, sorted into class folders",
    ),
    whole,
    read,
)
