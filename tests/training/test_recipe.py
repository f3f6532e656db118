"""Recipes: what is wrong is named, with what is allowed; what may not be learned from is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from training_tasks import RECIPE

from vfxgen.errors import CardError, LicenceError
from vfxgen.training.recipe import load_recipe, loads
from vfxgen.training.upscaling import Settings

NETS = Path(__file__).resolve().parents[2] / "nets"


@pytest.mark.parametrize("path", sorted(NETS.glob("*/train.toml")), ids=lambda path: path.parent.name)
def test_the_recipes_of_the_nets_that_ship(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.name == path.parent.name
    assert all(data.use == "commercial" and data.licence_class in "AB" for data in recipe.data)
    assert recipe.validation and not recipe.validation.folder.startswith("sr_train")
    assert recipe.timing.steps > 0


def test_what_is_left_out_has_its_default() -> None:
    recipe = loads(RECIPE, "train.toml")
    assert recipe.settings == Settings(patch=12, batch=2, light=1)
    assert recipe.timing.clip == 0.5 and recipe.timing.patience == 0


def test_data_of_class_c_is_refused() -> None:
    with pytest.raises(LicenceError, match="data 'photos' is of class C: nobody has said that it may be used"):
        loads(RECIPE.replace('class = "A"', 'class = "C"'), "train.toml")


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ('licence = "CC0-1.0"\n', "", r"data\.0\.licence is missing: SPDX id"),
        ('licence = "CC0-1.0"', 'licence = ""', r"data\.0\.licence = '': must be SPDX id"),
        ('class = "A"\n', "", r"data\.0\.class is missing: A \(a clear"),
        ('class = "A"', 'class = "D"', r"data\.0\.class = 'D': must be A \(a clear"),
        ('folder = "photos"', 'folder = "/photos"', "must be a folder in the one that --data names"),
        ('folder = "photos"', 'folder = "../photos"', "must be a folder in the one that --data names"),
        ('name = "photos"', 'name = "photos"\nlicense = "x"', r"data\.0\.license: unknown field; known: name"),
        ("steps = 12", "steps = 1.5", r"schedule\.steps = 1\.5: must be a valid integer"),
        ("steps = 12", 'steps = "12"', r"schedule\.steps = '12'"),
        ("steps = 12", "stepps = 12", r"schedule\.stepps: unknown field; known: steps, minutes, rate"),
        ("steps = 12\n", "", "schedule: give steps or minutes"),
        ("steps = 12", "steps = 12\nclip = -1", r"schedule: clip = -1"),
        ("patch = 12", "patch = 0", "objective: patch = 0"),
        ("patch = 12", "pach = 12", r"objective\.pach: unknown field; known: patch"),
        (
            'task = "upscale"\npatch',
            'task = "dream"\npatch',
            "objective: task = 'dream': there are recipes for inpaint, key, .*upscale",
        ),
        ('architecture = "upscaler"', "", r"net\.architecture is missing: a name in vfxgen\.architectures"),
        ("[net]", "[nets]", "net is missing: a table|nets: unknown field"),
        ("schema = 1", "schema = 2", "this vfxgen reads schema 1"),
        ("schema = 1", "", "schema = None"),
        ("[net]", "[net", r"train\.toml: "),
    ],
)
def test_a_wrong_recipe_is_explained(there: str, instead: str, said: str) -> None:
    assert there in RECIPE
    with pytest.raises(CardError, match=said) as raised:
        loads(RECIPE.replace(there, instead, 1), "train.toml")
    assert str(raised.value).startswith("train.toml: ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"gone\.toml: cannot be read \(No such file"):
        load_recipe(tmp_path / "gone.toml")
    (tmp_path / "noise.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CardError, match="is not a text file"):
        load_recipe(tmp_path / "noise.toml")
