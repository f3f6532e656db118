"""Coverage without a screen: from a trimap, the light, and what is believed already."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from vfxgen.frame import Mask, Pixels
from vfxgen.image.color_pairs import Estimate, estimate, information
from vfxgen.image.matting_laplacian import MattingSystem, halved
from vfxgen.image.trimap import SUBJECT, UNKNOWN, Crop, pieces, trimap_levels

OF_COLOUR, OF_BELIEF = 4e-4, 6e-2
"""How much one unit of information counts beside the matting Laplacian: that of colours, measured on composed plates;
that of carried alpha, on a composed and a rendered shot."""
MARGIN = 64
"""Known pixels around a piece that is solved: where its colours come from."""
_SUREST = float(information(np.zeros(1, np.float32))[0])
# Pieces of fewer pixels are solved at their own size.
_LARGE = 1 << 17

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
    for crop, own in pieces(trimap == UNKNOWN, MARGIN):
        alpha[crop][own] = Piece(light[crop], trimap[crop], own, _of(crop, believed)).mixed()[own]
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
    for crop, own in pieces(trimap == UNKNOWN, MARGIN):
        piece = Piece(light[crop], trimap[crop], own, _of(crop, believed))
        found[crop][own, :4] = np.stack([piece.mixed(), piece.smooth(), *piece.likely()], -1)[own]
    return found


def matte_by(method: Method, light: Pixels, trimap: Pixels) -> Pixels:
    """The coverage of what a trimap leaves unknown by another method, piece by piece; see `mixture_matte`."""
    alpha = trimap.copy()
    for crop, own in pieces(trimap == UNKNOWN, MARGIN):
        alpha[crop][own] = method(light[crop], trimap[crop], own)[own]
    return alpha


class Piece:
    """An unknown piece and what is around it: solved at half its size, and carried up along the light.

    The finest detail of coverage is in the light itself. What was carried to a piece by motion has detail of its own,
    and is solved at full size, as small pieces are.
    """

    def __init__(self, light: Pixels, trimap: Pixels, own: Mask, believed: Estimate | None) -> None:
        self._light, self._trimap, unknown = light, trimap, own
        if believed is None and own.size >= _LARGE:
            light, self._trimap, unknown = halved(light), halved(trimap), halved(own.astype(np.float32)) > 0
        self._system = MattingSystem(light, unknown, guided=believed is None)
        known = np.where(unknown, UNKNOWN, trimap_levels(self._trimap))
        self._likely = believed or estimate(light, known == SUBJECT, known == 0, unknown)
        self._strength = np.float32(OF_COLOUR if believed is None else OF_BELIEF)

    def mixed(self) -> Pixels:
        """What is likely, made to follow the light, (h, w)."""
        target = np.where(self._system.unknown, self._likely.coverage, self._trimap)
        return self._carried_up(self._system.solve(target, self._strength * information(self._likely.variance)))

    def smooth(self) -> Pixels:
        """Coverage that follows the light alone, (h, w)."""
        return self._carried_up(self._system.solve(self._trimap, np.zeros_like(self._trimap)))

    def likely(self) -> tuple[Pixels, Pixels]:
        """What is likely by itself, and how sure that is, 0 .. 1; (h, w) each."""
        unknown, (coverage, variance) = self._system.unknown, self._likely
        sure = np.where(unknown, information(variance) / np.float32(_SUREST), np.float32(1))
        return self._resized(np.where(unknown, np.clip(coverage, 0, 1), self._trimap)), self._resized(sure)

    def _carried_up(self, alpha: Pixels) -> Pixels:
        if alpha.shape == self._light.shape[:2]:
            return alpha
        return np.clip(self._system.laplacian.enlarged(alpha, self._light), 0, 1)

    def _resized(self, plane: Pixels) -> Pixels:
        large: Pixels = cv2.resize(plane, self._light.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return large


def _of(crop: Crop, believed: Estimate | None) -> Estimate | None:
    return None if believed is None else Estimate(believed.coverage[crop], believed.variance[crop])
