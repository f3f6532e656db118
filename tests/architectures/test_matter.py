"""The net for mattes: colours carried from what is known, a bounded view, and what it is before it has learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from net_checks import changed, onnx_difference, shaken, traced_difference

from vfxgen.architectures.matter import Matter
from vfxgen.encoding import Encoding
from vfxgen.errors import RequestError


def small(levels: int = 3, doubt: int = 0) -> Matter:
    torch.manual_seed(5)
    net = shaken(Matter([4, 6], levels, doubt))
    assert isinstance(net, Matter)
    return net


def half_covered() -> tuple[torch.Tensor, torch.Tensor]:
    """Red before blue with a ramp between, its trimap with the ramp unknown; and the true coverage."""
    truth = ((torch.arange(64.0) - 16) / 32).clamp(0, 1).expand(1, 1, 32, 64)
    red, blue = (torch.tensor(color).view(1, 3, 1, 1) for color in ([0.8, 0.1, 0.1], [0.1, 0.2, 0.7]))
    light = truth * red + (1 - truth) * blue
    trimap = torch.where((truth > 0) & (truth < 1), 0.5, truth)
    return torch.cat([Encoding("srgb").encode(light), trimap], 1), truth


def test_before_it_has_learned_it_gives_the_share_of_the_colours_around() -> None:
    given, truth = half_covered()
    with torch.inference_mode():
        made = Matter([4, 6], levels=4)(given)
    assert (made - truth).abs().max() < 0.02


def test_the_known_is_given_back_before_it_has_learned() -> None:
    given, _ = half_covered()
    given[:, :3] = torch.rand(1, 3, 32, 64)
    with torch.inference_mode():
        made = Matter([4, 6], levels=4)(given)
    known = given[:, 3:] != 0.5
    assert torch.equal(made[known], given[:, 3:][known])


def test_a_doubted_edge_is_solved_too() -> None:
    """A mask that is two pixels off: what is near its edge comes from the picture."""
    truth = half_covered()[1]
    sharp = (truth > 0.5).float()
    light = Encoding("srgb").encode(torch.cat([sharp * 0.8, 0.1 + 0 * sharp, 0.7 * (1 - sharp)], 1))
    mask = torch.roll(sharp, 2, -1)
    with torch.inference_mode():
        made = Matter([4, 6], levels=4, doubt=4)(torch.cat([light, mask], 1))
    inner = (slice(None), slice(None), slice(None), slice(8, 56))
    assert (made - sharp)[inner].abs().max() < 0.02 < (mask - sharp).abs().max()


@pytest.mark.parametrize(("levels", "doubt"), [(2, 0), (3, 0), (3, 3)])
def test_nothing_beyond_the_stated_receptive_field_matters(levels: int, doubt: int) -> None:
    net = small(levels, doubt)
    side = -(-2 * (net.receptive_field + 12) // net.size_multiple) * net.size_multiple
    for phase in range(0, net.size_multiple, 3):
        at = side // 2 + phase
        where, _ = changed(net, 4, side, (at, at))
        rows = np.flatnonzero(where.any(1))
        assert at - rows.min() <= net.receptive_field and rows.max() - at <= net.receptive_field


def test_hyperparameters_rebuild_the_net() -> None:
    net = small(3, 2)
    again = Matter(**net.hyperparameters)  # type: ignore[arg-type]
    again.load_state_dict(net.state_dict())
    picture = torch.rand(1, 4, 16, 24)
    assert torch.equal(net(picture), again(picture))


def test_onnx_and_torchscript_say_the_same_at_another_size(tmp_path: Path) -> None:
    net = small(2, 1)
    example, other = torch.rand(1, 4, 16, 24), torch.rand(2, 4, 12, 20)
    assert traced_difference(net, example, other) < 1e-5
    assert onnx_difference(net, example, other, tmp_path) < 1e-4


def test_what_it_cannot_be_is_refused() -> None:
    with pytest.raises(RequestError, match="levels = 0"):
        Matter(levels=0)
