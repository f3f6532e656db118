"""The key's objective: plates that are what their truth composes, batches by number, the classical key beside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from subjects import files, write_data, write_subject

from vfxgen.architectures.unet import UNet
from vfxgen.errors import MediaError, RequestError
from vfxgen.image.undecided import undecided
from vfxgen.training import keying
from vfxgen.training.keying import Keying, Settings, encoded

NET = {"in_channels": 10, "out_channels": 4, "widths": [8, 8], "residual": True}
FEW = Settings(samples=5, size=48, held_out=2, patch=32, batch=3)


def net() -> UNet:
    torch.manual_seed(1)
    return UNet(10, 4, [8, 8], residual=True).eval()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def cache(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cache")
    Keying.prepare(files(data), data / "held_out", NET, FEW, made)
    return made


def test_a_batch_depends_on_seed_and_step_alone(cache: Path) -> None:
    one, other = (Keying(NET, FEW, cache) for _ in range(2))
    other.batch(0)
    assert torch.equal(one.batch(5)["light"], other.batch(5)["light"])
    assert not torch.equal(one.batch(5)["light"], one.batch(6)["light"])
    assert one.batch(5)["light"].shape == (3, 14, 32, 32)


def test_the_same_recipe_makes_the_same_cache(data: Path, cache: Path, tmp_path: Path) -> None:
    Keying.prepare(files(data), data / "held_out", NET, FEW, tmp_path)
    for name in ("plates.raw", "held_out.raw"):
        assert (tmp_path / name).read_bytes() == (cache / name).read_bytes()


def test_the_plate_is_the_true_subject_over_the_screen_but_for_spill_shade_and_noise(data: Path) -> None:
    settings = replace(FEW, rendered=1.0, own_colors=1.0)
    for seed in range(4):
        made = keying.plate_and_truth(
            sorted((data / "subjects").glob("*.exr")), [], settings, np.random.default_rng(seed), True
        )
        assert made is not None
        plate, screen, truth, alpha = np.split(made.astype(np.float32), [7, 10, 13], -1)
        plate = plate[..., 4:]
        solid, empty = alpha[..., 0] == 1, alpha[..., 0] == 0
        assert np.abs(plate[solid] - truth[solid]).mean() < 0.1 * truth[solid].mean() + 0.05
        assert np.abs(plate[empty] - screen[empty]).mean() < 0.1
        assert 0.3 < screen[..., 1].mean() < 0.7 and (screen.mean((0, 1)).argmax() == 1)


def test_a_net_that_has_learned_nothing_is_the_classical_key(cache: Path) -> None:
    with torch.inference_mode():
        figures = Keying(NET, FEW, cache).validate(net())
    assert figures["alpha"] == pytest.approx(figures["alpha, classical"]) and figures["alpha"] > 0
    assert figures["foreground"] == pytest.approx(figures["foreground, classical"])


def test_a_perfect_net_has_no_loss(cache: Path) -> None:
    objective = Keying(NET, FEW, cache)
    batch = objective.batch(0)
    given, truth = encoded(batch["light"])
    sure = ~undecided(given[:, 3:4])
    batch["light"] = torch.where(sure, torch.cat([batch["light"][:, :10], batch["light"][:, :4]], 1), batch["light"])
    assert sum(objective.loss(lambda given: truth, batch).values()) < 1e-5
    assert sum(objective.loss(lambda given: given[:, :4], batch).values()) > 1e-2


def test_samples_show_the_held_out_plates(cache: Path) -> None:
    with torch.inference_mode():
        picture = Keying(NET, FEW, cache).samples(net())
    assert picture is not None and picture.shape == (2 * 48, 7 * 48, 3) and 0 <= picture.min() < picture.max() <= 1


def test_without_held_out_subjects_nothing_is_watched(data: Path, tmp_path: Path) -> None:
    Keying.prepare(files(data), None, NET, replace(FEW, samples=1), tmp_path)
    objective = Keying(NET, FEW, tmp_path)
    assert objective.validate(net()) == {} and objective.samples(net()) is None


def test_what_cannot_be_used_is_named(data: Path, tmp_path: Path) -> None:
    photos = [path for path in files(data) if path.suffix == ".png"]
    with pytest.raises(MediaError, match=r"no \.exr files of rendered subjects"):
        Keying.prepare(photos, None, NET, FEW, tmp_path)
    with pytest.raises(MediaError, match="no photographs"):
        Keying.prepare(sorted((data / "subjects").glob("*.exr")), None, NET, FEW, tmp_path)
    with pytest.raises(MediaError, match=r"photos: has no \.exr"):
        Keying.prepare(files(data), data / "photos", NET, FEW, tmp_path)
    write_subject(tmp_path / "flat.exr", 1, channels=("R", "G", "B", "A"))
    with pytest.raises(MediaError, match=r"flat\.exr: has no bounce\.R"):
        Keying.prepare([tmp_path / "flat.exr"], None, NET, replace(FEW, rendered=1.0, own_colors=1.0), tmp_path)
    write_subject(tmp_path / "small.exr", 1, size=32)
    with pytest.raises(MediaError, match=r"small\.exr: is 32x32 pixels, not 48x48"):
        Keying.prepare([tmp_path / "small.exr"], None, NET, replace(FEW, rendered=1.0, own_colors=1.0), tmp_path)
    with pytest.raises(MediaError, match=r"own_colors = 0\.6, but the data have no photographs"):
        Keying.prepare([tmp_path / "small.exr"], None, NET, replace(FEW, rendered=1.0), tmp_path)
    with pytest.raises(RequestError, match=r"own_colors = 1\.5 must be between"):
        Settings(own_colors=1.5)
    with pytest.raises(RequestError, match="patch = 64"):
        Settings(size=48, patch=64)
    with pytest.raises(RequestError, match="folded = 2"):
        Settings(folded=2)
