"""Grain of a clean plate: its power spectrum in the patch, against that of the grain that was hidden."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import vfxgen
from benchmarks.cleanplate_clips import FLOOR, GAIN, RIG, grain
from benchmarks.pictures import SPACE
from benchmarks.results import publish
from shots.stage.film import FILM, noise, noise_deviation
from vfxgen.frame import Pixels
from vfxgen.image.grain_spectrum import SIDE, power_spectrum
from vfxgen.temporal.filling import LEFT, ZONE
from vfxgen.testing import Pictures

Floats = NDArray[np.float64]

SIZE, HOLE, STRIDE, FRAMES = (224, 352), (56, 32, 112), 14, 13
PANS = {"pan by whole pixels": 6.0, "pan between pixels": 6.37}
MIDDLE = range(3, 10)
RIG_FRAMES = (1003, 1012, 1021)
BANDS = ((1, 3), (3, 6), (6, 10), (10, 16))
STEP = 16


def main() -> None:
    """Grain in patches, and as it is measured on a plate that is flat nowhere."""
    rows = [row for name, pan in PANS.items() for row in _compared(name, *_panned(pan))]
    if (RIG / "plate").is_dir():
        for number in RIG_FRAMES:
            rows += _compared(f"shots/rig {number}", *_rig(number))
    notes = [
        "Power at that many cycles in 32 pixels, relative to that of the true grain; all: variance. The pans: a smooth "
        f"picture with grain, panned under a square hole that moves over it, {len(MIDDLE)} frames: all that is in the "
        "patch beside the picture is grain.",
        "shots/rig at half size: grain as it is synthesised where nothing is left, relative to the grain of the plate.",
    ]
    publish("cleanplate_grain", "Power of the grain in the patch, relative to what it hides", rows, notes)


def _compared(name: str, made: Floats, true: Floats) -> list[dict[str, object]]:
    """Spectra (3, SIDE, SIDE) in bands, channel by channel."""
    frequency = np.hypot(*np.meshgrid(*[np.minimum(np.arange(SIDE), SIDE - np.arange(SIDE))] * 2))
    bands = {f"{low} .. {high}": (frequency >= low) & (frequency < high) for low, high in BANDS}
    bands["all"] = frequency >= 1
    rows = list[dict[str, object]]()
    for channel, ours, theirs in zip("RGB", made, true, strict=True):
        powers = {band: float(ours[there].mean() / theirs[there].mean()) for band, there in bands.items()}
        rows.append({"grain": name, "channel": channel, **powers})
    return rows


def _panned(pan: float) -> tuple[Floats, Floats]:
    """Spectra of what is in the patch beside the picture, and of the grain it hides."""
    truth = {n: _picture(pan * n) for n in range(FRAMES)}
    plates = {n: light + grain(light, n) for n, light in truth.items()}
    masks = {n: _mask((n - MIDDLE[0]) * STRIDE) for n in truth}
    operator = vfxgen.Cleanplate(Pictures(plates), Pictures(masks, "A"), reach=6, grow=0, feather=0, method="smooth")
    made = [
        (operator[n].rgb - truth[n]) / np.sqrt(GAIN * truth[n] + FLOOR) * np.where(masks[n] > 0, 1, np.nan)
        for n in MIDDLE
    ]
    flat = np.full((1024, 1024, 3), 0.2, np.float32)
    return _spectra(made), _spectra([grain(flat, FRAMES) / np.sqrt(GAIN * flat + FLOOR)])


def _rig(number: int) -> tuple[Floats, Floats]:
    """Spectra of the grain that is synthesised for a frame of the sample shot, and of the grain it has."""
    read = vfxgen.read(RIG / "plate" / "rig.####.exr", colorspace=SPACE, working_space=SPACE)
    mask = vfxgen.read(RIG / "truth" / "mask.####.exr")
    plate, half = (vfxgen.Resize(source, scale=0.5, filter="box") for source in (read, mask))
    operator = vfxgen.Cleanplate(plate, half, reach=1, grow=0, feather=0)
    light, whole = plate[number].rgb, read[number].rgb
    # As if all of the frame had been made up beside what is known of it.
    holes = operator._holes[number]
    everywhere = holes.with_pixels((ZONE,), np.ones((*light.shape[:2], 1), np.float32))
    nothing_left = plate[number].with_pixels((LEFT,), np.zeros((*light.shape[:2], 1), np.float32))
    _, made = operator._grain(plate[number], nothing_left, everywhere)
    true = noise(whole, int(read[number].attributes["vfxgen:grain_seed"].value), FILM)
    true = true.reshape(light.shape[0], 2, light.shape[1], 2, 3).mean(axis=(1, 3))
    deviation = noise_deviation(light, FILM)
    return _spectra([made / deviation]), _spectra([true / deviation])


def _picture(shift: float) -> Pixels:
    """Smooth light between two bands of detail that the camera's motion is told by."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    across = columns + np.float32(shift)
    light = (1 + 0.1 * np.sin(rows / 25)) * (0.1 + 0.0008 * across)
    random = np.random.default_rng(1)
    for x, y, turn in random.uniform((-40, 0, 0), (SIZE[1] + 120, 64, np.pi), (240, 3)):
        down = y if y < 32 else SIZE[0] - 64 + y
        along, beside = ((across - x) * np.cos(a) + (rows - down) * np.sin(a) for a in (turn, turn + np.pi / 2))
        light = light * (1 - 0.7 * np.exp(-((along / 5) ** 2) - (beside / 1.5) ** 2))
    return np.asarray(np.repeat(light[..., None], 3, axis=-1), np.float32)


def _mask(shift: int) -> Pixels:
    top, left, side = HOLE
    mask = np.zeros((*SIZE, 1), np.float32)
    mask[top : top + side, left + shift : left + shift + side] = 1
    return mask


def _spectra(noises: list[Pixels]) -> Floats:
    """Mean power of the blocks of pictures that are finite all over, (3, SIDE, SIDE)."""
    blocks = [
        block
        for picture in noises
        for block in np.lib.stride_tricks.sliding_window_view(picture, (SIDE, SIDE), axis=(0, 1))[::STEP, ::STEP]
        .reshape(-1, 3, SIDE, SIDE)
        .astype(np.float64)
        if np.isfinite(block).all()
    ]
    level = [block - block.mean(axis=(1, 2), keepdims=True) for block in blocks]
    return np.stack([power_spectrum(np.stack([block[i] for block in level])) for i in range(3)])


if __name__ == "__main__":
    main()
