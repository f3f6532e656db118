"""The screen: found in the plate, and known where the subject hides it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vfxgen.image.fill import enlarge
from vfxgen.image.screen import ScreenName, estimate_screen, sample_screen_color

GREEN = torch.tensor([[0.09, 0.42, 0.12]])


def uneven(height: int = 96, width: int = 160) -> Tensor:
    """A green wall, lit from the left, with soft folds."""
    across = torch.linspace(0, 1, width)
    light = 1.15 - 0.5 * across + 0.05 * torch.sin(across * 25)
    return GREEN[..., None, None] * light.expand(1, 1, height, width)


def with_subject(screen: Tensor, grain: float = 0.0) -> Tensor:
    """A grey and a red box in front of it."""
    plate = screen.clone()
    plate[..., 30:, 50:80] = 0.3
    plate[..., 40:, 80:100] = torch.tensor([0.4, 0.1, 0.1]).view(3, 1, 1)
    return plate + grain * torch.randn(plate.shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("screen", ["green", "blue"])
def test_the_colour_is_that_of_most_saturated_pixels(screen: ScreenName) -> None:
    plate = with_subject(uneven(), 0.01)
    plate[..., :10, :20] = torch.tensor([0.25, 0.4, 0.2]).view(3, 1, 1)  # a green, but not a screen's
    color = sample_screen_color(plate if screen == "green" else plate[:, [0, 2, 1]], screen)[0]
    color = color if screen == "green" else color[[0, 2, 1]]
    chromaticity = color / color.sum()
    assert torch.allclose(chromaticity, GREEN[0] / GREEN.sum(), atol=0.02)


def test_a_yellow_green_wall_is_found_too() -> None:
    plate = torch.tensor([0.58, 0.61, 0.01]).view(1, 3, 1, 1).expand(1, 3, 20, 20)
    assert torch.allclose(sample_screen_color(plate)[0], torch.tensor([0.58, 0.61, 0.01]))


def test_where_not_to_look() -> None:
    plate = GREEN[..., None, None].repeat(1, 1, 20, 20)
    plate[..., :14, :] = torch.tensor([0.0, 0.2, 0.05]).view(3, 1, 1)
    weight = torch.ones(1, 1, 20, 20)
    weight[..., :14, :] = 0
    assert torch.allclose(sample_screen_color(plate, weight=weight), GREEN)


def test_a_plate_without_a_screen_says_so() -> None:
    with pytest.raises(ValueError, match=r"no green screen found.*screen_color"):
        sample_screen_color(torch.full((1, 3, 8, 8), 0.5))


@pytest.mark.parametrize("grain", [0.0, 0.02])
def test_the_screen_is_known_behind_the_subject(grain: float) -> None:
    truth = uneven()
    estimate = estimate_screen(with_subject(truth, grain), GREEN)
    error = (enlarge(estimate.color, estimate.factor, (96, 160)) - truth).norm(dim=1) / truth.norm(dim=1)
    assert error[..., 4:-4, 4:46].mean() < 0.005 + grain
    assert error.max() < 0.15
    assert error.mean() < 0.02 + grain / 2


def test_grain_is_measured() -> None:
    variance = estimate_screen(with_subject(uneven(), 0.02), GREEN).variance
    assert variance.mean().sqrt().item() == pytest.approx(0.02, rel=0.2)


def test_a_noisy_clean_plate_of_another_exposure_gives_the_folds_behind_the_subject() -> None:
    truth = uneven()
    truth[..., 60:64, :] *= 0.6  # a crease that no filling in can know
    noise = 0.01 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(2))
    plate = with_subject(truth)
    guessed, told = estimate_screen(plate, GREEN), estimate_screen(plate, GREEN, clean=0.8 * truth + noise)
    hidden = (..., slice(60, 64), slice(55, 95))
    assert (told.color - truth)[hidden].abs().mean() < 0.25 * (guessed.color - truth)[hidden].abs().mean()
    assert ((told.color - truth).norm(dim=1) / truth.norm(dim=1)).mean() < 0.07


def test_what_is_weighed_out_does_not_count_as_screen() -> None:
    truth = uneven()
    plate, weight = truth.clone(), torch.ones(1, 1, 96, 160)
    plate[..., :30, 100:] *= 0.8
    weight[..., :30, 100:] = 0
    estimate = estimate_screen(plate, GREEN, weight=weight)
    assert (((estimate.color - truth) / truth)[..., :25, 110:]).abs().mean() < 0.1


def test_frames_of_a_batch_do_not_see_each_other() -> None:
    first, second = with_subject(uneven(), 0.01), with_subject(4 * uneven(), 0.02)
    both = estimate_screen(torch.cat([first, second]), torch.cat([GREEN, 4 * GREEN]))
    for i, (plate, color) in enumerate(((first, GREEN), (second, 4 * GREEN))):
        assert torch.allclose(both.color[i], estimate_screen(plate, color).color[0], atol=1e-5)
