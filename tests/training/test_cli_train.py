"""`vfxgen train`, as it is called."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from training_tasks import RECIPE, write_photos
from typer.testing import CliRunner, Result

import vfxgen
from vfxgen.cli import app
from vfxgen.testing import Pictures
from vfxgen.training import checkpoint
from vfxgen.zoo.card import load_card
from vfxgen.zoo.registry import find, verify


def run(*arguments: str | float | Path) -> Result:
    return CliRunner().invoke(app, ["train", "--device", "cpu", *(str(argument) for argument in arguments)])


@pytest.fixture
def recipe(studio: Path) -> Path:
    """A recipe in a net's folder; its data are beside the studio's nets."""
    write_photos(studio.parent / "data")
    path = studio / "tiny-x2" / "train.toml"
    path.parent.mkdir()
    path.write_text(RECIPE)
    return path


def test_a_recipe_makes_the_net_beside_it(recipe: Path, studio: Path) -> None:
    done = run("--recipe", recipe, "--data", studio.parent / "data")
    assert done.exit_code == 0, done.output
    entry = find("tiny-x2")
    verify(entry)
    card = entry.card
    assert (card.architecture, card.scale, card.use) == ("upscaler", 2, "commercial")
    assert card.hyperparameters["collapsed"] is True
    assert (card.training.steps, card.training.recipe) == (12, "train.toml")
    assert card.training.seconds > 0 and "CPU" in card.training.device
    (data,) = card.training.data
    assert (data.name, data.licence, data.files, len(data.sha256)) == ("photos", "CC0-1.0", 2, 64)
    (quality,) = card.quality
    assert quality.measure.startswith("PSNR") and 10 < quality.value < 60 and "held out" in quality.data
    assert card.licences.data.name == "CC0-1.0" and card.licences.data.source == "https://example.org/photos"
    names = sorted(path.name for path in recipe.parent.iterdir())
    assert names == ["card.toml", "curves.png", "train.toml", "weights.safetensors"]
    picture = np.full((8, 9, 3), 0.2)
    large = vfxgen.Upscale(Pictures({1: picture}), net="tiny-x2")[1]
    assert large.rgb.shape == (16, 18, 3) and np.allclose(large.rgb, 0.2, atol=0.02)


def test_prepared_stopped_and_gone_on_it_is_the_same_net(recipe: Path, studio: Path, tmp_path: Path) -> None:
    data, whole, parts = studio.parent / "data", tmp_path / "whole", tmp_path / "parts"
    assert run("--recipe", recipe, "--data", data, "--out", whole, "--work", tmp_path / "a").exit_code == 0
    work = ("--recipe", recipe, "--work", tmp_path / "b", "--out", parts)
    prepared = run(*work, "--data", data, "--prepare")
    assert prepared.exit_code == 0 and not (tmp_path / "b" / checkpoint.FILE_NAME).exists()
    stopped = run(*work, "--stop-after", 1e-9)
    assert stopped.exit_code == 0 and not parts.exists()
    state = checkpoint.load(tmp_path / "b" / checkpoint.FILE_NAME, identity_of(tmp_path / "b"))
    assert state is not None and state["learner"]["step"] == 1
    assert run(*work).exit_code == 0
    assert load_card(parts).weights == load_card(whole).weights


def test_a_net_of_a_shot_with_its_steps_said_is_the_same_each_time(
    studio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vfxgen.training.shot.WIDTHS", [8, 12])
    light = np.random.default_rng(1).random((64, 64, 3), np.float32)
    for name, pixels, channels in (("plate", light, "RGB"), ("target", (light[..., :1] > 0.5) * np.float32(1), "A")):
        vfxgen.write(Pictures({1: pixels}, channels), tmp_path / f"{name}.####.exr")
    shot: list[str | Path] = [
        "--task",
        "matte",
        "--plate",
        tmp_path / "plate.####.exr",
        "--target",
        tmp_path / "target.####.exr",
    ]
    for out in ("one", "two"):
        assert run(*shot, "--out", tmp_path / out, "--steps", 3, "--device", "cpu").exit_code == 0
    assert load_card(tmp_path / "one").weights.sha256 == load_card(tmp_path / "two").weights.sha256
    assert load_card(tmp_path / "one").training.steps == 3


def test_a_finished_net_of_another_recipe_stays(recipe: Path, studio: Path, tmp_path: Path) -> None:
    done = ("--recipe", recipe, "--data", studio.parent / "data")
    assert run(*done).exit_code == 0
    before = load_card(recipe.parent)
    assert run(*done).exit_code == 0 and load_card(recipe.parent) == before
    recipe.write_text(RECIPE.replace("patch = 12", "patch = 16"))
    refused = run(*done, "--work", tmp_path / "other")
    assert refused.exit_code == 2 and "of another run; give another folder to --out" in refused.stderr
    assert not (tmp_path / "other" / checkpoint.FILE_NAME).exists() and load_card(recipe.parent) == before
    recipe.write_text(RECIPE.replace("steps = 12", "steps = 18"))
    assert run(*done).exit_code == 0 and load_card(recipe.parent).training.steps == 18


def identity_of(folder: Path) -> str:
    from vfxgen.training.work import load_work

    return load_work(folder).identity


def test_progress_for_programs(recipe: Path, studio: Path) -> None:
    done = run("--recipe", recipe, "--data", studio.parent / "data", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["step"] for line in lines] == [6, 12]
    assert all(line["losses"]["loss"] > 0 and "PSNR of Y" in line["figures"] for line in lines)


def test_what_is_wrong_is_one_line_and_leaves_no_net(recipe: Path, studio: Path, tmp_path: Path) -> None:
    data = studio.parent / "data"
    recipe.write_text(RECIPE.replace('class = "A"', 'class = "C"'))
    refused = run("--recipe", recipe, "--data", data)
    assert refused.exit_code == 2 and "of class C" in refused.stderr and refused.stderr.count("\n") == 1
    recipe.write_text(RECIPE)
    assert "no prepared run" in run("--recipe", recipe, "--work", tmp_path / "none").stderr
    (tmp_path / "full").mkdir()
    (tmp_path / "full/picture.jpg").write_text("")
    assert "no net's folder" in run("--recipe", recipe, "--data", data, "--out", tmp_path / "full").stderr
    nowhere = run("--recipe", recipe, "--data", data, "--out", tmp_path / "full/picture.jpg/net")
    assert nowhere.exit_code == 1 and "cannot be written" in nowhere.stderr
    assert "--recipe FILE" in run().stderr
    assert "--target and --out" in run("--task", "matte", "--plate", "a.exr").stderr
    assert "must be matte | key" in run("--task", "mat", "--plate", "a", "--target", "b", "--out", "c").stderr
    assert [path.name for path in recipe.parent.iterdir()] == ["train.toml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(recipe: Path, studio: Path) -> None:
    recipe.parent.chmod(0o500)
    done = run("--recipe", recipe, "--data", studio.parent / "data")
    recipe.parent.chmod(0o700)
    assert done.exit_code == 1 and "cannot be written" in done.stderr


def test_the_caller_keeps_its_threads(recipe: Path, studio: Path) -> None:
    threads = torch.get_num_threads()
    run("--recipe", recipe, "--data", studio.parent / "data")
    assert torch.get_num_threads() == threads
