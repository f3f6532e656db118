"""Steadying: neighbours count where they may, and nothing leaves the range it is given."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vfxgen.image.steady import local_range, steadied

VALUES = st.one_of(st.floats(-1, 65504, width=32), st.sampled_from([np.nan, np.inf, -np.inf]))
PICTURE = arrays.arrays(np.float32, (5, 6, 3), elements=VALUES)
STILL = np.zeros((5, 6, 2), np.float32)
ONE = np.ones((5, 6, 1), np.float32)


@settings(max_examples=40, deadline=None)
@given(PICTURE, PICTURE)
def test_neighbours_without_weight_change_no_bit(light: np.ndarray, other: np.ndarray) -> None:
    least, most = local_range(light)
    assert steadied(light, [(other, STILL, 0 * ONE)], least, most).tobytes() == light.tobytes()


@settings(max_examples=40, deadline=None)
@given(PICTURE, PICTURE)
def test_the_result_is_finite_where_the_frame_is_and_within_its_range(light: np.ndarray, other: np.ndarray) -> None:
    least, most = local_range(light)
    made = steadied(light, [(other, STILL, ONE), (light, STILL, ONE)], least, most)
    finite = np.isfinite(light)
    assert np.array_equal(np.isfinite(made), finite)
    assert made[~finite].tobytes() == light[~finite].tobytes()
    room = 1e-6 * np.abs(most) + 1e-6
    assert ((made >= least - room) & (made <= most + room))[finite].all()


def test_equal_frames_are_that_frame_bit_for_bit() -> None:
    light = np.random.default_rng(1).normal(0, 100, (5, 6, 3)).astype(np.float32)
    made = steadied(light, [(light, STILL, ONE), (light, STILL, ONE * np.float32(0.3))], *local_range(light))
    assert made.tobytes() == light.tobytes()


def test_noise_falls_by_the_root_of_three() -> None:
    random = np.random.default_rng(2)
    frames = [random.normal(0.18, 0.01, (64, 64, 3)).astype(np.float32) for _ in range(3)]
    still, one = np.zeros((64, 64, 2), np.float32), np.ones((64, 64, 1), np.float32)
    everything = np.full_like(frames[0], -np.inf), np.full_like(frames[0], np.inf)
    made = steadied(frames[0], [(frames[1], still, one), (frames[2], still, one)], *everything)
    assert abs(made.std() / frames[0].std() - 3**-0.5) < 0.02
