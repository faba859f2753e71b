"""Random numbers that belong to a key, not to a generator's state.

`mix` is the output function of SplitMix64 (a bijection of 64-bit words), applied to int64 tensors
whose arithmetic wraps. What a datum draws depends on its key alone, hence neither on the batch it
is in, nor on its place there, nor on the device.

Source: Steele, Lea and Flood 2014, Fast Splittable Pseudorandom Number Generators, with the
constants of Vigna's splitmix64.c. We differ: values are absorbed into a key one by one,
`mix(key + gamma (value + 1))`, and each key's stream counts from there.
"""

from __future__ import annotations

import torch

GAMMA = 0x9E3779B97F4A7C15
FIRST = 0xBF58476D1CE4E5B9
SECOND = 0x94D049BB133111EB
MANTISSA = 24
"""Bits of a float32 in [0, 1)."""


def mix(words: torch.Tensor) -> torch.Tensor:
    """SplitMix64's output function on int64 words, any shape."""
    words = (words ^ _shifted(words, 30)) * _signed(FIRST)
    words = (words ^ _shifted(words, 27)) * _signed(SECOND)
    return words ^ _shifted(words, 31)


def derive(keys: torch.Tensor, value: int | torch.Tensor) -> torch.Tensor:
    """New keys out of keys and a value (an int, or int64 of the same shape): mix(k + g (v + 1))."""
    if isinstance(value, int):
        return mix(keys + _signed((value + 1) * GAMMA % (1 << 64)))
    return mix(keys + (value + 1) * _signed(GAMMA))


def datum_keys(seed: int, epoch: int, indices: torch.Tensor) -> torch.Tensor:
    """One int64 key for each datum, of (seed, epoch, datum index); on the indices' device."""
    keys = torch.zeros_like(indices, dtype=torch.int64)
    return derive(derive(derive(keys, seed), epoch), indices)


def uniform(keys: torch.Tensor, count: int) -> torch.Tensor:
    """`count` float32 numbers in [0, 1) for each key: shape (batch,) -> (batch, count)."""
    return _high(_stream(keys, count), MANTISSA).to(torch.float32) * 2.0**-MANTISSA


def integers(keys: torch.Tensor, count: int, below: int) -> torch.Tensor:
    """`count` int64 numbers in 0 .. below - 1 for each key: (batch,) -> (batch, count).

    The remainder of 31 bits: no number is preferred by more than below / 2**31.
    """
    return _high(_stream(keys, count), 31) % below


def _stream(keys: torch.Tensor, count: int) -> torch.Tensor:
    """SplitMix64's first `count` words for each key, as if the key were its state."""
    steps = torch.arange(1, count + 1, dtype=torch.int64, device=keys.device)
    return mix(keys[:, None] + steps * _signed(GAMMA))


def _high(words: torch.Tensor, bits: int) -> torch.Tensor:
    """The highest bits, as int64 >= 0."""
    return _shifted(words, 64 - bits)


def _shifted(words: torch.Tensor, bits: int) -> torch.Tensor:
    """A right shift that brings zeros from the left (int64's own brings the sign)."""
    return (words >> bits) & ((1 << (64 - bits)) - 1)


def _signed(word: int) -> int:
    """A 64-bit constant as int64 has it."""
    return word - (1 << 64) if word >> 63 else word
