"""Upscaling of degraded pictures: versions by seed, true H.264, a critic that joins late, and that it learns."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from training_tasks import same_weights, write_photos

from vfxgen.architectures.upscaler import Upscaler
from vfxgen.errors import MediaError, RequestError
from vfxgen.training.degradation import Codes, degraded, h264, jpeg
from vfxgen.training.loop import fit
from vfxgen.training.restoring import Restoring, Settings
from vfxgen.training.schedule import Schedule
from vfxgen.training.upscaling import encoded
from vfxgen.training.work import Work

NET = {"scale": 2}
SMALL = Settings(patch=32, batch=3, light=1, versions=2, adversarial_from=4, critic_width=4)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, made = write_photos(tmp_path_factory.mktemp("data")), tmp_path_factory.mktemp("cache")
    Restoring.prepare(sorted((folder / "photos").rglob("*.png")), folder / "held_out/HR", NET, SMALL, made)
    return made


def picture() -> Codes:
    y, x = np.mgrid[:48, :46]
    waves = 128 + 60 * np.sin(x / 3) + 40 * np.cos(y / 4)
    return np.repeat(waves[..., None], 3, axis=-1).round().astype(np.uint8)


@pytest.mark.parametrize("compress", [jpeg, h264])
def test_compression_keeps_the_picture_and_costs_more_when_coarse(compress: object) -> None:
    fine, coarse = (95, 30) if compress is jpeg else (15, 40)
    errors = [np.abs(compress(picture(), q).astype(float) - picture()).mean() for q in (fine, coarse)]  # type: ignore[operator]
    assert 0 < errors[0] < errors[1] and errors[0] < 6


def test_h264_takes_odd_sizes() -> None:
    odd = picture()[:47, :45]
    assert h264(odd, 20).shape == odd.shape


def test_a_degraded_picture_is_a_function_of_its_seed_and_shows_the_same() -> None:
    photo = picture().repeat(2, 0).repeat(2, 1)
    versions = [degraded(photo, 2, np.random.default_rng((3, n))) for n in range(8)]
    assert np.array_equal(versions[1], degraded(photo, 2, np.random.default_rng((3, 1))))
    assert len({version.tobytes() for version in versions}) == 8
    for version in versions:
        assert version.shape == (48, 46, 3)
        assert np.corrcoef(version.ravel(), picture().ravel())[0, 1] > 0.9


def test_a_batch_depends_on_seed_and_step_alone(cache: Path) -> None:
    one, other = (Restoring(NET, SMALL, cache) for _ in range(2))
    other.batch(0)
    again = other.batch(5)
    assert all(torch.equal(tensor, again[name]) for name, tensor in one.batch(5).items())
    assert not torch.equal(one.batch(5)["large"], one.batch(6)["large"])


@pytest.mark.parametrize("light", [0, 1, 3])
def test_given_and_truth_show_the_same_picture(cache: Path, light: int) -> None:
    given, truth = encoded(Restoring(NET, replace(SMALL, light=light), cache).batch(3))
    shrunk = torch.nn.functional.avg_pool2d(truth, 2)
    assert given.shape == (3, 3, 32, 32) and truth.shape == (3, 3, 64, 64)
    assert (shrunk - given).abs().mean() < 0.5 * given.std()


def test_the_critic_joins_at_its_step(cache: Path) -> None:
    objective, upscaler = Restoring(NET, SMALL, cache), Upscaler(2, 4, 1)
    before, after = objective.batch(3), objective.batch(4)
    assert "adversarial" not in objective.loss(upscaler, before) and objective.critic_loss(before) == {}
    assert {"adversarial", "matching"} < set(objective.loss(upscaler, after))
    assert objective.critic_loss(after)["hinge"].requires_grad


def test_the_critics_first_weights_are_those_of_the_seed(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").symlink_to(cache)
    work = Work("x2", "upscaler", dict(NET), "restore", asdict(SMALL), {"steps": 1}, "", [])
    critics: list[torch.nn.Module] = []
    for seed in (0, 0, 1):
        torch.rand(len(critics) + 1)
        critic = replace(work, schedule={"steps": 1, "seed": seed}).objective(tmp_path).critic
        assert critic is not None
        critics.append(critic)
    assert same_weights(critics[0], critics[1]) and not same_weights(critics[0], critics[2])


def test_it_learns_through_the_coming_of_the_critic(cache: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    objective, upscaler = Restoring(NET, replace(SMALL, adversarial_from=30), cache), Upscaler(2, 8, 2)
    with torch.inference_mode():
        begun = objective.validate(upscaler)["PSNR of Y"]
    schedule = Schedule(steps=36, rate=6e-3, warm_up=5, average=0.9, validate_every=0)
    fitted = fit(upscaler, objective, schedule, tmp_path)
    assert fitted.figures["PSNR of Y"] > begun + 0.2
    picture = objective.samples(fitted.net)
    assert picture is not None and picture.shape == (96, 288, 3)


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    folder = write_photos(tmp_path)
    with pytest.raises(MediaError, match=r"a\.png: is 84x72, smaller than a patch of 96"):
        Restoring.prepare([folder / "photos/a.png"], None, NET, replace(SMALL, patch=48), tmp_path)
    with pytest.raises(MediaError, match=r"has no \.png"):
        Restoring.prepare([folder / "photos/a.png"], tmp_path / "held_out", NET, SMALL, tmp_path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"patch": 8}, "patch = 8"),
        ({"light": 9}, "light = 9"),
        ({"versions": 0}, "versions = 0"),
        ({"adversarial": -0.1}, "0 or more"),
        ({"critic_width": 0}, "critic_width = 0"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, float], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        Settings(**settings)  # type: ignore[arg-type]
