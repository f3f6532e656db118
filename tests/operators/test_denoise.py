"""Denoise: the camera's noise goes, the light and the detail stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from camera_noise import camera
from hypothesis import given, settings
from hypothesis import strategies as st

import vfxgen
from vfxgen.frame import Box, Pixels
from vfxgen.image.noise import measure_noise
from vfxgen.operators.denoise import non_local_means
from vfxgen.testing import Pictures


def wedge(height: int = 96, width: int = 192, top: float = 4.0) -> Pixels:
    """Light from black to `top`, with a hard edge half way down."""
    pixels = np.tile(np.linspace(0, top, width, dtype=np.float32)[None, :, None], (height, 1, 3))
    pixels[height // 2 :] *= 0.25
    return pixels


def error(pixels: Pixels, clean: Pixels) -> float:
    return float(np.sqrt(np.mean((pixels - clean) ** 2)))


def test_noise_is_a_quarter_of_what_it_was_and_brightness_stays() -> None:
    clean = wedge()
    noisy = camera(clean)
    result = vfxgen.Denoise(Pictures(noisy))[1].rgb
    assert error(result, clean) < error(noisy, clean) / 4
    for low, high in ((0, 48), (48, 96), (96, 144), (144, 192)):
        assert result[:, low:high].mean() == pytest.approx(noisy[:, low:high].mean(), rel=2e-3)


def test_a_picture_without_noise_stays_as_it_is() -> None:
    plate = Pictures(wedge())
    grey = Pictures(np.full((32, 32, 3), 0.18, np.float32))
    assert vfxgen.Denoise(grey)[1] is grey[1]
    np.testing.assert_allclose(vfxgen.Denoise(plate)[1].rgb, plate[1].rgb, rtol=1e-5, atol=1e-6)


def test_a_channel_without_noise_stays_bit_for_bit() -> None:
    noisy = camera(wedge())
    noisy[..., 1] = 0.25
    noisy[..., 2] = np.indices(noisy.shape[:2]).sum(axis=0) // 24
    result = vfxgen.Denoise(Pictures(noisy))[1].rgb
    assert result[..., 1:].tobytes() == noisy[..., 1:].tobytes()
    assert error(result[..., 0], wedge()[..., 0]) < error(noisy[..., 0], wedge()[..., 0]) / 2


def test_amount_0_is_the_plate_and_little_is_little() -> None:
    plate = Pictures(camera(wedge()))
    assert vfxgen.Denoise(plate, amount=0)[1] is plate[1]
    changes = [error(vfxgen.Denoise(plate, amount=a)[1].rgb, plate[1].rgb) for a in (0.1, 0.5, 1.0, 2.0)]
    assert changes == sorted(changes)
    assert changes[0] < 0.01 * changes[-1]


def test_no_value_goes_beyond_the_light_around_it() -> None:
    noisy = camera(wedge(top=20000.0) - 0.01)
    result = vfxgen.Denoise(Pictures(noisy), size=2, amount=4)[1].rgb
    assert noisy.min() <= result.min() < 0
    assert 19000 < result.max() <= noisy.max()


def test_a_sun_does_not_change_what_is_far_from_it() -> None:
    noisy = camera(wedge())
    lit = noisy.copy()
    lit[40:44, 40:44] = 60000
    valid = np.ones(noisy.shape[:2], bool)
    noise = [measure_noise(noisy[..., i], valid) for i in range(3)]
    plain, sunny = (non_local_means(p, valid, noise, 1.0, 3) for p in (noisy, lit))
    away = np.ones(noisy.shape[:2], bool)
    away[30:54, 30:54] = False
    np.testing.assert_allclose(sunny[away], plain[away], rtol=1e-4, atol=1e-5)
    assert (sunny[40:44, 40:44] == 60000).all()


@given(st.integers(0, 29), st.integers(0, 29), st.sampled_from([np.nan, np.inf, -np.inf]))
@settings(max_examples=8, deadline=None)
def test_what_is_no_number_stays_on_its_pixel(y: int, x: int, value: float) -> None:
    noisy = camera(wedge(30, 30))
    noisy[y, x, 1] = value
    result = vfxgen.Denoise(Pictures(noisy), size=3)[1].rgb
    assert result[y, x].tobytes() == noisy[y, x].tobytes()
    assert np.count_nonzero(~np.isfinite(result)) == 1


def test_pixels_outside_the_mask_and_other_channels_are_untouched() -> None:
    pixels = np.concatenate([camera(wedge()), np.random.default_rng(1).random((96, 192, 2), np.float32)], axis=-1)
    mask = np.zeros((96, 192, 1), np.float32)
    mask[:, :96] = 1
    plate = Pictures(pixels, ["R", "G", "B", "A", "depth.Z"])
    frame = vfxgen.Denoise(plate, Pictures(mask, "A"))[1]
    assert frame.rgb[:, 96:].tobytes() == plate[1].rgb[:, 96:].tobytes()
    assert (frame.rgb[:, :96] != plate[1].rgb[:, :96]).any()
    assert frame.pixels("A", "depth.Z").tobytes() == pixels[..., 3:].tobytes()


def test_a_stop_up_in_is_a_stop_up_out() -> None:
    noisy = camera(wedge())
    result = vfxgen.Denoise(Pictures(noisy))[1].rgb
    np.testing.assert_allclose(vfxgen.Denoise(Pictures(noisy * 8))[1].rgb, result * 8, rtol=1e-3, atol=1e-4)


def test_a_real_plate(shared_data: Path) -> None:
    plate = vfxgen.read(shared_data / "exr/openexr-images/ScanLines/Desk.exr")
    small = vfxgen.Reformat(plate, format="320x240", resize="none", crop=True)
    frame = vfxgen.Denoise(small, size=2)[1]
    assert frame.data_window == Box(0, 0, 320, 240)
    assert np.isfinite(frame.rgb).all()
    assert 0 < error(frame.rgb, small[1].rgb) < 0.1 * small[1].rgb.std()
    assert frame.attributes == small[1].attributes
