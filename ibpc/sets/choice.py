"""`choice(table("synonyms.tsv"), x0, max_swaps = 2)`: some words of a text are replaced.

A text is a tensor of one-hot rows: entry w of a row is 1 where the table's word w stands there; a
row of zeros is an empty place. At most `max_swaps` rows (all, where it is not given) hold one of
the substitutes of their word instead. Finitely many points, and no box describes them.

Source: Huang et al. 2019, "Achieving Verified Robustness to Symbol Substitutions via Interval Bound
Propagation", arXiv:1909.01492 (synonyms, and the budget of swaps).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ibpc.language import Entry, Slot
from ibpc.sets.record import Exactness, SetForm, Settled, Support

if TYPE_CHECKING:
    import numpy as np

    from ibpc.language import InputSet
    from ibpc.sets.record import Ground, Search

SLOTS = (
    Slot("table", "word", positional=True, doc='`table("synonyms.tsv")`: a word, its substitutes'),
    Slot("text", "word", positional=True, doc="the datum: one-hot rows"),
)


def around(given: InputSet, x: Any, _: Any) -> tuple[Any, Any]:
    """[0, 1] for a word that may go or come, [x, x] elsewhere."""
    import torch

    if given.option("max_swaps") == 0:
        return x, x
    into = torch.from_numpy(_into(given)).to(x)
    there = (x @ into).clamp(max=1.0)
    goes = x * (into.sum(1) > 0)
    return x - goes, torch.maximum(x, there)


def bounds(given: InputSet, x: Any, _: bool) -> tuple[Any, Any]:
    """The same in numpy: zeros and ones, nothing is rounded.

    Raises: NumericalDoubt where a row is not one-hot.
    """
    import numpy as np

    if not one_hot(x).all():
        raise _no_text()
    if given.option("max_swaps") == 0:
        return x, x
    into = _into(given)
    return x * (into.sum(1) == 0), np.maximum(x, np.minimum(x @ into, 1.0))


def one_hot(x: np.ndarray) -> np.ndarray:
    """Which of a batch of texts have rows of a single 1, or of zeros."""
    import numpy as np

    held = ((x == 0) | (x == 1)).all(-1) & (x.sum(-1) <= 1)
    return np.asarray(held.reshape(len(x), -1).all(1))


def _no_text() -> Exception:
    from ibpc.errors import Diagnostic, NumericalDoubt

    problem = "the datum is no text: its rows are not one-hot"
    fix = "read it with `source = sentences(...)`"
    return NumericalDoubt(Diagnostic("E0714", problem, fix=fix))


def _into(given: InputSet) -> np.ndarray:
    """Entry (w, v) is 1 where v may stand for w.  Shape: (words, words), float64."""
    import numpy as np

    substitutes = given.option("substitutes")
    matrix = np.zeros((len(substitutes), len(substitutes)))
    for word, others in enumerate(substitutes):
        matrix[word, list(others)] = 1.0
    return matrix


def options(ground: Ground) -> np.ndarray:
    """Which words may stand at each place instead.  Shape: (batch, rows, words), bool."""
    import numpy as np

    words = ground.x.shape[-1]
    x = ground.x.reshape(len(ground.x), -1, words).astype(np.float64)
    return np.asarray((x @ _into(ground.given)) > 0)


def swaps(ground: Ground) -> int:
    """How many rows may change."""
    rows = int(ground.x[0].size // ground.x.shape[-1])
    most = ground.given.option("max_swaps")
    return rows if most is None else min(int(most), rows)


def maximum(ground: Ground) -> Support:
    """Max of c . x: the best swaps."""
    import torch

    x = torch.tensor(ground.x, dtype=torch.float64).flatten(1).unsqueeze(1)
    allowed = torch.from_numpy(options(ground)).unsqueeze(1)
    return Support(partial(largest, count=swaps(ground)), (x, allowed))


def largest(rows: Any, roundoff: float, x: Any, allowed: Any, count: int) -> Any:
    """C . x0 and the `count` largest of the rows' gains, max over substitutes v of c_v - c_w.

    Shapes: rows (batch or 1, spec, n); x (batch, 1, n); allowed (batch, 1, places, words).
    """
    import torch

    from ibpc.sets.norms import paid

    rows = rows.expand(len(x), -1, -1)
    table = rows.unflatten(2, allowed.shape[2:])
    here = (table * x.unflatten(2, allowed.shape[2:])).sum(3)
    best = torch.where(allowed, table, -torch.inf).amax(3)
    gains = torch.where(best > here, best - here, 0.0)
    value = gains.topk(count, dim=2).values.sum(2) if count else torch.zeros_like(here[:, :, 0])
    moduli = 2 * table.detach().abs().amax(3).sum(2)
    return paid(rows, x, moduli, value, roundoff)


def search(ground: Ground) -> Search:
    """Texts, each step to the best one for the gradient at hand."""
    import torch

    from ibpc.sets.record import Search

    x = torch.tensor(ground.x)
    allowed = torch.from_numpy(options(ground))
    count = swaps(ground)
    lower, upper = (
        torch.tensor(side, dtype=torch.float32) for side in (ground.lower, ground.upper)
    )
    return Search(
        lower,
        upper,
        x,
        tensors=(x.flatten(1), allowed),
        project=partial(project, count=count),
        leap=partial(leap, count=count),
    )


def project(t: Any, x: Any, allowed: Any, count: int) -> Any:
    """The nearest text: of each row the largest allowed entry, the rows that gain most."""
    return _best(t, x, allowed, count).view_as(t)


def leap(t: Any, gradient: Any, _: float, x: Any, allowed: Any, count: int) -> Any:
    """The text that is best for the gradient (conditional gradients with a full step).

    Source: Jaggi 2013, "Revisiting Frank-Wolfe", algorithm 1, with step 1: the set has only
    corners.
    """
    return _best(gradient, x, allowed, count).view_as(t)


def _best(scores: Any, x: Any, allowed: Any, count: int) -> Any:
    import torch

    shape = allowed.shape
    table, text = scores.reshape(shape), x.view(shape)
    here = (table * text).sum(2)
    best, word = torch.where(allowed, table, -torch.inf).max(2)
    gains = torch.where(best > here, best - here, 0.0)
    chosen = torch.zeros_like(gains, dtype=torch.bool)
    if count:
        chosen.scatter_(1, gains.topk(count, dim=1).indices, True)
    chosen &= gains > 0
    swapped = torch.nn.functional.one_hot(word, shape[2]).to(text)
    return torch.where(chosen.unsqueeze(2), swapped, text)


def settle(ground: Ground, candidate: np.ndarray) -> Settled | None:
    """The nearest text of the set: zeros and ones, hence exact."""
    import numpy as np
    import torch

    allowed = torch.from_numpy(options(ground))
    x = torch.tensor(ground.x).flatten(1)
    near = torch.from_numpy(np.asarray(candidate, dtype=np.float64)).reshape(1, -1)
    point = _best(near, x.double(), allowed, swaps(ground)).reshape(-1).numpy()
    found = point.astype(np.float32)
    rows = (found != ground.x.reshape(-1)).reshape(-1, ground.x.shape[-1]).any(1)
    words = found.reshape(-1, ground.x.shape[-1]).argmax(1)
    swapped = {str(row): int(words[row]) for row in np.flatnonzero(rows)}
    return Settled(found, facts={"swapped": swapped})


def encode(ground: Ground, encoder: Any) -> Any:
    """A binary for each swap, at most one in a row, at most `max_swaps` in all.

    x = x0 + sum over swaps b (e_v - e_w).
    """
    return combination(ground, encoder, encoder.binary, swaps(ground))


def combination(ground: Ground, encoder: Any, variables: Any, most: int | None) -> Any:
    """The text as a linear form of `variables(count)` in [0, 1], whose sums are limited."""
    import numpy as np
    from scipy.sparse import csr_array

    places = steps_of(ground)
    x = ground.x.reshape(-1).astype(np.float64)
    count = len(places)
    if not count:
        # A variable that nothing reads: solvers want at least one column.
        nothing = csr_array((len(x), 1))
        return encoder.continuous(np.zeros(1), np.zeros(1)).affine(nothing, x, (len(x),))
    form = variables(count)
    rows = {row: place for place, row in enumerate(sorted({row for row, _, _ in places}))}
    onto = csr_array(
        (np.ones(count), ([rows[row] for row, _, _ in places], np.arange(count))),
        shape=(len(rows), count),
    )
    encoder.require(form.affine(onto, -1.0, (len(rows),)), "<")
    if most is not None and most < len(rows):
        everything = csr_array(np.ones((1, count)))
        encoder.require(form.affine(everything, -float(most), (1,)), "<")
    return form.affine(_moves(ground), x, (len(x),))


def steps_of(ground: Ground) -> list[tuple[int, int, int]]:
    """All swaps of the first text: (row, word that goes, word that comes)."""
    words = ground.x.shape[-1]
    text = ground.x[0].reshape(-1, words).argmax(1)
    allowed = options(ground)[0]
    return [
        (row, int(text[row]), word)
        for row in range(len(text))
        for word in range(words)
        if allowed[row, word]
    ]


def _moves(ground: Ground) -> Any:
    """What each swap adds to the flat text.  Shape: (n, swaps)."""
    import numpy as np
    from scipy.sparse import csr_array

    words, places = ground.x.shape[-1], steps_of(ground)
    comes = [row * words + word for row, _, word in places]
    goes = [row * words + word for row, word, _ in places]
    column = np.arange(len(places))
    entries = np.concatenate([np.ones(len(places)), -np.ones(len(places))])
    where = (np.array([*comes, *goes]), np.concatenate([column, column]))
    return csr_array((entries, where), shape=(ground.x[0].size, len(places)))


def decode(ground: Ground, columns: np.ndarray) -> np.ndarray:
    """The text that the swaps' values stand for."""
    import numpy as np

    places = steps_of(ground)
    x = ground.x.reshape(-1).astype(np.float64)
    return np.asarray(x + _moves(ground) @ columns[: len(places)]) if places else x


FORM = SetForm(
    kind="choice",
    entry=Entry(
        "choice",
        (
            *SLOTS,
            Slot("max_swaps", "int", default=None, low=0, doc="how many words may be replaced"),
        ),
        "a text with some words replaced by their substitutes",
        "Huang et al. 2019, arXiv:1909.01492",
    ),
    around=around,
    bounds=bounds,
    maximum=maximum,
    search=search,
    settle=settle,
    encode=encode,
    decode=decode,
    exact=Exactness(hull=False),
)
