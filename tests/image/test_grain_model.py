"""Grain: what is measured is what was put in, and what is made has its strength, its size and its colour."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from moving_scenes import texture

from vfxgen.frame import Box, Pixels
from vfxgen.image.grain_model import GrainModel, Neighbour, grain_like, measured_grain
from vfxgen.image.grain_spectrum import SIDE, power_spectrum
from vfxgen.image.warp import warped
from vfxgen.operators.grain import white_noise

GAIN, FLOOR = np.array([4e-4, 3e-4, 5e-4]), np.array([3e-6, 2e-6, 6e-6])
KERNEL = np.array([0.07, 0.24, 0.38, 0.24, 0.07], np.float32)
BANDS = ((1, 3), (3, 6), (6, 10), (10, 16))
FREQUENCY = np.hypot(*np.meshgrid(*[np.minimum(np.arange(SIDE), SIDE - np.arange(SIDE))] * 2))


def grain(light: Pixels, seed: int = 1, shared: float = 0.4) -> Pixels:
    random = np.random.default_rng(seed)
    white = shared**0.5 * random.standard_normal((*light.shape[:2], 1)) + (1 - shared) ** 0.5 * (
        random.standard_normal(light.shape)
    )
    soft = cv2.sepFilter2D(white.astype(np.float32), -1, KERNEL, KERNEL) / float((KERNEL**2).sum())
    return np.asarray(soft * np.sqrt(GAIN * np.maximum(light, 0) + FLOOR), np.float32)


def wedge(height: int = 240, width: int = 480) -> Pixels:
    return np.tile(np.linspace(0.02, 1.2, width, dtype=np.float32)[None, :, None], (height, 1, 3))


def measured(light: Pixels) -> GrainModel | None:
    known = np.ones(light.shape[:2], bool)
    return measured_grain(light, known)


def grainy_wedge() -> Pixels:
    return wedge() + grain(wedge())


def test_strength_is_measured_at_every_brightness() -> None:
    model = measured(grainy_wedge())
    assert model is not None
    for light in (0.05, 0.18, 0.6, 1.1):
        there = np.full((1, 1, 3), light, np.float32)
        np.testing.assert_allclose(model.deviation(there)[0, 0], np.sqrt(GAIN * light + FLOOR), rtol=0.15)


def test_detail_is_not_taken_for_grain() -> None:
    light = wedge()
    light[:150] *= texture((150, 480)) + 0.5
    model = measured(light + grain(light))
    assert model is not None
    there = np.full((1, 1, 3), 0.4, np.float32)
    np.testing.assert_allclose(model.deviation(there)[0, 0], np.sqrt(GAIN * 0.4 + FLOOR), rtol=0.25)


def power(plane: Pixels) -> np.ndarray:
    height, width = (side // SIDE for side in plane.shape)
    cut = plane[: height * SIDE, : width * SIDE].astype(np.float64)
    blocks = cut.reshape(height, SIDE, width, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE)
    return power_spectrum(blocks)


def in_bands(made: Pixels, true: Pixels) -> list[float]:
    ours, theirs, radius = power(made), power(true), FREQUENCY
    rings = [(radius >= low) & (radius < high) for low, high in BANDS]
    return [float(ours[ring].mean() / theirs[ring].mean()) for ring in rings]


def made_of(model: GrainModel, light: Pixels, seed: int = 9) -> Pixels:
    size = (light.shape[0] + 2 * model.reach, light.shape[1] + 2 * model.reach, 3)
    return grain_like(model, np.random.default_rng(seed).standard_normal(size).astype(np.float32), light)


def grey(height: int = 256, width: int = 512) -> Pixels:
    return np.full((height, width, 3), 0.3, np.float32)


def test_what_is_made_has_the_same_spectrum_and_correlation() -> None:
    model = measured(grey() + grain(grey()))
    assert model is not None
    made, true = made_of(model, grey()), grain(grey(), seed=2)
    assert np.abs(made.std(axis=(0, 1)) / true.std(axis=(0, 1)) - 1).max() < 0.1
    assert np.abs(np.corrcoef(made.reshape(-1, 3).T) - np.corrcoef(true.reshape(-1, 3).T)).max() < 0.08
    for channel in range(3):
        assert in_bands(made[..., channel], true[..., channel]) == pytest.approx([1, 1, 1, 1], abs=0.15)


@pytest.mark.parametrize("way", [(0.0, 0.0), (3.0, -2.0), (0.5, 0.5), (1.3, 0.4)])
def test_a_neighbour_however_it_lies_tells_the_same_grain(way: tuple[float, float]) -> None:
    light = 0.05 + 0.4 * texture((250, 340))
    flow = np.full((250, 340, 2), way, np.float32)
    other, _ = warped(grain(grey(250, 340), seed=3), flow)
    plate = light + grain(grey(250, 340))
    known = np.ones(light.shape[:2], bool)
    model = measured_grain(plate, known, Neighbour(light + other, flow))
    assert model is not None
    # All of it has the strength that it has on 0.3.
    there = np.full((320, 320, 3), light.mean(), np.float32)
    made = made_of(model, there)
    for channel in range(3):
        true = grain(grey(512, 512), seed=4)[..., channel]
        assert in_bands(made[..., channel], true) == pytest.approx([1, 1, 1, 1], abs=0.25)


def test_the_mesh_of_a_code_is_not_taken_for_grain() -> None:
    rows, columns = np.mgrid[:256, :512]
    mesh = 0.006 * np.sin(2 * np.pi * rows / 4) * np.sin(2 * np.pi * columns / 8)
    plate = grey() + grain(grey()) + mesh[..., None].astype(np.float32)
    model = measured(plate)
    assert model is not None
    spectrum = power(made_of(model, grey())[..., 1])
    beside = (FREQUENCY > 7) & (FREQUENCY < 11)
    assert power(plate[..., 1] - plate[..., 1].mean())[8, 4] > 3 * spectrum[beside].mean()
    assert spectrum[8, 4] < 1.5 * spectrum[beside].mean()


def test_grain_belongs_to_its_place() -> None:
    model = measured(grainy_wedge())
    assert model is not None

    def part(window: Box) -> Pixels:
        around = Box(
            window.x - model.reach,
            window.y - model.reach,
            window.width + 2 * model.reach,
            window.height + 2 * model.reach,
        )
        white = np.stack([white_noise(around, (0, 7, i)) for i in range(3)], axis=-1)
        return grain_like(model, white, grey(window.height, window.width))

    whole, piece = part(Box(-30, 10, 200, 120)), part(Box(0, 40, 50, 60))
    np.testing.assert_allclose(whole[30:90, 30:80], piece, atol=1e-5)


def test_a_channel_without_grain_takes_none_from_the_others() -> None:
    light = grainy_wedge()
    silent = light.copy()
    silent[..., 2] = 0
    whole, model = measured(light), measured(silent)
    assert whole is not None and model is not None
    strong, found = whole.deviation(light), model.deviation(silent)
    np.testing.assert_allclose(found[..., :2], strong[..., :2], rtol=0.02)
    assert not found[..., 2].any() and not made_of(model, silent)[..., 2].any()


def test_too_little_to_measure_and_no_grain_say_so() -> None:
    light = grainy_wedge()
    few = np.zeros((240, 480), bool)
    few[:40, :40] = True
    assert measured_grain(light, few) is None
    assert measured(np.full((96, 96, 3), 0.2, np.float32)) is None
    assert measured(light[:20, :20]) is None
