"""The U-Net: its view is bounded and known, so a frame in tiles is the frame."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
import torch
from net_checks import measured_reach, onnx_difference, shaken, traced_difference

from vfxgen.architectures.unet import UNet
from vfxgen.errors import RequestError


def small(widths: list[int], in_channels: int = 4, out_channels: int = 2) -> UNet:
    torch.manual_seed(5)
    net = shaken(UNet(in_channels, out_channels, widths))
    assert isinstance(net, UNet)
    return net


@pytest.mark.parametrize(("widths", "size"), [([4], (5, 9)), ([4, 6], (6, 14)), ([4, 6, 8], (20, 12))])
def test_every_multiple_is_a_size(widths: list[int], size: tuple[int, int]) -> None:
    net = small(widths)
    assert net.size_multiple == 2 ** (len(widths) - 1)
    assert net(torch.rand(2, 4, *size)).shape == (2, 2, *size)


def test_no_channels_are_refused() -> None:
    with pytest.raises(RequestError, match="positive"):
        UNet(0, 1, [8])


def test_the_default_net_is_of_known_size() -> None:
    assert 1_000_000 < sum(p.numel() for p in UNet(4, 1).parameters()) < 2_000_000


@pytest.mark.parametrize(
    ("widths", "fold", "side"), [([4], 1, 17), ([4, 5], 1, 56), ([4, 5, 6], 1, 136), ([4, 5], 2, 112)]
)
def test_the_stated_receptive_field_is_the_measured_one(widths: list[int], fold: int, side: int) -> None:
    torch.manual_seed(5)
    net = cast(UNet, shaken(UNet(1, 1, widths, fold=fold)))
    assert measured_reach(net, 1, side, phases=net.size_multiple) == net.receptive_field


def test_a_tile_with_that_overlap_equals_the_frame() -> None:
    net = small([4, 6])
    picture = torch.rand(1, 4, 64, 96)
    side = -(-(16 + net.receptive_field) // net.size_multiple) * net.size_multiple
    with torch.inference_mode():
        whole, tile = net(picture), net(picture[..., :side, :side])
    torch.testing.assert_close(tile[..., :16, :16], whole[..., :16, :16], rtol=0, atol=1e-6)


def test_the_same_seed_gives_the_same_net() -> None:
    for one, other in zip(small([4, 6]).parameters(), small([4, 6]).parameters(), strict=True):
        assert torch.equal(one, other)


def test_hyperparameters_rebuild_the_net() -> None:
    net = small([4, 6])
    again = UNet(**net.hyperparameters)  # type: ignore[arg-type]
    again.load_state_dict(net.state_dict())
    picture = torch.rand(1, 4, 8, 8)
    assert torch.equal(net(picture), again(picture))


@pytest.mark.parametrize("fold", [1, 2])
def test_a_residual_net_starts_as_no_change_and_leaves_whole(tmp_path: Path, fold: int) -> None:
    torch.manual_seed(5)
    net = UNet(4, 3, [4, 6], residual=True, fold=fold)
    assert net.size_multiple == 2 * fold
    picture = torch.rand(1, 4, 8, 12)
    assert torch.equal(net(picture), picture[:, :3])
    assert torch.equal(UNet(**net.hyperparameters)(picture), picture[:, :3])  # type: ignore[arg-type]
    assert not torch.equal(shaken(net)(picture), picture[:, :3])
    example, other = torch.rand(1, 4, 32, 48), 3 * torch.rand(2, 4, 20, 36)
    assert traced_difference(net, example, other) < 1e-5
    assert onnx_difference(net, example, other, tmp_path) < 1e-4
    with pytest.raises(RequestError, match="cannot be added"):
        UNet(1, 3, [4], residual=True)


def test_onnx_and_torchscript_say_the_same_at_another_size(tmp_path: Path) -> None:
    net = small([4, 6, 8])
    example, other = torch.rand(1, 4, 32, 48), 3 * torch.rand(2, 4, 20, 36)
    assert traced_difference(net, example, other) < 1e-5
    assert onnx_difference(net, example, other, tmp_path) < 1e-4
