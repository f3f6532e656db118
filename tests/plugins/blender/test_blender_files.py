"""Nodes that come from other files, and what they find beside their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import small_nets
from blender_runs import Blender
from blender_shot import LINEAR, MADE, command_line, frames, same, write


def test_a_node_that_is_appended_or_linked_keeps_its_frames_and_touches_no_others(blender: Blender, shot: Path) -> None:
    facts = blender.facts("brought", shot)
    assert facts["appended"] == ["up to date", "settings changed", "up to date"]
    assert facts["made"] == facts["after"], "frames of the file it comes from are left alone"
    assert facts["own"].startswith("b/deeper/vfxgen/other/grade_")
    assert facts["scenes"] == 1
    status, words = facts["linked"]
    assert status == "up to date"
    assert "Grade is linked from" in words
    assert "make it local to render it" in words
    for name in ("appended", "linked"):
        assert same(frames(shot / name), frames(shot / "shown"))


@pytest.fixture
def project(shot: Path) -> Path:
    """The shot with mattes of its subject, and a net that takes it out, in the project's folder."""
    for number in MADE:
        painted = np.zeros((36, 48, 1), np.float32)
        painted[8:28, 10 + number % 7 : 30 + number % 7] = 1
        write(shot / "painted" / f"painted.{number}.exr", painted, "Y")
    net = shot / "project" / "nets" / "retouch"
    net.mkdir(parents=True)
    small_nets.built(net, "unet", seed=3, widths=[4, 6])
    return shot


def test_a_matte_of_painted_keyframes_and_a_net_beside_the_file(blender: Blender, project: Path) -> None:
    net = project / "project" / "nets" / "retouch"
    facts = blender.facts("given", project, "render")
    assert facts["keyframes"]["set"] == "1,4"
    assert facts["keyframes"]["status"] == [
        "up to date",
        "settings changed",
        "failed: Keyframes: '1,x' is no list of frames such as 1,12,20-24",
        "settings changed",
        "up to date",
    ]
    assert "keyframes: 9 is not among the plate's frames 1 .. 4" in facts["keyframes"]["outside"]
    assert facts["choosers"] == {"apply": ["matte", "key", "image-to-image"], "upscale": ["upscale"]}
    for number in (1002, 1003):
        (project / "painted" / f"painted.{number}.exr").unlink()
    plate = project / "plate" / "plate.####.exr"
    painted = project / "painted" / "painted.####.exr"
    command_line(
        "matte", "--plate", plate, "--keyframes", painted, *LINEAR, "--set", "keyframes.colorspace=Raw", "--width", "4",
        "--out", project / "matte_cli" / "matte.####.exr",
    )  # fmt: skip
    command_line("apply", "--plate", plate, *LINEAR, "--net", net, "--out", project / "apply_cli" / "apply.####.exr")
    for name in ("matte", "apply"):
        made = next((project / "project" / "vfxgen" / "given").glob(f"{name}_*"))
        assert same(frames(made), frames(project / f"{name}_cli")), name
    facts = blender.facts("given", project, "moved")
    assert facts["status"] == ["up to date", "up to date"]
