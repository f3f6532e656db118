"""Batches come ahead, in order, without disturbing the net's threads."""

from __future__ import annotations

import threading
import time
from itertools import islice

import pytest
import torch

from vfxgen.errors import MediaError
from vfxgen.training.objective import Batch
from vfxgen.training.readers import AHEAD, read_ahead

CPU = torch.device("cpu")


def numbered(step: int) -> Batch:
    return {"step": torch.tensor(step)}


def test_batches_come_in_order_from_where_a_run_stands() -> None:
    with read_ahead(numbered, 5, 9, CPU) as batches:
        assert [int(batch["step"]) for batch in batches] == [5, 6, 7, 8]
    with read_ahead(numbered, 2, 0, CPU) as batches:
        assert [int(batch["step"]) for batch in islice(batches, 3)] == [2, 3, 4]


def test_they_are_read_ahead_and_no_further() -> None:
    asked: list[int] = []

    def batch(step: int) -> Batch:
        asked.append(step)
        return numbered(step)

    with read_ahead(batch, 0, 0, CPU) as batches:
        next(batches)
        deadline = time.monotonic() + 10
        while len(asked) < AHEAD + 1 and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.01)
        assert asked == list(range(AHEAD + 1))


def test_readers_work_with_one_thread_and_the_net_with_its_own() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        inside: list[tuple[int, str]] = []

        def batch(step: int) -> Batch:
            inside.append((torch.get_num_threads(), threading.current_thread().name))
            return numbered(step)

        with read_ahead(batch, 0, 5, CPU) as batches:
            for _ in batches:
                assert torch.get_num_threads() == 2
        assert {count for count, _ in inside} == {1}
        assert threading.current_thread().name not in {name for _, name in inside}
    finally:
        torch.set_num_threads(threads)


def test_what_goes_wrong_in_a_reader_is_raised_where_the_batch_is_asked_for() -> None:
    def broken(step: int) -> Batch:
        raise MediaError("frame 7 is gone")

    with pytest.raises(MediaError, match="frame 7"), read_ahead(broken, 0, 0, CPU) as batches:
        next(batches)
