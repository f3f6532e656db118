"""What goes wrong around a node is said in a sentence, in its status too, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from blender_runs import Blender
from blender_shot import MADE, plate, write


@pytest.fixture
def bad(shot: Path) -> Path:
    """The shot, with sequences beside it: one that changes its size, one with a gap, one with a damaged file."""
    random = np.random.default_rng(2)
    for number in MADE:
        picture = plate(number, random)
        larger = np.pad(picture, ((0, 4), (0, 8), (0, 0)))
        write(shot / "sizes" / f"sizes.{number}.exr", picture if number < 1003 else larger, "RGB")
        write(shot / "gap" / f"gap.{number}.exr", picture, "RGB")
        write(shot / "damaged" / f"damaged.{number}.exr", picture, "RGB")
    (shot / "gap" / "gap.1003.exr").unlink()
    damaged = shot / "damaged" / "damaged.1003.exr"
    damaged.write_bytes(damaged.read_bytes()[:2000])
    return shot


def test_each_trouble_is_a_sentence_and_the_next_render_works(blender: Blender, bad: Path) -> None:
    facts = blender.facts("trouble", bad)
    expected = {
        "sizes": ["frame 3: ", "the display window is 56x40+0+0, that of frame 1 48x36+0+0"],
        "gap": ["frame 3: Blender wrote nothing of what feeds plate: a file of an image sequence is missing"],
        "damaged": ["frame 3: ", "/damaged/damaged.1003.exr: the pixels are damaged or cut off"],
        "not installed": ["did not start a vfxgen worker", "No module named vfxgen"],
        "other protocol": ["vfxgen's worker speaks protocol 99, this plug-in 1"],
        "disk of the cache full": ["frame 1: ", "plate.0001.exr was cut off: the disk is full"],
        "disk of the frames full": ["frame ", "cannot be written"],
        "cache deleted": ["frame ", "plate."],
        "cannot write beside the .blend": ["Not a directory; choose another output folder in the node's panel"],
    }
    said = facts["said"]
    assert said.pop("in the end") == ["rendered", "up to date"]
    assert said.keys() == expected.keys()
    for trouble, words in expected.items():
        sentence, status = said[trouble]
        assert all(part in sentence for part in words), (trouble, sentence)
        assert "Traceback" not in sentence
        assert status == f"failed: {sentence}"
    assert not facts["left"], "exports are removed"
