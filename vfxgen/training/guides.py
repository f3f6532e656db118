"""Guides as artists make them, from true coverage: trimaps with bands of any width, and rough masks of every kind."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from vfxgen.frame import Mask, Pixels
from vfxgen.training.screens import smooth_noise

Guide = Literal["trimap", "mask"]
_EMPTY, _SOLID = 0.02, 0.98


def random_guide(kind: Guide, alpha: Pixels, random: np.random.Generator) -> Pixels:
    """A guide of that kind for `alpha`, (H, W) each."""
    return random_trimap(alpha, random) if kind == "trimap" else random_mask(alpha, random)


def random_trimap(alpha: Pixels, random: np.random.Generator) -> Pixels:
    """0, 0.5 unknown, 1: what is neither empty nor solid is unknown, and a band about it of uneven width.

    Examples
    --------
    >>> alpha = np.zeros((32, 32), np.float32)
    >>> alpha[8:24, 8:24] = 1
    >>> trimap = random_trimap(alpha, np.random.default_rng(1))
    >>> sorted(set(trimap.ravel().tolist())), bool((trimap[alpha == 0] < 1).all())
    ([0.0, 0.5, 1.0], True)
    """
    shape = (alpha.shape[0], alpha.shape[1])
    uneven = np.exp2(random.uniform(0, 1) * smooth_noise(shape, max(shape) / 4, random))
    inner, outer = np.exp(random.uniform(np.log(1.0), np.log(24.0), 2))
    subject = _away(alpha < _SOLID) > inner * uneven
    background = _away(alpha > _EMPTY) > outer * uneven
    return np.where(subject, 1, np.where(background, 0, 0.5)).astype(np.float32)


def random_mask(alpha: Pixels, random: np.random.Generator) -> Pixels:
    """0 .. 1: a roto with few points, a mask too large or small, coarse, blurred, or an alpha that lags behind."""
    height, width = alpha.shape
    mask = (alpha > random.uniform(0.1, 0.8)).astype(np.float32) if random.random() < 0.75 else alpha
    if random.random() < 0.35:
        mask = _simplified(mask, random.uniform(1, 6))
    if random.random() < 0.5:
        mask = _grown(mask, random.normal(0, 4))
    if random.random() < 0.5:
        shift = random.normal(0, 3, 2)
        mask = cv2.warpAffine(mask, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]), (width, height), borderMode=1)
    if random.random() < 0.3:
        coarse = int(random.integers(4, 17))
        small = cv2.resize(mask, (width // coarse, height // coarse), interpolation=cv2.INTER_AREA)
        mask = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    if random.random() < 0.4:
        mask = cv2.GaussianBlur(mask, (0, 0), random.uniform(0.5, 5))
    rough: Pixels = np.clip(mask, 0, 1).astype(np.float32)
    return rough


def _away(where: Mask) -> Pixels:
    """Distance to the nearest pixel of `where`, in pixels."""
    if not where.any():
        return np.full(where.shape, 1e6, np.float32)
    return np.asarray(cv2.distanceTransform((~where).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def _grown(mask: Pixels, distance: float) -> Pixels:
    """Larger by `distance` pixels, or smaller where that is negative."""
    size = 2 * round(abs(distance)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    grown: Pixels = cv2.dilate(mask, kernel) if distance > 0 else cv2.erode(mask, kernel)
    return grown


def _simplified(mask: Pixels, off: float) -> Pixels:
    """Its outlines as polygons that are up to `off` pixels beside it."""
    outlines, _ = cv2.findContours((mask > 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    polygons = [cv2.approxPolyDP(outline, off, True) for outline in outlines if len(outline) > 8]
    drawn = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(drawn, polygons, 255, cv2.LINE_AA)
    return drawn.astype(np.float32) / np.float32(255)
