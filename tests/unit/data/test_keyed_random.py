"""Random numbers of keys."""

from __future__ import annotations

import torch

from ibpc.data import datum_keys, derive, uniform
from ibpc.data.keyed_random import GAMMA, integers, mix

WORD = 1 << 64


def splitmix(state: int, count: int) -> list[int]:
    """The published algorithm on Python's integers."""
    out = []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) % WORD
        z = state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % WORD
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % WORD
        out.append(z ^ (z >> 31))
    return out


def test_streams_are_those_of_splitmix64() -> None:
    # First outputs for seed 1234567, as widely published with the reference code.
    assert splitmix(1234567, 2) == [6457827717110365317, 3203168211198807973]
    keys = [0, 1, 1234567, -5]
    ours = uniform(torch.tensor(keys), 50)
    theirs = [[word >> 40 for word in splitmix(key % WORD, 50)] for key in keys]
    assert torch.equal(ours, torch.tensor(theirs, dtype=torch.float32) * 2.0**-24)


def test_an_int_and_a_tensor_derive_the_same_keys() -> None:
    keys = torch.tensor([3, -7, 2**62])
    for value in (0, 5, 2**40, -1):
        assert torch.equal(derive(keys, value), derive(keys, torch.full_like(keys, value)))
    assert derive(torch.tensor([0]), 0).item() % WORD == splitmix(0, 1)[0]
    assert mix(torch.tensor([0])).item() == 0
    assert GAMMA % 2 == 1


def test_keys_depend_on_seed_epoch_and_datum() -> None:
    data = torch.arange(1000)
    found = [datum_keys(seed, epoch, data) for seed in (0, 1) for epoch in (0, 1)]
    assert len(set(torch.cat(found).tolist())) == 4000


def test_a_datums_key_does_not_depend_on_its_batch() -> None:
    keys = datum_keys(4, 2, torch.arange(100))
    some = torch.tensor([93, 7, 7])
    assert torch.equal(datum_keys(4, 2, some), keys[some])


def test_numbers_are_spread_evenly() -> None:
    keys = datum_keys(0, 0, torch.arange(2000))
    drawn = uniform(keys, 100)
    assert (drawn >= 0).all()
    assert (drawn < 1).all()
    assert abs(drawn.mean().item() - 0.5) < 0.003
    assert abs(torch.corrcoef(drawn[:, :2].T)[0, 1].item()) < 0.08
    counts = integers(keys, 100, below=9).flatten().bincount(minlength=9)
    assert counts.shape == (9,)
    assert (counts - 200_000 / 9).abs().max() < 700
