"""A matte: grain goes, hair stays, its ends are clipped softly."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vfxgen.image.matte import clip, smooth_grain


def grain(sigma: float, size: tuple[int, int] = (64, 64)) -> torch.Tensor:
    return sigma * torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(3))


def test_clip_of_0_and_1_only_clamps() -> None:
    alpha = torch.tensor([-0.2, 0.0, 0.25, 1.0, 1.3])
    assert clip(alpha).tolist() == [0.0, 0.0, 0.25, 1.0, 1.0]


@given(st.floats(0, 0.3), st.floats(0.7, 1))
def test_a_clipped_matte_rises_from_0_to_1_without_a_kink(black: float, white: float) -> None:
    alpha = torch.linspace(-0.5, 1.5, 2001, dtype=torch.float64)
    clipped = clip(alpha, black, white)
    steps = clipped.diff()
    assert steps.min() >= -1e-9
    assert (clipped[0].item(), clipped[-1].item()) == (0.0, 1.0)
    assert clip(torch.tensor(black / 3), black, white).item() == pytest.approx(0, abs=1e-6)
    assert clip(torch.tensor(1 - (1 - white) / 3), black, white).item() == pytest.approx(1, abs=1e-6)
    if black > 0.05 and white < 0.95:
        assert steps.diff().abs().max() < 2e-4


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_grain_on_the_screen_and_on_the_subject_goes(level: float) -> None:
    matte = clip(smooth_grain(level + grain(0.05), torch.full((1, 1, 64, 64), 0.05**2)))
    assert (matte - level).abs().mean() < 0.002


def test_grain_on_a_veil_goes_too() -> None:
    matte = smooth_grain(0.4 + grain(0.05), torch.full((1, 1, 64, 64), 0.05**2))
    assert matte.std() < 0.02
    assert matte.mean().item() == pytest.approx(0.4, abs=0.02)


def test_a_hair_keeps_its_height() -> None:
    alpha = torch.zeros(1, 1, 64, 64)
    alpha[..., 32] = 0.6
    matte = clip(smooth_grain(alpha + grain(0.03), torch.full_like(alpha, 0.03**2)))
    assert matte[..., 32].mean().item() == pytest.approx(0.6, abs=0.05)
    assert matte[..., 30].mean() < 0.02


def test_without_grain_nothing_is_smoothed() -> None:
    alpha = torch.rand(1, 1, 16, 16)
    assert torch.allclose(smooth_grain(alpha, torch.zeros_like(alpha)), alpha, atol=1e-6)
