"""What `vfxgen info` says of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from footage import write_plate

import vfxgen
from vfxgen import info
from vfxgen.errors import MediaError, MissingFrameError
from vfxgen.frame import Frame
from vfxgen.media.image import write_image
from vfxgen.testing import constant


def test_a_sequence_with_a_gap(tmp_path: Path) -> None:
    said = info.describe(write_plate(tmp_path, [-1, 0, 3]))
    assert (said["frames"], said["missing"], said["count"]) == ("-1-0,3", "1-2", 3)
    assert said["made_by_vfxgen"] is False
    assert said["bytes"] == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_a_published_sequence_is_known(tmp_path: Path) -> None:
    vfxgen.write(constant([0.1, 0.2, 0.3]), tmp_path / "c.####.exr", frames="1-2")
    assert info.describe(str(tmp_path / "c.####.exr"))["made_by_vfxgen"] is True


def test_a_guess_of_the_colour_space_is_called_one(tmp_path: Path) -> None:
    frame = Frame.from_pixels(np.zeros((4, 4, 3), np.float32), "RGB", colorspace="")
    write_image(frame, str(tmp_path / "f.exr"), format="exr")
    part = info.describe(str(tmp_path / "f.exr"))["parts"][0]
    assert (part["colorspace"], part["colorspace_from"]) == ("ACES2065-1", "file rules (a guess)")


def test_a_movie(shared_data: Path) -> None:
    said = info.describe(str(shared_data / "matting" / "greenscreen_cc0" / "mdn_yellowgreen_screen.mp4"))
    assert (said["kind"], said["size"], said["codec"], said["count"]) == ("movie", "320x192", "h264", 1465)
    assert "320x192" in info.text(said)


def test_every_part_of_a_multi_part_file(shared_data: Path) -> None:
    said = info.describe(str(shared_data / "exr" / "openexr-images" / "Beachball" / "multipart.0001.exr"))
    assert len(said["parts"]) == 10
    assert said["parts"][0]["name"] == "rgba_right"
    assert "view" in info.text(said) or "right" in info.text(said)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(MissingFrameError, match="no file matches"):
        info.describe(str(tmp_path / "p.####.exr"))
    with pytest.raises(MediaError, match="cannot be read"):
        info.describe(str(tmp_path / "p.exr"))
