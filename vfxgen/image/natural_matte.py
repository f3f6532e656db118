"""Coverage without a screen: from a trimap, the light, and what is believed already."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vfxgen.frame import Mask, Pixels
from vfxgen.image.color_pairs import Estimate, estimate, information
from vfxgen.image.matting_laplacian import solve
from vfxgen.image.trimap import SUBJECT, UNKNOWN, pieces

OF_COLOUR, OF_BELIEF = 1e-3, 6e-2
"""How much one unit of information counts beside the matting Laplacian: that of colours, measured on photographs with
known alpha; that of carried alpha, on a composed and a rendered shot."""
MARGIN = 64
"""Known pixels around a piece that is solved: where its colours come from."""

Method = Callable[[Pixels, Pixels, Mask], Pixels]
"""Coverage (h, w) from light (h, w, 3), a trimap (h, w) and where to solve it (h, w)."""


def mixture_matte(light: Pixels, trimap: Pixels, believed: Estimate | None = None) -> Pixels:
    """The coverage of what a trimap leaves unknown.

    Two things are brought together by least squares: what is likely at each pixel, as far as it is sure, and that
    coverage follows colour within small windows (`vfxgen.image.matting_laplacian`). Likely is an alpha carried
    along the motion where there is one; else what share each of the colours around has (`vfxgen.image.color_pairs`).

    Parameters
    ----------
    light
        (H, W, 3), scene-linear, finite.
    trimap
        (H, W): 0, 0.5 unknown, 1.
    believed
        Coverage (H, W) carried here, and its variance.

    Returns
    -------
    Pixels
        (H, W), 0 .. 1; the trimap where that is known.
    """
    alpha = trimap.copy()
    unknown = trimap == UNKNOWN
    for crop, own in pieces(unknown, MARGIN):
        seen, known = light[crop], trimap[crop]
        if believed is None:
            likely, strength = estimate(seen, known == SUBJECT, known == 0, own), OF_COLOUR
        else:
            likely, strength = Estimate(believed.coverage[crop], believed.variance[crop]), OF_BELIEF
        target = np.where(own, likely.coverage, known)
        alpha[crop][own] = solve(seen, own, target, np.float32(strength) * information(likely.variance))[own]
    return alpha


def matte_by(method: Method, light: Pixels, trimap: Pixels) -> Pixels:
    """The coverage of what a trimap leaves unknown by another method, piece by piece; see `mixture_matte`."""
    alpha = trimap.copy()
    for crop, own in pieces(trimap == UNKNOWN, MARGIN):
        alpha[crop][own] = method(light[crop], trimap[crop], own)[own]
    return alpha
