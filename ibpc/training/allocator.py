"""Settings of the C library's allocator that training on a CPU gains from.

Activations of a batch are some megabytes each and live for one step. glibc maps blocks of that
size afresh from the kernel every time, and every page of them is then faulted in again; kept in
the heap they are re-used. Measured gains stand in `tests/bench/train_step.py`.
"""

from __future__ import annotations

import ctypes
import platform

_M_TRIM_THRESHOLD = -1  # malloc.h
_M_MMAP_THRESHOLD = -3  # malloc.h
_LARGEST_HEAP_BLOCK = 32 * 2**20  # the largest threshold that glibc takes on 64-bit machines
_KEPT = 2**30


def keep_large_blocks() -> bool:
    """Keeps blocks of up to 32 MiB in the heap, and up to 1 GiB of it when freed.

    Gives whether the allocator took the settings (glibc only). They stay for the process.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    taken = mallopt(_M_MMAP_THRESHOLD, _LARGEST_HEAP_BLOCK)
    return bool(taken and mallopt(_M_TRIM_THRESHOLD, _KEPT))
