"""Tiles to a device and back while it computes: one on its way in, one in the net, one on its way out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from vfxgen.backends.contract import check_finite, check_inputs
from vfxgen.backends.net import Net

SLOTS = 2
"""Tiles under way at a time: while the result of one is put in its place, the device works on the next."""


class Event(Protocol):
    """A point in the work of a stream."""

    def synchronize(self) -> object:
        """Wait until it is reached."""


class Stream(Protocol):
    """Work that a device does in order, while the caller goes on."""

    def enqueue(self, work: Callable[[], None], after: Event | None = None) -> Event:
        """Have `work` done after what is enqueued already, and `after` that point of another stream."""


@dataclass(frozen=True)
class Lanes:
    """The streams of a device that tiles go through, and memory it can copy from by itself.

    Parameters
    ----------
    copy_in, compute, copy_out
        One stream for each step.
    pinned
        A new tensor on the processor, of the shape and type of another, that copies need not wait for.
    drain
        Waits until all streams are empty.
    """

    copy_in: Stream
    compute: Stream
    copy_out: Stream
    pinned: Callable[[Tensor], Tensor]
    drain: Callable[[], object]


def overlapped(net: Net, tiles: Iterable[Sequence[Tensor]], lanes: Lanes) -> Iterator[tuple[Tensor, ...]]:
    """What `net` makes of each tile, in order, with the bits of `Net.run`.

    Takes pinned memory for `SLOTS` tiles and their results. What it yields lies there: good until the next is asked
    for.

    Raises
    ------
    NetError, FrameError
        See `Net.run`.
    """
    slots = [_Slot(net, lanes) for _ in range(SLOTS)]
    under_way = deque[_Slot]()
    try:
        for number, tile in enumerate(tiles):
            if len(under_way) == SLOTS:
                yield under_way.popleft().result()
            slot = slots[number % SLOTS]
            slot.start(tile)
            under_way.append(slot)
        while under_way:
            yield under_way.popleft().result()
    finally:
        # Memory of a tile that was given up must not go to another while it is still copied.
        lanes.drain()


class _Slot:
    """One tile under way, and its pinned memory, which the next tile of its shape uses again."""

    def __init__(self, net: Net, lanes: Lanes) -> None:
        self._net = net
        self._lanes = lanes
        self._staged: list[Tensor] = []
        self._given: list[Tensor] = []
        self._made: list[Tensor] = []
        self._landed: list[Tensor] = []

    def start(self, tile: Sequence[Tensor]) -> None:
        check_inputs(self._net, tile)
        self._staged = self._copied(tile, self._staged)
        copied = self._lanes.copy_in.enqueue(self._copy_in)
        computed = self._lanes.compute.enqueue(self._compute, after=copied)
        self._done = self._lanes.copy_out.enqueue(self._copy_out, after=computed)

    def result(self) -> tuple[Tensor, ...]:
        self._done.synchronize()
        self._given, self._made = [], []
        *pictures, finite = self._landed
        check_finite(self._net, self._staged, finite.tolist())
        return tuple(pictures)

    def _copy_in(self) -> None:
        empty = [torch.empty_like(tensor, device=self._net.home) for tensor in self._staged]
        self._given = [there.copy_(t, non_blocking=True) for there, t in zip(empty, self._staged, strict=True)]

    def _compute(self) -> None:
        made = self._net.computed(self._given)
        self._made = [*made, torch.stack([tensor.isfinite().all() for tensor in made])]

    def _copy_out(self) -> None:
        self._landed = self._copied(self._made, self._landed)

    def _copied(self, tensors: Sequence[Tensor], into: list[Tensor]) -> list[Tensor]:
        """`tensors` in pinned memory: in that of `into` where it has their shapes."""
        if [there.shape for there in into] != [tensor.shape for tensor in tensors]:
            into = [self._lanes.pinned(tensor) for tensor in tensors]
        return [there.copy_(tensor, non_blocking=True) for there, tensor in zip(into, tensors, strict=True)]
