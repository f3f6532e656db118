"""Sheets of what the shipped nets do: one for each, with truth beside it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vfxgen.media.image import read_header
from vfxgen.report import net_sheets
from vfxgen.report.net_sheets import SHEETS, SHOTS, SIDE, write_net_sheets
from vfxgen.zoo import registry


def test_every_shipped_net_has_a_sheet() -> None:
    shipped = {name for name, entry in registry.nets().items() if entry.folder.parent == SHOTS.parent / "nets"}
    assert set(SHEETS) == shipped


def test_a_sheet_is_written_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {name: SHEETS[name] for name in ("upscale-x2", "upscale-x4-gan")}
    monkeypatch.setattr(net_sheets, "SHEETS", few)
    paths = write_net_sheets(str(tmp_path / "nets"))
    assert list(paths) == list(few)
    for path in paths.values():
        assert read_header(path)[0].data_window.width > 4 * SIDE


def test_the_net_comes_nearer_to_the_truth_than_the_filter() -> None:
    small, lanczos, net, truth = (picture for _, picture in SHEETS["upscale-x2"]()[0])
    assert small.shape == truth.shape == (SIDE, SIDE, 3)
    assert np.abs(net - truth).mean() < np.abs(lanczos - truth).mean() < np.abs(small - truth).mean()


def test_the_net_fills_the_hole_and_all_else_is_the_plate() -> None:
    plate, hole, patches, net, truth = (picture for _, picture in SHEETS["inpaint-gan"]()[0])
    masked = (plate != hole).any(-1)
    away = cv2.dilate(masked.astype(np.uint8), np.ones((13, 13), np.uint8)) == 0
    assert masked.mean() > 0.05 and away.mean() > 0.5
    assert np.array_equal(net[away], plate[away]) and np.array_equal(patches[away], plate[away])
    assert np.abs(net - truth)[masked].mean() < np.abs(plate - truth)[masked].mean()


def test_the_key_of_the_net_is_near_the_truth() -> None:
    coverage, over_grey = (dict(row) for row in SHEETS["key-unmix"]())
    assert np.abs(coverage["net"] - coverage["truth"]).mean() < 0.02
    assert np.abs(over_grey["net"] - over_grey["truth"]).mean() < 0.03
