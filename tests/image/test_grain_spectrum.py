"""Spectra of grain: told in spite of detail, the same in all directions, and what interpolation takes of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_scenes import texture

from vfxgen.image.grain_spectrum import (
    HALF_WAY,
    SIDE,
    grain_profile,
    kernel,
    power_spectrum,
    spectrum_of,
    taken_by_interpolation,
    transformed,
)
from vfxgen.image.warp import warped


def noise(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, SIDE, SIDE, 1))


def power(blocks: np.ndarray) -> np.ndarray:
    return np.abs(transformed(blocks)) ** 2


def test_white_noise_has_the_power_of_its_variance() -> None:
    assert power_spectrum(3 * noise(400)[..., 0]).mean() == pytest.approx(9, rel=0.03)
    profile, flat = grain_profile(power(3 * noise(400)))
    np.testing.assert_allclose(profile, 9, rtol=0.1)
    assert flat.mean() > 0.6


def test_blocks_with_detail_do_not_count() -> None:
    detail = 3 * texture((SIDE * 8, SIDE * 8)).mean(axis=-1).reshape(8, SIDE, 8, SIDE).swapaxes(1, 2)
    blocks = noise(96)
    blocks[:64, ..., 0] += detail.reshape(64, SIDE, SIDE)
    profile, flat = grain_profile(power(blocks))
    assert not flat[:64].any()
    np.testing.assert_allclose(profile, 1, rtol=0.15)


@given(st.integers(0, 10**6), st.floats(0.0, 4.0), st.floats(1e-9, 1e9))
@settings(max_examples=25, deadline=None)
def test_a_spectrum_falls_and_scales_with_the_noise(seed: int, slope: float, scale: float) -> None:
    spectrum = np.exp(-slope * (np.minimum(np.arange(SIDE), SIDE - np.arange(SIDE)) / 16) ** 2)
    waves = np.fft.fft2(noise(40, seed), axes=(1, 2)) * np.sqrt(np.outer(spectrum, spectrum))[..., None]
    profile, flat = grain_profile(power(np.fft.ifft2(waves, axes=(1, 2)).real))
    more, same = grain_profile(scale * power(np.fft.ifft2(waves, axes=(1, 2)).real))
    assert flat.sum() >= 24 and np.array_equal(flat, same)
    assert (np.diff(profile[0]) <= 1e-12 * profile.max()).all() and profile.min() > 0
    np.testing.assert_allclose(more, scale * profile, rtol=1e-6)


def test_a_kernel_has_the_spectrum_it_was_made_of() -> None:
    profile = np.exp(-((np.arange(22) / 9) ** 2))
    made = kernel(profile)
    assert made.dtype == np.float32 and made.shape[0] % 2
    np.testing.assert_array_equal(made, made[::-1, ::-1])
    np.testing.assert_allclose(np.abs(np.fft.fft2(made, (SIDE, SIDE))) ** 2, spectrum_of(profile), atol=0.01)


@pytest.mark.parametrize("way", [(0.0, 0.0), (0.5, 0.5), (0.25, 0.25), (0.5, 0.0), (0.8, 0.1), (-3.2, 7.9)])
def test_interpolation_takes_what_it_is_said_to_take(way: tuple[float, float]) -> None:
    white = np.random.default_rng(5).normal(size=(SIDE * 12, SIDE * 12, 1)).astype(np.float32)
    flow = np.full((*white.shape[:2], 2), way, np.float32)
    moved = warped(white, flow)[0][SIDE:-SIDE, SIDE:-SIDE, 0].astype(np.float64)
    blocks = moved.reshape(10, SIDE, 10, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE)
    said = 1 - float(taken_by_interpolation(flow)[0, 0]) * spectrum_of(HALF_WAY)
    radius = np.hypot(*np.meshgrid(*[np.minimum(np.arange(SIDE), SIDE - np.arange(SIDE))] * 2))
    for low, high in ((1, 5), (5, 9), (9, 13), (13, 16)):
        ring = (radius >= low) & (radius < high)
        assert power_spectrum(blocks)[ring].mean() == pytest.approx(said[ring].mean(), abs=0.09)
