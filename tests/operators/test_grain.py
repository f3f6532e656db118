"""Grain: a function of seed, frame number and place, and of nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from footage import Placed
from hypothesis import given, settings
from hypothesis import strategies as st

import vfxgen
from vfxgen.frame import Box
from vfxgen.operators.grain import grain, grain_kernel, white_noise
from vfxgen.testing import Pictures, constant

GREY = [0.18, 0.18, 0.18]


def test_a_frame_is_the_same_whatever_was_rendered_before() -> None:
    plate = constant(GREY, (40, 60))
    forwards, backwards = vfxgen.Grain(plate), vfxgen.Grain(plate)
    numbers = [1001, 1002, 1003, -5, 0]
    first = {n: forwards[n].rgb.tobytes() for n in numbers}
    assert {n: backwards[n].rgb.tobytes() for n in reversed(numbers)} == first
    assert len(set(first.values())) == len(numbers)


def test_seeds_and_channels_differ() -> None:
    plate = constant(GREY, (40, 60))
    one, other = vfxgen.Grain(plate, strength=0.1)[1].rgb, vfxgen.Grain(plate, strength=0.1, seed=1)[1].rgb
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.1
    assert abs(np.corrcoef(one[..., 0].ravel(), one[..., 1].ravel())[0, 1]) < 0.1


@given(
    st.builds(Box, st.integers(-600, 600), st.integers(-600, 600), st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from([1.0, 1.8, 5.0, 14.0]),
)
@settings(max_examples=12, deadline=None)
def test_a_grain_belongs_to_its_place(window: Box, size: float) -> None:
    kernel, key = grain_kernel(size, 0.4), (7, 1001, 2)
    larger = Box(window.x - 9, window.y - 3, window.width + 20, window.height + 11)
    whole = grain(larger, kernel, key)
    part = whole[3 : 3 + window.height, 9 : 9 + window.width]
    assert grain(window, kernel, key).tobytes() == part.tobytes()


def test_no_two_tiles_are_alike() -> None:
    noise = white_noise(Box(-512, -512, 1024, 1024), (0, 1, 0))
    tiles = {noise[y : y + 256, x : x + 256].tobytes() for y in range(0, 1024, 256) for x in range(0, 1024, 256)}
    assert len(tiles) == 16
    assert abs(noise.mean()) < 0.01
    assert noise.std() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("softness", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("size", [1.0, 1.8, 4.0, 8.0])
def test_strength_is_the_deviation_on_middle_grey_whatever_the_size(size: float, softness: float) -> None:
    frame = vfxgen.Grain(constant(GREY, (300, 300)), strength=(0.1, 0.05, 0.2), size=size, softness=softness)[1]
    np.testing.assert_allclose(frame.rgb.std(axis=(0, 1)) / 0.18, [0.1, 0.05, 0.2], rtol=0.08)
    assert frame.rgb.mean() == pytest.approx(0.18, rel=0.02)


def test_larger_grains_are_larger() -> None:
    def likeness(size: float, softness: float) -> float:
        noise = grain(Box(0, 0, 200, 200), grain_kernel(size, softness), (0, 1, 0))
        return float(np.corrcoef(noise[:, 2:].ravel(), noise[:, :-2].ravel())[0, 1])

    assert abs(likeness(1, 0)) < 0.03
    assert likeness(2, 0.4) < likeness(4, 0.4) < likeness(8, 0.4)
    assert likeness(4, 0) < likeness(4, 1)


def test_grain_grows_with_the_square_root_of_light() -> None:
    deviation = [
        vfxgen.Grain(constant([v] * 3, (128, 128)), strength=0.1, shadows=0)[1].rgb.std() for v in (0.18, 0.72, 18.0)
    ]
    np.testing.assert_allclose(np.array(deviation) / deviation[0], [1, 2, 10], rtol=0.02)
    black = vfxgen.Grain(constant([0, 0, 0], (128, 128)), strength=0.1, shadows=0.5)[1].rgb
    assert black.std() == pytest.approx(0.5 * 0.018, rel=0.03)
    assert black.min() < 0


def test_strength_0_is_the_plate_bit_for_bit() -> None:
    plate = Pictures(np.array([[[-0.0, np.nan, 3.0]] * 4] * 4, np.float32))
    assert vfxgen.Grain(plate, strength=0)[1] is plate[1]
    red = vfxgen.Grain(plate, strength=(0.1, 0, 0))[1]
    assert red.pixels("G", "B").tobytes() == plate[1].pixels("G", "B").tobytes()
    assert (red.pixels("R") != 0).any()


def test_alpha_windows_and_other_channels_stay() -> None:
    pixels = np.random.default_rng(1).random((20, 30, 5), np.float32)
    frame = replace(Pictures(pixels, ["R", "G", "B", "A", "depth.Z"])[1], data_window=Box(-7, 3, 30, 20))
    grainy = vfxgen.Grain(Placed(frame))[1]
    assert (grainy.data_window, grainy.display_window) == (frame.data_window, frame.display_window)
    assert grainy.pixels("A", "depth.Z").tobytes() == frame.pixels("A", "depth.Z").tobytes()


def test_there_is_no_grain_where_there_is_no_coverage() -> None:
    pixels = np.full((8, 8, 4), 0.18, np.float32)
    pixels[:4] = 0
    grainy = vfxgen.Grain(Pictures(pixels, "RGBA"))[1].rgb
    assert not grainy[:4].any()
    assert (grainy[4:] != np.float32(0.18)).all()


def test_pixels_outside_the_mask_are_untouched() -> None:
    plate = Pictures(np.random.default_rng(1).random((20, 30, 3), np.float32))
    mask = np.zeros((20, 30, 1), np.float32)
    mask[5:9, 5:9] = 1
    grainy = vfxgen.Grain(plate, Pictures(mask, "A"))[1].rgb
    outside = mask[..., 0] == 0
    assert grainy[outside].tobytes() == plate[1].rgb[outside].tobytes()
    assert (grainy[~outside] == vfxgen.Grain(plate)[1].rgb[~outside]).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_in_its_pixel_and_channel(value: float) -> None:
    pixels = np.full((9, 9, 3), 0.18, np.float32)
    whole = vfxgen.Grain(Pictures(pixels))[1].rgb
    pixels[4, 4, 0] = value
    broken = vfxgen.Grain(Pictures(pixels))[1].rgb
    assert broken[4, 4, 0].tobytes() == np.float32(value).tobytes()
    changed = (whole != broken).any(axis=-1)
    changed[4, 4] = False
    assert not changed.any()
    assert np.isfinite(broken[4, 4, 1:]).all()


def test_a_real_plate(shared_data: Path) -> None:
    plate = vfxgen.read(shared_data / "exr/oiio-images/grid-overscan.exr")
    frame = vfxgen.Grain(plate)[1]
    assert frame.data_window == plate[1].data_window == Box(-250, -250, 1500, 1500)
    assert frame.attributes == plate[1].attributes
    assert frame.rgb.mean() == pytest.approx(plate[1].rgb.mean(), abs=1e-3)
