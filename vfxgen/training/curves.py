"""Loss and validation over steps, drawn as one picture with OpenCV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.training.objective import Picture

WIDTH, HEIGHT = 900, 300
LEFT, RIGHT, TOP, BOTTOM = 78, 18, 34, 32
PAPER, GRID, INK = (250, 250, 250), (222, 222, 222), (70, 70, 70)
COLOURS = ((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75))

LARGEST, SMALLEST = 1e30, 1e-30
"""What is beyond, or is no number, is left out."""

Curve = list[tuple[float, float]]


def draw_curves(history: Sequence[dict[str, Any]]) -> Picture:
    """The lines of a log as panels: the losses together on a logarithmic scale, then every figure of validation.

    Returns
    -------
    Display-referred (H, W, 3), 0 .. 1.

    Examples
    --------
    >>> lines = [{"step": s, "losses": {"loss": 1 / s}, "figures": {"PSNR": 30 + s / 50}} for s in (50, 100, 150)]
    >>> draw_curves(lines).shape
    (600, 900, 3)
    """
    losses = _curves(history, "losses")
    if len(losses) == 2:
        del losses["loss"]  # of one term the sum is the term
    panels = [_panel("training loss", losses, logarithmic=True)]
    panels += [_panel(name, {name: curve}, logarithmic=False) for name, curve in _curves(history, "figures").items()]
    picture: Picture = np.concatenate(panels).astype(np.float32) / np.float32(255)
    return picture


def _curves(history: Sequence[dict[str, Any]], kind: str) -> dict[str, Curve]:
    curves: dict[str, Curve] = {}
    for line in history:
        for name, value in line.get(kind, {}).items():
            if abs(value) < LARGEST:
                curves.setdefault(name, []).append((line["step"], value))
    return curves


def _panel(title: str, curves: dict[str, Curve], *, logarithmic: bool) -> NDArray[np.uint8]:
    canvas = np.full((HEIGHT, WIDTH, 3), PAPER, np.uint8)
    _write(canvas, title, (LEFT, 21), INK, 0.5)
    if logarithmic:
        curves = {name: [point for point in curve if point[1] > SMALLEST] for name, curve in curves.items()}
    values = [value for curve in curves.values() for _, value in curve]
    if not values:
        return canvas
    scale = math.log10 if logarithmic else float
    low, high = scale(min(values)), scale(max(values))
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    low, high = low - margin, high + margin
    last = max(step for curve in curves.values() for step, _ in curve)

    def place(step: float, value: float) -> tuple[int, int]:
        across, up = step / last if last else 0.0, (scale(value) - low) / (high - low)
        return round(LEFT + across * (WIDTH - LEFT - RIGHT)), round(HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM))

    for value in _ticks_of_logarithm(low, high) if logarithmic else _ticks(low, high):
        y = place(0, value)[1]
        cv2.line(canvas, (LEFT, y), (WIDTH - RIGHT, y), GRID)
        _write(canvas, f"{value:.6g}", (8, y + 4), INK, 0.4)
    for step in _ticks(0, last):
        x = place(step, values[0])[0]
        cv2.line(canvas, (x, TOP), (x, HEIGHT - BOTTOM), GRID)
        _write(canvas, f"{step:g}", (x - 4 * len(f"{step:g}"), HEIGHT - 11), INK, 0.4)
    x = WIDTH - RIGHT
    for number, (name, curve) in enumerate((name, curve) for name, curve in curves.items() if curve):
        colour = COLOURS[number % len(COLOURS)]
        points = np.array([place(*point) for point in curve], np.int32)
        cv2.polylines(canvas, [points], False, colour, 1, cv2.LINE_AA)
        if len(points) < 40:
            for point in points.tolist():
                cv2.circle(canvas, point, 3, colour, -1, cv2.LINE_AA)
        label = f"{name} {curve[-1][1]:.5g}"
        x -= 8 * len(label) + 12
        _write(canvas, label, (x, 21), colour, 0.45)
    return canvas


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between, five or so."""
    if high <= low:
        return [low]
    raw = (high - low) / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _ticks_of_logarithm(low: float, high: float) -> list[float]:
    """1, 2 and 5 of every decade; where there are too few, round numbers."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    marks = [factor * 10.0**decade for decade in decades for factor in (1, 2, 5)]
    inside = [mark for mark in marks if low <= math.log10(mark) <= high]
    return inside if len(inside) > 2 else _ticks(10**low, 10**high)


def _write(canvas: NDArray[np.uint8], text: str, place: tuple[int, int], colour: Sequence[int], size: float) -> None:
    cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
