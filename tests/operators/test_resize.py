"""Resize: exact in place and value, for every channel, window and kind of light."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from footage import Placed
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import vfxgen
from vfxgen.errors import RequestError
from vfxgen.frame import Attribute, Box, Frame, Pixels
from vfxgen.image.resample import filled
from vfxgen.testing import Pictures, constant

FILTERS = ["nearest", "box", "triangle", "bicubic", "mitchell", "lanczos3"]
SMOOTH = FILTERS[1:]


def placed(pixels: Pixels, data: Box, display: Box, **attributes: Attribute) -> Placed:
    frame = Pictures(pixels, "RGBA"[: pixels.shape[-1]])[1]
    return Placed(replace(frame, data_window=data, display_window=display, attributes=attributes))


def ramp(width: int, height: int = 8) -> Pixels:
    return np.tile(np.arange(width, dtype=np.float32)[None, :, None], (height, 1, 1))


def resized(pixels: Pixels, **parameters: object) -> Pixels:
    frame: Frame = vfxgen.Resize(Pictures(pixels, "Y"), **parameters)[1]
    return frame.pixels("Y")


@pytest.mark.parametrize("scale", [2.0, 3.0, 0.5, 0.25])
@pytest.mark.parametrize(
    ("filter", "tolerance"), [("triangle", 1e-5), ("bicubic", 1e-5), ("mitchell", 2e-5), ("lanczos3", 0.03)]
)
def test_a_linear_ramp_stays_a_linear_ramp(filter: str, tolerance: float, scale: float) -> None:
    result = resized(ramp(64), scale=scale, filter=filter, ringing=True)[0, :, 0]
    expected = (np.arange(len(result)) + 0.5) / scale - 0.5
    away = round(6 * max(1, scale))
    inner = slice(away, -away) if away * 2 < len(result) else slice(len(result) // 2, len(result) // 2 + 1)
    np.testing.assert_allclose(result[inner], expected[inner], atol=tolerance)


@pytest.mark.parametrize("value", [0.1, -0.013, 65504.0, 1e-7])
@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("size", [(23, 5), (4, 31), (11, 9)])
def test_a_constant_stays_exactly_constant_up_to_the_edge(filter: str, size: tuple[int, int], value: float) -> None:
    result = resized(np.full((9, 11, 1), value, np.float32), width=size[0], height=size[1], filter=filter)
    assert result.shape == (size[1], size[0], 1)
    assert (result == np.float32(value)).all()


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("ringing", [True, False])
def test_an_impulse_stays_centred_and_symmetrical(filter: str, ringing: bool) -> None:
    impulse = np.zeros((9, 9, 1), np.float32)
    impulse[4, 4] = 40000
    result = resized(impulse, scale=3, filter=filter, ringing=ringing)[..., 0]
    for turned in (result[::-1], result[:, ::-1], result.T):
        np.testing.assert_allclose(result, turned, atol=0.02)
    assert result.argmax() in (13 * 27 + 13, 12 * 27 + 12)
    assert result.max() == pytest.approx(40000 if filter != "mitchell" else 40000 * (8 / 9) ** 2, rel=1e-5)


@pytest.mark.parametrize(
    ("filter", "theirs"),
    [("triangle", "triangle"), ("bicubic", "catmull-rom"), ("mitchell", "mitchell"), ("lanczos3", "lanczos3")],
)
@pytest.mark.parametrize("size", [(100, 80), (25, 20), (77, 33)])
def test_openimageio_resizes_alike(filter: str, theirs: str, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).random((40, 50, 1), np.float32) * 8
    expected = oiio.ImageBufAlgo.resize(oiio.ImageBuf(pixels), theirs, 0, oiio.ROI(0, size[0], 0, size[1], 0, 1, 0, 1))
    result = resized(pixels, width=size[0], height=size[1], filter=filter, ringing=True)
    np.testing.assert_allclose(result, np.asarray(expected.get_pixels(oiio.FLOAT), np.float32), atol=1e-4)


@pytest.mark.parametrize("size", [(50, 20), (77, 33), (23, 9)])
def test_box_keeps_the_mean_light(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(2).random((40, 50, 1), np.float32)
    result = resized(pixels, width=size[0], height=size[1], filter="box")
    assert result.mean() == pytest.approx(pixels.mean(), rel=1e-6)


@pytest.mark.parametrize("filter", SMOOTH)
@given(
    pixels=npst.arrays(np.float32, (6, 7, 1), elements=st.floats(-1, 64, width=16)),
    width=st.integers(2, 20),
    stops=st.integers(-12, 12),
)
@settings(max_examples=10, deadline=None)
def test_exposure_in_is_exposure_out_and_nothing_goes_beyond_the_light_there_is(
    filter: str, pixels: Pixels, width: int, stops: int
) -> None:
    gain = np.float32(2.0**stops)
    result = resized(pixels, width=width, height=5, filter=filter)
    np.testing.assert_array_equal(resized(pixels * gain, width=width, height=5, filter=filter), result * gain)
    assert result.min() >= pixels.min()
    assert result.max() <= pixels.max()


def test_ringing_is_off_unless_asked_for() -> None:
    lamp = np.full((16, 16, 1), 0.01, np.float32)
    lamp[:, 8:] = 5000
    assert resized(lamp, scale=2).min() == np.float32(0.01)
    assert resized(lamp, scale=2, ringing=True).min() < -100


def test_the_same_size_is_the_same_frame() -> None:
    plate = Pictures(np.array([[[np.nan, -0.0, 2.0]]], np.float32))
    assert vfxgen.Resize(plate, width=1, height=1)[1] is plate[1]
    assert vfxgen.Resize(plate)[1] is plate[1]


@pytest.mark.parametrize("filter", SMOOTH)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("scale", [0.5, 2.0, 1.5])
def test_what_is_no_number_stays_on_its_pixel_and_in_its_channel(filter: str, value: float, scale: float) -> None:
    whole = np.full((12, 12, 3), 0.5, np.float32)
    for y, x in ((5, 6), (8, 3)):
        broken = whole.copy()
        broken[y, x, 0] = value
        result = vfxgen.Resize(Pictures(broken), scale=scale, filter=filter)[1].rgb
        bad = ~np.isfinite(result[..., 0])
        assert 1 <= bad.sum() <= np.ceil(scale) ** 2
        assert bad[int((y + 0.5) * scale), int((x + 0.5) * scale)]
        np.testing.assert_array_equal(result[..., 0][bad], value)
        assert (result[..., 0][~bad] == 0.5).all()
        assert (result[..., 1:] == 0.5).all()


def test_a_hole_is_filled_from_its_rim() -> None:
    plane = np.full((20, 20), 3.0, np.float32)
    bad = np.zeros((20, 20), bool)
    bad[4:15, 5:17] = True
    plane[bad] = np.nan
    np.testing.assert_allclose(filled(plane, bad), 3.0, rtol=1e-6)
    assert not filled(np.full((3, 3), np.nan, np.float32), np.ones((3, 3), bool)).any()


@pytest.mark.parametrize("scale", [2.0, 0.5])
def test_ids_depth_and_cryptomatte_take_the_nearest_pixel(scale: float) -> None:
    ids = np.arange(36, dtype=np.uint32).reshape(6, 6) + 4_000_000_000
    rank = np.random.default_rng(3).random((6, 6), np.float32)
    frame = Pictures(np.ones((6, 6, 3), np.float32))[1]
    data = {"id": ids, "depth.Z": rank, "Z": rank, "CryptoObject00.red": rank, "Who01.green": rank}
    frame = replace(
        frame,
        planes=dict(frame.planes) | data,
        types=dict(frame.types) | {name: "uint32" if name == "id" else "float" for name in data},
        attributes={"cryptomatte/abc/name": Attribute("Who")},
    )
    result = vfxgen.Resize(Placed(frame), scale=scale)[1]
    assert result.planes["id"].dtype == np.uint32
    for name, plane in data.items():
        assert set(result.planes[name].ravel().tolist()) <= set(plane.ravel().tolist())
        if scale == 2:
            np.testing.assert_array_equal(result.planes[name], plane.repeat(2, 0).repeat(2, 1))


def test_windows_scale_with_negative_origins_and_overscan() -> None:
    plate = placed(np.ones((20, 30, 3), np.float32), Box(-10, -6, 30, 20), Box(0, 0, 16, 10))
    result = vfxgen.Resize(plate, scale=2)[1]
    assert result.display_window == Box(0, 0, 32, 20)
    assert result.data_window == Box(-20, -12, 60, 40)
    assert (result.rgb == 1).all()
    offset = placed(np.ones((10, 20, 3), np.float32), Box(-8, 4, 20, 10), Box(-8, 4, 20, 10))
    assert vfxgen.Resize(offset, scale=0.5)[1].display_window == Box(-4, 2, 10, 5)


def test_an_element_ends_in_black_as_if_it_lay_on_the_whole_display() -> None:
    element = np.random.default_rng(4).random((6, 8, 4), np.float32)
    display = Box(0, 0, 32, 24)
    cropped = placed(element, Box(10, 9, 8, 6), display)
    whole = Placed(cropped.only.on(display))
    for scale in (2.0, 0.5, 1.25):
        small, large = (vfxgen.Resize(plate, scale=scale)[1] for plate in (cropped, whole))
        np.testing.assert_array_equal(small.on(large.data_window).pixels(*"RGBA"), large.pixels(*"RGBA"))
        assert small.data_window.width < large.data_window.width


@pytest.mark.parametrize(
    ("parameters", "size"),
    [
        ({"width": 100}, (100, 50)),
        ({"height": 10}, (20, 10)),
        ({"width": 7, "height": 9}, (7, 9)),
        ({"scale": 0.3}, (12, 6)),
    ],
)
def test_one_side_brings_the_other_along(parameters: dict[str, object], size: tuple[int, int]) -> None:
    frame = vfxgen.Resize(constant([1, 2, 3], size=(20, 40)), **parameters)[1]
    assert (frame.display_window.width, frame.display_window.height) == size


def test_a_size_and_a_scale_together_are_refused() -> None:
    with pytest.raises(RequestError, match="one or the other"):
        vfxgen.Resize(constant([1, 2, 3]), width=8, scale=2.0)


def test_the_pixel_aspect_follows_an_unequal_resize_alone() -> None:
    plate = placed(
        np.ones((10, 20, 3), np.float32), Box(0, 0, 20, 10), Box(0, 0, 20, 10), PixelAspectRatio=Attribute(2.0, "float")
    )
    assert vfxgen.Resize(plate, width=40, height=10)[1].attributes["PixelAspectRatio"].value == 1.0
    assert vfxgen.Resize(plate, width=33)[1].attributes["PixelAspectRatio"].value == 2.0


@pytest.mark.parametrize(
    "file",
    [
        "oiio-images/grid-overscan.exr",
        "openexr-images/Beachball/singlepart.0001.exr",
        "openexr-images/DisplayWindow/t05.exr",
        "openexr-images/TestImages/BrightRingsNanInf.exr",
    ],
)
def test_real_frames_resize_with_all_they_carry(shared_data: Path, file: str) -> None:
    plate = vfxgen.read(shared_data / "exr" / file)[1]
    result = vfxgen.Resize(Placed(plate), scale=0.5, filter="bicubic")[1]
    assert result.channels == plate.channels
    assert result.types == plate.types
    assert result.attributes == plate.attributes
    assert result.display_window.width == round(plate.display_window.width / 2)
    for name, plane in plate.planes.items():
        assert np.isnan(result.planes[name]).any() == np.isnan(plane).any()
        finite = plane[np.isfinite(plane)].astype(np.float32)
        assert np.nanmin(np.where(np.isfinite(result.planes[name]), result.planes[name], 0)) >= min(0, finite.min())
