"""Rendered subjects: what they hold, the same from the same seed, and never made twice."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from vfxgen.training.cutouts import rendered

REPOSITORY = Path(__file__).parents[2]
PYTHON = REPOSITORY / ".venv-bpy" / "bin" / "python"


def made(folder: Path, *more: str) -> Path:
    """The first sample of seed 8, in `folder`; one unless `more` words say otherwise."""
    words = ["-m", "shots.pairs.make", "--out", str(folder), "--seed", "8", "--samples", "1", *more]
    subprocess.run([PYTHON, *words], cwd=REPOSITORY, check=True, capture_output=True, timeout=300)
    return folder / "8" / "00000.exr"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    modules = "import bpy, cv2, OpenImageIO"
    if not PYTHON.exists() or subprocess.run([PYTHON, "-c", modules], capture_output=True).returncode:
        pytest.skip("no .venv-bpy with bpy, opencv-python-headless and OpenImageIO")
    return made(tmp_path_factory.mktemp("subjects"))


def test_a_subject_has_coverage_and_colour_only_where_it_is(sample: Path) -> None:
    cutout = rendered(sample)
    assert cutout.alpha.shape == (384, 384, 1) and 0.02 < cutout.alpha.mean() < 0.98
    assert ((cutout.alpha > 0.05) & (cutout.alpha < 0.95)).mean() > 0.002
    nothing = cutout.alpha[..., 0] == 0
    assert not cutout.foreground[nothing].any() and not cutout.bounce[nothing].any()
    assert cutout.foreground[~nothing].mean() > 0.005 and cutout.bounce[~nothing].mean() > 1e-4


def test_the_same_seed_gives_the_same_subject_and_what_is_there_stays(sample: Path, tmp_path: Path) -> None:
    again, first = rendered(made(tmp_path)), rendered(sample)
    assert np.array_equal(again.alpha, first.alpha) and np.allclose(again.foreground, first.foreground, atol=1e-2)
    before = sample.stat().st_mtime_ns
    assert made(sample.parents[1]) == sample and sample.stat().st_mtime_ns == before


def test_two_processes_share_the_samples(sample: Path, tmp_path: Path) -> None:
    first = made(tmp_path, "--samples", "2", "--jobs", "2")
    assert np.array_equal(rendered(first).alpha, rendered(sample).alpha)
    assert sorted(path.name for path in first.parent.iterdir()) == ["00000.exr", "00001.exr"]


def test_a_head_is_solid_within_and_its_hair_brown_or_fair(sample: Path, tmp_path: Path) -> None:
    head = rendered(made(tmp_path, "--kind", "head"))
    alpha = head.alpha[..., 0]
    loose = (alpha > 0.05) & (alpha < 0.95)
    assert (alpha > 0.99).sum() > loose.sum() > 500
    red, green, blue = head.foreground[loose].mean(0)
    assert red > green > blue


def test_a_drape_is_cloth_that_covers_in_part_more_and_less_of_it_in_folds(sample: Path, tmp_path: Path) -> None:
    drape = rendered(made(tmp_path, "--kind", "drape", "--samples", "3").with_name("00002.exr"))
    cloth = (drape.alpha[..., 0] > 0.05) & (drape.alpha[..., 0] < 0.95)
    assert cloth.sum() > 20000 and drape.alpha[cloth].std() > 0.1
    red, green, blue = drape.foreground[cloth].mean(0)
    assert abs(red - blue) < 0.1 * green
    assert drape.bounce[cloth].mean() > 0.1 * drape.foreground[cloth].mean()
