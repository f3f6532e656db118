"""Tiles on their way to a device and back while it computes: the bits of one after the other."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from small_nets import Convolutions, built, wrapped
from torch import Tensor, nn

from vfxgen.backends.net import Net, load
from vfxgen.backends.overlap import SLOTS, Event, Lanes, overlapped
from vfxgen.backends.tiles import run
from vfxgen.errors import FrameError, NetError


class Reached:
    """An event of a `Thread`."""

    def __init__(self, future: Future[None]) -> None:
        self.synchronize = future.result


class Thread:
    """A stream that is a thread: like that of a device it does its work later, in order, some of it slowly."""

    def __init__(self, threads: ExitStack, seed: int) -> None:
        self._thread = threads.enter_context(ThreadPoolExecutor(1))
        self._random = random.Random(seed)

    def enqueue(self, work: Callable[[], None], after: Event | None = None) -> Event:
        delay = self._random.choice([0, 0, 0.004])

        def done() -> None:
            if after is not None:
                after.synchronize()
            time.sleep(delay)
            work()

        return Reached(self._thread.submit(done))


class Counted:
    """Lanes on the processor: copies are plain, and each new buffer is full of NaN and counted."""

    def __init__(self, threads: ExitStack, seed: int = 0) -> None:
        copy_in, compute, copy_out = (Thread(threads, seed + i) for i in range(3))
        self.bytes = self.buffers = self.drained = 0
        self.lanes = Lanes(copy_in, compute, copy_out, pinned=self._pinned, drain=self._drain)

    def _pinned(self, like: Tensor) -> Tensor:
        self.bytes, self.buffers = self.bytes + like.nbytes, self.buffers + 1
        return torch.empty_like(like).fill_(torch.nan if like.is_floating_point() else 0)

    def _drain(self) -> None:
        self.drained += 1


@contextmanager
def counted(seed: int = 0) -> Iterator[Counted]:
    with ExitStack() as threads:
        yield Counted(threads, seed)


def small_net(**fields: Any) -> Net:
    return wrapped(Convolutions(3, 2), scale=2, receptive_field=3, **fields)


def frames(count: int, *shape: int) -> list[tuple[Tensor]]:
    generator = torch.Generator().manual_seed(1)
    return [(torch.rand(1, 3, *(shape or (40, 30)), generator=generator),) for _ in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 8])
def test_tiles_under_way_together_are_what_they_are_one_by_one(count: int) -> None:
    net, tiles = small_net(), frames(count)
    with counted(seed=count) as device:
        # Each is looked at before the next is asked for, as the walker does.
        made = _through(net, tiles, device)
        same = [torch.equal(result, _tensor(net.run(*tile))) for (result,), tile in zip(made, tiles, strict=True)]
    assert same == [True] * count


def test_a_frame_in_tiles_that_overlap_has_the_bits_of_the_plain_walk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = load(built(tmp_path, scale=2, channels=8, blocks=2), device="cpu")
    frame = torch.rand(1, 3, 150, 211)
    with ThreadPoolExecutor(1) as like_a_stream:
        # The last bits depend on how many threads torch takes, and that is a thread's own.
        plain = like_a_stream.submit(run, net, frame, tile=72, batch=3).result()
    with counted() as device:
        monkeypatch.setattr("vfxgen.backends.tiles._through", lambda net, _: lambda tiles: _through(net, tiles, device))
        assert torch.equal(_tensor(run(net, frame, tile=72, batch=3)), _tensor(plain))


def test_pinned_memory_is_that_of_two_tiles_however_many_there_are() -> None:
    tiles = frames(12)
    with counted() as device:
        for _ in _through(small_net(), tiles, device):
            pass
    tile, result, flags = tiles[0][0].nbytes, 4 * tiles[0][0].nbytes, 1
    assert device.bytes == SLOTS * (tile + result + flags) and device.buffers == SLOTS * 3


def test_a_last_batch_of_fewer_tiles_passes() -> None:
    net, tiles = small_net(), [*frames(2), (torch.rand(3, 3, 20, 20),)]
    with counted() as device:
        assert [made[0].shape[0] for made in _through(net, tiles, device)] == [1, 1, 3]


def test_the_next_tile_is_on_its_way_before_a_result_is_asked_for() -> None:
    begun: list[int] = []

    def watched() -> Iterator[tuple[Tensor]]:
        for number, tile in enumerate(frames(5)):
            begun.append(number)
            yield tile

    with counted() as device:
        results = overlapped(small_net(), watched(), device.lanes)
        next(results)
        assert begun == [0, 1, 2]
        assert len(list(results)) == 4


class Broken(nn.Module):
    """Fails, or makes NaN, of the tile that is bright."""

    def __init__(self, failure: str) -> None:
        super().__init__()
        self.failure = failure

    def forward(self, picture: Tensor) -> Tensor:
        if picture.max() > 5:
            if self.failure:
                raise torch.OutOfMemoryError(self.failure)
            return picture * torch.nan
        return picture


def test_nan_made_of_a_tile_is_named() -> None:
    tiles = frames(4)
    tiles[2][0].add_(9)
    with counted() as device:
        results = _through(wrapped(Broken(""), scale=1), tiles, device)
        assert torch.equal(next(results)[0], tiles[0][0]) and torch.equal(next(results)[0], tiles[1][0])
        with pytest.raises(FrameError, match="made NaN or infinity of finite pixels"):
            next(results)
    assert device.drained == 1


def test_where_memory_runs_out_the_tile_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    class Small(nn.Module):
        def forward(self, picture: Tensor) -> Tensor:
            if picture.shape[-1] > 100:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return picture

    net, frame = wrapped(Small(), scale=1, receptive_field=2), torch.rand(1, 3, 300, 300)
    with counted() as device:
        monkeypatch.setattr("vfxgen.backends.tiles._through", lambda net, _: lambda tiles: _through(net, tiles, device))
        assert torch.equal(_tensor(run(net, frame, tile=256)), frame)
    assert net.largest_tile is not None and net.largest_tile <= 100 and device.drained > 1


def test_work_that_is_given_up_is_waited_for() -> None:
    with counted() as device:
        results = overlapped(small_net(), frames(5), device.lanes)
        next(results)
        results.close()  # type: ignore[attr-defined]
        assert device.drained == 1


def test_inputs_that_the_card_does_not_allow_are_refused() -> None:
    with counted() as device, pytest.raises(NetError, match=r"must be multiples of 4, got 18x20"):
        list(_through(wrapped(nn.Identity(), scale=1, size_multiple=4), frames(1, 18, 20), device))


def _through(net: Net, tiles: Any, device: Counted) -> Iterator[tuple[Tensor, ...]]:
    return overlapped(net, tiles, device.lanes)


def _tensor(made: Tensor | tuple[Tensor, ...]) -> Tensor:
    assert isinstance(made, Tensor)
    return made
