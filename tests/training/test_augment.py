"""Augmentation: drawn from the generator alone, the same for plate and truth, in light without bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vfxgen.errors import TrainingError
from vfxgen.training import augment
from vfxgen.training.augment import Augmentation, blurred, compressed, noisy, turned


def draw(*key: int) -> np.random.Generator:
    return np.random.default_rng(key)


def smooth(count: int = 4) -> Tensor:
    rows, columns = torch.meshgrid(torch.linspace(0, 3, 48), torch.linspace(0, 4, 64), indexing="ij")
    return torch.stack([rows.sin() + 1, columns.cos() + 1, rows * columns / 12]).expand(count, 3, 48, 64).contiguous()


def test_the_same_seed_and_step_give_the_same_bits_and_no_global_generator_is_touched() -> None:
    torch.manual_seed(1)
    state, before = torch.get_rng_state(), np.random.get_state(legacy=True)
    made = [
        [Augmentation().degraded(draw(7, step), smooth()), *Augmentation().placed(draw(7, step), smooth())]
        for step in (5, 5, 6)
    ]
    assert all(torch.equal(a, b) for a, b in zip(made[0], made[1], strict=True))
    assert not torch.equal(made[0][0], made[2][0])
    assert torch.equal(torch.get_rng_state(), state)
    assert repr(np.random.get_state(legacy=True)) == repr(before)


def test_plate_target_and_mask_move_together() -> None:
    plate = smooth()
    plate_moved, target, mask = Augmentation(rotation=20, zoom=0.2).placed(draw(1), plate, 2 * plate, plate[:, :1])
    torch.testing.assert_close(target, 2 * plate_moved)
    torch.testing.assert_close(mask, plate_moved[:, :1])
    assert not torch.equal(plate_moved, plate)


def test_a_quarter_turn_is_a_quarter_turn() -> None:
    picture = torch.rand(1, 2, 9, 9, generator=torch.Generator().manual_seed(1))
    made = turned(picture, np.array([90.0]), np.array([1.0]))
    torch.testing.assert_close(made, picture.rot90(1, (-2, -1)), atol=1e-5, rtol=0)


def test_gains_are_stops_and_highlights_pass() -> None:
    gains = Augmentation(exposure=4, balance=0).gains(draw(3), 1000)
    assert gains.shape == (1000, 3, 1, 1)
    assert torch.equal(gains[:, 0], gains[:, 2])
    stops = gains[:, 0].log2()
    assert -4 <= stops.min() < -3.8 and 3.8 < stops.max() <= 4
    balanced = Augmentation(exposure=0, balance=0.5).gains(draw(3), 100)
    assert bool((balanced[:, 1] == 1).all()) and balanced[:, 0].std() > 0.05
    assert (smooth(1000) * 20000 * gains).max() > 100_000


def test_blur_keeps_what_is_flat_and_spreads_a_lamp() -> None:
    flat = torch.full((2, 3, 16, 16), 0.18)
    torch.testing.assert_close(blurred(flat, np.array([1.0, 2.0])), flat)
    lamp = torch.zeros(2, 1, 33, 33)
    lamp[..., 16, 16] = 1000
    made = blurred(lamp, np.array([0.0, 2.0]))
    assert torch.equal(made[0], lamp[0])
    assert made[1].sum().item() == pytest.approx(1000, rel=1e-3)
    across = (made[1, 0].sum(0) * (torch.arange(33) - 16) ** 2).sum() / 1000
    assert across.sqrt().item() == pytest.approx(2, rel=0.05)


def test_noise_has_its_deviation_at_grey_and_grows_with_light() -> None:
    light = torch.stack([torch.full((3, 128, 128), level) for level in (0.18, 0.72, 0.0)])
    difference = noisy(light, np.full(3, 0.01), draw(5)) - light
    grey, bright, black = difference.flatten(1).std(1).tolist()
    assert grey == pytest.approx(0.01, rel=0.03)
    assert bright == pytest.approx(0.01 * (0.9 * 4 + 0.1) ** 0.5, rel=0.03)
    assert black == pytest.approx(0.01 * 0.1**0.5, rel=0.03)
    assert difference.mean().abs() < 1e-3


def test_compression_is_near_in_display_code_and_leaves_what_is_beyond_it() -> None:
    light = smooth(1)[0] / 2.5
    code = augment._DISPLAY
    good, bad = ((code.encode(compressed(light, q)) - code.encode(light)).abs().mean().item() for q in (95, 10))
    assert good < 0.01 < bad < 0.1
    light[:, 8:24, 8:24] = 40.0
    light[:, 30:40, 30:40] = -0.05
    made = compressed(light, 90)
    assert made[:, 10:22, 10:22].min() > 38
    assert made[:, 32:38, 32:38].max() < -0.03


def test_values_that_are_0_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(augment, "import_module", absent)
    nothing = Augmentation(0, 0, False, 0, 0, 0, 0, 0)
    picture = smooth()
    assert torch.equal(nothing.degraded(draw(1), picture), picture)
    assert torch.equal(nothing.placed(draw(1), picture)[0], picture)
    assert bool((nothing.gains(draw(1), 3) == 1).all())
    with pytest.raises(TrainingError, match="leave out rotation"):
        Augmentation().placed(draw(1), picture)
