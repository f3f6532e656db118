"""Preparing a run: what is cached, what is kept, what is refused."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from safetensors.torch import load_file
from training_tasks import RECIPE, write_photos

from vfxgen.errors import LicenceError, MediaError, RequestError, TrainingError
from vfxgen.training.prepare import prepare, publish
from vfxgen.training.publish import publish_net
from vfxgen.training.recipe import loads
from vfxgen.training.upscaling import read_rgb
from vfxgen.training.work import load_work
from vfxgen.zoo.card import dumps, load_card
from vfxgen.zoo.parts import TrainingData

RECIPE_READ = loads(RECIPE, "train.toml")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "data")


def test_what_was_prepared_says_what_it_is_of(data: Path, tmp_path: Path) -> None:
    work = prepare(RECIPE_READ, data, tmp_path / "run")
    assert load_work(tmp_path / "run") == work
    assert [(part.name, part.files) for part in work.data] == [("photos", 2)]


def test_it_is_cached_once(data: Path, tmp_path: Path) -> None:
    said: list[str] = []
    for recipe in (RECIPE, RECIPE, RECIPE.replace("steps = 12", "steps = 20")):
        work = prepare(loads(recipe, "train.toml"), data, tmp_path / "run", said.append)
    assert len(said) == 1 and "2 pictures" in said[0]
    assert work.schedule["steps"] == 20
    with pytest.raises(MediaError, match="smaller than a patch"):
        prepare(loads(RECIPE.replace("patch = 12", "patch = 50"), "train.toml"), data, tmp_path / "run", said.append)
    assert (tmp_path / "run/cache/large.raw").exists()


@pytest.mark.parametrize("name", ["large.raw", "held_out_small.json"])
def test_a_cache_that_is_not_whole_is_made_again(data: Path, tmp_path: Path, name: str) -> None:
    work = prepare(RECIPE_READ, data, tmp_path / "run")
    os.truncate(tmp_path / "run/cache" / name, 10)
    with pytest.raises(MediaError, match="is not a whole cache"):
        work.train(tmp_path / "run", "cpu")
    said: list[str] = []
    assert prepare(RECIPE_READ, data, tmp_path / "run", said.append) == work and len(said) == 1
    work.train(tmp_path / "run", "cpu")


def test_the_hash_is_of_names_and_contents(data: Path, tmp_path: Path) -> None:
    first = prepare(RECIPE_READ, data, tmp_path / "run").data[0].sha256
    shutil.move(data, tmp_path / "elsewhere")
    assert prepare(RECIPE_READ, tmp_path / "elsewhere", tmp_path / "run").data[0].sha256 == first
    (tmp_path / "elsewhere/photos/a.png").rename(tmp_path / "elsewhere/photos/z.png")
    assert prepare(RECIPE_READ, tmp_path / "elsewhere", tmp_path / "run").data[0].sha256 != first


def test_without_data_what_was_prepared_must_be_of_this_recipe(data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="is no prepared run"):
        prepare(RECIPE_READ, None, tmp_path / "run")
    work = prepare(RECIPE_READ, data, tmp_path / "run")
    assert prepare(RECIPE_READ, None, tmp_path / "run") == work
    other = loads(RECIPE.replace("blocks = 2", "blocks = 3"), "train.toml")
    with pytest.raises(TrainingError, match="was prepared for another recipe; give --data"):
        prepare(other, None, tmp_path / "run")


def test_a_net_that_cannot_be_built_is_said_before_anything_is_cached(data: Path, tmp_path: Path) -> None:
    wrong = loads(RECIPE.replace("channels = 8", "chanels = 8"), "train.toml")
    with pytest.raises(RequestError, match=r"architecture 'upscaler' takes .*chanels"):
        prepare(wrong, data, tmp_path / "run")
    assert not list((tmp_path / "run").iterdir())


def test_data_that_are_not_there_are_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"photos: is not there"):
        prepare(RECIPE_READ, tmp_path / "nowhere", tmp_path / "run")
    shutil.rmtree(data / "photos")
    (data / "photos").mkdir()
    with pytest.raises(MediaError, match=r"photos: has no pictures in it"):
        prepare(RECIPE_READ, data, tmp_path / "run")
    assert not (tmp_path / "run/run.json").exists()


def test_what_is_held_out_is_never_learned_from(data: Path, tmp_path: Path) -> None:
    shutil.copy(data / "held_out/HR/c.png", data / "photos/renamed.png")
    with pytest.raises(RequestError, match=r"c\.png: is held out for validation, and .*renamed\.png is the same"):
        prepare(RECIPE_READ, data, tmp_path / "run")


def test_pictures_held_out_are_part_of_what_is_prepared(data: Path, tmp_path: Path) -> None:
    said: list[str] = []
    first = prepare(RECIPE_READ, data, tmp_path / "run", said.append)
    shutil.copytree(data / "held_out", data / "others")
    cv2.imwrite(str(data / "others/HR/c.png"), 255 - read_rgb(data / "held_out/HR/c.png"))
    others = loads(RECIPE.replace("held out", "others").replace('"held_out"', '"others"'), "train.toml")
    with pytest.raises(TrainingError, match="was prepared for another recipe; give --data"):
        prepare(others, None, tmp_path / "run")
    second = prepare(others, data, tmp_path / "run", said.append)
    assert first.held_out != second.held_out and first.identity != second.identity and len(said) == 2
    assert prepare(others, None, tmp_path / "run") == second


def test_a_run_that_says_nothing_of_what_is_held_out_goes_on(data: Path, tmp_path: Path) -> None:
    run, said = tmp_path / "run", list[str]()
    prepare(RECIPE_READ, data, run, said.append)
    contents = json.loads((run / "run.json").read_text())
    del contents["held_out"]
    (run / "run.json").write_text(json.dumps(contents))
    before = load_work(run)
    for given in (data, None, data):
        assert prepare(RECIPE_READ, given, run, said.append) == before
    assert len(said) == 1


def test_without_data_another_net_to_start_from_is_noticed(data: Path, tmp_path: Path, studio: Path) -> None:
    start_net(studio, "commercial")
    shutil.copytree(studio / "start", studio / "other")
    card = studio / "other" / "card.toml"
    card.write_text(card.read_text().replace('name = "start"', 'name = "other"'))
    named = [
        loads(RECIPE.replace("[net]", f'[net]\nstart_from = "{name}"'), "train.toml") for name in ("start", "other")
    ]
    work = prepare(named[0], data, tmp_path / "run")
    assert prepare(named[0], None, tmp_path / "run") == work
    for recipe in (named[1], RECIPE_READ):
        with pytest.raises(TrainingError, match="was prepared for another recipe"):
            prepare(recipe, None, tmp_path / "run")


def start_net(studio: Path, use: str, **hyperparameters: Any) -> torch.nn.Module:
    from vfxgen.architectures import build

    torch.manual_seed(9)
    net = build("upscaler", **(hyperparameters or {"scale": 4, "channels": 8, "blocks": 2}))
    licence = {"name": "some", "use": use}
    ports = {kind: [{"name": "x", "channels": "R G B"}] for kind in ("inputs", "outputs")}
    licences = dict.fromkeys(("code", "weights", "data"), licence)
    publish_net(
        net, {"name": "start", "task": "upscale", "scale": net.scale, "licences": licences, **ports}, studio / "start"
    )
    return net


def test_weights_of_equal_name_and_shape_are_taken_over(data: Path, tmp_path: Path, studio: Path) -> None:
    theirs = start_net(studio, "commercial").state_dict()
    recipe = loads(RECIPE.replace("[net]", '[net]\nstart_from = "start"'), "train.toml")
    work = prepare(recipe, data, tmp_path / "run")
    mine = work.net(tmp_path / "run").state_dict()
    same = {name for name in mine if mine[name].shape == theirs[name].shape and torch.equal(mine[name], theirs[name])}
    assert {name for name in mine if not name.startswith("tail")} <= same and "tail.direct" not in same
    assert work.start_from.startswith("start ") and work.identity != prepare(RECIPE_READ, data, tmp_path / "b").identity


def test_a_share_of_what_was_learned(data: Path, tmp_path: Path, studio: Path) -> None:
    plain = RECIPE.replace("collapsed = false", "collapsed = true")
    own = loads(plain, "train.toml").net.hyperparameters
    theirs = start_net(studio, "commercial", **own).state_dict()
    nets = {}
    for share in (1.0, 0.25):
        recipe = loads(plain.replace("[net]", f'[net]\nstart_from = "start"\nlearned = {share}'), "train.toml")
        work = prepare(recipe, data, tmp_path / "run")
        card = publish(recipe, work, work.train(tmp_path / "run", "cpu"), tmp_path / "run", tmp_path / f"net{share}")
        nets[share] = card, load_file(tmp_path / f"net{share}" / "weights.safetensors")
    for name, whole in nets[1.0][1].items():
        torch.testing.assert_close(nets[0.25][1][name], theirs[name].lerp(whole, 0.25))
    assert "0.25 of what was learned since" in nets[0.25][0].training.note
    assert nets[0.25][0].quality[0].value != nets[1.0][0].quality[0].value


def test_a_share_of_what_another_net_learned_is_refused(data: Path, tmp_path: Path, studio: Path) -> None:
    start_net(studio, "commercial")
    recipe = loads(RECIPE.replace("[net]", '[net]\nstart_from = "start"\nlearned = 0.5'), "train.toml")
    with pytest.raises(RequestError, match=r"net\.learned = 0\.5 needs a net of the same architecture"):
        prepare(recipe, data, tmp_path / "run")
    with pytest.raises(RequestError, match=r"net\.learned = 0\.5 needs net\.start_from"):
        loads(RECIPE.replace("[net]", "[net]\nlearned = 0.5"), "train.toml")


def test_the_card_names_the_data_of_the_net_it_started_from_too_and_none_twice(
    data: Path, tmp_path: Path, studio: Path
) -> None:
    start_net(studio, "commercial")
    card = load_card(studio / "start")
    learned = [TrainingData(name="archive", licence="some", files=9), TrainingData(name="photos", licence="CC0-1.0")]
    card.training.data.extend(learned)
    (studio / "start" / "card.toml").write_text(dumps(card))
    recipe = loads(RECIPE.replace("[net]", '[net]\nstart_from = "start"'), "train.toml")
    work = prepare(recipe, data, tmp_path / "run")
    fitted = work.train(tmp_path / "run", "cpu")
    made = publish(recipe, work, fitted, tmp_path / "run", tmp_path / "made")
    assert [(part.name, part.files) for part in made.training.data] == [("photos", 2), ("archive", 9)]
    assert (made.licences.data.name, made.licences.data.source) == ("CC0-1.0, some", "https://example.org/photos")
    (studio / "start" / "card.toml").write_text(dumps(made.model_copy(update={"name": "start"})))
    again = publish(recipe, work, fitted, tmp_path / "run", tmp_path / "again")
    assert (again.training.data, again.licences) == (made.training.data, made.licences)


def test_what_starts_from_research_data_is_for_research(data: Path, tmp_path: Path, studio: Path) -> None:
    start_net(studio, "research")
    licence = 'name = "Apache-2.0"\nuse = '
    research = RECIPE.replace(licence + '"commercial"', licence + '"research"')
    recipe = loads(research.replace("[net]", '[net]\nstart_from = "start"'), "train.toml")
    work = prepare(recipe, data, tmp_path / "run")
    card = publish(recipe, work, work.train(tmp_path / "run", "cpu"), tmp_path / "run", tmp_path / "made")
    assert card.licences.data.use == "research"


def test_a_start_that_may_not_be_sold_is_refused(data: Path, tmp_path: Path, studio: Path) -> None:
    start_net(studio, "research")
    recipe = loads(RECIPE.replace("[net]", '[net]\nstart_from = "start"'), "train.toml")
    with pytest.raises(LicenceError, match="net 'start' is not for commercial use"):
        prepare(recipe, data, tmp_path / "run")
