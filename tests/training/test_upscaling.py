"""The upscalers' objective: pairs that show the same, batches by number, the published measure."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate
from training_tasks import write_photos

from vfxgen.architectures.upscaler import Upscaler
from vfxgen.errors import MediaError, RequestError
from vfxgen.image.bicubic import smaller
from vfxgen.training.restoring import Restoring
from vfxgen.training.upscaling import Settings, Upscaling, encoded, luma_psnr, read_rgb, to_light

NET = {"scale": 2}
EIGHT = Settings(patch=16, batch=8, light=4)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_photos(tmp_path_factory.mktemp("data"))
    made = tmp_path_factory.mktemp("cache")
    Upscaling.prepare(sorted((folder / "photos").rglob("*.png")), folder / "held_out", NET, EIGHT, made)
    return made


def test_given_and_truth_show_the_same_picture(cache: Path) -> None:
    given, truth = encoded(Upscaling(NET, EIGHT, cache).batch(3))
    shrunk = avg_pool2d(truth, 2)
    centre = (slice(None), slice(None), slice(3, -3), slice(3, -3))
    assert given.shape == (8, 3, 16, 16) and truth.shape == (8, 3, 32, 32)
    assert (shrunk - given)[centre].abs().mean() < 0.1 * given.std()


def test_light_is_made_smaller_as_light(cache: Path) -> None:
    """A mean of light is not a mean of codes: black and white make more than half of the code."""
    photo = np.zeros((8, 8, 3), np.uint8)
    photo[:, ::2] = 255
    light = to_light(torch.from_numpy(photo).float() / 255).numpy()
    assert abs(smaller(light, 2)[1:-1, 1:-1].mean() - 0.5) < 0.01


@pytest.mark.parametrize("light", [0, 2, 4])
def test_a_batch_depends_on_seed_and_step_alone(cache: Path, light: int) -> None:
    settings = Settings(patch=16, batch=4, light=light, seed=1)
    one, other = (Upscaling(NET, settings, cache) for _ in range(2))
    other.batch(0)
    for name, tensor in one.batch(5).items():
        assert torch.equal(tensor, other.batch(5)[name])
    assert not torch.equal(one.batch(5)["large"], one.batch(6)["large"])
    assert len(encoded(one.batch(5))[0]) == 4


def test_a_perfect_net_has_no_loss(cache: Path) -> None:
    objective = Upscaling(NET, EIGHT, cache)
    batch = objective.batch(0)
    _, truth = encoded(batch)
    assert objective.loss(lambda given: truth, batch)["charbonnier"] < 1e-6
    assert objective.loss(lambda given: interpolate(given, scale_factor=2.0), batch)["charbonnier"] > 1e-3


def test_half_as_large_photographs_are_learned_from_as_often_as_said(tmp_path: Path) -> None:
    folder = write_photos(tmp_path)
    files, settings = sorted((folder / "photos").rglob("*.png")), Settings(patch=16, batch=4, halved=0.25)
    Upscaling.prepare(files, None, NET, settings, tmp_path)
    objective = Upscaling(NET, settings, tmp_path)
    whole, half = objective.large[: len(files)], objective.large[len(files) :]
    assert [photo.shape[0] // 2 for photo in whole] == [photo.shape[0] for photo in half]
    assert np.array_equal(half[0], smaller(whole[0], 2))
    assert objective.chance[len(files) :].sum() == pytest.approx(0.25)
    assert objective.chance.sum() == pytest.approx(1)


def test_luminance_is_a_share_of_the_loss(cache: Path) -> None:
    plain, shared = (Upscaling(NET, Settings(patch=16, batch=8, luminance=share), cache) for share in (0.0, 0.8))
    batch = plain.batch(0)
    _, truth = encoded(batch)
    of_no_luminance = torch.tensor([0.1, -0.1 * 65.481 / 128.553, 0.0]).view(3, 1, 1)
    grey = shared.loss(lambda given: truth + 0.1, batch)
    tint = shared.loss(lambda given: truth + of_no_luminance, batch)
    alone = plain.loss(lambda given: truth + 0.1, batch)
    assert list(alone) == ["charbonnier"]
    assert grey["luminance"].item() == pytest.approx(0.8 * alone["charbonnier"].item(), rel=1e-3)
    assert grey["charbonnier"].item() == pytest.approx(0.2 * alone["charbonnier"].item(), rel=1e-3)
    assert tint["luminance"].item() < 1e-6 < tint["charbonnier"].item()


@pytest.mark.parametrize(("halved", "luminance"), [(1.5, 0.0), (0.0, -0.1)])
def test_shares_are_between_0_and_1(halved: float, luminance: float) -> None:
    with pytest.raises(RequestError, match=r"halved = .* and luminance = .* must be between 0 and 1"):
        Settings(halved=halved, luminance=luminance)


def test_validation_and_samples_show_the_held_out_pictures(cache: Path) -> None:
    objective = Upscaling(NET, EIGHT, cache)
    net = Upscaler(2, 8, 1).eval()
    with torch.inference_mode():
        assert 15 < objective.validate(net)["PSNR of Y"] < 60
        picture = objective.samples(net)
    assert picture is not None and picture.shape == (96, 288, 3) and 0 <= picture.min() < picture.max() <= 1


def test_without_held_out_pictures_nothing_is_watched(tmp_path: Path) -> None:
    folder = write_photos(tmp_path)
    Upscaling.prepare([folder / "photos/a.png"], None, NET, EIGHT, tmp_path)
    objective = Upscaling(NET, EIGHT, tmp_path)
    assert objective.validate(Upscaler(2, 8, 1)) == {} and objective.samples(Upscaler(2, 8, 1)) is None


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    folder = write_photos(tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(MediaError, match=r"text\.png: is not a picture"):
        Upscaling.prepare([tmp_path / "text.png"], None, NET, EIGHT, tmp_path)
    with pytest.raises(MediaError, match=r"a\.png: is 84x72, smaller than a patch of 96"):
        Upscaling.prepare([folder / "photos/a.png"], None, NET, Settings(patch=48), tmp_path)
    with pytest.raises(MediaError, match="HR and LR_x2"):
        Upscaling.prepare([folder / "photos/a.png"], tmp_path / "photos", NET, EIGHT, tmp_path)
    with pytest.raises(RequestError, match="light = 9"):
        Settings(light=9)


def test_held_out_pictures_come_in_pairs(tmp_path: Path) -> None:
    folder = write_photos(tmp_path)
    photos, held_out = [folder / "photos/a.png"], folder / "held_out"
    shutil.copy(folder / "photos/a.png", held_out / "HR/d.png")
    with pytest.raises(MediaError, match=r"held_out: 2 pictures in HR, 1 in LR_x2; each picture in HR has its"):
        Upscaling.prepare(photos, held_out, NET, EIGHT, tmp_path)
    shutil.copy(folder / "photos/a.png", held_out / "LR_x2/d.png")
    with pytest.raises(MediaError, match=r"picture 2 in LR_x2 is 84x72, that in HR makes 42x36"):
        Upscaling.prepare(photos, held_out, NET, EIGHT, tmp_path)


@pytest.mark.parametrize("kind", [Upscaling, Restoring])
def test_how_much_larger_must_be_said(kind: type[Upscaling], tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"hyperparameters have no scale; .* scale = 2, 3 or 4"):
        kind.prepare([tmp_path / "a.png"], None, {"channels": 8}, kind.settings_type(), tmp_path)


def test_the_published_luma_protocol() -> None:
    truth = np.full((12, 12, 3), 100, np.uint8)
    assert luma_psnr(truth.astype(np.float32), truth, 2) < 150
    off = truth.astype(np.float32) + 10
    assert luma_psnr(off, truth, 2) == pytest.approx(20 * np.log10(255 / (10 * 219 / 255)), abs=1e-3)


@pytest.mark.parametrize(("scale", "published"), [(2, 33.66), (3, 30.39), (4, 28.42)])
def test_bicubic_has_its_published_figure(shared_data: Path, scale: int, published: float) -> None:
    """Of torch's bicubic, which differs a little from MATLAB's at the border and in its a = -0.75."""
    figures = []
    for large, small in zip(
        *(sorted((shared_data / "sr_test/Set5" / d).glob("*.png")) for d in ("HR", f"LR_x{scale}")), strict=True
    ):
        given = torch.from_numpy(read_rgb(small)).permute(2, 0, 1)[None].float()
        picture = interpolate(given, scale_factor=float(scale), mode="bicubic")[0].permute(1, 2, 0).numpy()
        figures.append(luma_psnr(picture, read_rgb(large), scale))
    assert abs(sum(figures) / 5 - published) < 0.5
