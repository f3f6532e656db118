"""Gathering: what other frames show of a hole in this one, aligned, matched in exposure, and blended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from vfxgen.frame import Mask, Pixels
from vfxgen.image.alignment import Aligned, Source, Target, aligned, refined
from vfxgen.image.blend import seamless
from vfxgen.image.grain_model import GrainModel, detail
from vfxgen.image.harmonic import harmonic
from vfxgen.image.holes import without_specks
from vfxgen.image.likeness import agreement, grey_of, stops_of, toe_of
from vfxgen.image.warp import through

# Stops that a source may be off the other sources to count for half.
_HALF_WITHIN = 0.12
# What spans the hole counts as a source of that weight, half as much with each pixel that is further inside, and never
# more than all sources together.
_SPAN = 0.05
# Visibility times trust, of all sources together, from which a pixel counts as seen.
_SEEN = 0.15
# Pixels over which two ways to a source are compared.
_WAY_BLUR = 3.0


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


def gathered(
    target: Pixels,
    hole: Mask,
    sources: Sequence[Source],
    zone: Mask | None = None,
    grain: GrainModel | None = None,
) -> Gathered:
    """Fill the `hole` of `target` from `sources`.

    Each source is looked up through its matrix, then along the dense flow that is left, which is carried into the hole
    from what is next to it; and along its own flow where it has one. What all of them show together is the picture with
    which each is aligned again, in the hole too, from the better of its two ways on (coarse to fine, as in groupwise
    registration). Its light is multiplied by the gain that fits it to the target around the hole. Pixels are means of
    the sources, weighed by visibility, by how well they agree with that picture, and with each other; within a few
    pixels of the border, of what spans the hole too. The step at the seam is spread as in
    `vfxgen.image.blend.seamless`.

    Parameters
    ----------
    target
        (H, W, 3), scene-linear, finite.
    hole
        (H, W).
    zone
        (H, W): what is filled; the hole, or more than that.
    grain
        Of the target, so that the motion does not follow it.
    """
    zone = hole if zone is None else zone
    nothing = Gathered(target, np.zeros_like(hole), np.ones(hole.shape, np.float32), 0.0)
    if not hole.any() or not sources:
        return nothing
    spanned = harmonic(np.where(hole[..., None], np.float32(0), target), ~hole)
    toe = toe_of(target, ~hole)
    whole, starts = _looked(Target(spanned, hole, toe, _detail(spanned, hole, grain)), sources, grain)
    if not (zone & ~whole.hole).any():
        return nothing
    found = [aligned(whole, one, refined(whole, one, start)) for one, start in zip(sources, starts, strict=True)]
    # Single pixels of what passes show in the midst of what no source shows: specks.
    seen = zone & without_specks(~zone | _seen(list(zip(sources, found, strict=True))))
    weights = np.stack([one.weight for one in found])
    weights = np.stack([*weights, np.minimum(_rim(hole), weights.sum(axis=0))])
    lights, shares = [*(one.light for one in found), spanned], [*(source.grain for source in sources), 0.0]
    light, left = _blended(lights, weights, shares, toe)
    overlap = np.any([one.known for one in found], axis=0)
    filled = seamless(light, target, zone, overlap & ~zone)
    return Gathered(
        np.where(seen[..., None], filled, target),
        seen,
        np.where(seen, left, np.float32(1)),
        max(one.moved for one in found),
    )


def _looked(target: Target, sources: Sequence[Source], grain: GrainModel | None) -> tuple[Target, list[Pixels]]:
    """The target with what its sources show of the hole together, and the way on to each of them."""
    ways = [_ways(target, source) for source in sources]
    found = [way for several in ways for way in several]
    weights = np.stack([way.weight for way in found])
    light, _ = _blended([way.light for way in found], weights, [0.0] * len(found), target.toe)
    seen = _seen([(source, way) for source, several in zip(sources, ways, strict=True) for way in several])
    light = np.where((target.hole & seen)[..., None], light, target.light)
    left = target.hole & ~seen
    filled = Target(light, left, target.toe, _detail(light, left, grain))
    return filled, [_better(several, filled) for several in ways]


def _detail(light: Pixels, hole: Mask, grain: GrainModel | None) -> Pixels | None:
    """As `Target` has it: what is spanned shows no detail, but may hide some."""
    return None if grain is None else np.where(hole, np.float32(1), detail(light, grain))


def _ways(target: Target, source: Source) -> list[Aligned]:
    """The source along the flow that its matrix leaves, and along its own where it has one."""
    flows = [refined(target, source, None)]
    if source.flow is not None:
        flows.append(np.nan_to_num(through(np.asarray(np.linalg.inv(source.matrix), np.float64), source.flow)))
    return [aligned(target, source, flow) for flow in flows]


def _better(ways: list[Aligned], target: Target) -> Pixels:
    """The flow of that of the ways, from place to place, along which the source is more alike to the target."""
    if len(ways) == 1:
        return ways[0].flow
    alike = [agreement(way.light, target.light, target.toe, way.known & ~target.hole) for way in ways]
    apart = cv2.GaussianBlur(alike[1] - alike[0], (0, 0), _WAY_BLUR)
    return np.where(apart[..., None] > 0, ways[1].flow, ways[0].flow)


def _seen(found: list[tuple[Source, Aligned]]) -> Mask:
    shown = sum(one.known * (np.float32(1) if source.last else one.trust) for source, one in found)
    return np.asarray(shown > _SEEN, np.bool_)


def _rim(hole: Mask) -> Pixels:
    """How much what spans the hole counts: beside known pixels it is as good as a source that lies badly."""
    inside = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(np.where(hole, _SPAN * np.exp2(1 - inside), 0), np.float32)


def _blended(lights: list[Pixels], weights: Pixels, grain: list[float], toe: float) -> tuple[Pixels, Pixels]:
    """The weighted mean, sources that stand apart from the others counting less, and the share of variance left."""
    stops = [stops_of(light, toe) for light in lights]
    for _ in range(3):
        total = np.maximum(weights.sum(axis=0), 1e-9)
        middle = sum(s * w[..., None] for s, w in zip(stops, weights, strict=True)) / total[..., None]
        apart = np.stack([cv2.blur(grey_of(np.abs(s - middle)), (3, 3)) for s in stops])
        weights = np.asarray(weights / (1 + (apart / _HALF_WITHIN) ** 2), np.float32)
    total = np.maximum(weights.sum(axis=0), 1e-12)
    share = weights / total
    mean = sum(light * part[..., None] for light, part in zip(lights, share, strict=True))
    left = sum(part**2 * one for part, one in zip(share, grain, strict=True))
    return np.asarray(mean, np.float32), np.asarray(left, np.float32)
