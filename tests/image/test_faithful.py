"""An enlarged picture has the light of its source."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from vfxgen.image.faithful import held_to_source


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_each_block_gets_the_light_of_its_pixel(scale: int) -> None:
    source = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(scale))
    wrong = interpolate(source, scale_factor=scale, mode="bilinear") * 1.3 + 0.1
    held = held_to_source(wrong, source, scale)
    assert (avg_pool2d(held, scale) - source).abs().mean() < 0.2 * (avg_pool2d(wrong, scale) - source).abs().mean()


def test_a_lamp_keeps_its_brightness_and_gets_no_halo() -> None:
    source = torch.full((1, 1, 12, 12), 0.25)
    source[..., 4:8, 4:8] = 20000.0
    imagined = interpolate(source, scale_factor=2, mode="bicubic") * 3
    held = held_to_source(imagined, source, 2)
    assert held.max() == 20000 and held.min() == 0.25
    assert held[..., 10:14, 10:14].min() == 20000


def test_a_picture_that_is_right_stays() -> None:
    source = torch.rand(1, 3, 6, 6)
    flat = interpolate(source, scale_factor=2, mode="nearest")
    assert torch.allclose(held_to_source(flat, source, 2), flat, atol=1e-6)
