"""Grain of a clean plate: its power spectrum in the patch, against that of the grain that was hidden."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import vfxgen
from benchmarks.cleanplate_clips import FLOOR, GAIN, grain
from benchmarks.results import publish
from vfxgen.frame import Pixels
from vfxgen.image.grain_model import power_spectrum
from vfxgen.testing import Pictures

SIZE, HOLE, BLOCK, PAN, STRIDE = (192, 256), (56, 88, 80), 32, 6, 14
MIDDLE = (5, 6, 7)
BANDS = ((1, 3), (3, 6), (6, 10), (10, 16))


def main() -> None:
    """A smooth picture with grain, panned under a square hole that moves over it: all that is left is grain."""
    truth = {n: _picture(n) for n in range(12)}
    plates = {n: light + grain(light, n) for n, light in truth.items()}
    masks = {n: _mask((n - MIDDLE[1]) * STRIDE) for n in truth}
    operator = vfxgen.Cleanplate(Pictures(plates), Pictures(masks, "A"), reach=6, grow=0, feather=0, method="smooth")
    made, hidden = (
        np.concatenate([_blocks(frame(n) - truth[n], truth[n], masks[n]) for n in MIDDLE])
        for frame in (lambda n: operator[n].rgb, lambda n: plates[n])
    )
    rows = [
        {"cycles in 32 pixels": f"{low} .. {high}"}
        | {name: _power(made[..., i], low, high) / _power(hidden[..., i], low, high) for i, name in enumerate("RGB")}
        for low, high in BANDS
    ]
    variance = {name: float(made[..., i].var() / hidden[..., i].var()) for i, name in enumerate("RGB")}
    rows.append({"cycles in 32 pixels": "all"} | variance)
    publish("cleanplate_grain", "Power of the grain in the patch, relative to what it hides", rows)


def _picture(number: int) -> Pixels:
    height, width = SIZE
    across = np.linspace(0.1, 0.5, width + 200, dtype=np.float32)[PAN * number : PAN * number + width]
    down = 1 + 0.1 * np.sin(np.arange(height, dtype=np.float32) / 25)
    return np.repeat((down[:, None] * across)[..., None], 3, axis=-1)


def _mask(shift: int) -> Pixels:
    top, left, side = HOLE
    mask = np.zeros((*SIZE, 1), np.float32)
    mask[top : top + side, left + shift : left + shift + side] = 1
    return mask


def _blocks(noise: Pixels, light: Pixels, mask: Pixels) -> NDArray[np.float64]:
    """Four blocks of the hole, (4, 32, 32, 3), relative to the deviation of the grain there."""
    relative = (noise / np.sqrt(GAIN * light + FLOOR)).astype(np.float64)
    top, left = (int(axis.min()) + 4 for axis in np.nonzero(mask[..., 0]))
    return np.stack([relative[y : y + BLOCK, x : x + BLOCK] for y in (top, top + 40) for x in (left, left + 40)])


def _power(blocks: NDArray[np.float64], low: int, high: int) -> float:
    frequency = np.hypot(*np.meshgrid(*[np.minimum(np.arange(BLOCK), BLOCK - np.arange(BLOCK))] * 2))
    return float(power_spectrum(blocks)[(frequency >= low) & (frequency < high)].mean())


if __name__ == "__main__":
    main()
