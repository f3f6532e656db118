"""Filling: what is known is carried to where it is not, and never changed."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vfxgen.image.fill import blur, dot, enlarge, erode, nearest_along_axes, push_pull, reduce, weighted_blur


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 37), st.integers(1, 37), st.integers(0, 9))
def test_known_pixels_stay_and_unknown_ones_lie_between_them(height: int, width: int, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    image = torch.rand(1, 3, height, width, generator=random)
    known = (torch.rand(1, 1, height, width, generator=random) < 0.2).float()
    known[..., 0, 0] = 1
    filled, nearness = push_pull(image, known, decay=0.9)
    where = known.expand_as(image) == 1
    assert torch.equal(filled[where], image[where])
    assert filled.min() >= image[where].min() - 1e-5
    assert filled.max() <= image[where].max() + 1e-5
    assert bool((nearness[known == 1] == 1).all())
    assert bool((nearness <= 1).all())


def test_a_lighting_gradient_is_carried_across_a_hole() -> None:
    ramp = torch.linspace(0, 1, 64).view(1, 1, 1, 64).expand(1, 1, 64, 64)
    known = torch.ones(1, 1, 64, 64)
    known[..., 24:40, 24:40] = 0
    filled, _ = push_pull(ramp * known, known)
    assert (filled - ramp).abs().max() < 0.08


def test_nothing_known_gives_black_and_no_nearness() -> None:
    filled, nearness = push_pull(torch.ones(1, 3, 9, 9), torch.zeros(1, 1, 9, 9))
    assert filled.abs().max() == 0
    assert nearness.max() == 0


@pytest.mark.parametrize(("factor", "size"), [(1, (5, 7)), (2, (5, 7)), (4, (33, 18))])
def test_reduced_and_enlarged_a_smooth_picture_comes_back(factor: int, size: tuple[int, int]) -> None:
    rows, columns = torch.meshgrid(torch.arange(size[0]) / size[0], torch.arange(size[1]) / size[1], indexing="ij")
    picture = (rows + columns)[None, None]
    back = enlarge(reduce(picture, factor), factor, size)
    assert back.shape == picture.shape
    assert (back - picture).abs().mean() < 0.25 * factor / min(size)


def test_a_blur_keeps_a_flat_picture_flat_however_small() -> None:
    for size in ((1, 1), (2, 3), (40, 30)):
        flat = torch.full((1, 2, *size), 3.0)
        assert torch.allclose(blur(flat, 6.0), flat)
        mean, weight = weighted_blur(flat, torch.ones(1, 1, *size), 2.0)
        assert torch.allclose(mean, flat)
        assert torch.allclose(weight, torch.ones_like(weight))


def test_erosion_takes_a_square_of_pixels() -> None:
    weight = torch.ones(1, 1, 9, 9)
    weight[..., 4, 4] = 0.25
    eroded = erode(weight, 2)
    assert eroded[..., 2:7, 2:7].max() == 0.25
    assert eroded.sum() == 81 - 25 * 0.75


def test_the_first_known_pixel_in_four_directions() -> None:
    image = torch.arange(25.0).view(1, 1, 5, 5)
    known = torch.zeros(1, 1, 5, 5, dtype=torch.bool)
    known[..., 2, 0] = known[..., 2, 1] = known[..., 4, 3] = True
    (left, right, above, below) = nearest_along_axes(image, known)
    assert (left[0][0, 0, 2, 3].item(), left[1][0, 0, 2, 3].item()) == (11, 2)
    assert (below[0][0, 0, 1, 3].item(), below[1][0, 0, 1, 3].item()) == (23, 3)
    assert right[1][0, 0, 2, 3].item() == above[1][0, 0, 1, 3].item() == torch.inf


def test_dot_is_the_sum_over_channels() -> None:
    first, second = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 1, 1)
    assert torch.allclose(dot(first, second), (first * second).sum(1, keepdim=True))
