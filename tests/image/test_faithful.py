"""An enlarged picture has the light of its source."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, pad

from vfxgen.image import faithful
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


@pytest.mark.parametrize("scale", [2, 4])
def test_it_is_back_projection_by_means_and_bilinear_enlargement(scale: int) -> None:
    """The definition, in torch's own words; torch's bilinear weights of scale 3 are rounded coordinates."""
    generator = torch.Generator().manual_seed(scale)
    source = torch.rand(2, 3, 20, 31, generator=generator)
    held = enlarged = torch.rand(2, 3, 20 * scale, 31 * scale, generator=generator) * 1.5 - 0.2
    around = pad(source, (1, 1, 1, 1), "replicate")
    least, most = (
        interpolate(sign * max_pool2d(sign * around, 3, 1), scale_factor=scale, mode="nearest") for sign in (-1, 1)
    )
    held = held.clamp(least, most)
    for _ in range(faithful.ROUNDS):
        lacking = interpolate(source - avg_pool2d(held, scale), scale_factor=scale, mode="bilinear")
        held = (held + lacking).clamp(least, most)
    assert torch.allclose(held_to_source(enlarged, source, scale), held, atol=1e-5)


@pytest.mark.parametrize("colors", [False, True])
def test_bands_do_not_show(monkeypatch: pytest.MonkeyPatch, colors: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    source, enlarged = torch.rand(1, 3, 90, 17, generator=generator), torch.rand(1, 3, 180, 34, generator=generator)
    in_bands = held_to_source(enlarged, source, 2, colors=colors)
    monkeypatch.setattr(faithful, "_BAND", 1000)
    assert torch.equal(held_to_source(enlarged, source, 2, colors=colors), in_bands)


@pytest.mark.parametrize("scale", [2, 3])
def test_a_color_is_mixed_of_those_around_and_in_their_range(scale: int) -> None:
    """Blue lamps beside black and red ones, and a net that sees each channel elsewhere."""
    generator = torch.Generator().manual_seed(scale)
    source = torch.rand(1, 3, 20, 30, generator=generator) ** 8 * 100
    source[:, 1] = 0.01 * source[:, 0] + 0.02 * source[:, 2]
    wrong = interpolate(source, scale_factor=scale, mode="nearest")
    wrong = wrong * torch.randn(wrong.shape, generator=generator).exp2()
    around = pad(source, (1, 1, 1, 1), "replicate")
    least, most = (
        interpolate(sign * max_pool2d(sign * around, 3, 1), scale_factor=scale, mode="nearest") for sign in (-1, 1)
    )
    apart, held = (held_to_source(wrong, source, scale, colors=colors) for colors in (False, True))
    assert (held >= least).all() and (held <= most).all()
    red, green, blue = held.unbind(1)
    assert torch.allclose(green, 0.01 * red + 0.02 * blue, atol=1e-4), "on the line from red to blue, as all around"
    assert not torch.allclose(apart[:, 1], 0.01 * apart[:, 0] + 0.02 * apart[:, 2], atol=0.1)
