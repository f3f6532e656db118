"""Steadying: what neighbouring frames agree on, mixed in along the motion."""

from __future__ import annotations

import cv2
import numpy as np

from vfxgen.frame import Pixels
from vfxgen.image.resample import filled
from vfxgen.image.warp import warped

Neighbour = tuple[Pixels, Pixels, Pixels]
"""A neighbouring frame (H, W, C), the flow to it (H, W, 2), and how much it counts (H, W, 1), 0 .. 1."""


def steadied(light: Pixels, neighbours: list[Neighbour], least: Pixels, most: Pixels) -> Pixels:
    """The mean of a frame, with weight 1, and of its neighbours, looked up along the flow to them.

    Neighbours are held to the range `least` .. `most`, so that what was elsewhere a moment ago leaves no trail (the
    neighbourhood clamp of Karis 2014). Where nothing counts, or the frame is not finite, it keeps its bits.

    Parameters
    ----------
    light
        (H, W, C), scene-linear.
    neighbours
        See `Neighbour`.
    least, most
        (H, W, C), finite.

    Examples
    --------
    >>> ones = np.ones((4, 4, 1), np.float32)
    >>> still = np.zeros((4, 4, 2), np.float32)
    >>> float(steadied(ones, [(ones * 4, still, ones)], ones * 0, ones * 9)[0, 0, 0])
    2.5
    """
    added, total = np.zeros_like(light), np.ones_like(light[..., :1])
    finite = np.isfinite(light)
    own = np.where(finite, light, np.float32(0))
    for picture, flow, weight in neighbours:
        looked_up, valid = warped(picture, flow)
        counts = weight * valid[..., None]
        held = np.clip(np.where(valid[..., None], looked_up, own), least, most)
        added += counts * (held - own)
        total += counts
    return np.where(finite & (total > 1), own + added / total, light)


def local_range(light: Pixels) -> tuple[Pixels, Pixels]:
    """The least and the greatest value of each 3x3 neighbourhood of (H, W, C); what is not finite does not count."""
    whole = np.empty(light.shape, np.float32)
    for i in range(light.shape[-1]):
        bad = ~np.isfinite(light[..., i])
        whole[..., i] = filled(light[..., i], bad) if bad.any() else light[..., i]
    kernel = np.ones((3, 3), np.uint8)
    shape = light.shape
    return cv2.erode(whole, kernel).reshape(shape), cv2.dilate(whole, kernel).reshape(shape)
