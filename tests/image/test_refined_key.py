"""What a net may do to a key: mend where it was undecided, clean elsewhere, and put nothing on a bare screen."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vfxgen.image.keying import key
from vfxgen.image.refined_key import given, refined

GREEN = (0.09, 0.42, 0.12)


def plate(grain: float = 0.0007) -> Tensor:
    """A disc with a soft rim before a grainy green screen, (1, 3, 96, 128)."""
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(128.0), indexing="ij")
    alpha = ((20 - (y - 48).hypot(x - 64)) / 4 + 0.5).clamp(0, 1)
    colors = torch.tensor([(0.42, 0.24, 0.16), GREEN])[..., None, None]
    noise = grain * torch.randn(3, 96, 128, generator=torch.Generator().manual_seed(1))
    return (alpha * colors[0] + (1 - alpha) * colors[1] + noise)[None]


@pytest.mark.parametrize(("grain", "seen"), [(0.0007, 1e-3), (0.0025, 1e-2)], ids=["grain", "compressed"])
def test_on_a_bare_screen_and_in_the_solid_a_net_may_only_clean(grain: float, seen: float) -> None:
    light = plate(grain)
    keyed = key(light, smooth=0.0)
    bare, solid = (..., slice(0, 12), slice(None)), (..., slice(44, 52), slice(60, 68))
    assert seen < keyed.alpha[bare].max() < 0.04, "undecided for a net"
    everywhere = torch.ones_like(keyed.alpha)
    for change in (0.05, -0.05):
        made = given(light, keyed, "green")[:, :4].clone()
        made[:, 3:] += change
        alpha = refined(made, everywhere, light, keyed, "green").alpha
        assert (alpha[bare] <= keyed.alpha[bare]).all() and (alpha[solid] >= keyed.alpha[solid]).all()
        rim = (keyed.alpha > 0.3) & (keyed.alpha < 0.7)
        assert torch.allclose(alpha[rim], keyed.alpha[rim] + change)


def test_a_colour_outside_the_working_space_keeps_what_the_net_was_not_shown() -> None:
    light = plate()
    keyed = key(light)
    keyed.foreground[:, 0] = -0.1
    seen = given(light, keyed, "green")
    assert seen[:, :3].min() >= 0
    back = refined(seen[:, :4], torch.ones_like(keyed.alpha), light, keyed, "green").foreground
    solid = (keyed.alpha == 1)[0, 0]
    assert torch.allclose(back[0, 0, solid], torch.tensor(-0.1))
