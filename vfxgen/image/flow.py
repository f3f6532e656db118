"""Dense optical flow between two frames of light, and how far it can be trusted."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.errors import FrameError
from vfxgen.frame import Pixels
from vfxgen.image.resample import filled
from vfxgen.image.warp import warped

# Light this far below a frame's level is black to the estimator: stops.
_TOE = 5.0
# The estimator fails on pictures smaller than a few of its patches.
_LEAST = 64
# What differs by more than that many times the noise, and that share of the local contrast, is something else.
_UNLIKE, _ALIASED = 3.0, 0.1
# Stops that count as noise at least.
_LEAST_NOISE = 0.02

Code = NDArray[np.uint8]


def flow(this: Pixels, other: Pixels) -> Pixels:
    """Where each pixel of `this` is in `other`.

    Dense inverse search with variational refinement (Kroeger et al. 2016) on code values of `motion_codes`: light of
    any range, and a change of exposure between the frames moves nothing. What is not finite is filled from around it.
    The same two frames give the same flow, whatever the number of threads.

    Parameters
    ----------
    this, other
        (H, W, 3), scene-linear.

    Returns
    -------
    Pixels
        (H, W, 2), in pixels, x to the right and y down: what is at (x, y) in `this` is at (x, y) + flow[y, x] in
        `other`.

    Raises
    ------
    FrameError
        The frames are of different sizes.

    Examples
    --------
    >>> light = cv2.GaussianBlur(np.random.default_rng(1).random((96, 96, 3)).astype(np.float32), (0, 0), 3)
    >>> found = flow(light, np.roll(light, 2, axis=1))
    >>> bool(np.abs(np.median(found, axis=(0, 1)) - (2, 0)).max() < 0.05)
    True
    """
    return flow_of_codes(*motion_codes(this, other))


def motion_codes(this: Pixels, other: Pixels) -> tuple[Code, Code]:
    """Two frames of light as 8-bit pictures in which motion can be found: (H, W, 3) to (H, W) each.

    The mean of R, G, B over the frame's own level (so exposure cancels), as a logarithm with a toe `_TOE` stops below
    it, stretched to 8 bit between percentiles 0.5 and 99.5 of both frames together. The level is the mean of light held
    to its 95th percentile: lamps do not raise it, and the black around a subject hardly lowers it.

    Raises
    ------
    FrameError
        The frames are of different sizes.

    Examples
    --------
    >>> light = np.linspace(0, 4, 48, dtype=np.float32).reshape(4, 4, 3)
    >>> dark, bright = motion_codes(light, light * 1000)
    >>> bool((dark == bright).all())
    True
    """
    if this.shape != other.shape:
        raise FrameError(f"no flow between pictures of {this.shape[:2]} and {other.shape[:2]} pixels: reformat one")
    stops = [_stops(light) for light in (this, other)]
    low, high = np.percentile(np.concatenate([s.ravel()[::7] for s in stops]), (0.5, 99.5))
    gain = 255 / max(high - low, 1e-3)
    first, second = (np.clip((s - low) * gain + 0.5, 0, 255).astype(np.uint8) for s in stops)
    return first, second


def flow_of_codes(this: Code, other: Code) -> Pixels:
    """`flow` between two pictures of `motion_codes`, (H, W) each."""
    height, width = this.shape
    below, right = max(0, _LEAST - height), max(0, _LEAST - width)
    if below or right:
        this, other = (cv2.copyMakeBorder(c, 0, below, 0, right, cv2.BORDER_REPLICATE) for c in (this, other))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # Measured on photographs under a known homography: patches at half size are as exact on clean plates, more so on
    # noisy ones, and four times as fast; more refinement than usual takes another tenth off the error.
    search.setFinestScale(1)
    search.setVariationalRefinementIterations(15)
    return np.ascontiguousarray(search.calc(this, other, None)[:height, :width])


def consistency(forward: Pixels, backward: Pixels) -> Pixels:
    """How well the way there and back ends where it began: 1 exactly there, 0 where the scene is hidden in the other.

    0 from where the squared distance is above 0.01 (|f|^2 + |b|^2) + 0.5, f and b being the flows of the way there and
    back: the test for occlusion of Sundaram, Brox and Keutzer (2010). 0 too where the way leads out of the frame.

    Parameters
    ----------
    forward
        Flow from this frame to the other, (H, W, 2).
    backward
        Flow from the other frame to this one, (H, W, 2).

    Returns
    -------
    Pixels
        (H, W, 1), 0 .. 1.

    Examples
    --------
    >>> right = np.zeros((4, 6, 2), np.float32) + (2, 0)
    >>> consistency(right, -right)[0, :, 0].tolist()
    [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    """
    back, inside = warped(backward, forward, "bilinear")
    distance = np.sum((forward + back) ** 2, axis=-1)
    tolerance = 0.01 * (np.sum(forward**2, axis=-1) + np.sum(back**2, axis=-1)) + 0.5
    trust = np.clip(1 - distance / tolerance, 0, 1) * inside
    return np.asarray(trust[..., None], np.float32)


def trust(this: Pixels, other: Pixels, forward: Pixels, backward: Pixels) -> Pixels:
    """How far light of `other` may stand for that of `this` along the flow: `consistency`, and that they look alike.

    The difference in stops, as a mean over 5x5 pixels, is held against what is no change of the scene: noise (`_UNLIKE`
    times its median where the flow is consistent) and aliasing (`_ALIASED` times the local contrast). Trust falls from
    half their sum on, and is 0 at it.

    Parameters
    ----------
    this, other
        (H, W, 3), scene-linear.
    forward, backward
        Flow from `this` to `other` and back, (H, W, 2).

    Returns
    -------
    Pixels
        (H, W, 1), 0 .. 1.

    Examples
    --------
    >>> grey, still = np.full((8, 8, 3), 0.18, np.float32), np.zeros((8, 8, 2), np.float32)
    >>> [float(trust(grey, grey * gain, still, still).max()) for gain in (1, 2)]
    [1.0, 0.0]
    """
    consistent = consistency(forward, backward)[..., 0]
    grey = _grey(this)
    toe = np.float32(_level(grey) * 2**-_TOE or 1)
    ours = np.log2(grey + toe)
    theirs = np.log2(warped(_grey(other)[..., None], forward, "bilinear")[0][..., 0] + toe)
    difference = ours - theirs
    # What is left of the difference without its local mean is noise; a change of light is all mean.
    likely = np.abs(difference - _mean(difference))[consistent > 0.5]
    noise = max(float(np.median(likely)) if likely.size else 0.0, _LEAST_NOISE)
    kernel = np.ones((3, 3), np.uint8)
    contrast = cv2.dilate(ours, kernel) - cv2.erode(ours, kernel)
    unlike = _mean(np.abs(difference)) / (_UNLIKE * noise + _ALIASED * _mean(contrast))
    return np.asarray((consistent * np.clip(2 - 2 * unlike, 0, 1))[..., None], np.float32)


def _mean(plane: Pixels) -> Pixels:
    """The mean of the 5x5 pixels around each of (H, W)."""
    mean: Pixels = cv2.blur(plane, (5, 5), borderType=cv2.BORDER_REPLICATE)
    return mean


def _stops(light: Pixels) -> Pixels:
    grey = _grey(light)
    stops: Pixels = np.log2(grey / np.float32(_level(grey) or 1) + np.float32(2**-_TOE))
    return stops


def _grey(light: Pixels) -> Pixels:
    """The mean of R, G, B, (H, W), finite and not below 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        grey = light.mean(axis=-1)
    bad = ~np.isfinite(grey)
    whole: Pixels = filled(grey, bad) if bad.any() else grey
    return np.maximum(whole, np.float32(0))


def _level(grey: Pixels) -> float:
    return float(np.minimum(grey, np.percentile(grey, 95)).mean(dtype=np.float64))
