"""The one tile walker: any net over any frame in a stated amount of memory, with no seam and no bit changed by it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from vfxgen.backends.memory import is_exhausted
from vfxgen.backends.net import Net
from vfxgen.backends.tile_plan import MEMORY, Plan, Span, halved, plan, spans
from vfxgen.cancel import stop_if_cancelled
from vfxgen.errors import NetError
from vfxgen.frame import Mask
from vfxgen.image.fill import push_pull
from vfxgen.image.tensor import is_finite
from vfxgen.image.trimap import Crop
from vfxgen.log import log
from vfxgen.zoo.card import Card

Pictures = Tensor | tuple[Tensor, ...]
Through = Callable[[Iterable[tuple[Tensor, ...]]], Iterable[Pictures]]


def run(net: Net, *inputs: Tensor, tile: int = 0, batch: int = 0, memory: int = MEMORY) -> Pictures:
    """A frame of any size through a net: padded to what it wants, cut into tiles, put together again.

    On the processor the result of a net with a bounded view is, bit for bit, that of the whole frame, as long as the
    net is made of convolutions, ReLU and its like, pooling, pixel shuffle, nearest and bilinear enlargement by powers
    of two; our upscalers are, at every scale. SiLU, sigmoid and other exponentials differ by the last bit (3e-6 over a
    U-Net), since torch computes the end of an array with other instructions than the rest; torch's bilinear enlargement
    by 3 differs by 6e-5 a few hundred pixels away from the origin, since its weights are rounded coordinates. Compiled
    nets and GPUs choose algorithms by shape: there a tolerance holds too. Where memory runs out the tile is halved,
    which is said once and remembered.

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
        (B, C, scale H, scale W), on the device of the inputs, in memory of its own; a tuple where the net has several
        outputs.

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
    if net.card.whole_frame:
        width, height = net.card.whole_frame
        if size == (height, width):
            return _own(net.run(*inputs))
        raise NetError(
            f"{net}: takes frames of {width}x{height} alone, since it sees all of one at a time; this one is "
            f"{size[1]}x{size[0]}: reformat it to that size, and what the net makes back"
        )
    chosen = plan(net, size, tile=tile, batch=batch, memory=memory)
    while True:
        try:
            return assembled(_through(net, inputs), inputs, chosen)
        except (RuntimeError, MemoryError) as error:
            if not is_exhausted(error):
                raise
            smaller = halved(chosen, size)
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


def _through(net: Net, inputs: Sequence[Tensor]) -> Through:
    """How tiles go through `net`: one after the other, or copied to a GPU and back while it computes."""
    if torch.device(net.home).type == "cuda" and inputs[0].device.type == "cpu":
        from vfxgen.backends.cuda import lanes
        from vfxgen.backends.overlap import overlapped

        return partial(overlapped, net, lanes=lanes(net.home))
    return partial(itertools.starmap, net.run)


def _own(pictures: Pictures) -> Pictures:
    return pictures.clone() if isinstance(pictures, Tensor) else tuple(picture.clone() for picture in pictures)


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
    return assembled(partial(itertools.starmap, run), inputs, plan)


def assembled(through: Through, inputs: Sequence[Tensor], plan: Plan) -> Pictures:
    """As `walk`, with what takes all tiles, in order, and gives what the net makes of each."""
    height, width = inputs[0].shape[-2:]
    down, across = plan.fixed or (0, 0)
    padded = [continued(padded_to_multiple(tensor, plan.multiple), down, across) for tensor in inputs]
    rows = spans(padded[0].shape[-2], plan, down)
    columns = spans(padded[0].shape[-1], plan, across)
    places = list(itertools.product(rows, columns))
    together = max(1, plan.batch // inputs[0].shape[0])
    groups = [places[first : first + together] for first in range(0, len(places), together)]
    frames, made = inputs[0].shape[0], list[Tensor]()
    results_of = iter(through(_cut(padded, group) for group in groups))
    for group in groups:
        stop_if_cancelled()
        results = next(results_of)
        pictures = (results,) if isinstance(results, Tensor) else results
        if not made:
            large = (plan.scale * height, plan.scale * width)
            made = [picture.new_zeros((frames, picture.shape[1], *large)) for picture in pictures]
        for whole, picture in zip(made, pictures, strict=True):
            for place, (row, column) in enumerate(group):
                _place(whole, picture[place * frames : (place + 1) * frames], row, column, plan)
        # Else a tile's result would be held while the next one is made.
        del results, pictures, picture
    return made[0] if len(made) == 1 else tuple(made)


def _cut(frames: Sequence[Tensor], group: Sequence[tuple[Span, Span]]) -> tuple[Tensor, ...]:
    """The tiles of each frame, one after the other in a batch; a view of it where there is but one."""
    cut = [[frame[..., row.start : row.end, column.start : column.end] for row, column in group] for frame in frames]
    return tuple(tiles[0] if len(tiles) == 1 else torch.cat(tiles) for tiles in cut)


def padded_to_multiple(frame: Tensor, multiple: int) -> Tensor:
    """(B, C, H, W) continued at the right and the bottom to multiples of `multiple`: mirrored about the last pixel.

    A frame narrower than what is missing cannot be mirrored; there its last pixel is repeated.

    Examples
    --------
    >>> padded_to_multiple(torch.tensor([[[[1.0, 2.0, 3.0]]]]), 4).tolist()
    [[[[1.0, 2.0, 3.0, 2.0], [1.0, 2.0, 3.0, 2.0], [1.0, 2.0, 3.0, 2.0], [1.0, 2.0, 3.0, 2.0]]]]
    """
    height, width = frame.shape[-2:]
    return continued(frame, height + -height % multiple, width + -width % multiple)


def continued(frame: Tensor, height: int, width: int) -> Tensor:
    """As `padded_to_multiple`, to at least `height` and `width`."""
    below, right = height - frame.shape[-2], width - frame.shape[-1]
    if right > 0:
        frame = pad(frame, (0, right, 0, 0), "reflect" if right < frame.shape[-1] else "replicate")
    if below > 0:
        frame = pad(frame, (0, 0, 0, below), "reflect" if below < frame.shape[-2] else "replicate")
    return frame


def seen_for(wanted: Mask, card: Card) -> Crop:
    """The part of a frame that a net must see for the `wanted` pixels (H, W); all, where it sees everything.

    What it makes of them is what it makes of them in the whole frame: all that they depend on is in it, and its steps
    lie where they lay.

    Examples
    --------
    >>> import numpy
    >>> from vfxgen.zoo import registry
    >>> wanted = numpy.zeros((540, 960), bool)
    >>> wanted[300, 500] = True
    >>> seen_for(wanted, registry.nets()["upscale-x2"].card)
    (slice(280, 321, None), slice(480, 521, None))
    """
    if card.receptive_field is None:
        return np.s_[:, :]
    spans = []
    for axis in (1, 0):
        places = np.flatnonzero(wanted.any(axis))
        first = max(0, int(places[0]) - card.receptive_field)
        spans.append(slice(first - first % card.size_multiple, int(places[-1]) + 1 + card.receptive_field))
    return spans[0], spans[1]


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
    if is_finite(frame):
        return frame, None
    bad = ~frame.isfinite()
    planes, known = frame.masked_fill(bad, 0).flatten(0, 1)[:, None], (~bad).to(frame.dtype).flatten(0, 1)[:, None]
    filled, _ = push_pull(planes, known)
    return torch.where(bad, filled.reshape(frame.shape), frame), bad


def _place(made: Tensor, result: Tensor, row: Span, column: Span, plan: Plan) -> None:
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
