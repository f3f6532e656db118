"""Un-mixing and despill: the screen's light leaves the subject, and nothing else does."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vfxgen.image.mixture import LimitName, difference_weights
from vfxgen.image.unmix import REC709_LUMINANCE, despill, unmix

SCREEN = torch.tensor([[0.09, 0.42, 0.12]])
BACKING = SCREEN[..., None, None].expand(1, 3, 8, 8)
NONE = torch.zeros(1, 1, 8, 8)
LIGHT = st.floats(0, 50, width=32)


def flat(*color: float) -> torch.Tensor:
    return torch.tensor(color).view(1, 3, 1, 1).repeat(1, 1, 8, 8)


def luminance(color: torch.Tensor) -> torch.Tensor:
    return (color * torch.tensor(REC709_LUMINANCE).view(1, 3, 1, 1)).sum(1)


@given(st.tuples(LIGHT, LIGHT, LIGHT), st.floats(0.25, 0.999))
def test_a_known_composite_is_taken_apart(color: tuple[float, float, float], coverage: float) -> None:
    foreground, alpha = flat(*color), NONE + coverage
    plate = alpha * foreground + (1 - alpha) * BACKING
    found = unmix(plate, BACKING, alpha, nearby=flat(0.3, 0.3, 0.3), variance=NONE)
    assert torch.allclose(found, foreground, rtol=0.02, atol=5e-3)


def test_where_alpha_is_1_the_plate_comes_back_bit_for_bit() -> None:
    plate = torch.randn(1, 3, 8, 8) * 100
    assert torch.equal(unmix(plate, BACKING, NONE + 1, flat(0.0, 0.0, 0.0), NONE + 0.1), plate)


def test_grain_divided_by_a_small_alpha_does_not_explode() -> None:
    noise = 0.02 * torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    foreground, alpha = flat(0.5, 0.3, 0.2), NONE + 0.02
    plate = alpha * foreground + (1 - alpha) * BACKING + noise
    found = unmix(plate, BACKING, alpha, flat(0.45, 0.35, 0.2), NONE + 0.02**2)
    assert (found - foreground).abs().max() < 0.1


@settings(deadline=None)
@given(st.tuples(LIGHT, LIGHT, LIGHT), st.sampled_from(["maximum", "average"]))
def test_after_despill_green_is_within_its_limit_and_luminance_is_kept(
    color: tuple[float, float, float], limit: LimitName
) -> None:
    foreground = flat(*color)
    clean = despill(foreground, BACKING, difference_weights(SCREEN, "green", limit))
    red, green, blue = clean[0, :, 0, 0].tolist()
    bound = max(red, blue) if limit == "maximum" else (red + blue) / 2
    assert green <= bound + 1e-4 * max(1.0, *color)
    assert torch.allclose(luminance(clean), luminance(foreground), rtol=1e-4, atol=1e-4)


@given(st.tuples(LIGHT, LIGHT, LIGHT))
def test_a_colour_without_spill_stays_bit_for_bit(color: tuple[float, float, float]) -> None:
    red, green, blue = sorted(color, reverse=True)
    foreground = flat(red, green, blue)
    assert torch.equal(despill(foreground, BACKING, difference_weights(SCREEN, "green")), foreground)


def test_spill_on_grey_turns_into_the_same_light_from_a_grey_wall() -> None:
    spilled = flat(0.3, 0.3, 0.3) + 0.2 * BACKING
    clean = despill(spilled, BACKING, difference_weights(SCREEN, "green"))
    assert torch.allclose(clean, flat(0.3, 0.3, 0.3) + 0.2 * luminance(BACKING)[:, None], atol=1e-5)
    half = despill(spilled, BACKING, difference_weights(SCREEN, "green"), 0.5)
    assert torch.allclose(half, (clean + spilled) / 2, atol=1e-5)


def test_despill_can_differ_over_the_picture() -> None:
    strength = NONE.clone()
    strength[..., 4:] = 1
    spilled = flat(0.3, 0.5, 0.3)
    clean = despill(spilled, BACKING, difference_weights(SCREEN, "green"), strength)
    assert torch.equal(clean[..., :4], spilled[..., :4])
    assert clean[0, 1, 0, 5] == pytest.approx(clean[0, 0, 0, 5].item(), abs=1e-6)
