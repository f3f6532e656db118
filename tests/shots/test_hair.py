"""The sample shot of a matte without a screen: the plate is what its truth composes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from sample_shots import FRAMES, megabytes, pixels, rendered, seed

from shots.stage import film
from vfxgen.frame import Pixels

LOOKED_AT = (1001, 1012, 1024)


@pytest.fixture(scope="module")
def shot() -> Path:
    return rendered("hair")


def read(shot: Path, name: str, frame: int) -> Pixels:
    return pixels(shot / f"{name}.{frame:04d}.exr")


@pytest.mark.parametrize("name", ["plate/hair", "truth/alpha", "truth/foreground", "truth/background"])
def test_every_frame_is_there(shot: Path, name: str) -> None:
    assert [f.name for f in sorted(shot.glob(f"{name}.*.exr"))] == [f"{Path(name).name}.{n}.exr" for n in FRAMES]


def test_the_shot_is_small(shot: Path) -> None:
    assert megabytes(shot) < 20


@pytest.mark.parametrize("frame", LOOKED_AT)
def test_the_plate_is_composed_of_its_truth(shot: Path, frame: int) -> None:
    alpha = read(shot, "truth/alpha", frame)
    light = alpha * read(shot, "truth/foreground", frame) + (1 - alpha) * read(shot, "truth/background", frame)
    grain = film.noise(light, seed(shot / f"plate/hair.{frame}.exr"), film.FILM)
    error = (read(shot, "plate/hair", frame) - light - grain) / film.noise_deviation(light, film.FILM)
    hair = ((alpha > 0) & (alpha < 1))[..., 0]
    assert abs(error.mean()) < 0.03
    assert error.std() < 0.5
    assert abs(error[hair].mean()) < 0.05
    assert error[hair].std() < 0.7


@pytest.mark.parametrize("frame", LOOKED_AT)
def test_there_is_hair(shot: Path, frame: int) -> None:
    alpha = read(shot, "truth/alpha", frame)
    assert alpha.min() == 0 and alpha.max() == 1
    assert 0.2 < alpha.mean() < 0.6
    assert 0.02 < ((alpha > 0.02) & (alpha < 0.98)).mean() < 0.2
    assert not read(shot, "truth/foreground", frame)[alpha[..., 0] == 0].any()


def test_she_and_the_garden_move(shot: Path) -> None:
    def shift(name: str) -> float:
        this, following = (read(shot, name, n).mean(axis=-1) for n in (1006, 1010))
        (x, y), _ = cv2.phaseCorrelate(this.astype(np.float64), following.astype(np.float64))
        return float(np.hypot(x, y))

    assert 1 < shift("truth/background") < 40
    alphas = [read(shot, "truth/alpha", n) for n in (1006, 1010)]
    assert 0.005 < np.abs(alphas[0] - alphas[1]).mean() < 0.1
