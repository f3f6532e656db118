"""Seamless blending: equal pictures stay, steps go, highlights do not leak."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_scenes import texture

from vfxgen.image.blend import normalised_blur, seamless

SIZE = (60, 70)
HOLE = np.zeros(SIZE, bool)
HOLE[20:42, 18:50] = True


@given(st.integers(0, 99), st.sampled_from([1.0, 1e-3, 2e4]))
@settings(max_examples=8, deadline=None)
def test_a_blend_of_equal_pictures_is_identity(seed: int, level: float) -> None:
    light = texture(SIZE, seed) * np.float32(level)
    assert seamless(light, light, HOLE, ~HOLE).tobytes() == light.tobytes()


def test_a_step_in_level_goes_and_detail_stays() -> None:
    light = texture(SIZE)
    ramp = np.linspace(-0.05, 0.05, SIZE[1], dtype=np.float32)[None, :, None]
    made = seamless(light + ramp, light, HOLE, ~HOLE)
    assert np.abs(made - light)[HOLE].max() < 0.02
    assert np.array_equal(made[~HOLE], light[~HOLE])


def test_grain_beside_the_hole_draws_no_streaks_into_it() -> None:
    grain = np.random.default_rng(2).normal(0, 0.02, (*SIZE, 3)).astype(np.float32)
    flat = np.full((*SIZE, 3), 0.4, np.float32)
    assert np.abs(seamless(flat, flat + grain, HOLE, ~HOLE) - flat)[HOLE].max() < 0.008


def test_a_lamp_that_is_off_by_a_pixel_does_not_glow_into_the_hole() -> None:
    source, target = np.full((2, *SIZE, 3), 0.2, np.float32)
    source[17:20, 30:33], target[16:19, 30:33] = 500, 500
    assert np.abs(seamless(source, target, HOLE, ~HOLE) - 0.2)[HOLE].max() < 0.01


def test_without_overlap_the_source_comes_as_it_is() -> None:
    one, two = texture(SIZE, 1), texture(SIZE, 2)
    made = seamless(one, two, HOLE, np.zeros(SIZE, bool))
    assert np.array_equal(made, np.where(HOLE[..., None], one, two))


def test_a_blur_takes_from_what_has_weight_alone() -> None:
    values = np.full((20, 20, 2), 3, np.float32)
    values[5:9] = np.float32(1e6)
    weight = np.ones((20, 20), np.float32)
    weight[5:9] = 0
    np.testing.assert_allclose(normalised_blur(values, weight, 2.0), 3, rtol=1e-5)
