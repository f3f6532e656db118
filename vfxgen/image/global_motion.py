"""Motion of a whole frame: the homography or affine map that most of the picture follows."""

from __future__ import annotations

from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.errors import FrameError
from vfxgen.frame import Pixels
from vfxgen.image.flow import Code, motion_codes

Model = Literal["homography", "affine"]

# Pixels that a match may be off, the features compared, and the matches without which nothing is said.
_INLIER, _FEATURES, _ENOUGH = 1.5, 4000, 12
# Of the two nearest descriptors the first must be nearer by this factor (Lowe 2004).
_RATIO = 0.8


class GlobalMotion(NamedTuple):
    """How most of a picture moves.

    Parameters
    ----------
    matrix
        3x3, of pixel centres: this frame's (x, y, 1) to the other's, up to a factor; its last element is 1.
    agreement
        Share of the matched features that follow it, 0 .. 1.
    """

    matrix: NDArray[np.float64]
    agreement: float


def global_motion(
    this: Pixels,
    other: Pixels,
    model: Model = "homography",
    known: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None,
) -> GlobalMotion:
    """The map from `this` to `other` that most features follow, whatever else moves.

    SIFT features (Lowe 2004) on `vfxgen.image.flow.motion_codes`, matched both ways, fitted by MAGSAC++ (Barath et al.
    2020) for a homography, RANSAC (Fischler and Bolles 1981) for an affine map; both then by least squares on what
    agrees. Deterministic. `vfxgen.image.warp.displacement` makes a flow of it.

    Parameters
    ----------
    this, other
        (H, W, 3), scene-linear.
    model
        ``homography`` for a plane or a turning camera, ``affine`` where there is too little detail for it.
    known
        Where features count in `this` and in `other`, (H, W) each; everywhere by default.

    Raises
    ------
    FrameError
        Too few features agree: flat or blurred pictures, or two different scenes.

    Examples
    --------
    >>> light = np.random.default_rng(1).random((128, 160, 3), np.float32)
    >>> light = cv2.GaussianBlur(light, (0, 0), 2)
    >>> moved = global_motion(light, np.roll(light, 3, axis=0), "affine").matrix[:2, 2]
    >>> bool(np.abs(moved - (0, 3)).max() < 0.1)
    True
    """
    places = _matches(*motion_codes(this, other), known)
    if len(places[0]) < _ENOUGH:
        raise FrameError(
            f"no motion of the whole frame found: {len(places[0])} features match, {_ENOUGH} are needed; the pictures "
            f"are flat or blurred, or show different scenes"
        )
    if model == "homography":
        matrix, inliers = cv2.findHomography(*places, cv2.USAC_MAGSAC, _INLIER, maxIters=5000, confidence=0.9999)
    else:
        matrix, inliers = cv2.estimateAffine2D(
            *places, method=cv2.RANSAC, ransacReprojThreshold=_INLIER, maxIters=5000, confidence=0.9999
        )
    agreeing = 0 if matrix is None else int(inliers.sum())
    if agreeing < _ENOUGH:
        raise FrameError(
            f"no motion of the whole frame found: of {len(places[0])} matches {agreeing} follow one {model}, {_ENOUGH} "
            f"are needed"
        )
    whole = np.vstack([matrix, [0, 0, 1]]) if model == "affine" else matrix / matrix[2, 2]
    return GlobalMotion(np.asarray(whole, np.float64), agreeing / len(places[0]))


def _matches(
    this: Code, other: Code, known: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None
) -> tuple[Pixels, Pixels]:
    """Places (N, 2) of the features that both pictures have, pixel centres being whole numbers."""
    finder = cv2.SIFT.create(_FEATURES)
    masks = (None, None) if known is None else tuple(where.astype(np.uint8) * 255 for where in known)
    (points, described), (points_there, described_there) = (
        finder.detectAndCompute(code, mask) for code, mask in zip((this, other), masks, strict=True)
    )
    nothing = np.empty((0, 2), np.float32)
    if min(len(points), len(points_there)) < 2:
        return nothing, nothing
    nearest, back = _nearest(described, described_there), _nearest(described_there, described)
    pairs = [(i, j) for i, j in nearest.items() if back.get(j) == i]
    if not pairs:
        return nothing, nothing
    return tuple(  # type: ignore[return-value]
        np.array([found[pair[side]].pt for pair in pairs], np.float32)
        for side, found in enumerate((points, points_there))
    )


def _nearest(described: Pixels, there: Pixels) -> dict[int, int]:
    two = cv2.BFMatcher(cv2.NORM_L2).knnMatch(described, there, k=2)
    return {first.queryIdx: first.trainIdx for first, second in two if first.distance < _RATIO * second.distance}
