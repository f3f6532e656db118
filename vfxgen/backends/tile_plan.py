"""How a frame is cut for a net: tiles that fit in a stated amount of memory, from the measured cost of the net."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vfxgen.backends.net import Net
from vfxgen.errors import RequestError

MEMORY = 2 * 1024**3
"""Bytes a net may take beside the frame itself, unless said otherwise."""

TILE = {"cpu": 496, "cuda": 1024}
"""Largest side of a tile of a net with a bounded view, in input pixels, where memory allows it.

On the processor 32 channels of it are just below what glibc keeps (`vfxgen.backends.memory`): larger ones are a third
slower.
"""

BLEND = 64
"""Pixels over which tiles of a net that sees everything fade into each other."""

SMALLEST = 72
"""Side of the smallest tile: torch enlarges pictures whose sides add up to 128 or less with other rounding."""

# Measured: what libraries take for themselves beside the tensors that a net holds, for each pixel and at any size.
SCRATCH = 2.0
OVERHEAD = 16 * 1024**2
PROBE = 128


@dataclass(frozen=True)
class Plan:
    """How a frame is cut.

    Parameters
    ----------
    tile
        Largest side of a tile in input pixels, a multiple of `multiple`; a frame narrower than it is one tile wide.
    overlap
        Pixels of context on each side, a multiple of `multiple`. At least the receptive field: then the tiled frame is
        the whole frame.
    multiple
        Height and width the net wants multiples of.
    scale
        Output height over input height.
    batch
        Tiles that go through the net together.
    smooth
        Fade tiles into each other over the overlap (raised cosine) instead of cutting in its middle.
    fixed
        (height, width) of every tile, for a net that takes no other; `tile` is then the smaller of them.
    """

    tile: int
    overlap: int
    multiple: int = 1
    scale: int = 1
    batch: int = 1
    smooth: bool = False
    fixed: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        sides = (self.overlap, *(self.fixed or (self.tile,)))
        if any(side % self.multiple for side in sides) or self.tile <= 2 * self.overlap:
            raise RequestError(
                f"tiles of {self.tile} pixels with {self.overlap} of context on each side: both must be multiples of "
                f"{self.multiple}, and a tile larger than its context"
            )


def plan(net: Net, size: tuple[int, int], *, tile: int = 0, batch: int = 0, memory: int = MEMORY) -> Plan:
    """How `run` will cut a frame of `size` (height, width).

    A net with a bounded view gets tiles that fit the cache and the memory, or of the one size it takes; one that sees
    everything gets the whole frame where memory allows it, since each tile of it is another picture.
    """
    card, multiple = net.card, net.card.size_multiple
    bounded = card.receptive_field is not None
    overlap = _up(card.receptive_field if card.receptive_field is not None else BLEND, multiple)
    if card.inputs[0].size:
        height, width = card.inputs[0].size
        return Plan(min(height, width), overlap, multiple, card.scale, fixed=(height, width))
    least = _least(overlap, multiple)
    whole = _up(max(size), multiple)
    if tile:
        side = max(least, _up(tile, multiple))
    else:
        pixels = max(0, memory - OVERHEAD) / bytes_per_pixel(net)
        side = math.isqrt(int(pixels)) // multiple * multiple
        if bounded:
            side = min(side, _up(TILE[torch.device(net.device).type] * _fold(net), multiple))
        elif _up(size[0], multiple) * _up(size[1], multiple) <= pixels:
            side = whole
        side = max(least, side)
    side = min(side, net.largest_tile or side, max(whole, least))
    if not batch:
        fits = 1 if net.device == "cpu" else int((memory - OVERHEAD) / bytes_per_pixel(net) / side**2)
        batch = max(1, min(8, fits))
    return Plan(side, overlap, multiple, card.scale, batch, smooth=not bounded)


def bytes_per_pixel(net: Net) -> float:
    """Memory a net takes for each input pixel, measured once on a small tile and remembered."""
    if net.bytes_per_pixel is None:
        multiple = net.card.size_multiple
        side = _up(min(PROBE, net.largest_tile or PROBE), multiple)
        given = [torch.zeros(1, len(p.channel_names), side, side, device=net.device) for p in net.card.inputs]
        cost = SCRATCH * max(net.peak_bytes(given) / side**2, 64.0)
        # In steps of half an octave, so that noise in a measurement of the process does not change a plan.
        net.bytes_per_pixel = 2 ** (math.ceil(2 * math.log2(cost)) / 2)
    return net.bytes_per_pixel


def _fold(net: Net) -> int:
    """How many pixels of each side a net takes together: it holds as much less of a tile."""
    fold = net.card.hyperparameters.get("fold", 1)
    return fold if isinstance(fold, int) else 1


@dataclass(frozen=True)
class Span:
    """A tile along one axis, in input pixels: what the net sees, and which part of what it makes is kept."""

    start: int
    end: int
    keep_from: int
    keep_to: int
    fade: Tensor | None = None


def spans(length: int, plan: Plan, fixed: int = 0) -> list[Span]:
    """The tiles along one axis of `length` pixels, all of one size: `fixed`, or as even as `plan` allows.

    Examples
    --------
    >>> [(span.start, span.end, span.keep_from, span.keep_to) for span in spans(100, Plan(tile=80, overlap=4))]
    [(0, 72, 0, 32), (28, 100, 32, 100)]
    """
    if not fixed and length <= plan.tile:
        return [Span(0, length, 0, length)]
    context = plan.overlap if plan.smooth else 2 * plan.overlap
    count = math.ceil((length - context) / (plan.tile - context))
    if plan.smooth:
        step = (length - plan.tile) / (count - 1)
        starts = [math.floor(i * step / plan.multiple) * plan.multiple for i in range(count - 1)]
        return _fading([*starts, length - plan.tile], length, plan)
    # No larger than it has to be: tiles of full size would go over the end of the frame twice.
    even = _up(math.ceil((length - context) / count) + context, plan.multiple)
    side = fixed or max(even, min(plan.tile, _up(SMALLEST, plan.multiple)))
    starts = [*range(0, length - side, side - context), length - side]
    cuts = [0, *(start + plan.overlap for start in starts[1:]), length]
    return [Span(s, s + side, a, b) for s, (a, b) in zip(starts, itertools.pairwise(cuts), strict=True)]


def _fading(starts: list[int], length: int, plan: Plan) -> list[Span]:
    ramp = torch.linspace(0, torch.pi, plan.tile * plan.scale + 2)[1:-1]
    weight = (1 - ramp.mul(2).cos()).clamp_min(1e-6)
    total = torch.zeros(length * plan.scale)
    shares = []
    for start in starts:
        share = weight.clone()
        # At the border of the frame there is no other tile to fade into.
        reach = plan.tile * plan.scale // 2
        if start == 0:
            share[:reach] = share[reach]
        if start + plan.tile == length:
            share[reach:] = share[reach]
        total[start * plan.scale : (start + plan.tile) * plan.scale] += share
        shares.append(share)
    return [
        Span(s, s + plan.tile, s, s + plan.tile, share / total[s * plan.scale : (s + plan.tile) * plan.scale])
        for s, share in zip(starts, shares, strict=True)
    ]


def halved(plan: Plan, size: tuple[int, int]) -> Plan | None:
    """The plan for a frame of `size` after memory ran out with `plan`; None where no smaller tile is possible."""
    if plan.fixed:
        return None
    least = _least(plan.overlap, plan.multiple)
    side = min(plan.tile, _up(max(size), plan.multiple))
    smaller = max(least, _up(side // 2, plan.multiple))
    if smaller >= side:
        return None
    return Plan(smaller, plan.overlap, plan.multiple, plan.scale, 1, plan.smooth)


def _least(overlap: int, multiple: int) -> int:
    return _up(max(SMALLEST, 3 * overlap), multiple)


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
