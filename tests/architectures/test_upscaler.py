"""The upscaler: one stop up in is one stop up out, branches collapse without a trace, tiles can be exact."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from net_checks import measured_reach, onnx_difference, shaken, traced_difference

from vfxgen.architectures import build
from vfxgen.architectures.upscaler import EXPANDED_SHARE, BranchedConvolution, Upscaler, _bilinear
from vfxgen.encoding import Encoding
from vfxgen.errors import RequestError


def small(scale: int = 2, blocks: int = 3) -> Upscaler:
    torch.manual_seed(3)
    net = shaken(Upscaler(scale, channels=8, blocks=blocks))
    assert isinstance(net, Upscaler)
    return net


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (7, 13), (16, 9)])
def test_any_size_comes_out_larger_by_the_scale(scale: int, size: tuple[int, int]) -> None:
    assert small(scale)(torch.rand(2, 3, *size)).shape == (2, 3, scale * size[0], scale * size[1])


def test_other_scales_are_refused() -> None:
    with pytest.raises(RequestError, match="2, 3 or 4"):
        Upscaler(scale=5)


@pytest.mark.parametrize("scale", [2, 4])
def test_the_collapsed_net_is_the_same_map(scale: int) -> None:
    net = small(scale)
    picture = torch.rand(2, 3, 17, 23)
    with torch.inference_mode():
        assert (net(picture) - net.collapsed()(picture)).abs().max() < 1e-5


def test_branches_are_one_kernel() -> None:
    """The merged kernel against the branches run one after another on the picture."""
    torch.manual_seed(0)
    block = shaken(BranchedConvolution(6, 6)).double()
    assert isinstance(block, BranchedConvolution)
    picture = torch.rand(1, 6, 9, 11, dtype=torch.float64)
    conv = torch.nn.functional.conv2d
    wide = conv(conv(picture, block.expand[:, :, None, None]), block.middle, padding=1)
    branches = conv(picture, block.direct, padding=1) + EXPANDED_SHARE * conv(wide, block.project[:, :, None, None])
    torch.testing.assert_close(block(picture), branches)


@pytest.mark.parametrize(("channels", "blocks", "count"), [(32, 12, 125_280), (64, 18, 692_928)])
def test_the_net_that_runs_is_compact(channels: int, blocks: int, count: int) -> None:
    assert sum(p.numel() for p in Upscaler(4, channels, blocks).collapsed().parameters()) == count <= 800_000


@pytest.mark.parametrize("blocks", [1, 4])
def test_the_stated_receptive_field_is_the_measured_one(blocks: int) -> None:
    net = small(blocks=blocks)
    assert measured_reach(net, 3, 41, phases=1) == net.receptive_field


def test_a_tile_with_that_overlap_equals_the_frame() -> None:
    net, picture = small(4), torch.rand(1, 3, 40, 56)
    reach = net.receptive_field
    with torch.inference_mode():
        whole, tile = net(picture), net(picture[..., : 20 + reach, : 24 + reach])
    torch.testing.assert_close(tile[..., :80, :96], whole[..., :80, :96], rtol=0, atol=1e-6)


def test_one_stop_up_in_is_one_stop_up_out() -> None:
    net, log = small().double(), Encoding("log")
    light = 0.05 + 4 * torch.rand(1, 3, 24, 24, dtype=torch.float64)
    with torch.inference_mode():
        once = net(log.encode(light))
        for stops in (-2.0, 1.0, 4.0):
            moved = net(log.encode(light * 2**stops)) - once
            torch.testing.assert_close(moved, torch.full_like(moved, stops / 24), rtol=0, atol=1e-9)


def test_contrast_and_white_balance_pass_through() -> None:
    net, picture = small().double(), torch.rand(1, 3, 15, 15, dtype=torch.float64)
    gain, offset = 3.7, torch.tensor([-1.0, 0.2, 9.0], dtype=torch.float64)[:, None, None]
    with torch.inference_mode():
        torch.testing.assert_close(net(gain * picture + offset), gain * net(picture) + offset)


def test_values_far_outside_0_to_1_are_not_clipped() -> None:
    with torch.inference_mode():
        assert small()(torch.full((1, 3, 12, 12), 20000.0)).min() > 19999
        assert small()(torch.full((1, 3, 12, 12), -50.0)).max() < -49.9


def test_a_body_in_half_precision_keeps_light_in_float32() -> None:
    net = small().collapsed()
    level = torch.rand(1, 3, 1, 1) + 20000
    picture = level + 0.1 * torch.rand(1, 3, 16, 16)
    with torch.inference_mode():
        exact = net(picture)
        coarse = net.to(torch.bfloat16)(picture)
    assert coarse.dtype == torch.float32
    torch.testing.assert_close(coarse, exact, rtol=0, atol=0.01)


def test_the_same_seed_gives_the_same_net() -> None:
    nets = []
    for _ in range(2):
        torch.manual_seed(11)
        nets.append(build("upscaler", scale=3, channels=8, blocks=2))
    for one, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(one, other)


def test_hyperparameters_rebuild_the_net() -> None:
    net = small(3).collapsed()
    again = Upscaler(**net.hyperparameters)  # type: ignore[arg-type]
    again.load_state_dict(net.state_dict())
    picture = torch.rand(1, 3, 8, 8)
    assert torch.equal(net(picture), again(picture))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_onnx_and_torchscript_say_the_same_at_another_size(scale: int, tmp_path: Path) -> None:
    net = small(scale).collapsed()
    example, other = torch.rand(1, 3, 24, 32), 3 * torch.rand(2, 3, 31, 19)
    assert traced_difference(net, example, other) < 1e-5
    assert onnx_difference(net, example, other, tmp_path) < 1e-4


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_skip_is_bilinear_enlargement(scale: int) -> None:
    picture = torch.randn(2, 3, 41, 1, dtype=torch.float64)
    expected = torch.nn.functional.interpolate(picture, scale_factor=float(scale), mode="bilinear")
    torch.testing.assert_close(_bilinear(picture, scale), expected)
    wide = torch.randn(1, 3, 7, 53, dtype=torch.float64)
    expected = torch.nn.functional.interpolate(wide, scale_factor=float(scale), mode="bilinear")
    torch.testing.assert_close(_bilinear(wide, scale), expected)
