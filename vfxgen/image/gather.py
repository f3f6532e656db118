"""Gathering: what other frames show of a hole in this one, aligned, matched in exposure, and blended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Mask, Pixels
from vfxgen.image.blend import normalised_blur, seamless
from vfxgen.image.exposure import gain
from vfxgen.image.flow import flow_of_codes, motion_codes
from vfxgen.image.harmonic import harmonic
from vfxgen.image.warp import Filter, warped

# Pixels from what is hidden in a source over which it comes to count in full, and how much of a pixel may be hidden.
_RAMP, _HALF_HIDDEN = 3.0, 0.5
# Pixels over which flow, agreement and exposure are averaged along the rim of the hole.
_FLOW_BLUR, _AGREEMENT_BLUR, _EXPOSURE_BLUR = 2.5, 12.0, 24.0
# Stops that an aligned source may be off beside the hole, or off the other sources within it, to count for half; and
# the share of the local contrast that may come on top: fine detail never lies exactly.
_HALF, _HALF_WITHIN, _CONTRAST = 0.15, 0.12, 0.35
# Light this far below a picture's level counts as black where pictures are compared: stops.
_TOE = 5.0
# What spans the hole counts as a source of that weight, half as much with each pixel that is further inside, and never
# more than all sources together.
_SPAN = 0.05
# Visibility times trust, of all sources together, from which a pixel counts as seen; and what trust is at least.
_SEEN, _LEAST_TRUST = 0.15, 0.02
# What is smooth is solved on a picture that many times smaller.
_COARSE = 4


class Source(NamedTuple):
    """Another frame that may show what is behind the hole.

    Parameters
    ----------
    light
        (h, w, 3), scene-linear, finite; spanned with something smooth where it is hidden.
    hidden
        (h, w): where it does not show the scene.
    matrix
        3x3, from pixel centres of the target to those of this picture.
    weight
        How much it counts where it is seen in full, above 0.
    grain
        The share of the plate's grain variance that it has.
    last
        It is taken wherever it reaches, however little it agrees: there is nothing better.
    """

    light: Pixels
    hidden: Mask
    matrix: NDArray[np.float64]
    weight: float
    grain: float = 1.0
    last: bool = False


class Gathered(NamedTuple):
    """What was gathered.

    Parameters
    ----------
    light
        (H, W, 3): the target, filled where `seen`.
    seen
        (H, W): where the zone is filled.
    left
        (H, W): the share of the plate's grain variance that is left after blending; 1 outside the zone.
    moved
        Pixels by which the dense flow corrected the matrices beside the hole: the 90th percentile, the greatest of all
        sources. Well above 1, nearby things move against far ones.
    """

    light: Pixels
    seen: Mask
    left: Pixels
    moved: float


class _Aligned(NamedTuple):
    light: Pixels
    weight: Pixels
    visibility: Pixels
    overlap: Mask
    moved: float


def gathered(target: Pixels, hole: Mask, sources: Sequence[Source], zone: Mask | None = None) -> Gathered:
    """Fill the `hole` of `target` from `sources`.

    Each source is looked up through its matrix, then along the dense flow that is left, which is carried over the hole
    as a harmonic surface; its light is multiplied by the gain that fits it to the target around the hole. Pixels are
    means of the sources, weighed by visibility, by how well they agree with the target beside the hole, and with each
    other within it; within a few pixels of the border, of what spans the hole too. The step at the seam is spread as in
    `vfxgen.image.blend.seamless`.

    Parameters
    ----------
    target
        (H, W, 3), scene-linear, finite.
    hole
        (H, W).
    zone
        (H, W): what is filled; the hole, or more than that.
    """
    zone = hole if zone is None else zone
    nothing = Gathered(target, np.zeros_like(hole), np.ones(hole.shape, np.float32), 0.0)
    if not hole.any() or not sources:
        return nothing
    spanned = harmonic(np.where(hole[..., None], np.float32(0), target), ~hole)
    found = [_aligned(spanned, hole, source) for source in sources]
    seen = zone & (np.sum([one.visibility for one in found], axis=0) > _SEEN)
    if not seen.any():
        return nothing
    weights = np.stack([one.weight for one in found])
    weights = np.stack([*weights, np.minimum(_rim(hole), weights.sum(axis=0))])
    lights, grain = [*(one.light for one in found), spanned], [*(source.grain for source in sources), 0.0]
    light, left = _blended(lights, weights, grain, _toe(target, ~hole))
    overlap = np.any([one.overlap for one in found], axis=0)
    filled = seamless(light, target, zone, overlap & ~zone)
    return Gathered(
        np.where(seen[..., None], filled, target),
        seen,
        np.where(seen, left, np.float32(1)),
        max(one.moved for one in found),
    )


def _aligned(target: Pixels, hole: Mask, source: Source) -> _Aligned:
    still = np.zeros((*hole.shape, 2), np.float32)
    first, known = _looked_up(source, _through(source.matrix, still), "bilinear")
    both = known & ~hole
    rest = flow_of_codes(*motion_codes(target, first))
    after, _ = warped(first, rest, "bilinear")
    gains = gain(after, target, both, _EXPOSURE_BLUR)
    toe = _toe(target, ~hole)
    rest = _completed(rest, both, _agreement(after * gains, target, both, toe))
    light, known = _looked_up(source, _through(source.matrix, rest), "bicubic")
    both = known & ~hole
    light = light * gains
    agree = _agreement(light, target, both, toe)
    trust = np.maximum(_spread(agree[..., None], both.astype(np.float32), _AGREEMENT_BLUR)[..., 0], _LEAST_TRUST)
    moved = float(np.percentile(np.linalg.norm(rest[both], axis=-1), 90)) if both.any() else 0.0
    weight = np.asarray(np.float32(source.weight) * _ramp(known) * trust**2, np.float32)
    return _Aligned(light, weight, known * (np.float32(1) if source.last else trust), both, moved)


def _looked_up(source: Source, flow: Pixels, filter: Filter) -> tuple[Pixels, Mask]:
    light, valid = warped(source.light, flow, filter)
    hidden, _ = warped(source.hidden.astype(np.float32)[..., None], flow, "bilinear")
    return light, valid & (hidden[..., 0] < _HALF_HIDDEN)


def _rim(hole: Mask) -> Pixels:
    """How much what spans the hole counts: beside known pixels it is as good as a source that lies badly."""
    inside = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(np.where(hole, _SPAN * np.exp2(1 - inside), 0), np.float32)


def _ramp(known: Mask) -> Pixels:
    inside = np.pad(known, 1).astype(np.uint8)
    return np.asarray(np.clip(cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1] / _RAMP, 0, 1), np.float32)


def _through(matrix: NDArray[np.float64], flow: Pixels) -> Pixels:
    """The flow to where `matrix` takes the places that `flow` leads to."""
    rows, columns = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float64)
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    over, down, depth = (m[0] * x + m[1] * y + m[2] for m in matrix)
    depth = np.where(depth > 0, depth, np.nan)
    return np.stack([over / depth - columns, down / depth - rows], axis=-1).astype(np.float32)


def _completed(flow: Pixels, both: Mask, agree: Pixels) -> Pixels:
    """The flow where it is found and agrees, smoothed; a harmonic surface elsewhere."""
    weight = (both * agree).astype(np.float32)
    sure = np.clip(cv2.GaussianBlur(weight, (0, 0), _FLOW_BLUR) * 3, 0, 1)[..., None] * both[..., None]
    found = normalised_blur(flow, weight, _FLOW_BLUR) * sure + _spread(flow, weight, _FLOW_BLUR) * (1 - sure)
    return np.asarray(found, np.float32)


def _spread(values: Pixels, weight: Pixels, sigma: float) -> Pixels:
    """(H, W, C), blurred where there is weight, carried over the rest as a harmonic surface; solved at a small size."""
    height, width = weight.shape
    size = (-(-width // _COARSE), -(-height // _COARSE))
    small = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(values * weight[..., None], size, interpolation=cv2.INTER_AREA).reshape(*small.shape, -1)
    means = sums / np.maximum(small, 1e-6)[..., None]
    smooth = normalised_blur(means, small, max(1.0, sigma / _COARSE))
    solved = harmonic(smooth, small > 0.1)
    return np.asarray(cv2.resize(solved, (width, height), interpolation=cv2.INTER_LINEAR).reshape(values.shape))


def _agreement(light: Pixels, target: Pixels, both: Mask, toe: float) -> Pixels:
    """1 where two pictures are alike, a half where they are `_HALF` stops apart; 0 beside `both`."""
    ours, theirs = (_grey(_stops(picture, toe)) for picture in (light, target))
    kernel = np.ones((3, 3), np.uint8)
    contrast = cv2.dilate(theirs, kernel) - cv2.erode(theirs, kernel)
    apart = np.stack([np.abs(ours - theirs), contrast], axis=-1)
    apart = normalised_blur(apart, both.astype(np.float32), 1.5)
    return np.asarray(both / (1 + (apart[..., 0] / (_HALF + _CONTRAST * apart[..., 1])) ** 2), np.float32)


def _blended(lights: list[Pixels], weights: Pixels, grain: list[float], toe: float) -> tuple[Pixels, Pixels]:
    """The weighted mean, sources that stand apart from the others counting less, and the share of variance left."""
    stops = [_stops(light, toe) for light in lights]
    for _ in range(3):
        total = np.maximum(weights.sum(axis=0), 1e-9)
        middle = sum(s * w[..., None] for s, w in zip(stops, weights, strict=True)) / total[..., None]
        apart = np.stack([cv2.blur(_grey(np.abs(s - middle)), (3, 3)) for s in stops])
        weights = np.asarray(weights / (1 + (apart / _HALF_WITHIN) ** 2), np.float32)
    total = np.maximum(weights.sum(axis=0), 1e-12)
    share = weights / total
    mean = sum(light * part[..., None] for light, part in zip(lights, share, strict=True))
    left = sum(part**2 * one for part, one in zip(share, grain, strict=True))
    return np.asarray(mean, np.float32), np.asarray(left, np.float32)


def _toe(light: Pixels, where: Mask) -> float:
    level = float(np.median(np.maximum(light[where], 0))) if where.any() else 0.0
    return level * 2**-_TOE or 1e-4


def _grey(light: Pixels) -> Pixels:
    return (light[..., 0] + light[..., 1] + light[..., 2]) / np.float32(3)


def _stops(light: Pixels, toe: float) -> Pixels:
    return np.asarray(np.log2(np.maximum(light, 0) + np.float32(toe)), np.float32)
