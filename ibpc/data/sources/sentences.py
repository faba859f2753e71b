"""`sentences("reviews.tsv", words = "synonyms.tsv")`: labelled texts as one-hot rows.

On each line of the file a label, then the words of a text; empty lines and lines that begin with
`#` do not count. Word w is the w-th line of the table of words, the same that `choice` and
`simplex` read. The declared type is real[places, words] or real[1, places, words]; row i is word i
of the text, rows behind its end are zeros.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ibpc.data.record import Raw, Source
from ibpc.errors import did_you_mean
from ibpc.language import Entry, Slot, read_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.data.record import Request


def read(request: Request) -> Raw:
    """The texts as bytes (n, *shape), scale 1.

    Raises: FileMistake (E0522 for the declared type, E0528 for what the files hold).
    """
    import numpy as np

    at = request.dataset.source.span
    lines = read_words(str(_found(request, "path")), at)
    words = {line[0]: w for w, line in enumerate(read_words(str(_found(request, "words")), at))}
    shape = request.dataset.x.shape
    if len(shape) < 2 or shape[-1] != len(words) or any(size != 1 for size in shape[:-2]):
        fix = f"declare it as real[places, {len(words)}] in [0 .. 1]"
        raise request.mistake("E0522", f"texts cannot have shape {list(shape)}", fix)
    places = shape[-2]
    images = np.zeros((len(lines), places, len(words)), dtype=np.uint8)
    labels = np.zeros(len(lines), dtype=np.int64)
    for number, (label, *text) in enumerate(lines):
        labels[number] = _label(request, label)
        if len(text) > places:
            problem = f"the text `{' '.join(text)}` has {len(text)} words"
            raise request.mistake("E0528", problem, f"declare at least {len(text)} places")
        for place, word in enumerate(text):
            if word not in words:
                problem = f"the word `{word}` is not in {request.arguments['words']}"
                raise request.mistake("E0528", problem, did_you_mean(word, words))
            images[number, place, words[word]] = 1
    name = Path(request.arguments["path"]).stem
    return Raw(images.reshape(-1, *shape), labels, scale=1.0, name=name)


def _label(request: Request, written: str) -> int:
    labels = request.dataset.y.labels
    if labels is not None and written in labels:
        return labels.index(written)
    if labels is None and written.isdecimal():
        return int(written)
    known = labels or tuple(map(str, range(request.dataset.y.size)))
    problem = f"`{written}` is no label; a line begins with one of {', '.join(known[:8])}"
    raise request.mistake("E0528", problem, did_you_mean(written, known))


def _found(request: Request, argument: str) -> Path:
    """The file: beside the spec, or else below the data folder."""
    written = Path(request.arguments[argument]).expanduser()
    beside = Path(request.dataset.source.span.path).parent / written
    below = request.data_dir / written
    return beside if beside.is_file() or not below.is_file() else below


def whole(arguments: Mapping[str, Any]) -> bool:
    """Comes in one piece."""
    del arguments
    return True


SOURCE = Source(
    Entry(
        "sentences",
        (
            Slot("path", "text", positional=True, doc="a label and a text on each line"),
            Slot("words", "text", doc="the table of words, with their substitutes"),
        ),
        "labelled texts over a table of words, as one-hot rows",
    ),
    whole,
    read,
)
