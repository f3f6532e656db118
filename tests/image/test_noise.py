"""Noise of a camera is measured; texture hardly passes for it."""

from __future__ import annotations

import numpy as np
import pytest
from camera_noise import FLOOR, GAIN, camera

from vfxgen.frame import Pixels
from vfxgen.image.noise import measure_noise

EVERYWHERE = np.ones((256, 256), bool)


def wedge() -> Pixels:
    """Light from black to 4, with a hard edge half way down."""
    plane = np.tile(np.linspace(0, 4, 256, dtype=np.float32), (256, 1))
    plane[128:] *= 0.25
    return plane


@pytest.mark.parametrize("seed", range(3))
def test_the_noise_of_a_camera_is_measured(seed: int) -> None:
    noise = measure_noise(camera(wedge(), seed), EVERYWHERE)
    for light in (0.02, 0.18, 1.0, 4.0):
        assert noise.gain * light + noise.floor == pytest.approx(GAIN * light + FLOOR, rel=0.35)


def test_texture_is_not_taken_for_noise() -> None:
    picture = wedge()
    picture[:80] *= 1 + 0.3 * np.indices((80, 256)).sum(axis=0) % 2
    noise = measure_noise(camera(picture), EVERYWHERE)
    assert noise.gain * 0.18 + noise.floor < 4 * (GAIN * 0.18 + FLOOR)


def test_in_the_difference_to_another_frame_texture_is_no_noise_at_all() -> None:
    texture = wedge() + np.random.default_rng(3).uniform(0, 0.5, (256, 256)).astype(np.float32)
    alone, beside = (measure_noise(camera(texture, 1), EVERYWHERE, other) for other in (None, camera(texture, 2)))
    assert alone.gain + alone.floor > 10 * (GAIN + FLOOR)
    # Both frames have noise.
    assert beside.gain + beside.floor == pytest.approx(2 * (GAIN + FLOOR), rel=0.35)
