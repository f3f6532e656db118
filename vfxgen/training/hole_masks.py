"""Holes to learn to fill: strokes of a brush, boxes, scratches; each a function of the generator given."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from vfxgen.frame import Mask

Random = np.random.Generator


def free_form(size: tuple[int, int], reach: float, random: Random) -> Mask:
    """Strokes of a round brush that turns as it goes (Yu et al., ICCV 2019), a tenth of `reach` wide or so."""
    canvas = np.zeros(size, np.uint8)
    for _ in range(int(random.integers(1, 4))):
        turns = random.uniform(0.3, 1.2, int(random.integers(2, 6))) * random.choice((-1, 1))
        points = _walk(size, turns, reach * random.uniform(0.15, 0.4, len(turns)), random)
        _draw(canvas, points, round(reach * random.uniform(0.05, 0.16)))
    return canvas > 0


def boxes(size: tuple[int, int], reach: float, random: Random) -> Mask:
    """One or two upright rectangles, sides of a fifth of `reach` to almost a half."""
    mask = np.zeros(size, bool)
    for _ in range(int(random.integers(1, 3))):
        height, width = (max(2, round(reach * random.uniform(0.2, 0.45))) for _ in range(2))
        y, x = (int(random.integers(0, max(1, side - s))) for side, s in zip(size, (height, width), strict=True))
        mask[y : y + height, x : x + width] = True
    return mask


def scratches(size: tuple[int, int], reach: float, random: Random) -> Mask:
    """Scratches, hairs and wires: long lines, nearly straight, 1 to 5 pixels wide."""
    canvas = np.zeros(size, np.uint8)
    for _ in range(int(random.integers(2, 6))):
        turns = random.normal(0, 0.08, 8)
        points = _walk(size, turns, np.full(8, reach * random.uniform(0.08, 0.25)), random)
        _draw(canvas, points, int(random.integers(1, 6)))
    return canvas > 0


KINDS: dict[str, Callable[[tuple[int, int], float, Random], Mask]] = {
    "free-form": free_form,
    "box": boxes,
    "scratch": scratches,
}


def hole(kind: str, size: tuple[int, int], reach: float, random: Random) -> Mask:
    """A hole (H, W) of a kind in `KINDS`, neither empty nor more than half of the picture.

    Parameters
    ----------
    kind
        free-form, box or scratch.
    size
        (H, W).
    reach
        What sizes are relative to, in pixels: scratches grow longer with it, the others wider too.
    random
        All that is drawn comes from it.

    Examples
    --------
    >>> masks = [hole("box", (64, 64), 64, np.random.default_rng((7, n))) for n in (0, 0, 1)]
    >>> bool((masks[0] == masks[1]).all()), bool((masks[0] == masks[2]).all())
    (True, False)
    """
    while True:
        mask = KINDS[kind](size, reach, random)
        if 0 < mask.mean() <= 0.5:
            return mask


def _walk(size: tuple[int, int], turns: np.ndarray, lengths: np.ndarray, random: Random) -> np.ndarray:
    """Points (N + 1, 2), x and y, from anywhere in the picture."""
    angles = random.uniform(0, 2 * np.pi) + np.cumsum(turns)
    steps = lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.cumsum(np.concatenate([random.uniform(0, size[::-1], (1, 2)), steps]), axis=0)


def _draw(canvas: np.ndarray, points: np.ndarray, width: int) -> None:
    line = np.round(points).astype(np.int32)
    cv2.polylines(canvas, [line], isClosed=False, color=1, thickness=max(1, width))
