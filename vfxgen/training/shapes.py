"""Coverage drawn from random numbers: strands, soft and hard shapes, lace; quick, and as fine as a pixel's tenth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Pixels

_FINE = 2
"""Shapes are drawn that many times as large, then averaged."""
_SHIFT = 4
"""Bits of a fraction in OpenCV's coordinates."""


def random_coverage(size: int, random: np.random.Generator) -> Pixels:
    """A random matte, (size, size), 0 .. 1: one of the shapes below or two of them, some of them moved or blurred.

    Examples
    --------
    >>> one, again = (random_coverage(64, np.random.default_rng(3)) for _ in range(2))
    >>> one.shape, bool((one == again).all()), bool(one.min() >= 0 and one.max() <= 1)
    ((64, 64), True, True)
    """
    kind = random.random()
    if kind < 0.55:
        matte = strands(size, random)
    elif kind < 0.85:
        matte = blob(size, random)
    else:
        matte = lace(size, random) * blob(size, random)
    if random.random() < 0.25:
        matte = 1 - (1 - matte) * (1 - blob(size, random) * random.choice([1.0, random.uniform(0.2, 1)]))
    if random.random() < 0.35:
        matte = moved(matte, random.uniform(2, 24), random.uniform(0, np.pi))
    if random.random() < 0.3:
        matte = cv2.GaussianBlur(matte, (0, 0), random.uniform(0.5, 6))
    return np.clip(matte, 0, 1).astype(np.float32)


def blob(size: int, random: np.random.Generator) -> Pixels:
    """One to three closed curves filled, round or with corners; (size, size)."""
    canvas = np.zeros((size * _FINE,) * 2, np.uint8)
    for _ in range(int(random.integers(1, 4))):
        corners = int(random.integers(3, 12))
        angle = np.sort(random.uniform(0, 2 * np.pi, corners))
        radius = random.uniform(0.1, 0.4) * random.uniform(0.5, 1.2, corners)
        if random.random() < 0.7:
            dense = np.linspace(0, 2 * np.pi, 200, endpoint=False)
            around = np.concatenate([angle - 2 * np.pi, angle, angle + 2 * np.pi])
            radius, angle = np.interp(dense, around, np.tile(radius, 3)), dense
            radius = np.real(np.fft.ifft(np.fft.fft(radius) * (np.abs(np.fft.fftfreq(200, 1 / 200)) < 8)))
        points = random.uniform(0.25, 0.75, 2) + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
        cv2.fillPoly(canvas, [_coordinates(points, size)], 255, cv2.LINE_AA, _SHIFT)
    return _gathered(canvas)


def strands(size: int, random: np.random.Generator) -> Pixels:
    """Hairs that leave a filled body in locks, from a tenth of a pixel to two wide; (size, size)."""
    body = blob(size, random)
    edge = np.argwhere(cv2.morphologyEx((body > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)))
    if not len(edge):
        return body
    clear = 1 - body
    middle = edge.mean(0)[::-1] / size
    fall = random.normal(0, 0.5, 2)
    for _ in range(int(random.integers(4, 11))):
        root = edge[random.integers(len(edge))][::-1] / size
        leave = root - middle
        leave = leave / (np.linalg.norm(leave) + 1e-6) + fall + random.normal(0, 0.4, 2)
        curves = _lock(root, leave / np.linalg.norm(leave), int(np.exp(random.uniform(2, 6))), random)
        canvas = np.zeros((size * _FINE,) * 2, np.uint8)
        wide = int(random.choice([1, 1, 1, 2, 3]))
        cv2.polylines(canvas, [_coordinates(c, size) for c in curves], False, 255, wide, cv2.LINE_AA, _SHIFT)
        clear = clear * (1 - random.uniform(0.1, 1) * _gathered(canvas))
    covered: Pixels = (1 - clear).astype(np.float32)
    return covered


def lace(size: int, random: np.random.Generator) -> Pixels:
    """Cloth that lets light through, evenly or in a pattern of holes; (size, size)."""
    coarse = random.standard_normal((size, size)).astype(np.float32)
    pattern = cv2.GaussianBlur(coarse, (0, 0), random.uniform(0.7, 12))
    pattern = (pattern - pattern.mean()) / (pattern.std() + 1e-6)
    woven: Pixels = np.clip(random.uniform(0.1, 0.8) + random.uniform(0, 0.6) * pattern, 0, 1)
    return woven


def moved(picture: Pixels, length: float, angle: float) -> Pixels:
    """As the shutter sees it while it moves `length` pixels; (H, W) or (H, W, C)."""
    side = 2 * int(np.ceil(length / 2)) + 1
    kernel = np.zeros((side, side), np.float32)
    half = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    start, end = (tuple(int(v) for v in np.round((side // 2 + sign * half) * 16)) for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA, _SHIFT)
    blurred: Pixels = cv2.filter2D(picture, -1, kernel / max(float(kernel.sum()), 1e-6), borderType=cv2.BORDER_REFLECT)
    return blurred


def _lock(
    root: NDArray[np.float64], way: NDArray[np.float64], count: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """`count` curves (count, 24, 2) in shares of the frame that leave about `root` along `way`, waving."""
    along = np.linspace(0, 1, 24)
    spread = random.uniform(0.005, 0.08)
    length = random.uniform(0.08, 0.5) * random.uniform(0.4, 1, (count, 1))
    bend = random.normal(0, 1.2) + random.normal(0, random.uniform(0.05, 0.6), (count, 1))
    turn = bend * along + random.uniform(0, 0.5) * np.sin(
        random.uniform(2, 14) * along + random.normal(0, 0.5, (count, 1))
    )
    angle = np.arctan2(way[1], way[0]) + random.normal(0, 0.15, (count, 1)) + turn
    steps = np.stack([np.cos(angle), np.sin(angle)], -1) * (length / len(along))[..., None]
    lock: NDArray[np.float64] = root + random.normal(0, spread, (count, 1, 2)) + np.cumsum(steps, 1)
    return lock


def _coordinates(points: NDArray[np.float64], size: int) -> NDArray[np.int32]:
    scaled: NDArray[np.int32] = np.round(points * (size * _FINE * (1 << _SHIFT))).astype(np.int32)
    return scaled


def _gathered(canvas: NDArray[np.uint8]) -> Pixels:
    size = canvas.shape[0] // _FINE
    gathered: Pixels = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return gathered
