"""Alignment: where each pixel of a picture with a hole is in another, and what that one shows there."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Mask, Pixels
from vfxgen.image.blend import normalised_blur
from vfxgen.image.fill import push_pull
from vfxgen.image.flow import flow_of_codes, motion_codes
from vfxgen.image.likeness import agreement, exposed_as
from vfxgen.image.passing import passing
from vfxgen.image.tensor import to_pixels, to_tensor
from vfxgen.image.warp import Filter, through, warped

# Pixels from what is hidden in a source over which it comes to count in full, and how much of a pixel may be hidden.
_RAMP, _HALF_HIDDEN = 3.0, 0.5
# Pixels over which flow and agreement are averaged along the rim of the hole; and flow where there is no detail to be
# followed: there it follows the grain.
_FLOW_BLUR, _AGREEMENT_BLUR, _GRAIN_BLUR = 2.5, 4.0, 24.0
# Change of motion from one pixel to the next at which it counts for half, and the pixels over which that is averaged:
# flow that bends more has found something else that looks alike, as a post that passes before the hole.
_BENT, _BENT_BLUR = 0.3, 1.5
# Pixels by which motion is off the mean around it at which it counts for half, and over which that mean is taken: a few
# pixels beside the hole that found something else would lead all of it astray.
_ODD, _ODD_BLUR = 3.0, 8.0
# What trust is at least.
_LEAST_TRUST = 0.02
# What is carried on from around is, on a picture that many times smaller.
_COARSE = 4


class Target(NamedTuple):
    """What others are aligned with.

    Parameters
    ----------
    light
        (H, W, 3), scene-linear, finite; spanned with something smooth in the hole.
    hole
        (H, W): where it does not show the scene.
    toe
        Light that counts as black: `vfxgen.image.likeness.toe_of`.
    detail
        (H, W), 0 .. 1: where there is more than grain (`vfxgen.image.grain_model.detail`), so that the motion does not
        follow the grain; 1 in the hole, where there may be; None: everywhere.
    """

    light: Pixels
    hole: Mask
    toe: float
    detail: Pixels | None = None


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
    flow
        (H, W, 2): where each pixel of the target is in this picture as another way than the matrix tells it, in pixels
        from its own place; None where there is no other.
    home
        (h, w, 3): where the target shows the pixels of this picture itself (`vfxgen.image.passing.home`), so that
        nothing that passes before the hole fills it; None where that is not known.
    """

    light: Pixels
    hidden: Mask
    matrix: NDArray[np.float64]
    weight: float
    grain: float = 1.0
    last: bool = False
    flow: Pixels | None = None
    home: Pixels | None = None


class Aligned(NamedTuple):
    """A source as it looks from the target.

    Parameters
    ----------
    light
        (H, W, 3), matched in exposure.
    known
        (H, W): where it shows the scene.
    agree
        (H, W): how well it agrees with the target where both are known, 0 .. 1; 0 elsewhere.
    trust
        (H, W): `agree`, spread over the hole.
    weight
        (H, W): how much it counts.
    flow
        (H, W, 2): the motion that the matrix of the source leaves.
    moved
        How many pixels that is beside the hole, at the 90th percentile.
    """

    light: Pixels
    known: Mask
    agree: Pixels
    trust: Pixels
    weight: Pixels
    flow: Pixels
    moved: float


def refined(target: Target, source: Source, start: Pixels | None) -> Pixels:
    """The motion that the matrix of `source` leaves, (H, W, 2): dense flow, in the hole that of what is next to it.

    Parameters
    ----------
    start
        (H, W, 2): that motion, roughly; none by default.
    """
    start = np.zeros((*target.hole.shape, 2), np.float32) if start is None else start
    first, known = _looked_up(source, through(source.matrix, start), "bilinear")
    more = flow_of_codes(*motion_codes(target.light, first))
    after, _ = warped(first, more, "bilinear")
    both = known & ~target.hole
    agree = agreement(exposed_as(after, target.light, both), target.light, target.toe, both)
    return _completed(more + warped(start, more, "bilinear")[0], both, agree, target.detail)


