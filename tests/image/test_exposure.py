"""Exposure matching: a known gain comes back, also one that varies, whatever else is different."""

from __future__ import annotations

import numpy as np
import pytest
from moving_scenes import texture

from vfxgen.image.exposure import gain

SIZE = (90, 120)
EVERYWHERE = np.ones(SIZE, bool)


def test_a_gain_of_each_channel_comes_back() -> None:
    light = texture(SIZE)
    found = gain(light, light * np.array([1.5, 0.7, 1.0], np.float32), EVERYWHERE, 20)
    np.testing.assert_allclose(found, np.broadcast_to([1.5, 0.7, 1.0], found.shape), rtol=1e-4)


def test_a_gain_that_varies_over_the_frame_is_followed() -> None:
    light = texture(SIZE)
    truth = np.linspace(0.8, 1.3, SIZE[1], dtype=np.float32)[None, :, None]
    assert np.abs(gain(light, light * truth, EVERYWHERE, 8) / truth - 1)[:, 20:-20].max() < 0.03


def test_something_else_in_the_frame_and_a_lamp_do_not_count() -> None:
    light = texture(SIZE)
    target = light * np.float32(1.2)
    target[20:50, 30:60] = 0.001
    target[60:64, 80:84] = 9000
    assert np.abs(gain(light, target, EVERYWHERE, 24) / 1.2 - 1).max() < 0.03


def test_in_the_middle_of_a_hole_it_is_that_of_the_rest() -> None:
    light = texture(SIZE)
    known = EVERYWHERE.copy()
    known[20:70, 30:90] = False
    target = np.where(known[..., None], light * np.float32(0.6), np.nan)
    np.testing.assert_allclose(gain(light, target, known, 10), 0.6, rtol=1e-4)


@pytest.mark.parametrize("blue", [0.0, -0.01])
def test_a_channel_without_light_is_exposed_as_the_others_are(blue: float) -> None:
    light = texture(SIZE)
    light[..., 2] = blue
    found = gain(light, light * np.array([2, 1, 2], np.float32), EVERYWHERE, 20)
    np.testing.assert_allclose(found, np.broadcast_to([2, 1, 1.5], found.shape), rtol=1e-3)


def test_nothing_known_or_black_is_1() -> None:
    light = texture(SIZE)
    assert (gain(light, light * 2, ~EVERYWHERE, 8) == 1).all()
    assert (gain(light * 0, light, EVERYWHERE, 8) == 1).all()
