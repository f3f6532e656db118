"""Straight foreground: the subject's own colour where the background shines through."""

from __future__ import annotations

import cv2
import numpy as np

from vfxgen.frame import Pixels

# How alike neighbours are, everywhere and less across edges of coverage: as Germer et al.
_SMOOTH, _ACROSS_EDGES = 1e-5, 1.0
# Rounds at small levels and at large ones.
_ROUNDS, _FEW, _SMALL = 10, 2, 32


def straight_foreground(light: Pixels, alpha: Pixels) -> Pixels:
    """Unpremultiplied colour of the subject, F of ``light = alpha F + (1 - alpha) B``, with smooth F and B.

    From the smallest level of a pyramid to the frame, a few Jacobi rounds of a 2x2 system at each pixel (Germer,
    Uelwer, Conrad, Harmeling 2020, "Fast multi-level foreground estimation"): the same bits whatever the number of
    threads. The subject gives no more light than there is. Where alpha is 1 the light comes back bit for bit; where it
    is 0, the subject's colour carried on.

    Parameters
    ----------
    light
        (H, W, 3), scene-linear, finite.
    alpha
        (H, W), 0 .. 1.

    Examples
    --------
    >>> alpha = np.clip(np.arange(32, dtype=np.float32) / 16 - 0.5, 0, 1)[None].repeat(32, 0)
    >>> light = alpha[..., None] * np.float32([0.8, 0.4, 0.2]) + (1 - alpha[..., None]) * np.float32([0.1, 0.1, 0.4])
    >>> found = straight_foreground(light, alpha)
    >>> bool(np.abs(found[alpha > 0.1] - (0.8, 0.4, 0.2)).max() < 0.02)
    True
    """
    height, width = alpha.shape
    both = np.empty((1, 1, 6), np.float32)
    for c, weight in ((0, alpha), (3, 1 - alpha)):
        total = max(float(weight.sum(dtype=np.float64)), 1e-9)
        both[0, 0, c : c + 3] = (light * weight[..., None]).sum((0, 1), dtype=np.float64) / total
    levels = max(height, width).bit_length()
    for level in range(levels, -1, -1):
        size = (max(1, width >> level), max(1, height >> level))
        here = cv2.resize(light, size, interpolation=cv2.INTER_AREA) if level else light
        covered = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) if level else alpha
        both = cv2.resize(both, size, interpolation=cv2.INTER_NEAREST).reshape(*size[::-1], 6)
        for _ in range(_ROUNDS if max(size) <= _SMALL else _FEW):
            both = _round(here.reshape(*size[::-1], 3), covered.reshape(size[::-1]), both)
    most = np.maximum(light, 0) / np.maximum(alpha, np.float32(1e-6))[..., None]
    found: Pixels = np.where(alpha[..., None] >= 1, light, np.clip(both[..., :3], np.minimum(light, 0), most))
    return found


def _round(light: Pixels, alpha: Pixels, both: Pixels) -> Pixels:
    """F and B, (H, W, 6), from those of the four neighbours and the pixel's own light."""
    total, around = np.zeros_like(alpha), np.zeros_like(both)
    edged, padded = np.pad(alpha, 1, mode="edge"), np.pad(both, ((1, 1), (1, 1), (0, 0)), mode="edge")
    for rows, columns in ((0, 1), (2, 1), (1, 0), (1, 2)):
        place = np.s_[rows : rows + alpha.shape[0], columns : columns + alpha.shape[1]]
        weight = np.float32(_SMOOTH) + np.float32(_ACROSS_EDGES) * np.abs(edged[place] - alpha)
        total += weight
        around += weight[..., None] * padded[place]
    around /= total[..., None]
    rest = 1 - alpha
    share = ((alpha**2 + rest**2) + total)[..., None]
    off = light - alpha[..., None] * around[..., :3] - rest[..., None] * around[..., 3:]
    nearer: Pixels = around + np.concatenate([alpha[..., None] * off, rest[..., None] * off], -1) / share
    return nearer
