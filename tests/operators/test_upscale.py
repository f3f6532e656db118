"""Upscale: more pixels by the shipped nets, with highlights, alpha, ids and windows kept."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from small_nets import scripted
from torch import Tensor, nn

import vfxgen
from vfxgen import color
from vfxgen.errors import FrameError, LicenceError, RequestError
from vfxgen.frame import Box, Frame, Pixels
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures
from vfxgen.zoo import registry


def detail(size: tuple[int, int] = (24, 32)) -> Pixels:
    """Smooth light with a bright lamp and values below 0."""
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    pixels = np.stack([0.2 + 0.1 * np.sin(rows / 3), 0.3 + 0.01 * columns, 0.25 + 0 * rows], axis=-1)
    pixels[10:14, 12:16] = 40.0
    pixels[2, 2] = -0.02
    return np.asarray(pixels, np.float32)


class Windowed(Sequence):
    """`detail` with alpha, ids and a data window off the display window."""

    def frame(self, number: int) -> Frame:
        alpha = np.clip(np.mgrid[:24, :32][1] / 16, 0, 1).astype(np.float32)[..., None]
        pixels = np.concatenate([detail() * alpha, alpha], axis=-1)
        frame = Frame.from_pixels(
            pixels, "RGBA", colorspace="ACEScg", data_window=Box(-3, 5, 32, 24), display_window=Box(0, 0, 40, 30)
        )
        ids = np.arange(24 * 32, dtype=np.uint32).reshape(24, 32)
        return replace(frame, planes={**frame.planes, "id": ids}, types={**frame.types, "id": "uint32"})

    def make_key(self, number: int) -> str:
        return "windowed"


@pytest.mark.parametrize("scale", [2, 4])
def test_the_shipped_net_keeps_level_and_highlight(scale: int) -> None:
    large = vfxgen.Upscale(Pictures(detail()), scale=scale)[1]
    assert large.size == (24 * scale, 32 * scale)
    assert large.rgb[12 * scale, 14 * scale].mean() == pytest.approx(40, rel=0.1)
    assert large.rgb.max() <= 40 and large.rgb.min() >= np.float32(-0.02), "no halo"
    flat = large.rgb[18 * scale : 20 * scale, 4 * scale : 8 * scale, 2]
    assert flat.mean() == pytest.approx(0.25, rel=0.02)


@pytest.mark.parametrize("space", ["Linear Rec.709 (sRGB)", "Linear P3-D65", "Linear Rec.2020"])
@pytest.mark.parametrize("scale", [2, 3])
def test_pure_lamps_are_not_negative_in_the_space_of_their_file(space: str, scale: int) -> None:
    lamps = np.full((32, 48, 3), 0.02, np.float32)
    for channel, left in enumerate((4, 20, 36)):
        lamps[6:13, left : left + 7, channel] = 40
        lamps[22:24, left + 2 : left + 4, channel] = 300
    lamps = cv2.GaussianBlur(lamps, (0, 0), 0.6)
    large = vfxgen.Upscale(Pictures(color.convert(lamps, space, "ACEScg")), scale=scale)[1]
    seen = color.convert(large.rgb, "ACEScg", space)
    assert seen.min() > -1e-4 and seen.max() > 0.9 * lamps.max()


def test_a_grey_lamp_gets_no_colored_rim() -> None:
    plate = np.full((24, 24, 3), [0.05, 0.1, 0.2], np.float32)
    plate[11:13, 11:13] = 2000
    plate[4, 4] = 60000
    large = vfxgen.Upscale(Pictures(plate))[1].rgb
    bright = large[large.max(-1) > 5]
    assert len(bright) > 30
    assert (bright.max(-1) / bright.min(-1)).max() < 1.1


def test_one_stop_more_in_is_about_one_stop_more_out() -> None:
    pixels = np.clip(detail(), 0.05, 0.5)
    low, high = (vfxgen.Upscale(Pictures(pixels * gain))[1].rgb for gain in (1.0, 4.0))
    assert np.abs(high / 4 - low).mean() / low.mean() < 0.02


def test_windows_alpha_and_ids_grow_together() -> None:
    large = vfxgen.Upscale(Windowed())[1]
    assert (large.data_window, large.display_window) == (Box(-6, 10, 64, 48), Box(0, 0, 80, 60))
    assert large.channels == ("R", "G", "B", "A", "id")
    assert large.alpha.min() >= 0 and large.alpha.max() <= 1
    assert large.planes["id"].dtype == np.uint32
    assert set(np.unique(large.planes["id"])) <= set(range(24 * 32))


@pytest.mark.parametrize("scale", [1.5, 3.0])
def test_a_scale_between_those_of_the_nets(scale: float) -> None:
    large = vfxgen.Upscale(Pictures(detail()), scale=scale)[1]
    assert large.size == (24 * scale, 32 * scale)
    assert large.rgb[int(12 * scale), int(14 * scale)].mean() == pytest.approx(40, rel=0.15)


def test_a_nan_stays_where_it_was_and_touches_nothing_else() -> None:
    bad = detail()
    bad[6, 7, 1] = np.nan
    large = vfxgen.Upscale(Pictures(bad))[1].rgb
    assert sorted(map(tuple, np.argwhere(~np.isfinite(large)).tolist())) == [
        (row, column, 1) for row in (12, 13) for column in (14, 15)
    ]


def test_coverage_above_one_and_infinite_coverage_pass() -> None:
    alpha = np.ones((24, 32, 1), np.float32)
    alpha[2:6, 2:6], alpha[12, 12] = 1.5, np.inf
    plate = Pictures(np.concatenate([detail(), alpha], axis=-1), "RGBA")
    for method in ("net", "lanczos"):
        large = vfxgen.Upscale(plate, method=method)[1].alpha[..., 0]
        assert np.allclose(large[6:10, 6:10], 1.5, atol=0.05)
    assert np.isposinf(vfxgen.Upscale(plate)[1].alpha[24:26, 24:26]).all()


@pytest.mark.parametrize("scale", [1.3, 1.5, 2.0, 2.5])
def test_other_channels_are_resized_once(scale: float) -> None:
    noise = np.random.default_rng(1).random((24, 32, 2), np.float32)
    plate = Pictures(np.concatenate([detail(), noise], axis=-1), ("R", "G", "B", "N.x", "depth.Z"))
    by_net, by_filter = (vfxgen.Upscale(plate, scale=scale, method=method)[1] for method in ("net", "lanczos"))
    assert by_net.data_window == by_filter.data_window
    for name in ("N.x", "depth.Z"):
        assert by_net.planes[name].tobytes() == by_filter.planes[name].tobytes()


def test_a_frame_without_pixels_is_refused() -> None:
    with pytest.raises(FrameError, match="frame 1 of the plate has no pixels"):
        vfxgen.Upscale(Pictures(np.zeros((0, 32, 3), np.float32)))[1]


def test_tiles_do_not_show() -> None:
    pixels = np.tile(detail(), (7, 6, 1))
    whole = vfxgen.Upscale(Pictures(pixels), tile=256)[1].rgb
    tiled = vfxgen.Upscale(Pictures(pixels), tile=96)[1].rgb
    assert whole.tobytes() == tiled.tobytes()


def test_scale_one_is_the_plate() -> None:
    plate = Pictures(detail())
    assert vfxgen.Upscale(plate, scale=1)[1] is plate[1]


def test_the_net_is_in_the_key() -> None:
    plate = Pictures(detail())
    by_net, by_filter = vfxgen.Upscale(plate), vfxgen.Upscale(plate, method="lanczos")
    assert [entry.name for entry in by_net.nets.values()] == ["upscale-x2"]
    assert not by_filter.nets
    assert by_net.key(1) != by_filter.key(1)


def test_wrong_requests() -> None:
    plate = Pictures(detail())
    with pytest.raises(RequestError, match="upscale-x2"):
        vfxgen.Upscale(plate, net="upscale-x22")
    with pytest.raises(RequestError, match=r"upscale\.scale = 0\.5: must be a number, 1 \.\. 16"):
        vfxgen.Upscale(plate, scale=0.5)


def test_a_net_whose_data_forbids_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = registry.find("upscale-x2")
    licences = entry.card.licences.model_copy(
        update={"data": entry.card.licences.data.model_copy(update={"use": "research", "name": "CC-BY-NC-4.0"})}
    )
    research = registry.Entry(entry.card.model_copy(update={"licences": licences}), entry.folder)
    monkeypatch.setattr(registry, "find", lambda name: research)
    with pytest.raises(LicenceError, match=r"data.*CC-BY-NC-4\.0"):
        vfxgen.Upscale(Pictures(detail()), net="upscale-x2")
    assert vfxgen.Upscale(Pictures(detail()), net="upscale-x2", use="research")[1].size == (48, 64)


class Repeating(nn.Module):
    """Twice the size; the channels the other way round where `turned`."""

    def __init__(self, turned: bool) -> None:
        super().__init__()
        self.turned = turned

    def forward(self, picture: Tensor) -> Tensor:
        large = picture.repeat_interleave(2, 2).repeat_interleave(2, 3)
        return large.flip(1) if self.turned else large


@pytest.mark.parametrize(("takes", "gives"), [("B G R", "B G R"), ("R G B", "B G R"), ("B G R", "R G B")])
def test_channels_come_and_go_in_the_nets_order(studio: Path, takes: str, gives: str) -> None:
    ports = {
        kind: [{"name": kind, "channels": order, "encoding": "srgb"}]
        for kind, order in (("inputs", takes), ("outputs", gives))
    }
    net = scripted(studio, "ordered", Repeating(turned=takes != gives), scale=2, **ports)
    made = vfxgen.Upscale(Pictures(detail()), net=net)[1].rgb
    np.testing.assert_allclose(made, detail().repeat(2, 0).repeat(2, 1), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "ports",
    [
        {
            "inputs": [{"name": "x", "channels": "R G B", "encoding": "srgb"}],
            "outputs": [{"name": "y", "channels": "Y"}],
        },
        {"inputs": [{"name": "x", "channels": "R G B A"}], "outputs": [{"name": "y", "channels": "R G B"}]},
    ],
)
def test_a_net_of_other_channels_is_refused(studio: Path, ports: dict[str, Any]) -> None:
    net = scripted(studio, "other", Repeating(turned=False), scale=2, **ports)
    with pytest.raises(RequestError, match=r"net 'other' takes R G B.* and gives .*; upscale needs a net of R G B"):
        vfxgen.Upscale(Pictures(detail()), net=net)


def test_a_net_that_is_named_with_another_scale_than_its_own_says_so(caplog: pytest.LogCaptureFixture) -> None:
    plate = Pictures(detail())
    with caplog.at_level(logging.WARNING, "vfxgen"):
        vfxgen.Upscale(plate, net="upscale-x3", scale=3), vfxgen.Upscale(plate, scale=2.5)
        assert "scale" not in caplog.text
        vfxgen.Upscale(plate, net="upscale-x3")
    assert "net 'upscale-x3' enlarges 3 times, and scale = 2 was asked for" in caplog.text
