"""The sample shot of a rig removal: its truth is true, whole and small."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sample_shots import FRAMES, megabytes, pixels, rendered, seed

from shots.stage import film
from vfxgen.frame import Pixels
from vfxgen.graph import build, load_shot

LOOKED_AT = (1001, 1012, 1023)


@pytest.fixture(scope="module")
def shot() -> Path:
    return rendered("rig")


def read(shot: Path, name: str, frame: int) -> Pixels:
    return pixels(shot / f"{name}.{frame:04d}.exr")


def flow(shot: Path, direction: str, frame: int) -> Pixels:
    return pixels(shot / f"truth/flow.{frame:04d}.exr", f"{direction}.u", f"{direction}.v")


def clean_plate(shot: Path, frame: int) -> Pixels:
    patch = read(shot, "truth/clean", frame)
    return np.where(patch[..., 3:] > 0, patch[..., :3], read(shot, "plate/rig", frame))


@pytest.mark.parametrize("name", ["plate/rig", "truth/mask", "truth/clean", "truth/grainless", "truth/flow"])
def test_every_frame_is_there(shot: Path, name: str) -> None:
    assert [f.name for f in sorted(shot.glob(f"{name}.*.exr"))] == [f"{Path(name).name}.{n}.exr" for n in FRAMES]


def test_the_shot_is_small(shot: Path) -> None:
    assert megabytes(shot) < 20


@pytest.mark.parametrize("frame", LOOKED_AT)
def test_the_patch_is_where_the_mask_is(shot: Path, frame: int) -> None:
    masked = read(shot, "truth/mask", frame) > 0
    for name in ("truth/clean", "truth/grainless"):
        patch = read(shot, name, frame)
        assert np.array_equal(patch[..., 3:], masked)
        assert not patch[~masked[..., 0]].any()


def test_the_clean_plate_is_the_plate_outside_the_mask(shot: Path) -> None:
    nodes = build(load_shot(str(shot / "shot.toml")).nodes, str(shot), "shot.toml")
    outside = read(shot, "truth/mask", 1012)[..., 0] == 0
    plate, clean = nodes["plate"][1012].rgb, nodes["clean"][1012].rgb
    assert np.array_equal(clean[outside], plate[outside])
    assert not np.array_equal(clean[~outside], plate[~outside])


@pytest.mark.parametrize("frame", LOOKED_AT)
def test_the_rig_covers_what_the_mask_says(shot: Path, frame: int) -> None:
    mask = read(shot, "truth/mask", frame)[..., 0]
    difference = np.abs(read(shot, "plate/rig", frame) - clean_plate(shot, frame)).mean(axis=-1)
    thin, solid = difference[(mask > 0) & (mask < 0.1)].mean(), difference[mask > 0.9].mean()
    assert 0.02 < (mask > 0).mean() < 0.15
    assert mask[(mask > 0) & (mask < 1)].size > 0
    assert thin < 0.35 * solid


@pytest.mark.parametrize("frame", LOOKED_AT)
def test_the_grain_of_the_clean_plate_is_known(shot: Path, frame: int) -> None:
    plate = shot / f"plate/rig.{frame}.exr"
    grainless = read(shot, "truth/grainless", frame)
    inside = grainless[..., 3] > 0
    light = grainless[..., :3]
    grain = (read(shot, "truth/clean", frame)[..., :3] - light)[inside] / film.noise_deviation(light, film.FILM)[inside]
    known = (film.noise(light, seed(plate), film.FILM) / film.noise_deviation(light, film.FILM))[inside]
    assert abs(grain.mean()) < 0.05
    assert 0.85 < grain.std() < 1.3
    assert np.corrcoef(grain.ravel(), known.ravel())[0, 1] > 0.75


def followed(image: Pixels, motion: Pixels) -> tuple[Pixels, NDArray[np.bool_]]:
    """An image at every second pixel, moved by so much, and whether it is seen there."""
    height, width = image.shape[:2]
    y, x = (2 * n for n in np.mgrid[: motion.shape[0], : motion.shape[1]].astype(np.float32))
    x, y = x + motion[..., 0], y + motion[..., 1]
    moved = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return moved, (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)


@pytest.mark.parametrize("frame", LOOKED_AT)
def test_flow_leads_to_the_next_frame_and_back(shot: Path, frame: int) -> None:
    there = flow(shot, "forward", frame)
    back = flow(shot, "backward", frame + 1)
    full = cv2.resize(back, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    returned, seen = followed(full, there)
    miss = np.linalg.norm(there + returned, axis=-1)[seen]
    assert 3 < np.percentile(np.linalg.norm(there, axis=-1), 75) < 15
    assert np.median(miss) < 0.1
    assert (miss < 0.5).mean() > 0.85


@pytest.mark.parametrize("frame", LOOKED_AT)
def test_the_clean_plate_moves_as_the_flow_says(shot: Path, frame: int) -> None:
    there = flow(shot, "forward", frame)
    this, following = (cv2.GaussianBlur(clean_plate(shot, n), (0, 0), 1) for n in (frame, frame + 1))
    moved, seen = followed(following, there)
    still = np.abs(following[::2, ::2] - this[::2, ::2]).mean(axis=-1)[seen]
    error = np.abs(moved - this[::2, ::2]).mean(axis=-1)[seen]
    assert np.median(error) < 0.6 * np.median(still)
    assert np.median(error) < 0.012
