"""Global motion: a known homography comes back, whatever else moves in the frame."""

from __future__ import annotations

import numpy as np
import pytest
from moving_scenes import TRANSLATION, TURN, moved, texture

from vfxgen.errors import FrameError
from vfxgen.image.global_motion import Model, global_motion
from vfxgen.image.warp import displacement

AFFINE = np.array([[1.03, -0.05, 12.0], [0.04, 0.98, -9.0], [0, 0, 1]])
SIZE = (270, 360)


def off(found: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance, over the frame, of where the two maps lead."""
    return float(np.linalg.norm(displacement(found, SIZE) - displacement(truth, SIZE), axis=-1).mean())


@pytest.mark.parametrize(
    ("matrix", "model"),
    [(TRANSLATION, "affine"), (AFFINE, "affine"), (AFFINE, "homography"), (TURN, "homography")],
)
def test_a_known_map_comes_back(matrix: np.ndarray, model: Model) -> None:
    this, other, _ = moved(matrix, SIZE)
    motion = global_motion(this, other * np.float32(6), model)
    assert off(motion.matrix, matrix) < 0.15
    assert motion.agreement > 0.8


def test_a_subject_that_goes_its_own_way_is_left_out() -> None:
    this, other, _ = moved(AFFINE, SIZE)
    subject = texture((120, 100), 9)
    this[60:180, 60:160], other[80:200, 140:240] = subject, subject
    motion = global_motion(this, other)
    assert off(motion.matrix, AFFINE) < 0.2
    assert motion.agreement < 0.95


def test_the_same_frames_give_the_same_map() -> None:
    this, other, _ = moved(TURN, SIZE)
    assert global_motion(this, other).matrix.tobytes() == global_motion(this, other).matrix.tobytes()


def test_flat_pictures_and_other_scenes_are_refused() -> None:
    flat = np.full((*SIZE, 3), 0.18, np.float32)
    with pytest.raises(FrameError, match="0 features match"):
        global_motion(flat, flat)
    with pytest.raises(FrameError, match="no motion of the whole frame"):
        global_motion(texture(SIZE, 1), texture(SIZE, 2))
