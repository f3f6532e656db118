"""The mattes' objective: plates that are what their truth composes, the classical matte beside, batches by number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from subjects import files, write_data

from vfxgen.architectures.unet import UNet
from vfxgen.errors import MediaError, RequestError
from vfxgen.image.trimap import CLUES
from vfxgen.training import matting
from vfxgen.training.matting import GUIDES, TOLD, CoarseMatting, Matting, Settings, encoded, mended

NET = {"in_channels": 8, "out_channels": 1, "widths": [8, 8], "residual": True}
FEW = Settings(samples=4, size=48, held_out=2, patch=32, batch=3)


def net() -> UNet:
    torch.manual_seed(1)
    return UNet(8, 1, [8, 8], residual=True).eval()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module", params=[Matting, CoarseMatting])
def objective(request: pytest.FixtureRequest, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Matting:
    kind: type[Matting] = request.param
    cache = tmp_path_factory.mktemp("cache")
    kind.prepare(files(data), data / "held_out", NET, FEW, cache)
    return kind(NET, FEW, cache)


def test_a_batch_depends_on_seed_and_step_alone(objective: Matting) -> None:
    batch = objective.batch(5)
    objective.batch(0)
    for name, tensor in objective.batch(5).items():
        assert torch.equal(tensor, batch[name])
    assert not torch.equal(batch["pixels"], objective.batch(6)["pixels"])
    assert batch["pixels"].shape == (3, TOLD + 4, 32, 32) and batch["stops"].shape == (3, 3)


def test_every_patch_has_something_to_decide(objective: Matting) -> None:
    for step in range(8):
        assert (objective.batch(step)["pixels"][:, TOLD - 1] == 0.5).any((-1, -2)).all()


def test_where_the_trimap_knows_the_clues_are_the_trimap(objective: Matting) -> None:
    pixels = objective.batch(1)["pixels"].float()
    trimap = pixels[:, TOLD - 1]
    known = trimap != 0.5
    for clue in range(3):
        assert torch.equal(pixels[:, clue][known], trimap[known])
    assert (pixels[:, 3][known] == 1).all() and pixels[:, 3].min() >= 0


def test_a_trimap_says_nothing_false(data: Path, tmp_path: Path) -> None:
    Matting.prepare(files(data), None, NET, FEW, tmp_path)
    for step in range(8):
        pixels = Matting(NET, FEW, tmp_path).batch(step)["pixels"].float()
        alpha, trimap = pixels[:, -1], pixels[:, TOLD - 1]
        assert ((alpha - trimap).abs()[trimap != 0.5] < 0.03).all()


def test_colours_are_in_any_order_and_clues_are_not(objective: Matting) -> None:
    plate = objective.plates[0]
    random = np.random.default_rng(3)
    patches = [objective._patch(plate, random) for _ in range(12)]
    means = {tuple(np.argsort(patch[TOLD:-1].astype(np.float32).mean((1, 2)))) for patch in patches}
    assert len(means) > 2
    assert all(set(np.unique(patch[TOLD - 1])) <= {0, 0.5, 1} for patch in patches)


def test_the_plate_is_a_photograph_where_nothing_covers_it(data: Path) -> None:
    pair, again = (
        matting.plate_and_truth(files(data)[2:], files(data)[:2], FEW, np.random.default_rng(1), True) for _ in range(2)
    )
    assert np.array_equal(pair, again) and pair.shape == (48, 48, 4)
    alpha = pair[..., 3].astype(np.float32)
    light = pair[..., :3].astype(np.float32)
    assert alpha.min() == 0 and alpha.max() > 0.99
    assert light[alpha > 0.99].std(0).max() < light[alpha == 0].std(0).max()


def test_the_subject_is_about_as_bright_as_what_is_behind(data: Path) -> None:
    """However little of the frame it covers."""
    stops = []
    for seed in range(12):
        pair = matting.plate_and_truth(files(data)[2:], files(data)[:2], FEW, np.random.default_rng(seed), True)
        light, alpha = np.split(pair.astype(np.float32), [3], -1)
        stops.append(np.log2(light[alpha[..., 0] > 0.99].mean() / light[alpha[..., 0] == 0].mean()))
    assert abs(np.mean(stops)) < 1 and np.abs(stops).max() < 4


def test_contrast_is_taken_from_the_layers_before_they_are_mixed(data: Path) -> None:
    """So coverage still mixes them linearly."""
    made = []
    for least in (1.0, 0.2):
        settings = replace(FEW, least_contrast=least)
        pair = matting.plate_and_truth(files(data)[2:], files(data)[:2], settings, np.random.default_rng(4), True)
        made.append(pair.astype(np.float32))
    plain, flat = (np.log(np.maximum(pair[..., :3][pair[..., 3] == 0], 1e-4)) for pair in made)
    assert np.array_equal(made[0][..., 3], made[1][..., 3]) and flat.std() < 0.95 * plain.std()


def test_a_plate_of_which_nothing_is_known_is_left_out(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subjects, photos = files(data)[2:], files(data)[:2]
    made = Matting.compose(subjects, photos, FEW, np.random.default_rng(2), True)
    assert made is not None and made.shape == (48, 48, 4 + GUIDES * TOLD)
    monkeypatch.setattr(matting, "KNOWN", 0.9)
    assert Matting.compose(subjects, photos, FEW, np.random.default_rng(2), True) is None
    monkeypatch.setattr(matting, "KNOWN", 0.005)
    monkeypatch.setattr(matting, "HOPELESS", 0.0)
    assert Matting.compose(subjects, photos, FEW, np.random.default_rng(2), True) is None


def test_a_net_that_has_learned_nothing_is_the_classical_matte(objective: Matting) -> None:
    with torch.inference_mode():
        figures = objective.validate(net())
        given, _ = encoded(objective.batch(0)["pixels"])
        assert torch.equal(mended(net(), given), given[:, :1])
    for name in ("alpha", "square"):
        assert figures[name] == pytest.approx(figures[f"{name}, classical"]) and figures[name] > 0


def test_a_perfect_net_has_no_loss(objective: Matting) -> None:
    batch = objective.batch(0)
    truth = batch["pixels"][:, -1:].float()
    assert sum(objective.loss(lambda given: truth, batch).values()) < 1e-6
    assert sum(objective.loss(lambda given: 1 - truth, batch).values()) > 1e-2


def test_what_a_trimap_knows_costs_nothing(objective: Matting) -> None:
    batch = objective.batch(0)
    pixels = batch["pixels"].float()
    wrong_where_known = torch.where(pixels[:, TOLD - 1 : TOLD] == 0.5, pixels[:, -1:], 7.0)
    assert sum(objective.loss(lambda given: wrong_where_known, batch).values()) < 1e-6


def test_samples_show_the_held_out_plates(objective: Matting) -> None:
    with torch.inference_mode():
        picture = objective.samples(net())
    assert picture is not None and picture.shape == (len(objective.held) * 48, 5 * 48, 3)
    assert 0 <= picture.min() < picture.max() <= 1


def test_the_card_says_what_the_net_is_told() -> None:
    assert [kind.inputs[0]["channels"] for kind in (Matting, CoarseMatting)] == [f"{CLUES} R G B"] * 2


def test_what_cannot_be_used_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"no \.exr files of rendered subjects"):
        Matting.prepare(sorted((data / "photos").glob("*.png")), None, NET, FEW, tmp_path)
    with pytest.raises(MediaError, match="no photographs"):
        Matting.prepare(sorted((data / "subjects").glob("*.exr")), None, NET, FEW, tmp_path)
    with pytest.raises(MediaError, match=r"photos: has no \.exr"):
        Matting.prepare(files(data), data / "photos", NET, FEW, tmp_path)
    with pytest.raises(RequestError, match=r"rendered = 1\.5"):
        replace(FEW, rendered=1.5)
    with pytest.raises(RequestError, match="least_contrast = 0 must be above 0"):
        replace(FEW, least_contrast=0.0)
