"""A colour is one that the colours around it can be mixed to."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

from vfxgen.image import color_span
from vfxgen.image.color_span import within_span

# Rows are what R, G and B of ACEScg are made of: Rec.709 and ACES2065-1, whose own are partly negative there.
REC709 = [[0.6131, 0.3395, 0.0474], [0.0702, 0.9164, 0.0135], [0.0206, 0.1096, 0.8698]]
AP0 = [[1.4514, -0.2365, -0.2149], [-0.0766, 1.1762, -0.0997], [0.0083, -0.0060, 0.9977]]


def made_up(scale: int, seed: int = 1, *, stops: float = 3.0) -> tuple[Tensor, Tensor]:
    """A source of pure colours, black pixels and lamps, and light around it in which each channel went its own way."""
    generator = torch.Generator().manual_seed(seed)
    source = torch.rand(1, 3, 21, 33, generator=generator) ** 4
    source *= torch.rand(1, 3, 21, 33, generator=generator) > 0.3
    source *= (torch.randn(1, 1, 21, 33, generator=generator) * stops).exp2()
    wrong = (torch.randn(1, 3, scale**2, 21, 33, generator=generator) * 0.5).exp2()
    return source, source[:, :, None] * wrong


def seen_in(light: Tensor, space: Tensor) -> Tensor:
    return torch.einsum("ij,bj...->bi...", space, light)


@pytest.mark.parametrize("primaries", [REC709, AP0, torch.eye(3).tolist()], ids=["Rec.709", "ACES2065-1", "own"])
@pytest.mark.parametrize("scale", [2, 3])
def test_no_light_is_negative_in_a_space_where_the_source_has_none(primaries: list[list[float]], scale: int) -> None:
    to_working = torch.tensor(primaries)
    source, wrong = (seen_in(light, to_working) for light in made_up(scale, stops=6))
    wrong = wrong + (wrong.roll(1, 1) - wrong) * 0.1
    back = torch.linalg.inv(to_working)
    held = seen_in(within_span(wrong, source), back)
    around = max_pool2d(pad(source.abs().amax(1), (1, 1, 1, 1), "replicate"), 3, 1)
    assert primaries[0][1] == 0 or (seen_in(wrong, back) < -0.01 * around).any(), "else there is nothing to hold"
    assert (held >= -3e-6 * held.abs().amax(1, keepdim=True) - 1e-30).all()


def test_how_much_light_there_is_stays() -> None:
    source, wrong = made_up(2)
    held = within_span(wrong, source)
    before, after = (light[:, 0] + 2 * light[:, 1] + light[:, 2] for light in (wrong, held))
    assert torch.allclose(before, after, rtol=1e-5)
    assert not torch.equal(wrong, held)


def test_a_mixture_of_what_is_around_has_its_own_bits() -> None:
    generator = torch.Generator().manual_seed(2)
    source = torch.rand(1, 3, 20, 30, generator=generator) * 0.5 + 0.5
    around = pad(source, (1, 1, 1, 1), "replicate")
    nine = torch.stack([around[..., y : y + 20, x : x + 30] for y in range(3) for x in range(3)], 2)
    parts = torch.rand(1, 1, 4, 9, 20, 30, generator=generator)
    mixtures = (nine[:, :, None] * parts / parts.sum(3, keepdim=True)).sum(3)
    assert torch.equal(within_span(mixtures, source), mixtures)


def test_it_is_the_nearest_that_can_be_mixed() -> None:
    """By all lines between two of the nine, where light is so even that each counts fully."""
    generator = torch.Generator().manual_seed(3)
    source = torch.rand(1, 3, 12, 15, generator=generator) * 0.2 + 0.4
    wrong = source[:, :, None] * (torch.randn(1, 3, 4, 12, 15, generator=generator) * 0.3).exp2()
    held = within_span(wrong, source)

    def place(light: Tensor) -> Tensor:
        return light[:, ::2] / (light[:, 0] + 2 * light[:, 1] + light[:, 2])[:, None]

    around = pad(place(source), (1, 1, 1, 1), "replicate")
    nine = [around[:, :, None, y : y + 12, x : x + 15] for y in range(3) for x in range(3)]
    nearest = torch.full((1, 4, 12, 15), torch.inf)
    for one, other in combinations(nine, 2):
        line, away = other - one, place(wrong) - one
        along = ((away * line).sum(1, keepdim=True) / (line * line).sum(1, keepdim=True).clamp(min=1e-12)).clamp(0, 1)
        nearest = torch.minimum(nearest, (away - along * line).square().sum(1).sqrt())
    moved = (place(held) - place(wrong)).square().sum(1).sqrt()
    outside = moved > 0
    assert outside.float().mean() > 0.3
    further = (moved - nearest)[outside]
    assert further.abs().quantile(0.75) < 1e-6
    assert further.max() < 0.01 and further.mean() < 0.02 * nearest[outside].mean()


def test_a_grey_lamp_on_blue_is_grey() -> None:
    source = torch.tensor([0.05, 0.1, 0.2]).view(1, 3, 1, 1).repeat(1, 1, 7, 7)
    source[..., 3, 3] = 60000.0
    blue = torch.tensor([39000.0, 47000.0, 62000.0]).view(1, 3, 1, 1, 1).expand(1, 3, 4, 7, 7)
    held = within_span(blue, source)[..., 2:5, 2:5]
    assert (held.amax(1) / held.amin(1)).max() < 1.0001


def test_exposure_is_not_seen() -> None:
    source, wrong = made_up(2)
    assert torch.equal(within_span(wrong * 16, source * 16), within_span(wrong, source) * 16)


def test_noise_about_black_passes_and_black_stays_black() -> None:
    generator = torch.Generator().manual_seed(4)
    source = torch.randn(1, 3, 9, 9, generator=generator) * 0.001
    light = torch.randn(1, 3, 4, 9, 9, generator=generator) * 0.001
    free = max_pool2d((source.sum(1) + source[:, 1] < 0).float(), 3, 1, 1) > 0
    kept = (within_span(light, source) == light).all(1)
    assert free.float().mean() > 0.9
    assert kept[free[:, None].expand_as(kept)].all()
    black = torch.zeros(1, 3, 4, 9, 9)
    assert torch.equal(within_span(black, torch.zeros(1, 3, 9, 9)), black)
    assert torch.equal(within_span(black, source.abs()), black)


def test_rows_worked_on_together_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    source, wrong = made_up(2)
    together = within_span(wrong, source)
    for values in (1, 600):
        monkeypatch.setattr(color_span, "_TOGETHER", values)
        assert torch.equal(within_span(wrong, source), together)
