"""Green and blue screens as a camera sees them: unevenly lit, wrinkled, with markers, out of focus, shaded."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from vfxgen.frame import Pixels

ScreenName = Literal["green", "blue"]


def screen_color(name: ScreenName, random: np.random.Generator) -> Pixels:
    """Light of a lit screen, (3,): the leading channel 0.08 .. 0.8."""
    lead = np.exp(random.uniform(np.log(0.08), np.log(0.8)))
    if name == "green":
        return np.array([random.uniform(0.08, 0.45), 1.0, random.uniform(0.1, 0.5)], np.float32) * np.float32(lead)
    return np.array([random.uniform(0.03, 0.35), random.uniform(0.15, 0.65), 1.0], np.float32) * np.float32(lead)


def lit_screen(size: int, color: Pixels, random: np.random.Generator) -> Pixels:
    """An empty screen of that `color` (3,), (size, size, 3)."""
    square = (size, size)
    stops = random.uniform(0, 0.35) * smooth_noise(square, random.uniform(0.25, 0.8) * size, random)
    if random.random() < 0.6:
        stops = stops + random.uniform(0.01, 0.08) * wrinkles(size, random)
    # Where less light falls on it, other light counts more: its colour shifts with its shade.
    tint = 1 + random.uniform(0, 0.06) * smooth_noise(square, size / 3, random)[..., None] * random.normal(0, 1, 3)
    screen = color * np.exp2(stops)[..., None] * tint
    if random.random() < 0.45:
        screen = _with_markers(screen, random)
    out_of_focus = random.choice([0.0, random.uniform(0.5, 6)])
    if out_of_focus:
        screen = cv2.GaussianBlur(screen, (0, 0), out_of_focus)
    lit: Pixels = np.maximum(screen, 0).astype(np.float32)
    return lit


def shadow(alpha: Pixels, random: np.random.Generator) -> Pixels:
    """What a subject's `alpha` (H, W, 1) leaves of the light on the screen behind it, (H, W, 1)."""
    if random.random() < 0.4:
        return np.ones_like(alpha)
    shift = random.normal(0, 0.12 * alpha.shape[0], 2)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    size = (alpha.shape[1], alpha.shape[0])
    thrown = cv2.warpAffine(alpha, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    thrown = cv2.GaussianBlur(thrown, (0, 0), random.uniform(4, 45))[..., None]
    left: Pixels = (1 - random.uniform(0.05, 0.45) * thrown).astype(np.float32)
    return left


def smooth_noise(shape: tuple[int, int], scale: float, random: np.random.Generator) -> Pixels:
    """Smooth noise of deviation about 1, of `shape`, with features of `scale` pixels along its longer side."""
    count = max(2, round(max(shape) / scale)) + 2
    coarse = random.standard_normal((count, count)).astype(np.float32)
    noise: Pixels = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return noise


def wrinkles(size: int, random: np.random.Generator) -> Pixels:
    """Folds along one direction, (size, size), about -1 .. 1."""
    fold = np.abs(smooth_noise((size, size), random.uniform(0.04, 0.2) * size, random))
    middle, angle = (size / 2, size / 2), random.uniform(0, 180)
    matrix = cv2.getRotationMatrix2D(middle, angle, 1.0)
    stretched = cv2.resize(fold, (size, round(size * random.uniform(1, 5))), interpolation=cv2.INTER_LINEAR)[:size]
    turned: Pixels = cv2.warpAffine(stretched, matrix, (size, size), borderMode=cv2.BORDER_REFLECT)
    return 1 - 2 * turned


def _with_markers(screen: Pixels, random: np.random.Generator) -> Pixels:
    """Crosses or dots of tape in a loose grid, brighter or darker, or of another colour."""
    size = screen.shape[0]
    canvas = np.zeros((size, size), np.float32)
    apart, arm = random.uniform(0.15, 0.45) * size, random.uniform(0.006, 0.03) * size
    first = random.uniform(0, apart, 2)
    for y in np.arange(first[0], size, apart):
        for x in np.arange(first[1], size, apart):
            at = np.array([x, y]) + random.normal(0, 0.03 * apart, 2)
            wide = max(1, round(arm * 0.4))
            for way in ([arm, 0], [0, arm]) if random.random() < 0.7 else ([0, 0],):
                ends = [tuple(int(v) for v in np.round((at + sign * np.array(way)) * 16)) for sign in (-1, 1)]
                cv2.line(canvas, ends[0], ends[1], 1.0, wide, cv2.LINE_AA, 4)
    change = random.uniform(0.3, 1.8) if random.random() < 0.7 else random.uniform(0.1, 1.5, 3)
    marked: Pixels = screen * (1 + canvas[..., None] * (np.float32(1) * change - 1))
    return marked
