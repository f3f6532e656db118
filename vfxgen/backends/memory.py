"""Memory of the process while nets run: freed pages are kept for the next layer, and its end is recognised."""

from __future__ import annotations

import ctypes
import functools
import os
from pathlib import Path

import torch

from vfxgen.errors import NetError
from vfxgen.log import log

KEPT = 512 * 1024**2
"""Bytes of freed memory at most that the process keeps, to give them to the next layer of a net."""

# Names and largest value of glibc's mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD = -1, -3, 32 * 1024**2


@functools.cache
def keep_freed() -> bool:
    """Let the process keep up to `KEPT` bytes that were freed; False where its C library cannot, or is told otherwise.

    A layer frees as much as the next one asks for. glibc gives it back to the system in between, and the system
    clears every page again: a quarter of the time of our upscalers (``benchmarks/backends.py``).
    ``MALLOC_TRIM_THRESHOLD_`` and ``MALLOC_MMAP_THRESHOLD_`` in the environment are left to rule.
    """
    if os.environ.keys() & {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"}:
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or not (mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD) and mallopt(_TRIM_THRESHOLD, KEPT)):
        log.info("this C library does not keep freed memory: nets on the processor take about a third longer")
        return False
    return True


def give_back() -> None:
    """Give all freed memory back to the system, so that what a net takes can be seen."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def status_bytes(field: str) -> int:
    """``VmRSS``, ``VmHWM`` or another size of this process.

    Raises
    ------
    NetError
        The system does not tell.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise NetError(f"/proc/self/status has no {field}: the memory of a net cannot be measured here")


def is_exhausted(error: BaseException) -> bool:
    """Whether an error is about memory that could not be had, whichever library raised it.

    Examples
    --------
    >>> is_exhausted(RuntimeError("std::bad_alloc")), is_exhausted(RuntimeError("memory format is wrong"))
    (True, False)
    """
    said = str(error).lower()
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(words in said for words in _WORDS)


_WORDS = (
    "out of memory",
    "can't allocate memory",
    "failed to allocate memory",
    "bad_alloc",
    "bad allocation",
    "could not create a memory object",
)
