"""Coverage without a screen: from a trimap, the light, and what is believed already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from vfxgen.frame import Mask, Pixels
from vfxgen.image.color_pairs import Estimate, estimate, information
from vfxgen.image.matting_laplacian import solve
from vfxgen.image.trimap import SUBJECT, UNKNOWN, Crop, pieces

OF_COLOUR, OF_BELIEF = 1e-3, 6e-2
"""How much one unit of information counts beside the matting Laplacian: that of colours, measured on photographs with
known alpha; that of carried alpha, on a composed and a rendered shot."""
MARGIN = 64
"""Known pixels around a piece that is solved: where its colours come from."""
_SUREST = float(information(np.zeros(1, np.float32))[0])

Method = Callable[[Pixels, Pixels, Mask], Pixels]
"""Coverage (h, w) from light (h, w, 3), a trimap (h, w) and where to solve it (h, w)."""


class Piece(NamedTuple):
    """An unknown piece: the crop that holds it, where in it, what is likely there, what one unit of that counts."""

    crop: Crop
    own: Mask
    likely: Estimate
    strength: float


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
    for piece in _pieces(light, trimap, believed):
        alpha[piece.crop][piece.own] = _mixed(light, trimap, piece)
    return alpha


def clues(light: Pixels, trimap: Pixels, believed: Estimate | None = None) -> Pixels:
    """What a net for mattes is given beside the light: all that `mixture_matte` knows, and what it finds.

    Parameters
    ----------
    light, trimap, believed
        As `mixture_matte` has them.

    Returns
    -------
    Pixels
        (H, W, 5), `vfxgen.image.trimap.CLUES`: coverage by `mixture_matte`; coverage that follows colour alone (the
        closed form of Levin et al. 2008); what is likely by itself; how sure that is, 0 .. 1; the trimap. Where the
        trimap is known all three coverages are the trimap, and sure.

    Examples
    --------
    >>> light = np.zeros((8, 16, 3), np.float32) + np.linspace(0, 1, 16, dtype=np.float32)[:, None]
    >>> trimap = np.repeat(np.float32([0, 0.5, 1]), (6, 4, 6))[None].repeat(8, 0)
    >>> found = clues(light, trimap)
    >>> found.shape, found[4, 0].tolist(), found[4, 15].tolist()
    ((8, 16, 5), [0.0, 0.0, 0.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0, 1.0])
    """
    found = np.stack([trimap, trimap, trimap, np.ones_like(trimap), trimap], -1)
    for piece in _pieces(light, trimap, believed):
        crop, own = piece.crop, piece.own
        nothing = np.zeros(own.shape, np.float32)
        found[crop][own, :4] = np.stack(
            [
                _mixed(light, trimap, piece),
                solve(light[crop], own, trimap[crop], nothing)[own],
                np.clip(piece.likely.coverage[own], 0, 1),
                information(piece.likely.variance[own]) / np.float32(_SUREST),
            ],
            -1,
        )
    return found


def matte_by(method: Method, light: Pixels, trimap: Pixels) -> Pixels:
    """The coverage of what a trimap leaves unknown by another method, piece by piece; see `mixture_matte`."""
    alpha = trimap.copy()
    for crop, own in pieces(trimap == UNKNOWN, MARGIN):
        alpha[crop][own] = method(light[crop], trimap[crop], own)[own]
    return alpha


def _pieces(light: Pixels, trimap: Pixels, believed: Estimate | None) -> Iterator[Piece]:
    for crop, own in pieces(trimap == UNKNOWN, MARGIN):
        if believed is None:
            known = trimap[crop]
            yield Piece(crop, own, estimate(light[crop], known == SUBJECT, known == 0, own), OF_COLOUR)
        else:
            yield Piece(crop, own, Estimate(believed.coverage[crop], believed.variance[crop]), OF_BELIEF)


def _mixed(light: Pixels, trimap: Pixels, piece: Piece) -> Pixels:
    """The coverage of the piece's own pixels, (N,)."""
    crop, own, likely, strength = piece
    target = np.where(own, likely.coverage, trimap[crop])
    found: Pixels = solve(light[crop], own, target, np.float32(strength) * information(likely.variance))[own]
    return found
