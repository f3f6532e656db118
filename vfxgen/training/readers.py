"""Batches read ahead of the net, in the order of the steps."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import torch

from vfxgen.training.objective import Batch

AHEAD = 2
"""Batches a reader has made before they are asked for."""


@contextmanager
def read_ahead(batch: Callable[[int], Batch], first: int, end: int, device: torch.device) -> Iterator[Iterator[Batch]]:
    """Give an iterator over ``batch(first), batch(first + 1) ...`` (to `end`, or without end if it is 0).

    On CUDA several threads read, and batches come in pinned memory; on the CPU one does, since the net has the cores.
    """
    readers = min(4, max(1, (os.cpu_count() or 1) - 1)) if device.type == "cuda" else 1
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(readers, "reader", initializer=torch.set_num_threads, initargs=(1,))

    def read(step: int) -> Batch:
        made = batch(step)
        return {name: tensor.pin_memory() for name, tensor in made.items()} if device.type == "cuda" else made

    def coming() -> Iterator[Batch]:
        steps = iter(range(first, end)) if end else count(first)
        waiting: deque[Future[Batch]] = deque()
        for step in steps:
            waiting.append(pool.submit(read, step))
            # The number a new thread starts with is one for all of torch: the net's own must not follow the readers'.
            torch.set_num_threads(threads)
            if len(waiting) > AHEAD * readers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    try:
        yield coming()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
