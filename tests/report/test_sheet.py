"""Contact sheets and single pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vfxgen.errors import MediaError
from vfxgen.media.image import read_image
from vfxgen.report.sheet import CAPTION, GAP, write_picture, write_sheet


def flat(color: tuple[float, float, float], size: tuple[int, int] = (30, 40)) -> np.ndarray:
    return np.broadcast_to(np.array(color, np.float32), (*size, 3)).copy()


def test_every_picture_stands_in_its_place_under_its_name(tmp_path: Path) -> None:
    path = str(tmp_path / "sheet.png")
    red, green, blue = flat((1, 0, 0)), flat((0, 1, 0)), flat((0, 0, 1), (60, 80))
    write_sheet([[("plate", red), ("alpha", green)], [("comp", blue)]], path, width=40)
    sheet = read_image(path, 1).pixels("R", "G", "B")
    assert sheet.shape == (2 * (30 + CAPTION) + 3 * GAP, 2 * 40 + 3 * GAP, 3)
    middle = GAP + CAPTION + 15
    np.testing.assert_array_equal(sheet[middle, GAP + 20], (1, 0, 0))
    np.testing.assert_array_equal(sheet[middle, GAP + 40 + GAP + 20], (0, 1, 0))
    np.testing.assert_array_equal(sheet[middle + 30 + CAPTION + GAP, GAP + 20], (0, 0, 1))
    caption = sheet[GAP : GAP + CAPTION, GAP : GAP + 40]
    assert caption.max() > 0.5, "the name is drawn"


def test_a_picture_comes_back(tmp_path: Path) -> None:
    picture = np.asarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3)) / 255, np.float32)
    write_picture(picture, str(tmp_path / "p.png"))
    np.testing.assert_array_equal(read_image(str(tmp_path / "p.png"), 1).pixels("R", "G", "B"), picture)


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="folder"):
        write_picture(flat((0, 0, 0)), str(tmp_path))
