"""Motion: flow between consecutive frames, on the windows of both, the same whatever was asked before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from moving_scenes import TRANSLATION, moved

from vfxgen.frame import Box, Frame
from vfxgen.sequence import Sequence
from vfxgen.temporal.motion import BACKWARD, FORWARD, Motion
from vfxgen.testing import Pictures

THIS, OTHER, TRUTH = moved(TRANSLATION, (100, 120))


class Moving(Sequence):
    """Two frames whose data windows differ."""

    def frame(self, number: int) -> Frame:
        frame = Pictures({1: THIS, 2: OTHER})[number]
        return replace(frame, display_window=Box(0, 0, 140, 120)).on(Box(0, 0, 120, 100 if number == 1 else 110))

    def make_key(self, number: int) -> str:
        return str(number)


def test_forward_and_backward_lead_to_each_other() -> None:
    between = Motion(Pictures({1: THIS, 2: OTHER}))[1]
    forward, backward = between.pixels(*FORWARD), between.pixels(*BACKWARD)
    inner = np.s_[20:-20, 20:-20]
    assert np.abs(forward[inner][..., :2] - TRUTH[inner]).max() < 0.5
    assert np.abs(backward[inner][..., :2] + TRUTH[inner]).max() < 0.5
    assert forward[inner][..., 2].mean() > 0.8 and backward[inner][..., 2].mean() > 0.8


def test_frames_on_different_windows_meet_on_both() -> None:
    between = Motion(Moving())[1]
    assert between.data_window == Box(0, 0, 120, 110)
    inner = between.on(Box(20, 20, 80, 60)).pixels(*FORWARD)
    assert np.abs(inner[..., :2] - TRUTH[20:80, 20:100]).max() < 0.5


def test_range_and_keys() -> None:
    frames = {1: THIS, 2: OTHER, 3: THIS, 5: OTHER}
    motion = Motion(Pictures(frames))
    assert motion.range == [1, 2]
    assert len({motion.key(1), motion.key(2)}) == 2
    assert Motion(Pictures(THIS)).range is None
