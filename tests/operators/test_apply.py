"""Apply: a net's picture or matte on the plate, and nothing else changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_nets
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from small_nets import scripted
from torch import Tensor, nn

import vfxgen
from vfxgen.errors import FrameError, LicenceError, RequestError
from vfxgen.frame import Box, Frame, Pixels
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures, constant

LIGHT = st.one_of(st.floats(-0.125, 65504, width=32), st.sampled_from([0.0, np.nan, np.inf, -np.inf]))


def net(folder: Path, gives: str = "R G B", takes: str = "R G B", **fields: Any) -> str:
    """A residual U-Net, or one of mattes, with random weights; its folder is its name."""
    folder.mkdir(parents=True, exist_ok=True)
    count = (len(takes.split()), len(gives.split()))
    residual = {"residual": True} if count[1] == 3 else {}
    made = small_nets.built(
        folder, "unet", seed=3, in_channels=count[0], out_channels=count[1], widths=[4, 6], **residual
    )
    card = made.card.model_dump(by_alias=True) | {"task": "image-to-image"}
    encoding = "none" if gives == "A" else "log"
    card["inputs"] = [{"name": "picture", "channels": takes, "encoding": "log"}]
    card["outputs"] = [{"name": "result", "channels": gives, "encoding": encoding}]
    small_nets.entry(folder, folder / "net.safetensors", **{k: v for k, v in (card | fields).items() if k != "weights"})
    return str(folder)


@pytest.fixture(scope="module")
def retouch(tmp_path_factory: pytest.TempPathFactory) -> str:
    return net(tmp_path_factory.mktemp("retouch"))


@pytest.fixture(scope="module")
def matte(tmp_path_factory: pytest.TempPathFactory) -> str:
    return net(tmp_path_factory.mktemp("matte"), "A")


def picture(size: tuple[int, int] = (17, 22), seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).random((*size, 3), np.float32)


class Windowed(Sequence):
    """A premultiplied picture with alpha, depth and ids, its data window off the display window."""

    def frame(self, number: int) -> Frame:
        alpha = np.clip(np.mgrid[:17, :22][1] / 16, 0, 1).astype(np.float32)[..., None]
        pixels = np.concatenate([picture() * alpha, alpha, alpha + 100], axis=-1)
        frame = Frame.from_pixels(
            pixels,
            ["R", "G", "B", "A", "depth.Z"],
            colorspace="ACEScg",
            type="half",
            data_window=Box(-3, 5, 22, 17),
            display_window=Box(0, 0, 40, 30),
        )
        ids = np.arange(22 * 17, dtype=np.uint32).reshape(17, 22)
        return replace(frame, planes={**frame.planes, "id": ids}, types={**frame.types, "id": "uint32"})

    def make_key(self, number: int) -> str:
        return "windowed"


def test_a_retouch_writes_colour_and_a_matte_writes_alpha(retouch: str, matte: str) -> None:
    plate = Windowed()
    before = plate[1]
    changed, covered = vfxgen.Apply(plate, net=retouch)[1], vfxgen.Apply(plate, net=matte)[1]
    assert np.abs(changed.rgb - before.rgb).max() > 0.01
    assert covered.rgb.tobytes() == before.rgb.tobytes()
    assert 0 <= covered.alpha.min() < covered.alpha.max() <= 1
    for frame, same in ((changed, ("A", "depth.Z", "id")), (covered, ("depth.Z", "id"))):
        assert (frame.data_window, frame.display_window) == (before.data_window, before.display_window)
        assert frame.channels == before.channels and frame.types == before.types
        assert all(frame.planes[name].tobytes() == before.planes[name].tobytes() for name in same)


def test_a_plate_without_alpha_gets_one_from_a_matte(matte: str) -> None:
    frame = vfxgen.Apply(Pictures(picture()), net=matte)[1]
    assert frame.channels == ("R", "G", "B", "A")


def test_a_key_gives_premultiplied_colour(tmp_path: Path) -> None:
    made = []
    for name, alpha in (("empty", -50.0), ("half", 0.0), ("solid", 50.0)):
        port = {"name": "y", "channels": "R G B A", "mean": [0.5] * 3 + [alpha + 0.5], "std": [0.0625] * 3 + [1e-6]}
        made.append(vfxgen.Apply(Pictures(picture()), net=net(tmp_path / name, "R G B A", outputs=[port]))[1])
    empty, half, solid = made
    assert not empty.alpha.any() and not empty.rgb.any()
    assert (solid.alpha == 1).all() and solid.rgb.any()
    np.testing.assert_allclose(half.rgb, solid.rgb / 2, atol=1e-4)


@given(arrays.arrays(np.float32, (9, 10, 3), elements=LIGHT), st.floats(0, 1))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_outside_the_mask_nothing_changes_and_what_is_no_number_stays(retouch: str, pixels: Pixels, mix: float) -> None:
    mask = np.zeros((9, 10, 1), np.float32)
    mask[2:6, 3:7] = 1
    mask[6, 3:7] = 0.5
    frame = vfxgen.Apply(Pictures(pixels), Pictures(mask, "A"), net=retouch, mix=mix)[1]
    outside = mask[..., 0] == 0
    assert frame.rgb[outside].tobytes() == pixels[outside].tobytes()
    bad = ~np.isfinite(pixels)
    np.testing.assert_array_equal(frame.rgb[bad], pixels[bad])
    assert np.isfinite(frame.rgb[~bad]).all()


def test_a_nan_does_not_reach_a_matte(matte: str) -> None:
    pixels = picture()
    pixels[5, 6] = np.nan
    frame = vfxgen.Apply(Pictures(pixels), net=matte)[1]
    assert np.isfinite(frame.alpha).all() and np.isnan(frame.rgb[5, 6]).all()


def test_mix_lies_between_plate_and_result(retouch: str) -> None:
    plate = Pictures(picture())
    whole, half = (vfxgen.Apply(plate, net=retouch, mix=mix)[1].rgb for mix in (1.0, 0.5))
    np.testing.assert_allclose(half, (whole + picture()) / 2, atol=1e-6)
    assert vfxgen.Apply(plate, net=retouch, mix=0)[1] is plate[1]


def test_light_above_1_and_below_0_passes(retouch: str) -> None:
    pixels = np.full((16, 16, 3), 400.0, np.float32)
    pixels[:8] = -0.05
    made = vfxgen.Apply(Pictures(pixels), net=retouch)[1].rgb
    assert made[12:].min() > 40 and made[:4].max() < 1


def test_tiles_do_not_show(retouch: str) -> None:
    plate = Pictures(picture((150, 170)))
    whole, tiled = (vfxgen.Apply(plate, net=retouch, tile=tile)[1].rgb for tile in (256, 72))
    np.testing.assert_allclose(tiled, whole, rtol=1e-4, atol=1e-5)


def test_a_net_with_a_fourth_channel_sees_the_mask(tmp_path: Path) -> None:
    name = net(tmp_path, takes="R G B M")
    light = picture((17, 40))
    plate = Pictures(light)
    with pytest.raises(RequestError, match="needs to know where to work: give a mask"):
        vfxgen.Apply(plate, net=name)
    full, half = np.ones((17, 40, 1), np.float32), np.ones((17, 40, 1), np.float32)
    half[:, 30:] = 0
    one, two = (vfxgen.Apply(plate, Pictures(mask, "A"), net=name)[1].rgb for mask in (full, half))
    assert two[:, 30:].tobytes() == light[:, 30:].tobytes()
    assert not np.array_equal(one[:, 26:30], two[:, 26:30]), "near its edge the net saw another mask"
    np.testing.assert_array_equal(one[:, :16], two[:, :16])


def test_the_order_of_the_nets_channels_is_its_own(tmp_path: Path) -> None:
    straight, swapped = net(tmp_path / "rgb"), net(tmp_path / "bgr", "B G R", "B G R")
    made = vfxgen.Apply(Pictures(picture()), net=straight)[1].rgb
    turned = vfxgen.Apply(Pictures(picture()[..., ::-1]), net=swapped)[1].rgb
    np.testing.assert_allclose(turned[..., ::-1], made, atol=1e-5)


class Portrait(nn.Module):
    """What is not red, what is, and a picture."""

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        red = (picture[:, :1] > 0.4).to(picture.dtype)
        return torch.cat([1 - red, red], 1), picture


def test_a_card_says_which_channel_is_the_alpha_and_what_has_another_name_is_left(studio: Path) -> None:
    light = np.zeros((8, 8, 3), np.float32)
    light[2:5, 3:6, 0] = 0.9
    red = light[..., :1] > 0.4
    for name, mattes, other, written in (
        ("a", "background A", "x y z", "A"),
        ("b", "A background", "x y z", "A"),
        ("c", "background A", "R G B", "RGBA"),
    ):
        outputs = [{"name": "mattes", "channels": mattes}, {"name": "picture", "channels": other}]
        ports: dict[str, Any] = {"inputs": [{"name": "picture", "channels": "R G B"}], "outputs": outputs}
        made = vfxgen.Apply(Pictures(light), net=scripted(studio, name, Portrait(), task="matte", **ports))[1]
        np.testing.assert_array_equal(made.alpha, red if mattes.endswith("A") else ~red)
        assert set(made.channels) == {*"RGB", *written}
        np.testing.assert_array_equal(made.rgb, light * made.alpha if written == "RGBA" else light)
    twice = [{"name": "mattes", "channels": "A background"}, {"name": "picture", "channels": "R G A"}]
    with pytest.raises(RequestError, match="give A, R G B or R G B A, in any order, beside what goes by other names"):
        vfxgen.Apply(Pictures(light), net=scripted(studio, "d", Portrait(), **{**ports, "outputs": twice}))


def test_the_net_is_in_the_key(retouch: str, matte: str) -> None:
    plate = Pictures(picture())
    one, two = vfxgen.Apply(plate, net=retouch), vfxgen.Apply(plate, net=matte)
    assert one.key(1) != two.key(1)
    assert [entry.card.weights.sha256 for entry in one.nets.values()]


def test_a_card_that_is_corrected_makes_other_frames_and_one_that_is_reworded_does_not(tmp_path: Path) -> None:
    plate = Pictures(picture())

    def key(name: str, **fields: Any) -> str:
        made: str = vfxgen.Apply(plate, net=net(tmp_path / name / "one", **fields)).key(1)
        return made

    first = key("first")
    assert key("reworded", summary="Another word for it") == first
    encoded = [{"name": "picture", "channels": "R G B", "encoding": "srgb"}]
    assert key("encoding", inputs=encoded) != first != key("multiple", size_multiple=4)


def test_what_cannot_be_applied_says_why(tmp_path: Path) -> None:
    plate = constant([0.2, 0.4, 0.1])
    with pytest.raises(RequestError, match="'upscale-x2' makes frames 2 times as large: use upscale"):
        vfxgen.Apply(plate, net="upscale-x2")
    with pytest.raises(RequestError, match=r"gives depth; apply runs nets that take R G B or R G B M"):
        vfxgen.Apply(plate, net=net(tmp_path / "depth", "A", outputs=[{"name": "z", "channels": "depth"}]))
    with pytest.raises(RequestError, match="net is missing"):
        vfxgen.Apply(plate)
    with pytest.raises(RequestError, match=r"no-such/card\.toml: cannot be read"):
        vfxgen.Apply(plate, net=str(tmp_path / "no-such"))
    free, bound = {"name": "CC0-1.0", "use": "commercial"}, {"name": "CC-BY-NC-4.0", "use": "research"}
    research = net(tmp_path / "nc", licences={"code": free, "weights": free, "data": bound})
    with pytest.raises(LicenceError, match=r"CC-BY-NC-4\.0"):
        vfxgen.Apply(plate, net=research)
    assert vfxgen.Apply(plate, net=research, use="research")[1].size == (4, 6)
    with pytest.raises(FrameError, match="no channel R G B"):
        vfxgen.Apply(Pictures(np.ones((8, 8, 1), np.float32), "Y"), net=net(tmp_path / "plain"))[1]
