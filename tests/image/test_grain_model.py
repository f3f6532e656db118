"""Grain: what is measured is what was put in, and what is made has its strength, its size and its colour."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from moving_scenes import texture

from vfxgen.frame import Pixels
from vfxgen.image.grain_model import GrainModel, grain_like, measured_grain, power_spectrum
from vfxgen.operators.denoise import measure_noise

GAIN, FLOOR = np.array([4e-4, 3e-4, 5e-4]), np.array([3e-6, 2e-6, 6e-6])
KERNEL = np.array([0.07, 0.24, 0.38, 0.24, 0.07], np.float32)


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
    return measured_grain(light, known, [measure_noise(light[..., i], known) for i in range(3)])


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


def blocks(plane: Pixels) -> np.ndarray:
    return plane[:256, :256].astype(np.float64).reshape(8, 32, 8, 32).swapaxes(1, 2).reshape(64, 32, 32)


def test_what_is_made_has_the_same_spectrum_and_correlation() -> None:
    grey = np.full((256, 512, 3), 0.3, np.float32)
    model = measured(grey + grain(grey))
    assert model is not None
    white = np.random.default_rng(9).standard_normal((256, 512, 3)).astype(np.float32)
    made, true = grain_like(model, white, grey), grain(grey, seed=2)
    assert np.abs(made.std(axis=(0, 1)) / true.std(axis=(0, 1)) - 1).max() < 0.1
    assert np.abs(np.corrcoef(made.reshape(-1, 3).T) - np.corrcoef(true.reshape(-1, 3).T)).max() < 0.08
    ours, theirs = (power_spectrum(blocks(p[..., 1] / p[..., 1].std())) for p in (made, true))
    for low, high in ((0, 3), (3, 6), (6, 10)):
        frequency = np.hypot(*np.meshgrid(*[np.minimum(np.arange(32), 32 - np.arange(32))] * 2))
        ring = (frequency >= low) & (frequency < high)
        assert ours[ring].mean() == pytest.approx(theirs[ring].mean(), rel=0.15)


def test_too_little_to_measure_and_no_grain_say_so() -> None:
    light = grainy_wedge()
    few = np.zeros((240, 480), bool)
    few[:40, :40] = True
    assert measured_grain(light, few, [(1e-4, 1e-6)] * 3) is None
    assert measured(np.full((96, 96, 3), 0.2, np.float32)) is None
    assert measured(light[:20, :20]) is None
