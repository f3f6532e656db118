"""Blenders with the extension installed, and a small shot for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from blender_runs import Blender, installed
from blender_shot import MADE, plate, write


@pytest.fixture(scope="session", params=installed() or [""])
def blender(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Blender:
    if not request.param:
        pytest.skip("no Blender: `make test` installs it where there is a python3.11")
    found = Blender(request.param, tmp_path_factory.mktemp(f"blender-{request.param}"))
    found.install()
    return found


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    """A folder with a plate, the plate with two frames changed, and a matte."""
    random = np.random.default_rng(7)
    plates = {number: plate(number, random) for number in MADE}
    ramp = np.repeat(np.linspace(0, 1, 48, dtype=np.float32)[None, :, None], 36, axis=0)
    for number, picture in plates.items():
        write(tmp_path / "plate" / f"plate.{number}.exr", picture, "RGB")
        changed = picture + np.float32(number in (1002, 1003)) * 0.5
        write(tmp_path / "other" / f"plate.{number}.exr", changed, "RGB")
        write(tmp_path / "matte" / f"matte.{number}.exr", ramp, "Y")
    return tmp_path
