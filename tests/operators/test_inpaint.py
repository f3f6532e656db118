"""Inpaint: the hole is filled, nothing else is touched; nets through cards; what is asked wrongly is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from moving_scenes import texture
from small_nets import scripted
from torch import Tensor, nn

import vfxgen
from vfxgen.architectures.inpainter import Inpainter
from vfxgen.errors import FrameError, RequestError
from vfxgen.frame import Box, Frame, Pixels
from vfxgen.log import NEWS
from vfxgen.operators.inpaint import Inpaint
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures
from vfxgen.training.publish import publish_net
from vfxgen.zoo.parts import Licence, Licences

SIZE = (72, 90)


def spot(value: float = 1.0) -> Pixels:
    mask = np.zeros((*SIZE, 1), np.float32)
    mask[30:44, 40:58] = value
    return mask


def inpaint(light: Pixels, mask: Pixels, **parameters: object) -> Inpaint:
    return Inpaint(Pictures(light), Pictures(mask, "A"), **{"method": "patch", **parameters})


@pytest.mark.parametrize("method", ["patch", "telea", "smooth"])
def test_outside_the_feathered_mask_every_bit_stays(method: str) -> None:
    light = texture(SIZE) - np.float32(0.03)
    light[5, 5], light[60, 80, 1] = np.nan, np.inf
    made = inpaint(light, spot(), method=method, grow=2.0, feather=3.0)[1].rgb
    near = np.zeros(SIZE, bool)
    near[24:50, 34:64] = True
    assert made[~near].tobytes() == light[~near].tobytes()
    assert (made[30:44, 40:58] != light[30:44, 40:58]).all()
    assert np.isfinite(made[near]).all()


def test_the_thinnest_mask_is_replaced_in_full() -> None:
    thin, full = (inpaint(texture(SIZE), spot(value))[1].rgb for value in (0.01, 1.0))
    assert thin.tobytes() == full.tobytes()


@pytest.mark.parametrize("method", ["patch", "telea", "smooth", "net", "auto"])
def test_a_pixel_far_away_that_is_no_number_makes_no_other_fill(method: str) -> None:
    light, broken = texture(SIZE), texture(SIZE)
    broken[3, 3], broken[68, 4] = np.nan, np.inf
    sound, other = (inpaint(picture, spot(), method=method, feather=0.0)[1].rgb for picture in (light, broken))
    hole = spot()[..., 0] > 0
    assert np.abs(other - sound)[hole].max() < 1e-3
    assert not np.isfinite(other[3, 3]).any() and not np.isfinite(other[68, 4]).any()


def test_nan_under_the_mask_is_filled_and_nan_in_the_mask_is_0() -> None:
    light, mask = texture(SIZE), spot()
    light[35, 45] = np.nan
    mask[0, 0] = np.nan
    made = inpaint(light, mask)[1].rgb
    assert np.isfinite(made).all() and made[0, 0].tobytes() == light[0, 0].tobytes()


def test_an_empty_mask_gives_the_plate_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    operator = inpaint(texture(SIZE), spot(0.0))
    assert operator[1] is operator.plate[1] and operator[2] is operator.plate[2]
    assert caplog.text.count("mask is empty") == 1


def test_a_mask_over_everything_is_refused() -> None:
    with pytest.raises(FrameError, match="frame 3: the mask covers the whole frame"):
        inpaint(texture(SIZE), np.ones((*SIZE, 1), np.float32))[3]


def test_a_plate_that_is_nan_outside_the_mask_is_not_said_to_be_masked() -> None:
    with pytest.raises(FrameError, match="frame 3: what the mask leaves is NaN or infinite"):
        inpaint(np.full_like(texture(SIZE), np.nan), spot(1.0))[3]


class Placed(Sequence):
    """A frame with alpha, ids, and a data window that is not its display window."""

    def frame(self, number: int) -> Frame:
        pixels = np.concatenate([texture(SIZE), np.full((*SIZE, 2), 0.5, np.float32)], axis=-1)
        return Frame.from_pixels(
            pixels, ("R", "G", "B", "A", "depth.Z"), number=number, colorspace="ACEScg",
            data_window=Box(-10, 6, 90, 72), display_window=Box(0, 0, 80, 80),
        )  # fmt: skip

    def make_key(self, number: int) -> str:
        return "placed"


def test_windows_place_the_mask_and_other_channels_pass() -> None:
    mask = np.zeros((80, 80, 1), np.float32)
    mask[30:40, 20:30] = 1
    plate = Placed()
    made = Inpaint(plate, Pictures(mask, "A"), method="smooth", grow=0.0, feather=0.0)[1]
    changed = np.argwhere((made.rgb != plate[1].rgb).any(axis=-1))
    assert changed.min(axis=0).tolist() == [24, 30] and changed.max(axis=0).tolist() == [33, 39]
    assert made.pixels("A", "depth.Z").tobytes() == plate[1].pixels("A", "depth.Z").tobytes()
    assert (made.data_window, made.display_window) == (plate[1].data_window, plate[1].display_window)


def wire_and_spot() -> Pixels:
    mask = spot()
    mask[:, 10:14] = 1
    return mask


def test_auto_fills_narrow_holes_by_the_shipped_net_and_wide_ones_by_patches(caplog: pytest.LogCaptureFixture) -> None:
    light, mask = texture(SIZE), wire_and_spot()
    caplog.set_level(NEWS)
    auto, patch, net = (inpaint(light, mask, method=m, feather=0.0)[1].rgb for m in ("auto", "patch", "net"))
    wire, wide = np.s_[:, 10:14], np.s_[30:44, 40:58]
    assert auto[wire].tobytes() == net[wire].tobytes() != patch[wire].tobytes()
    assert not np.array_equal(auto[wide], net[wide])
    assert "up to 12 pixels wide are filled by the net inpaint-gan, wider ones by patches" in caplog.text
    alone = inpaint(light, spot(), method="auto", feather=0.0)
    assert alone[1].rgb.tobytes() == inpaint(light, spot(), method="patch", feather=0.0)[1].rgb.tobytes()


def test_auto_takes_patches_where_no_net_is_shipped_and_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vfxgen.zoo.registry.nets", dict)
    auto, patch = (inpaint(texture(SIZE), wire_and_spot(), method=m)[1].rgb for m in ("auto", "patch"))
    assert auto.tobytes() == patch.tobytes()
    assert "the net inpaint-gan is not installed: every hole is filled by patches of the frame" in caplog.text


class Grey(nn.Module):
    """Code value 0.5 under the mask, and a step of 0.05 outside it, as a net that does not keep what is known."""

    def forward(self, picture: Tensor) -> Tensor:
        mask = picture[:, 3:]
        return picture[:, :3] * (1 - mask) + 0.5 * mask + 0.0


@pytest.fixture
def grey_net(studio: Path) -> str:
    picture = {"name": "picture", "channels": "R G B M", "encoding": "none"}
    made = {**picture, "name": "filled", "channels": "R G B"}
    return scripted(studio, "grey", Grey(), task="inpaint", inputs=[picture], outputs=[made])


def test_a_net_fills_the_hole_and_nothing_else(grey_net: str) -> None:
    light = texture(SIZE)
    made = inpaint(light, spot(), method="net", net=grey_net, grow=0.0, feather=0.0)[1].rgb
    hole = spot()[..., 0] > 0
    assert made[~hole].tobytes() == light[~hole].tobytes()
    np.testing.assert_allclose(made[hole], 0.5, atol=1e-5)


@pytest.fixture
def own_net(studio: Path) -> str:
    """An inpainter of ours under the shipped name, its weights random."""
    torch.manual_seed(0)
    net = Inpainter(width=4, rounds=1, dilations=[1, 2], heads=2, residual=True)
    torch.nn.init.normal_(net.out.weight, std=0.02)
    port = {"name": "picture", "channels": "R G B M", "encoding": "srgb"}
    licence = Licence(name="Apache-2.0", use="commercial")
    facts = {"name": "inpaint-gan", "task": "inpaint", "inputs": [port], "outputs": [{**port, "channels": "R G B"}]}
    licences = Licences(code=licence, weights=licence, data=licence)
    publish_net(net, {**facts, "version": "1", "scale": 1, "licences": licences}, studio / "inpaint-gan")
    return "inpaint-gan"


@pytest.mark.parametrize("stops", [-4, 4, 7])
def test_our_net_sees_no_exposure(own_net: str, stops: int) -> None:
    light, gain = texture(SIZE), np.float32(2.0**stops)
    plain = inpaint(light, spot(), method="net")[1].rgb
    exposed = inpaint(light * gain, spot(), method="net")[1].rgb / gain
    np.testing.assert_allclose(exposed, plain, rtol=1e-3, atol=1e-4)
    hole = np.abs(plain - inpaint(light, spot(), method="smooth")[1].rgb).max(axis=-1) > 1e-3
    assert hole.sum() > 100, "the net changed nothing"


def test_our_net_fills_large_holes_at_odd_sizes_and_touches_nothing_else(own_net: str) -> None:
    light = np.tile(texture(SIZE), (3, 3, 1))[:211, :269]
    light[3, 3], light[100, 100] = np.nan, 2000
    mask = np.zeros((211, 269, 1), np.float32)
    mask[40:140, 50:190] = 1
    made = inpaint(light, mask, method="net", grow=0.0, feather=0.0)[1].rgb
    there = mask[..., 0] > 0
    assert made[~there].tobytes() == light[~there].tobytes() and np.isfinite(made[there]).all()


def test_net_without_a_name_is_the_shipped_one() -> None:
    assert [entry.name for entry in inpaint(texture(SIZE), spot(), method="net").nets.values()] == ["inpaint-gan"]


def test_net_without_a_name_asks_for_the_shipped_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vfxgen.zoo.registry.nets", dict)
    with pytest.raises(RequestError, match="method = net, but inpaint-gan is not installed"):
        inpaint(texture(SIZE), spot(), method="net")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"method": "patch", "net": "upscale-x2"}, "method = patch runs none"),
        ({"method": "net", "net": "upscale-x2"}, "'upscale-x2' is for upscale"),
        ({"method": "magic"}, r"auto \| net \| patch \| telea \| smooth"),
    ],
)
def test_what_does_not_fit_together_is_said(parameters: dict[str, object], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        inpaint(texture(SIZE), spot(), **parameters)


def test_from_the_command_line(tmp_path: Path) -> None:
    vfxgen.write(Pictures(texture(SIZE)), tmp_path / "plate.exr", frames="1")
    vfxgen.write(Pictures(spot(), "A"), tmp_path / "mask.exr", frames="1")
    filled = Inpaint(vfxgen.read(tmp_path / "plate.exr"), vfxgen.read(tmp_path / "mask.exr"), method="smooth")
    vfxgen.write(filled, tmp_path / "out.exr", frames="1")
    out = vfxgen.read(tmp_path / "out.exr")[1]
    assert out.planes["R"][:20].tobytes() == vfxgen.read(tmp_path / "plate.exr")[1].planes["R"][:20].tobytes()
