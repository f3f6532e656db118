"""The one tile walker: any net over any frame in a stated amount of memory, with no seam and no bit changed by it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from vfxgen.backends.net import Net
from vfxgen.backends.onnx_net import is_memory
from vfxgen.errors import NetError, RequestError
from vfxgen.image.fill import push_pull
from vfxgen.log import log

MEMORY = 2 * 1024**3
"""Bytes a net may take beside the frame itself, unless said otherwise."""

TILE = {"cpu": 384, "cuda": 1024}
"""Side of a tile of a net with a bounded view, in input pixels, where memory allows it."""

BLEND = 64
"""Pixels over which tiles of a net that sees everything fade into each other."""

SMALLEST = 72
"""Side of the smallest tile: torch enlarges pictures whose sides add up to 128 or less with other rounding."""

# Measured: what libraries take for themselves beside the tensors that a net holds, for each pixel and at any size.
SCRATCH = 2.0
OVERHEAD = 16 * 1024**2
PROBE = 128

Pictures = Tensor | tuple[Tensor, ...]


@dataclass(frozen=True)
class Plan:
    """How a frame is cut.

    Parameters
    ----------
    tile
        Side of the square tile in input pixels, a multiple of `multiple`; a frame narrower than it is one tile wide.
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
    """

    tile: int
    overlap: int
    multiple: int = 1
    scale: int = 1
    batch: int = 1
    smooth: bool = False

    def __post_init__(self) -> None:
        if self.tile % self.multiple or self.overlap % self.multiple or self.tile <= 2 * self.overlap:
            raise RequestError(
                f"tiles of {self.tile} pixels with {self.overlap} of context on each side: both must be multiples of "
                f"{self.multiple}, and a tile larger than its context"
            )


def run(net: Net, *inputs: Tensor, tile: int = 0, batch: int = 0, memory: int = MEMORY) -> Pictures:
    """A frame of any size through a net: padded to what it wants, cut into tiles, put together again.

    On the processor the result of a net with a bounded view is, bit for bit, that of the whole frame, as long as the
    net is made of convolutions, ReLU and its like, pooling, pixel shuffle, nearest and bilinear enlargement by powers
    of two. SiLU, sigmoid and other exponentials differ by the last bit (3e-6 over a U-Net), since torch computes the
    end of an array with other instructions than the rest; bilinear enlargement by 3 differs by 6e-5 a few hundred
    pixels away from the origin, since its weights are rounded coordinates. On a GPU algorithms are chosen by shape:
    there a tolerance holds too. Where memory runs out the tile is halved, which is said once and remembered.

    Parameters
    ----------
    net
        From `vfxgen.backends.net.load`.
    inputs
        Code values, (B, C, H, W) float32 of one size, finite: see `without_nonfinite`.
    tile
        Side of a tile in input pixels; 0 plans it from `memory`.
    batch
        Tiles at a time; 0 for one on the processor, and as many as memory allows, up to 8, on a GPU.
    memory
        Bytes the net may take beside the frame and its result.

    Returns
    -------
    Tensor or tuple of Tensor
        (B, C, scale H, scale W), on the device of the inputs; a tuple where the net has several outputs.

    Raises
    ------
    NetError
        Out of memory with the smallest tile, or inputs that the card does not allow.
    FrameError
        See `Net.run`.
    """
    size = (inputs[0].shape[-2], inputs[0].shape[-1])
    if any(tensor.shape[-2:] != size for tensor in inputs):
        raise NetError(f"{net}: its inputs must be of one size, got {[tuple(tensor.shape[-2:]) for tensor in inputs]}")
    if fixed := net.card.inputs[0].size:
        raise NetError(f"{net}: takes {fixed[0]}x{fixed[1]} pixels alone and cannot be tiled; resize the frame to it")
    chosen = plan(net, size, tile=tile, batch=batch, memory=memory)
    while True:
        try:
            return walk(net.run, inputs, chosen)
        except (RuntimeError, MemoryError) as error:
            if not is_memory(error):
                raise
            smaller = _halved(net, chosen, size)
        if smaller is None:
            raise NetError(
                f"{net}: out of memory on {net.device} even with tiles of {chosen.tile} pixels; end other programs "
                f"that hold memory, or ask for --device cpu"
            )
        log.warning("%s: out of memory on %s; tiles of %d pixels from here on", net, net.device, smaller.tile)
        net.largest_tile = smaller.tile
        if net.device != "cpu":
            torch.cuda.empty_cache()
        chosen = smaller


def plan(net: Net, size: tuple[int, int], *, tile: int = 0, batch: int = 0, memory: int = MEMORY) -> Plan:
    """How `run` will cut a frame of `size` (height, width).

    A net with a bounded view gets tiles that fit the cache and the memory; one that sees everything gets the whole
    frame where memory allows it, since each tile of it is another picture.
    """
    card, multiple = net.card, net.card.size_multiple
    bounded = card.receptive_field is not None
    overlap = _up(card.receptive_field if card.receptive_field is not None else BLEND, multiple)
    least = _least(overlap, multiple)
    whole = _up(max(size), multiple)
    if tile:
        side = max(least, _up(tile, multiple))
    else:
        pixels = max(0, memory - OVERHEAD) / bytes_per_pixel(net)
        side = math.isqrt(int(pixels)) // multiple * multiple
        if bounded:
            side = min(side, _up(TILE[torch.device(net.device).type], multiple))
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


def walk(run: Callable[..., Pictures], inputs: Sequence[Tensor], plan: Plan) -> Pictures:
    """Frames (B, C, H, W) through `run`, tile by tile as planned: (B, C', scale H, scale W).

    All tiles of a frame have one shape, so that a library chooses one algorithm for all of them. The last tile of a row
    or column is moved back into the frame rather than made smaller.

    Examples
    --------
    >>> frame = torch.rand(1, 3, 50, 70)
    >>> twice = torch.nn.Upsample(scale_factor=2, mode="nearest")
    >>> bool((walk(twice, [frame], Plan(tile=32, overlap=4, scale=2)) == twice(frame)).all())
    True
    """
    height, width = inputs[0].shape[-2:]
    padded = [padded_to_multiple(tensor, plan.multiple) for tensor in inputs]
    rows = _spans(padded[0].shape[-2], plan)
    columns = _spans(padded[0].shape[-1], plan)
    places = list(itertools.product(rows, columns))
    together = max(1, plan.batch // inputs[0].shape[0])
    frames, made = inputs[0].shape[0], list[Tensor]()
    for first in range(0, len(places), together):
        group = places[first : first + together]
        tiles = [torch.cat([tensor[..., r.start : r.end, c.start : c.end] for r, c in group]) for tensor in padded]
        results = run(*tiles)
        pictures = (results,) if isinstance(results, Tensor) else results
        if not made:
            large = (plan.scale * height, plan.scale * width)
            made = [picture.new_zeros((frames, picture.shape[1], *large)) for picture in pictures]
        for whole, picture in zip(made, pictures, strict=True):
            for place, (row, column) in enumerate(group):
                _place(whole, picture[place * frames : (place + 1) * frames], row, column, plan)
        # Else a tile's result would be held while the next one is made.
        del tiles, results, pictures, picture
    return made[0] if len(made) == 1 else tuple(made)


def padded_to_multiple(frame: Tensor, multiple: int) -> Tensor:
    """(B, C, H, W) continued at the right and the bottom to multiples of `multiple`: mirrored about the last pixel.

    A frame narrower than what is missing cannot be mirrored; there its last pixel is repeated.

    Examples
    --------
    >>> padded_to_multiple(torch.tensor([[[[1.0, 2.0, 3.0]]]]), 4).tolist()
    [[[[1.0, 2.0, 3.0, 2.0], [1.0, 2.0, 3.0, 2.0], [1.0, 2.0, 3.0, 2.0], [1.0, 2.0, 3.0, 2.0]]]]
    """
    height, width = frame.shape[-2:]
    right, below = -width % multiple, -height % multiple
    if right:
        frame = pad(frame, (0, right, 0, 0), "reflect" if right < width else "replicate")
    if below:
        frame = pad(frame, (0, 0, 0, below), "reflect" if below < height else "replicate")
    return frame


def without_nonfinite(frame: Tensor) -> tuple[Tensor, Tensor | None]:
    """Fill NaN and infinities from around them, so that a net does not carry them into their neighbours.

    Returns
    -------
    filled, bad
        (B, C, H, W) all finite, and where it was not, as bool (B, C, H, W), for the caller to put back; the frame
        itself and None where all was well.

    Examples
    --------
    >>> frame = torch.ones(1, 1, 8, 8)
    >>> frame[0, 0, 3, 3] = torch.nan
    >>> filled, bad = without_nonfinite(frame)
    >>> filled[0, 0, 3, 3].item(), int(bad.sum())
    (1.0, 1)
    """
    bad = ~frame.isfinite()
    if not bool(bad.any()):
        return frame, None
    planes, known = frame.masked_fill(bad, 0).flatten(0, 1)[:, None], (~bad).to(frame.dtype).flatten(0, 1)[:, None]
    filled, _ = push_pull(planes, known)
    return torch.where(bad, filled.reshape(frame.shape), frame), bad


@dataclass(frozen=True)
class _Span:
    """A tile along one axis, in input pixels: what the net sees, and which part of what it makes is kept."""

    start: int
    end: int
    keep_from: int
    keep_to: int
    fade: Tensor | None = None


def _spans(length: int, plan: Plan) -> list[_Span]:
    if length <= plan.tile:
        return [_Span(0, length, 0, length)]
    core = plan.tile - 2 * plan.overlap if not plan.smooth else plan.tile - plan.overlap
    count = math.ceil((length - plan.tile) / core) + 1
    if plan.smooth:
        # Even steps: no two tiles overlap so much that one of them is for nothing.
        step = (length - plan.tile) / (count - 1)
        starts = [math.floor(i * step / plan.multiple) * plan.multiple for i in range(count - 1)]
    else:
        starts = [i * core for i in range(count - 1)]
    starts.append(length - plan.tile)
    if plan.smooth:
        return _fading(starts, length, plan)
    cuts = [0, *(start + plan.overlap for start in starts[1:]), length]
    return [_Span(s, s + plan.tile, a, b) for s, (a, b) in zip(starts, itertools.pairwise(cuts), strict=True)]


def _fading(starts: list[int], length: int, plan: Plan) -> list[_Span]:
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
        _Span(s, s + plan.tile, s, s + plan.tile, share / total[s * plan.scale : (s + plan.tile) * plan.scale])
        for s, share in zip(starts, shares, strict=True)
    ]


def _place(made: Tensor, result: Tensor, row: _Span, column: _Span, plan: Plan) -> None:
    s = plan.scale
    bottom, right = min(row.keep_to * s, made.shape[-2]), min(column.keep_to * s, made.shape[-1])
    target = made[..., row.keep_from * s : bottom, column.keep_from * s : right]
    top, left = (row.keep_from - row.start) * s, (column.keep_from - column.start) * s
    part = result[..., top : top + target.shape[-2], left : left + target.shape[-1]]
    if row.fade is None and column.fade is None:
        target.copy_(part)
        return
    down = row.fade[: part.shape[-2], None] if row.fade is not None else torch.ones(1, 1)
    across = column.fade[: part.shape[-1]] if column.fade is not None else torch.ones(1)
    target.add_(part * (down * across).to(part))


def _halved(net: Net, plan: Plan, size: tuple[int, int]) -> Plan | None:
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
