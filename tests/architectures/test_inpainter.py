"""The inpainter: sees the whole frame, and changes nothing outside the mask."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from net_checks import changed, onnx_difference, shaken, traced_difference
from torch import Tensor

from vfxgen.architectures.inpainter import Inpainter
from vfxgen.errors import RequestError


def small(residual: bool = False) -> Inpainter:
    torch.manual_seed(5)
    net = shaken(Inpainter(width=4, rounds=1, dilations=[1, 2], heads=2, residual=residual))
    assert isinstance(net, Inpainter)
    return net


def frame(height: int, width: int, batch: int = 1) -> Tensor:
    """A picture with values above 1 and a hole in the middle."""
    picture = 3 * torch.rand(batch, 4, height, width, generator=torch.Generator().manual_seed(2))
    picture[:, 3] = 0
    picture[:, 3, height // 4 : height // 2, width // 4 : width // 2] = 1
    return picture


@pytest.mark.parametrize("size", [(4, 4), (20, 36), (52, 12)])
def test_every_multiple_of_4_is_a_size(size: tuple[int, int]) -> None:
    assert small()(frame(*size, batch=2)).shape == (2, 3, *size)


def test_outside_the_mask_is_untouched_bit_for_bit() -> None:
    net, picture = small(), frame(24, 32)
    with torch.inference_mode():
        filled = net(picture)
    outside = (picture[:, 3:] == 0).expand(-1, 3, -1, -1)
    assert torch.equal(filled[outside], picture[:, :3][outside])
    assert not torch.equal(filled[~outside], picture[:, :3][~outside])


def test_what_the_mask_hides_changes_nothing() -> None:
    net, picture = small(), frame(24, 32)
    other = picture.clone()
    other[:, :3] = torch.where(picture[:, 3:] == 1, other[:, :3] + 5, other[:, :3])
    with torch.inference_mode():
        assert torch.equal(net(picture), net(other))


def test_a_residual_net_begins_with_the_first_fill_and_sees_it() -> None:
    picture = frame(24, 32)
    assert torch.equal(Inpainter(width=4, rounds=1, heads=2, residual=True)(picture), picture[:, :3])
    net = shaken(Inpainter(width=4, rounds=1, heads=2, residual=True))
    other = picture.clone()
    other[:, :3] += 0.1 * picture[:, 3:]
    with torch.inference_mode():
        change = net(other) - net(picture) - 0.1 * picture[:, 3:]
    assert change.abs().max() > 1e-4 and not change[(picture[:, 3:] == 0).expand_as(change)].any()


def test_a_residual_net_sees_no_level_and_no_contrast() -> None:
    net, picture = small(residual=True).double(), frame(48, 48).double()
    picture[:, :3] *= 1000  # so that the contrast that is taken for none is far below
    other = picture.clone()
    other[:, :3] = 3 * picture[:, :3] + 0.4
    with torch.inference_mode():
        torch.testing.assert_close(net(other), 3 * net(picture) + 0.4, rtol=0, atol=2e-3)


def test_a_far_corner_reaches_the_hole() -> None:
    net = small()
    assert net.receptive_field is None

    class Everywhere(torch.nn.Module):
        def forward(self, picture: Tensor) -> Tensor:
            filled: Tensor = net(torch.cat((picture, torch.ones_like(picture[:, :1])), 1) * hole(picture))
            return filled

    def hole(picture: Tensor) -> Tensor:
        keep = torch.ones(1, 4, *picture.shape[-2:], dtype=picture.dtype)
        keep[:, 3, :1] = 0
        return keep

    net.double()
    where, _ = changed(Everywhere(), 3, 128, (0, 0))
    assert where[-1, -1]


def test_heads_that_do_not_divide_the_channels_are_refused() -> None:
    with pytest.raises(RequestError, match="3 heads"):
        Inpainter(width=4, heads=3)


def test_the_default_net_is_of_known_size() -> None:
    assert 1_500_000 < sum(p.numel() for p in Inpainter().parameters()) < 3_500_000


def test_the_same_seed_gives_the_same_net() -> None:
    for one, other in zip(small().parameters(), small().parameters(), strict=True):
        assert torch.equal(one, other)


def test_hyperparameters_rebuild_the_net() -> None:
    net = small()
    again = Inpainter(**net.hyperparameters)  # type: ignore[arg-type]
    again.load_state_dict(net.state_dict())
    assert torch.equal(net(frame(16, 16)), again(frame(16, 16)))


def test_onnx_and_torchscript_say_the_same_at_another_size(tmp_path: Path) -> None:
    net = small(residual=True)
    assert traced_difference(net, frame(32, 48), frame(44, 68, batch=2)) < 1e-5
    assert onnx_difference(net, frame(32, 48), frame(44, 68, batch=2), tmp_path) < 1e-4
