"""Scene cuts: whether two consecutive frames show the same scene."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Pixels
from vfxgen.image.flow import Code, motion_codes

# Width of the small pictures that are compared, how far they may be shifted, and how alike one scene is at least.
_WIDTH, _SHIFT, _ALIKE = 48, 6, 0.6


def is_cut(this: Pixels, other: Pixels) -> bool:
    """Whether there is a cut between two frames of light, (H, W, 3) each.

    They are made small, and the correlation of their brightness is taken at the shift that suits best, up to an eighth
    of the width: a fast pan, motion blur or a flash of light is no cut.

    Examples
    --------
    >>> scenes = np.random.default_rng(1).random((2, 6, 8, 3)).astype(np.float32)
    >>> one, two = (cv2.resize(scene, (320, 240), interpolation=cv2.INTER_CUBIC) for scene in scenes)
    >>> is_cut(one, two), is_cut(one, np.roll(one, 9, axis=1) * 2)
    (True, False)
    """
    small, large = (_small(code) for code in motion_codes(this, other))
    if min(small.shape) <= 2 * _SHIFT + 2:
        return False
    inner = small[_SHIFT:-_SHIFT, _SHIFT:-_SHIFT]
    if inner.std() < 1 or large.std() < 1:
        return abs(float(inner.mean()) - float(large.mean())) > 64
    return float(cv2.matchTemplate(large, inner, cv2.TM_CCOEFF_NORMED).max()) < _ALIKE


def _small(code: Code) -> NDArray[np.float32]:
    # A picture far wider than high keeps enough rows to be shifted.
    scale = _WIDTH / min(code.shape[1], 2 * code.shape[0])
    size = (max(1, round(code.shape[1] * scale)), max(1, round(code.shape[0] * scale)))
    small: NDArray[np.float32] = cv2.resize(code.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return small