def aligned(target: Target, source: Source, flow: Pixels) -> Aligned:
    """`source` through its matrix and the motion that it leaves."""
    lies = through(source.matrix, flow)
    light, known = _looked_up(source, lies, "bicubic")
    both = known & ~target.hole
    light = exposed_as(light, target.light, both)
    agree = agreement(light, target.light, target.toe, both)
    trust = np.maximum(_spread(agree[..., None], both.astype(np.float32), _AGREEMENT_BLUR)[..., 0], _LEAST_TRUST)
    if source.home is not None:
        trust = trust * (1 - passing(source.home, lies))
    moved = float(np.percentile(np.linalg.norm(flow[both], axis=-1), 90)) if both.any() else 0.0
    weight = np.asarray(np.float32(source.weight) * _ramp(known) * trust**2, np.float32)
    return Aligned(light, known, agree, trust, weight, flow, moved)


def _looked_up(source: Source, flow: Pixels, filter: Filter) -> tuple[Pixels, Mask]:
    light, valid = warped(source.light, flow, filter)
    hidden, _ = warped(source.hidden.astype(np.float32)[..., None], flow, "bilinear")
    return light, valid & (hidden[..., 0] < _HALF_HIDDEN)


def _ramp(known: Mask) -> Pixels:
    inside = np.pad(known, 1).astype(np.uint8)
    return np.asarray(np.clip(cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1] / _RAMP, 0, 1), np.float32)


def _completed(flow: Pixels, both: Mask, agree: Pixels, detail: Pixels | None) -> Pixels:
    """The flow where it is found, agrees, hardly bends and is not odd, smoothed; else that of what is next to it."""
    weight = _unless_odd((both * agree * _straightness(flow)).astype(np.float32), flow)
    if detail is not None:
        flow = _calmed(flow, detail, weight)
    sure = np.clip(cv2.GaussianBlur(weight, (0, 0), _FLOW_BLUR) * 3, 0, 1)[..., None] * both[..., None]
    found = normalised_blur(flow, weight, _FLOW_BLUR) * sure + _spread(flow, weight, _FLOW_BLUR) * (1 - sure)
    if detail is not None:
        found = _calmed(found, detail, np.ones_like(weight))
    return np.asarray(found, np.float32)


def _calmed(flow: Pixels, detail: Pixels, weight: Pixels) -> Pixels:
    """The flow, averaged widely where there is but grain."""
    share = detail[..., None]
    return flow * share + _around(flow, weight, _GRAIN_BLUR) * (1 - share)


def _straightness(flow: Pixels) -> Pixels:
    """1 where the motion is the same all around, (H, W); a half where it changes by `_BENT` from pixel to pixel."""
    changes = [cv2.Sobel(flow, cv2.CV_32F, x, 1 - x, ksize=3, scale=1 / 8) for x in (0, 1)]
    bent = cv2.GaussianBlur(np.sum(np.square(changes), axis=(0, -1)), (0, 0), _BENT_BLUR)
    return np.asarray(1 / (1 + bent / np.float32(_BENT**2)), np.float32)


def _unless_odd(weight: Pixels, flow: Pixels) -> Pixels:
    """The weight (H, W), less where the flow is off that of what is around: a half at `_ODD` pixels."""
    less = weight
    for _ in range(2):
        odd = np.linalg.norm(flow - _around(flow, less, _ODD_BLUR), axis=-1) / np.float32(_ODD)
        less = weight / (1 + odd**2)
    return less


def _spread(values: Pixels, weight: Pixels, sigma: float) -> Pixels:
    """(H, W, C), blurred where there is weight, carried on to the rest from what is next to it; at a small size.

    Not as a harmonic surface: what is near and moves fast, as the ground before a wall, would bend the motion far away.
    """
    height, width = weight.shape
    smooth, small = _means(values, weight, sigma)
    known = (small > 0.1).astype(np.float32)[..., None]
    carried = to_pixels(push_pull(to_tensor(smooth), to_tensor(known))[0])
    return np.asarray(cv2.resize(carried, (width, height), interpolation=cv2.INTER_LINEAR).reshape(values.shape))


def _around(values: Pixels, weight: Pixels, sigma: float) -> Pixels:
    """As `normalised_blur`, for wide blurs: the mean is taken at a small size."""
    mean: Pixels = cv2.resize(_means(values, weight, sigma)[0], weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return mean


def _means(values: Pixels, weight: Pixels, sigma: float) -> tuple[Pixels, Pixels]:
    """The mean around each pixel (`normalised_blur`) and the weight, at a `_COARSE`-th of the size."""
    height, width = weight.shape
    size = (-(-width // _COARSE), -(-height // _COARSE))
    small = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(values * weight[..., None], size, interpolation=cv2.INTER_AREA).reshape(*small.shape, -1)
    return normalised_blur(sums / np.maximum(small, 1e-6)[..., None], small, max(1.0, sigma / _COARSE)), small
