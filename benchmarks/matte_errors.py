"""Errors of mattes against truth, in the definitions of the matting literature."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Pixels
from vfxgen.report.truth import alpha_errors

_STEP = 0.1


def errors(alpha: Pixels, truth: Pixels, unknown: NDArray[np.bool_]) -> dict[str, float]:
    """SAD, MSE, gradient and connectivity error (Rhemann et al. 2009), (H, W) each, within the unknown pixels.

    SAD, gradient and connectivity in thousands.

    Examples
    --------
    >>> truth = np.zeros((32, 32), np.float32)
    >>> truth[8:24, 8:24] = 1
    >>> errors(truth, truth, truth >= 0) == {"SAD": 0, "MSE": 0, "gradient": 0, "connectivity": 0}
    True
    """
    # What is known counts as right, so that it adds nothing.
    within = np.where(unknown, alpha, truth)
    whole = alpha_errors(within[..., None], truth[..., None])
    return {
        "SAD": whole["sad"],
        "MSE": float(((alpha - truth)[unknown].astype(np.float64) ** 2).mean()),
        "gradient": whole["gradient"],
        "connectivity": float(np.abs(_connection(within, truth) - _connection(truth, within))[unknown].sum() / 1000),
    }


def _connection(alpha: Pixels, other: Pixels) -> NDArray[np.float64]:
    """How connected each pixel is to what both mattes have in common as solid: 1 fully (Rhemann et al. 2009)."""
    level = np.full(alpha.shape, -1.0)
    for step in np.arange(_STEP, 1 + _STEP / 2, _STEP):
        both = ((alpha >= step) & (other >= step)).astype(np.uint8)
        _, labels, areas, _ = cv2.connectedComponentsWithStats(both, connectivity=4)
        largest = 1 + int(np.argmax(areas[1:, cv2.CC_STAT_AREA])) if len(areas) > 1 else -1
        level[(level < 0) & (labels != largest)] = step - _STEP
    level[level < 0] = 1
    distance = alpha - level
    connected: NDArray[np.float64] = 1 - distance * (distance >= 0.15)
    return connected


def dt_ssd(alphas: Mapping[int, Pixels], truths: Mapping[int, Pixels]) -> float:
    """How far changes from frame to frame are from the true ones (dtSSD, Erofeev et al. 2015), in hundredths.

    The root mean square over the frame of the difference of both changes, averaged over the pairs of frames.

    Examples
    --------
    >>> still = {n: np.zeros((4, 4), np.float32) for n in (1, 2, 3)}
    >>> dt_ssd(still, still), dt_ssd({**still, 2: still[2] + 0.5}, still)
    (0.0, 50.0)
    """
    numbers = sorted(set(alphas) & set(truths))
    off = [
        np.sqrt(np.mean(((alphas[n] - alphas[n - 1]) - (truths[n] - truths[n - 1])).astype(np.float64) ** 2))
        for n in numbers
        if n - 1 in numbers
    ]
    return float(100 * np.mean(off))
