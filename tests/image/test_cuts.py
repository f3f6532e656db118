"""Cuts: another scene is one; motion, light and blur are none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from moving_scenes import TURN, moved, texture

import vfxgen
from vfxgen.image.cuts import is_cut

SIZE = (180, 240)


@pytest.mark.parametrize("seed", range(4))
def test_another_scene_is_a_cut(seed: int) -> None:
    assert is_cut(texture(SIZE, seed), texture(SIZE, seed + 50) * np.float32(1.1))


@pytest.mark.parametrize("height", [60, 100, 160])
def test_a_cut_is_one_in_a_picture_far_wider_than_high_too(height: int) -> None:
    one, other = (texture((height, 640), seed) for seed in (1, 51))
    assert is_cut(one, other) and not is_cut(one, np.roll(one, 9, axis=1))


def test_motion_exposure_and_blur_are_none() -> None:
    this, other, _ = moved(TURN)
    assert not is_cut(this, other)
    assert not is_cut(this, other * np.float32(6))
    assert not is_cut(this, cv2.blur(other, (25, 1)))
    assert not is_cut(this, this)


def test_flat_frames_cut_only_to_another_brightness() -> None:
    grey = np.full((*SIZE, 3), 0.2, np.float32)
    assert not is_cut(grey, grey)


def test_a_real_clip_has_none_and_two_clips_have_one(shared_data: Path) -> None:
    clip = vfxgen.read(shared_data / "video/davis/bmx-trees/#####.jpg")
    frames = [clip[n].rgb for n in (0, 1, 20, 21)]
    assert not is_cut(frames[0], frames[1]) and not is_cut(frames[2], frames[3])
    assert is_cut(frames[0], texture(frames[0].shape[:2]))
