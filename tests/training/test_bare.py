"""Training on a machine that has torch, numpy and OpenCV alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_tasks import RECIPE, same_weights, write_photos

from vfxgen.training.bare import main
from vfxgen.training.prepare import prepare
from vfxgen.training.recipe import Recipe, loads

REPOSITORY = Path(__file__).resolve().parents[2]

# Torch, numpy and OpenCV, and what torch itself requires.
PRESENT = [
    *["torch*", "functorch", "numpy*", "cv2", "opencv*", "nvidia*", "triton*", "setuptools", "typing_extensions.py"],
    *["sympy", "mpmath*", "networkx", "jinja2", "markupsafe", "filelock", "fsspec"],
]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The packages of a bare machine."""
    packages = Path(torch.__file__).parents[1]
    (tmp_path / "site").mkdir()
    for pattern in PRESENT:
        for path in packages.glob(pattern):
            (tmp_path / "site" / path.name).symlink_to(path)
    return tmp_path / "site"


def python(machine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run there, beside a copy of vfxgen; `-S`: without the packages that are installed here."""
    command = [sys.executable, "-S", *arguments]
    # By another number of threads sums have other last bits on some processors.
    environment = {**os.environ, "PYTHONPATH": str(machine), "OMP_NUM_THREADS": str(torch.get_num_threads())}
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=environment, timeout=120)


def test_the_machine_is_bare(machine: Path) -> None:
    for name in ("pydantic", "OpenImageIO", "PyOpenColorIO", "safetensors", "kornia", "rich"):
        assert f"No module named '{name}'" in python(machine, "-c", f"import {name}").stderr


def test_every_objective_can_be_had_there(machine: Path) -> None:
    said = "from vfxgen.training.cached import OBJECTIVES, objective_class\n[objective_class(t) for t in OBJECTIVES]"
    assert python(machine, "-c", said).stderr == ""


@pytest.fixture
def recipe() -> Recipe:
    return loads(RECIPE, "train.toml")


def test_a_prepared_run_trains_there_as_it_does_here(tmp_path: Path, recipe: Recipe, machine: Path) -> None:
    data = write_photos(tmp_path / "data")
    for place in ("here", "there"):
        prepare(recipe, data, tmp_path / place)
    ran = python(machine, "-m", "vfxgen.training.bare", str(tmp_path / "there"))
    assert ran.returncode == 0, ran.stderr
    assert "tiny-x2 on" in ran.stdout and "tiny-x2: steps, step 12, {'PSNR of Y':" in ran.stdout
    here = prepare(recipe, None, tmp_path / "here").train(tmp_path / "here", "cpu")
    there = prepare(recipe, None, tmp_path / "there").train(tmp_path / "there", "cpu")
    assert there.steps == 12 and there.seconds > 0
    if not torch.cuda.is_available():
        assert same_weights(here.net, there.net) and here.figures == there.figures


def test_a_folder_that_is_not_prepared_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bare", str(tmp_path)])
    assert main() == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "is no prepared run" in said


def test_it_stops_after_its_minutes_and_goes_on(
    tmp_path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work = prepare(recipe, write_photos(tmp_path / "data"), tmp_path / "run")
    monkeypatch.setattr(sys, "argv", ["bare", str(tmp_path / "run"), "--device", "cpu", "--stop-after", "1e-9"])
    assert main() == 0
    assert "tiny-x2: cancelled, step 1," in capsys.readouterr().out
    assert work.train(tmp_path / "run", "cpu").steps == 12
