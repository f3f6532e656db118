"""The mixture at an edge: found from the colours on both sides of it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vfxgen.image.fill import dot
from vfxgen.image.mixture import difference_weights, mixture
from vfxgen.image.screen import Screen

GREEN = torch.tensor([[0.09, 0.42, 0.12]])
SKIN, RED_HAIR, BLACK_HAIR, WHITE = (0.42, 0.24, 0.16), (0.5, 0.1, 0.03), (0.02, 0.015, 0.01), (0.8, 0.8, 0.8)


def soft_edge(color: tuple[float, float, float]) -> tuple[Tensor, Tensor, Screen]:
    """A plate with a subject on the left whose edge is blurred over nine pixels, its alpha, its screen."""
    alpha = ((40 - torch.arange(64.0)) / 10).clamp(0, 1).expand(1, 1, 48, 64)
    screen = GREEN[..., None, None].expand(1, 3, 48, 64)
    plate = alpha * torch.tensor(color).view(1, 3, 1, 1) + (1 - alpha) * screen
    return plate, alpha, Screen(screen, torch.zeros(1, 1, 48, 64), 1)


@pytest.mark.parametrize("color", [SKIN, RED_HAIR, BLACK_HAIR, WHITE])
def test_a_soft_edge_keeps_its_coverage_whatever_the_colour(color: tuple[float, float, float]) -> None:
    plate, alpha, screen = soft_edge(color)
    mixed = mixture(plate, screen, difference_weights(GREEN, "green"))
    found = dot(mixed.slope, plate - screen.color).clamp(0, 1)
    assert (found - alpha).abs().max() < 0.1


@pytest.mark.parametrize("color", [SKIN, RED_HAIR])
def test_plain_colour_difference_takes_red_for_coverage(color: tuple[float, float, float]) -> None:
    plate, alpha, screen = soft_edge(color)
    plain = mixture(plate, screen, difference_weights(GREEN, "green"), edge=0.0)
    assert (dot(plain.slope, plate - screen.color).clamp(0, 1) - alpha).max() > 0.15


def test_inside_the_subject_is_solid_and_outside_is_not() -> None:
    plate, alpha, screen = soft_edge(SKIN)
    solid = mixture(plate, screen, difference_weights(GREEN, "green")).solid
    assert solid[..., :28].min() == 1
    assert solid[alpha < 0.8].max() == 0


def test_the_colour_of_the_subject_is_carried_beyond_it() -> None:
    plate, _, screen = soft_edge(SKIN)
    color = mixture(plate, screen, difference_weights(GREEN, "green")).foreground
    assert torch.allclose(color[0, :, 24, -1], torch.tensor(SKIN), atol=0.05)


def test_no_colour_is_taken_from_garbage() -> None:
    plate, _, screen = soft_edge(SKIN)
    plate = plate.clone()
    garbage = torch.zeros(1, 1, 48, 64)
    plate[..., :10, 50:], garbage[..., :10, 50:] = 0.9, 1.0
    color = mixture(plate, screen, difference_weights(GREEN, "green"), garbage).foreground
    assert torch.allclose(color[0, :, 5, 60], torch.tensor(SKIN), atol=0.08)


class TestDifferenceWeights:
    @settings(deadline=None)
    @given(st.tuples(*[st.floats(0, 4, width=32)] * 3))
    def test_grey_counts_as_no_screen_and_the_screen_as_some(self, color: tuple[float, float, float]) -> None:
        red, blue, more = color
        screen = torch.tensor([[red, max(red, blue) + more + 0.1, blue]])
        weights = difference_weights(screen, "green")
        assert torch.allclose(weights.sum(2), torch.zeros(1, 2), atol=1e-5)
        assert ((weights @ screen[..., None])[..., 0] > 0).all()

    def test_a_common_green_is_green_less_the_greater_of_red_and_blue(self) -> None:
        assert difference_weights(GREEN, "green").tolist() == [[[-1, 1, 0], [0, 1, -1]]]

    def test_a_yellow_green_wall_leaves_skin_no_screen(self) -> None:
        weights = difference_weights(torch.tensor([[0.58, 0.61, 0.01]]), "green")
        assert (weights @ torch.tensor(SKIN)).min() < 0

    def test_a_red_screen_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"\[0\.5, 0\.2, 0\.1\] is not green"):
            difference_weights(torch.tensor([[0.5, 0.2, 0.1]]), "green")
