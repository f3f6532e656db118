"""The inpainter's objective: holes by number, coarse to fine, a critic that joins late, and that it learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from training_tasks import write_photos

from vfxgen.architectures.inpainter import Inpainter
from vfxgen.errors import MediaError, RequestError
from vfxgen.training.hole_masks import KINDS, hole
from vfxgen.training.inpainting import LEVELS, Inpainting, Settings
from vfxgen.training.loop import fit
from vfxgen.training.schedule import Schedule

SMALL = Settings(patch=64, batch=3, adversarial_from=4, critic_width=4)


def net() -> Inpainter:
    torch.manual_seed(2)
    return Inpainter(width=4, rounds=1, dilations=[1, 2], heads=2, residual=True)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, made = write_photos(tmp_path_factory.mktemp("data")), tmp_path_factory.mktemp("cache")
    Inpainting.prepare(sorted((folder / "photos").rglob("*.png")), folder / "held_out/HR", {}, SMALL, made)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_a_hole_is_a_function_of_its_seed_and_never_empty_nor_most_of_the_picture(kind: str) -> None:
    masks = [hole(kind, (96, 64), 64, np.random.default_rng((1, n))) for n in range(40)]
    assert all(mask.shape == (96, 64) and 0 < mask.mean() <= 0.5 for mask in masks)
    assert np.array_equal(masks[3], hole(kind, (96, 64), 64, np.random.default_rng((1, 3))))
    assert not np.array_equal(masks[3], masks[4])


def test_a_batch_depends_on_seed_and_step_alone(cache: Path) -> None:
    one, other = (Inpainting({}, SMALL, cache) for _ in range(2))
    other.batch(0)
    again = other.batch(5)
    assert all(torch.equal(tensor, again[name]) for name, tensor in one.batch(5).items())
    assert not torch.equal(one.batch(5)["truth"], one.batch(6)["truth"])
    assert not torch.equal(one.batch(5)["truth"], Inpainting({}, replace(SMALL, seed=1), cache).batch(5)["truth"])


def test_what_the_net_is_given_is_the_plate_outside_the_hole_and_says_nothing_inside(cache: Path) -> None:
    batch = Inpainting({}, SMALL, cache).batch(1)
    known = (batch["mask 0"] == 0).expand(-1, 3, -1, -1)
    assert torch.equal(batch["first 0"][known], batch["truth"][known])
    assert not torch.allclose(batch["first 0"][~known], batch["truth"][~known], atol=1e-3)
    for level in range(1, LEVELS + 1):
        assert batch[f"mask {level}"].sum() < batch[f"mask {level - 1}"].sum() / 4 + 1


def test_a_perfect_net_has_no_loss_and_a_smooth_fill_has(cache: Path) -> None:
    objective = Inpainting({}, replace(SMALL, adversarial=0.0), cache)
    batch = objective.batch(0)
    sizes = {64 // 2**n: torch.nn.functional.avg_pool2d(batch["truth"], 2**n) for n in range(LEVELS + 1)}
    assert sum(objective.loss(lambda given: sizes[given.shape[-1]], batch).values()) < 1e-5
    assert sum(objective.loss(lambda given: given[:, :3], batch).values()) > 1e-3


def test_the_critic_joins_at_its_step(cache: Path) -> None:
    objective, inpainter = Inpainting({}, SMALL, cache), net()
    before, after = objective.batch(3), objective.batch(4)
    assert "adversarial" not in objective.loss(inpainter, before) and objective.critic_loss(before) == {}
    assert {"adversarial", "matching"} < set(objective.loss(inpainter, after))
    assert objective.critic_loss(after)["hinge"].requires_grad
    assert Inpainting({}, replace(SMALL, adversarial=0.0), cache).critic is None


def test_it_learns_through_the_coming_of_the_critic(cache: Path, tmp_path: Path) -> None:
    objective, inpainter = Inpainting({}, replace(SMALL, adversarial_from=30), cache), net()
    with torch.inference_mode():
        begun = objective.validate(inpainter.eval())["PSNR in holes"]
    schedule = Schedule(steps=36, rate=6e-3, warm_up=5, average=0.9, validate_every=0)
    fitted = fit(inpainter, objective, schedule, tmp_path)
    assert fitted.figures["PSNR in holes"] > begun + 0.2
    picture = objective.samples(fitted.net)
    assert picture is not None and picture.shape == (192, 576, 3) and 0 <= picture.min() < picture.max() <= 1


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    folder = write_photos(tmp_path)
    with pytest.raises(MediaError, match=r"a\.png: is 84x72, smaller than a patch of 128"):
        Inpainting.prepare([folder / "photos/a.png"], None, {}, Settings(), tmp_path)
    with pytest.raises(MediaError, match=r"has no \.png"):
        Inpainting.prepare([folder / "photos/a.png"], tmp_path / "held_out", {}, SMALL, tmp_path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"patch": 100}, "patch = 100"),
        ({"batch": 0}, "batch = 0"),
        ({"edges": -1.0}, "0 or more"),
        ({"lamps": 2.0}, "lamps = 2"),
        ({"critic_width": 0}, "critic_width = 0"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, float], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        Settings(**settings)  # type: ignore[arg-type]
