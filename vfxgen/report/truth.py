"""Errors against ground truth, in the definitions of the matting literature."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Pixels

GRADIENT_SIGMA = 1.4


def alpha_errors(alpha: Pixels, truth: Pixels) -> dict[str, float]:
    """How far an alpha is from the true one.

    Parameters
    ----------
    alpha, truth
        (H, W, 1), coverage 0..1.

    Returns
    -------
    dict
        ``mse`` mean squared error; ``sad`` sum of absolute differences, in thousands; ``gradient`` sum of squared
        differences of the gradient's length with Gaussian derivatives of 1.4 px, in thousands.

    Notes
    -----
    Rhemann et al., "A perceptually motivated online benchmark for image matting", CVPR 2009; over the whole frame.

    Examples
    --------
    >>> import numpy as np
    >>> alpha_errors(np.full((10, 10, 1), 0.5, np.float32), np.zeros((10, 10, 1), np.float32))["mse"]
    0.25
    """
    difference = alpha.astype(np.float64) - truth
    steepness = _gradient_length(alpha) - _gradient_length(truth)
    return {
        "mse": float(np.mean(difference**2)),
        "sad": float(np.abs(difference).sum() / 1000),
        "gradient": float((steepness**2).sum() / 1000),
    }


def foreground_error(foreground: Pixels, truth: Pixels, alpha: Pixels) -> float:
    """Mean absolute error of straight foreground colour, scene-linear, where the true alpha is within 0.02 .. 0.98.

    Parameters
    ----------
    foreground, truth
        (H, W, 3), unpremultiplied, in one colour space.
    alpha
        (H, W, 1), the true one.
    """
    soft = ((alpha > 0.02) & (alpha < 0.98))[..., 0]
    return float(np.abs(foreground[soft] - truth[soft]).mean()) if soft.any() else 0.0


def _gradient_length(alpha: Pixels) -> NDArray[np.float64]:
    radius = int(np.ceil(3 * GRADIENT_SIGMA))
    at = np.arange(-radius, radius + 1, dtype=np.float64)
    smooth = np.exp(-(at**2) / (2 * GRADIENT_SIGMA**2))
    smooth /= smooth.sum()
    slope = -at * smooth
    slope /= np.sqrt(np.sum(np.outer(slope, smooth) ** 2))
    picture = alpha[..., 0].astype(np.float64)
    across = cv2.sepFilter2D(picture, cv2.CV_64F, slope, smooth, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(picture, cv2.CV_64F, smooth, slope, borderType=cv2.BORDER_REPLICATE)
    length: NDArray[np.float64] = np.hypot(across, down)
    return length
