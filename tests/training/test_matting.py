"""The mattes' objective: plates that are what their truth composes, guides that hold it, batches by number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from subjects import files, write_data

from vfxgen.architectures.matter import Matter
from vfxgen.errors import MediaError, RequestError
from vfxgen.training import matting
from vfxgen.training.matting import CoarseMatting, Matting, Settings

NET = {"widths": [8, 8], "levels": 4}
FEW = Settings(samples=4, size=48, held_out=2, patch=32, batch=3)


def net() -> Matter:
    torch.manual_seed(1)
    return Matter([8, 8], levels=4).eval()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def cache(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cache")
    Matting.prepare(files(data), data / "held_out", NET, FEW, made)
    return made


@pytest.mark.parametrize("kind", [Matting, CoarseMatting])
def test_a_batch_depends_on_seed_and_step_alone(cache: Path, kind: type[Matting]) -> None:
    one, other = (kind(NET, FEW, cache) for _ in range(2))
    other.batch(0)
    for name, tensor in one.batch(5).items():
        assert torch.equal(tensor, other.batch(5)[name])
    assert not torch.equal(one.batch(5)["light"], one.batch(6)["light"])
    assert one.batch(5)["light"].shape == (3, 4, 32, 32) and one.batch(5)["guide"].shape == (3, 1, 32, 32)


def test_a_trimap_says_nothing_false(cache: Path) -> None:
    objective = Matting(NET, FEW, cache)
    for step in range(8):
        batch = objective.batch(step)
        alpha = batch["light"][:, 3:].float()
        assert alpha[batch["guide"] == 1].min() > 0.97 if (batch["guide"] == 1).any() else True
        assert alpha[batch["guide"] == 0].max() < 0.03 if (batch["guide"] == 0).any() else True


def test_the_plate_is_a_photograph_where_nothing_covers_it(data: Path) -> None:
    settings = replace(FEW, rendered=1.0)
    pair = matting.plate_and_truth(files(data)[2:], files(data)[:2], settings, np.random.default_rng(1), True)
    again = matting.plate_and_truth(files(data)[2:], files(data)[:2], settings, np.random.default_rng(1), True)
    assert np.array_equal(pair, again) and pair.shape == (48, 48, 4)
    alpha = pair[..., 3].astype(np.float32)
    light = pair[..., :3].astype(np.float32)
    assert alpha.min() == 0 and alpha.max() > 0.99
    assert light[alpha > 0.99].std(0).max() < light[alpha == 0].std(0).max()


@pytest.mark.parametrize("kind", [Matting, CoarseMatting])
def test_a_perfect_net_has_no_loss(cache: Path, kind: type[Matting]) -> None:
    objective = kind(NET, FEW, cache)
    batch = objective.batch(0)
    truth = batch["light"][:, 3:].float()
    assert sum(objective.loss(lambda given: truth, batch).values()) < 1e-6
    assert sum(objective.loss(lambda given: given[:, 3:], batch).values()) > 1e-2


def test_what_a_trimap_knows_costs_nothing(cache: Path) -> None:
    objective = Matting(NET, FEW, cache)
    batch = objective.batch(0)
    wrong_where_known = torch.where(batch["guide"] == 0.5, batch["light"][:, 3:].float(), 7.0)
    assert sum(objective.loss(lambda given: wrong_where_known, batch).values()) < 1e-6


def test_validation_and_samples_show_the_held_out_plates(cache: Path) -> None:
    objective = Matting(NET, FEW, cache)
    with torch.inference_mode():
        figures, picture = objective.validate(net()), objective.samples(net())
    assert 0 < figures["square"] < figures["alpha"] < 1000
    assert picture is not None and picture.shape == (2 * 48, 4 * 48, 3) and 0 <= picture.min() < picture.max() <= 1


def test_the_card_says_what_the_net_is_told() -> None:
    assert [kind.inputs[0]["channels"] for kind in (Matting, CoarseMatting)] == ["R G B T", "R G B M"]


def test_what_cannot_be_used_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"no \.exr files of rendered subjects"):
        Matting.prepare(sorted((data / "photos").glob("*.png")), None, NET, FEW, tmp_path)
    with pytest.raises(MediaError, match="no photographs"):
        Matting.prepare(sorted((data / "subjects").glob("*.exr")), None, NET, FEW, tmp_path)
    with pytest.raises(MediaError, match=r"photos: has no \.exr"):
        Matting.prepare(files(data), data / "photos", NET, FEW, tmp_path)
    with pytest.raises(RequestError, match=r"rendered = 1\.5"):
        Settings(rendered=1.5)
