"""Image files: every real EXR comes back bit for bit, integer codes stay codes, damage is one clear line."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfxgen.errors import MediaError
from vfxgen.frame import Attribute, Box, Frame
from vfxgen.media import image

_REPOSITORY = Path(__file__).resolve().parents[2]
# What describes the storage of a file, not its picture.
_STORAGE = ("oiio:", "openexr:", "thumbnail", "tiff:", "compression")

HALVES = np.arange(65536, dtype=np.uint16).view(np.float16).reshape(256, 256)
"""Every half float there is: all numbers, infinities and NaN payloads."""
FLOATS = np.random.default_rng(1).integers(0, 2**32, (256, 256), np.uint32).view(np.float32)
IDS = np.random.default_rng(2).integers(0, 2**32, (256, 256), np.uint32)

REAL_EXRS = [
    "natron/TestImageEXR.exr",
    "natron/TestMultiPlaneEXR.exr",
    "oiio-images/grid-overscan.exr",
    "openexr-images/Beachball/singlepart.0001.exr",
    "openexr-images/Chromaticities/XYZ.exr",
    *(f"openexr-images/DisplayWindow/t{i:02d}.exr" for i in range(1, 17)),
    "openexr-images/LuminanceChroma/Garden.exr",
    "openexr-images/MultiResolution/ColorCodedLevels.exr",
    "openexr-images/MultiResolution/MirrorPattern.exr",
    "openexr-images/MultiResolution/PeriodicPattern.exr",
    "openexr-images/MultiView/Fog.exr",
    *(f"openexr-images/ScanLines/{name}.exr" for name in ("Cannon", "Carrots", "Desk")),
    *(
        f"openexr-images/TestImages/{name}.exr"
        for name in (
            *("AllHalfValues", "BrightRings", "BrightRingsNanInf", "GammaChart", "GrayRampsDiagonal"),
            *(
                "GrayRampsHorizontal",
                "RgbRampsDiagonal",
                "SquaresSwirls",
                "WideColorGamut",
                "WideFloatRange",
                "stripes",
            ),
        )
    ),
    "openexr-images/v2/LowResLeftView/composited.exr",
]


def write_read(frame: Frame, path: Path, **options: Any) -> Frame:
    image.write_image(frame, str(path), format=image.extension(str(path)), **options)
    return image.read_image(str(path), frame.number)


def stored(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """The channels of an EXR as another library, OpenEXR's own, finds them."""
    with OpenEXR.File(str(path), separate_channels=True) as file:
        return {name: np.ascontiguousarray(channel.pixels) for name, channel in file.channels().items()}


def same_bits(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> bool:
    return first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes()


def header(frame: Frame) -> dict[str, Attribute]:
    return {name: value for name, value in frame.attributes.items() if not name.startswith(_STORAGE)}


def assert_same(first: Frame, second: Frame) -> None:
    assert first.channels == second.channels and first.types == second.types
    assert (first.data_window, first.display_window) == (second.data_window, second.display_window)
    for name in first.channels:
        assert same_bits(first.planes[name], second.planes[name]), name
    assert header(first) == header(second)


@pytest.mark.parametrize("name", REAL_EXRS)
def test_a_real_exr_comes_back_bit_for_bit(shared_data: Path, tmp_path: Path, name: str) -> None:
    source = shared_data / "exr" / name
    frame = image.read_image(str(source), 1001)
    assert frame.number == 1001 and frame.colorspace == "" and frame.source == str(source)
    assert_same(frame, write_read(frame, tmp_path / "copy.exr"))
    channels = stored(tmp_path / "copy.exr")
    assert set(channels) == set(frame.channels)


def test_nan_payloads_infinities_and_denormals_keep_their_bits(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "exr/openexr-images/TestImages/AllHalfValues.exr"
    image.write_image(image.read_image(str(source), 1), str(tmp_path / "copy.exr"), format="exr")
    before, after = stored(source), stored(tmp_path / "copy.exr")
    assert all(same_bits(before[name], after[name]) for name in "RGB")
    assert np.isnan(after["R"]).sum() == 2046


@pytest.mark.parametrize(
    "planes",
    [
        {"R": HALVES},
        {"Z": FLOATS},
        {"id": IDS},
        {"R": HALVES, "depth.Z": FLOATS},
        {"R": HALVES, "id": IDS},
        {"depth.Z": FLOATS, "id": IDS},
        {"A": HALVES, "R": HALVES[::-1], "depth.Z": FLOATS, "id": IDS, "crypto.00": FLOATS[::-1]},
    ],
    ids=lambda planes: "+".join(planes),
)
@pytest.mark.parametrize("compression", [OpenEXR.ZIP_COMPRESSION, OpenEXR.PIZ_COMPRESSION])
def test_types_beside_each_other_keep_their_bits(
    tmp_path: Path, planes: dict[str, np.ndarray[Any, Any]], compression: OpenEXR.Compression
) -> None:
    about = {"compression": compression, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(about, {name: np.ascontiguousarray(plane) for name, plane in planes.items()}) as file:
        file.write(str(tmp_path / "in.exr"))
    frame = image.read_image(str(tmp_path / "in.exr"), 1)
    types = {np.dtype("f2"): "half", np.dtype("f4"): "float", np.dtype("u4"): "uint32"}
    assert frame.types == {name: types[planes[name].dtype] for name in frame.channels}
    image.write_image(frame, str(tmp_path / "out.exr"), format="exr")
    after = stored(tmp_path / "out.exr")
    assert set(after) == set(planes) and all(same_bits(np.ascontiguousarray(planes[n]), after[n]) for n in planes)


@pytest.mark.parametrize("compression", ["none", "rle", "zips", "zip", "piz"])
@pytest.mark.parametrize("type", ["half", "float"])
def test_lossless_compressions_are(tmp_path: Path, compression: str, type: str) -> None:
    plane = HALVES if type == "half" else FLOATS
    frame = Frame(1, {"R": plane}, {"R": type}, Box(-7, 5, 256, 256), Box(0, 0, 300, 200), "")
    back = write_read(frame, tmp_path / "a.exr", compression=compression)
    assert same_bits(np.ascontiguousarray(back.planes["R"]), plane)
    assert back.attributes["compression"].value == compression
    assert (back.data_window, back.display_window) == (frame.data_window, frame.display_window)


@pytest.mark.parametrize(("compression", "error"), [("pxr24", 1e-3), ("b44", 0.05), ("dwaa:20", 0.02), ("dwab", 0.05)])
def test_lossy_compressions_are_written_when_asked_for(tmp_path: Path, compression: str, error: float) -> None:
    y, x = np.mgrid[0:64, 0:64].astype(np.float32) / 64
    frame = Frame.from_pixels(np.stack([x, y, x * y], -1), "RGB", colorspace="", type="half")
    back = write_read(frame, tmp_path / "a.exr", compression=compression)
    assert np.abs(back.rgb - frame.rgb).max() < error
    assert str(back.attributes["compression"].value).startswith(compression.split(":")[0])


def test_a_frame_keeps_the_compression_it_came_with(tmp_path: Path) -> None:
    frame = Frame.from_pixels(np.zeros((8, 8, 3), np.float32), "RGB", colorspace="", type="half")
    piz = write_read(frame, tmp_path / "a.exr", compression="piz")
    assert write_read(piz, tmp_path / "b.exr").attributes["compression"].value == "piz"


@pytest.mark.parametrize("compression", ["dwaa", "dwab:90", "b44", "b44a", "pxr24"])
@pytest.mark.parametrize("type", ["half", "float"])
def test_a_lossy_compression_is_not_inherited(tmp_path: Path, compression: str, type: str) -> None:
    pixels = np.random.default_rng(1).random((64, 64, 3), dtype=np.float32)
    noise = Frame.from_pixels(pixels, "RGB", colorspace="", type=type)
    once = write_read(noise, tmp_path / "a.exr", compression=compression)
    again = write_read(once, tmp_path / "b.exr")
    assert all(same_bits(once.planes[name], again.planes[name]) for name in "RGB")
    lossless = (compression, type) == ("pxr24", "half")
    assert again.attributes["compression"].value == ("pxr24" if lossless else "zip")
    # Stored as half it is exact, and no longer when it becomes float.
    assert write_read(once, tmp_path / "c.exr", type="float").attributes["compression"].value == "zip"


def test_ids_beside_lossy_colour_are_exact_and_colour_is_compressed_once(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).random((64, 64, 3), dtype=np.float32)
    colour = Frame.from_pixels(pixels, "RGB", colorspace="", type="half")
    once = write_read(colour, tmp_path / "colour.exr", compression="dwaa")
    ids = replace(colour, planes={**colour.planes, "id": IDS[:64, :64]}, types={**colour.types, "id": "uint32"})
    beside = write_read(ids, tmp_path / "ids.exr", compression="dwaa")
    assert np.array_equal(beside.planes["id"], IDS[:64, :64])
    assert np.array_equal(beside.rgb, once.rgb)


def test_the_same_frame_gives_the_same_file(tmp_path: Path) -> None:
    frame = Frame.from_pixels(np.random.default_rng(1).random((20, 30, 3), dtype=np.float32), "RGB", colorspace="")
    files: dict[str, set[bytes]] = {format: set() for format in ("exr", "tif", "png", "dpx", "jpg")}
    for turn in range(2):
        for format, contents in files.items():
            image.write_image(frame, str(tmp_path / f"a.{format}"), format=format)
            contents.add((tmp_path / f"a.{format}").read_bytes())
        if turn == 0:
            time.sleep(1.1)  # a time of writing in the header would differ
    assert [format for format, contents in files.items() if len(contents) > 1] == []


EVERY_HEADER_TYPE = {
    "anInt": -5,
    "aFloat": 1.5,
    "aDouble": np.array([0.1]),
    "aString": "x ☃ y",
    "aVector2i": np.array([1, -2], np.int32),
    "aVector2f": np.array([1, 2], np.float32),
    "aVector3i": np.array([1, 2, 3], np.int32),
    "aVector3f": np.array([1, 2, 3], np.float32),
    "aVector2d": np.array([0.1, 2]),
    "aVector3d": np.array([0.1, 2, 3]),
    "aMatrix33": np.arange(9, dtype=np.float32).reshape(3, 3),
    "aMatrix44": np.arange(16, dtype=np.float32).reshape(4, 4),
    "aMatrix44d": np.arange(16, dtype=np.float64).reshape(4, 4) / 3,
    "aStringVector": ["a", "b"],
    "originalDataWindow": (np.array([-1, 0], np.int32), np.array([3, 3], np.int32)),
    "chromaticities": (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329),
    "owner": "the studio",
    "comments": "a comment",
    "capDate": "2020:01:02 03:04:05",
    "aperture": 2.8,
    "expTime": 0.5,
    "isoSpeed": 800.0,
    "utcOffset": 3600.0,
    "worldToCamera": np.arange(16, dtype=np.float32).reshape(4, 4),
    "keyCode": OpenEXR.KeyCode(1, 2, 3, 4, 5, 4, 64),
    "timeCode": OpenEXR.TimeCode(1, 2, 3, 4, True, False, False, False, False, False, 1, 2, 3, 4, 5, 6, 7, 8),
    "pixelAspectRatio": 2.0,
    "screenWindowWidth": 1.5,
    "screenWindowCenter": np.array([0.5, 0.25], np.float32),
    "a name with spaces": "s",
    "reelName": "A001",
}


def test_header_entries_of_every_type_come_back(tmp_path: Path) -> None:
    about = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File({**about, **EVERY_HEADER_TYPE}, {"R": np.zeros((4, 4), np.float16)}) as file:
        file.write(str(tmp_path / "in.exr"))
    image.write_image(image.read_image(str(tmp_path / "in.exr"), 1), str(tmp_path / "out.exr"), format="exr")
    before = OpenEXR.File(str(tmp_path / "in.exr"), header_only=True).header()
    after = OpenEXR.File(str(tmp_path / "out.exr"), header_only=True).header()
    assert {name: repr(value) for name, value in after.items()} == {name: repr(value) for name, value in before.items()}


def test_text_that_is_not_utf8_is_taken_for_latin1(tmp_path: Path) -> None:
    frame = Frame.from_pixels(np.zeros((4, 4, 3), np.float32), "RGB", colorspace="")
    path = tmp_path / "scan.exr"
    image.write_image(replace(frame, attributes={"artist": Attribute("M?ller")}), str(path), format="exr")
    path.write_bytes(path.read_bytes().replace(b"M?ller", "Müller".encode("latin-1")))
    old = image.read_image(str(path), 1)
    assert old.attributes["artist"].value == "Müller"
    assert write_read(old, tmp_path / "new.exr").attributes["artist"].value == "Müller"


def test_windows_may_lie_anywhere_in_exr_and_are_the_picture_elsewhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pixels = np.random.default_rng(1).random((4, 8, 3), dtype=np.float32)
    frame = Frame.from_pixels(
        pixels, "RGB", colorspace="", type="half", data_window=Box(-2, 99, 8, 4), display_window=Box(0, 100, 6, 6)
    )
    exr = write_read(frame, tmp_path / "a.exr")
    assert (exr.data_window, exr.display_window) == (Box(-2, 99, 8, 4), Box(0, 100, 6, 6))
    assert caplog.text == ""
    for format in ("tif", "png", "dpx"):
        cropped = write_read(frame, tmp_path / f"a.{format}", type="uint16")
        assert cropped.data_window == cropped.display_window == Box(0, 0, 6, 6)
        assert np.allclose(cropped.rgb[:3], pixels[1:, 2:], atol=1e-5) and not cropped.rgb[3:].any()
        assert "overscan is cut off" in caplog.text
        caplog.clear()


def test_the_chosen_part_of_a_multi_part_file_is_read(shared_data: Path, tmp_path: Path) -> None:
    path = str(shared_data / "exr/openexr-images/Beachball/multipart.0001.exr")
    parts = image.read_header(path)
    assert [part.name for part in parts[:3]] == ["rgba_right", "depth_left", "forward_left"]
    for part in parts:
        by_name, by_index = (image.read_image(path, 1, part=chosen) for chosen in (part.name, str(part.index)))
        assert by_name.channels == part.channels and by_name.data_window == part.data_window
        assert all(same_bits(by_name.planes[c], by_index.planes[c]) for c in part.channels)
        assert_same(by_name, write_read(by_name, tmp_path / "part.exr"))
    left = image.read_image(path, 1, part="rgba_left")
    assert np.array_equal(image.read_image(path, 1, view="left", part="4").rgb, left.rgb)


def test_a_part_that_is_not_there_is_refused_with_those_that_are(shared_data: Path) -> None:
    path = str(shared_data / "exr/openexr-images/Beachball/multipart.0001.exr")
    with pytest.raises(MediaError, match=r"no part 'rgba'; it has 0 'rgba_right' \(view right\), 1 'depth_left'"):
        image.read_image(path, 1, part="rgba")
    with pytest.raises(MediaError, match="no part '' with view 'middle'"):
        image.read_image(path, 1, view="middle")


def test_many_parts_without_a_choice_are_said_once(shared_data: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = str(shared_data / "exr/openexr-images/Beachball/multipart.0001.exr")
    image.read_image(path, 1)
    image.read_image(path, 1)
    assert caplog.text.count("has 10 parts; part 0 'rgba_right' is read") == 1


def test_of_an_animation_the_first_picture_is_read_and_the_file_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, spec = str(tmp_path / "walk.gif"), oiio.ImageSpec(20, 12, 3, oiio.UINT8)
    file = oiio.ImageOutput.create(path)
    assert file is not None and file.open(path, (spec,) * 3)
    for grey in (50, 100, 200):
        assert grey == 50 or file.open(path, spec, "AppendSubimage")
        file.write_image(np.full((12, 20, 3), grey, np.uint8))
    file.close()
    assert image.read_image(path, 1).rgb.mean() == pytest.approx(50 / 255)
    assert f"{path}: is an animation; the first of its 3 pictures is every frame" in caplog.text
    with pytest.raises(MediaError, match=r"walk\.gif: of an animation the first picture alone can be read"):
        image.read_image(path, 1, part="1")


def test_a_webp_is_read(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    spec = oiio.ImageSpec(30, 20, 3, oiio.UINT8)
    spec.attribute("Compression", "lossless")
    file = oiio.ImageOutput.create(str(tmp_path / "a.webp"))
    assert file is not None
    assert file.open(str(tmp_path / "a.webp"), spec) and file.write_image(pixels) and file.close()
    frame = image.read_image(str(tmp_path / "a.webp"), 1)
    assert np.array_equal(np.rint(frame.rgb * 255), pixels) and set(frame.types.values()) == {"uint8"}


def test_the_chosen_view_of_a_multi_view_file_is_the_unprefixed_one(shared_data: Path, tmp_path: Path) -> None:
    path = str(shared_data / "exr/openexr-images/Beachball/singlepart.0001.exr")
    whole = image.read_image(path, 1)
    default, other = whole.attributes["multiView"].value
    chosen = image.read_image(path, 1, view=other)
    assert np.array_equal(chosen.planes["R"], whole.planes[f"{other}.R"])
    assert np.array_equal(chosen.planes[f"{default}.R"], whole.planes["R"])
    assert chosen.attributes["multiView"].value == (other, default)
    again = write_read(chosen, tmp_path / "view.exr")
    assert np.array_equal(image.read_image(str(tmp_path / "view.exr"), 1, view=default).planes["R"], whole.planes["R"])
    assert again.attributes["multiView"].value == (other, default)
    with pytest.raises(MediaError, match="has no view 'middle'; it has"):
        image.read_image(path, 1, view="middle")


@pytest.mark.parametrize("name", ["Chromaticities/Rec709_YC.exr", "LuminanceChroma/Flowers.exr"])
def test_luminance_chroma_becomes_rgb_with_the_same_luminance(shared_data: Path, tmp_path: Path, name: str) -> None:
    source = shared_data / "exr/openexr-images" / name
    frame = image.read_image(str(source), 1)
    assert frame.channels == ("R", "G", "B") and image.read_header(str(source))[0].channels == frame.channels
    luminance = frame.rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    assert np.allclose(luminance, stored(source)["Y"].astype(np.float32), rtol=2e-3, atol=2e-3)
    assert frame.attributes["Copyright"].value.startswith("Copyright 2006")
    again = write_read(frame, tmp_path / "rgb.exr")
    assert all(same_bits(frame.planes[c], again.planes[c]) for c in "RGB")


def luminance_chroma(
    path: Path,
    values: dict[str, float],
    chromaticities: tuple[float, ...],
    chromaticities_type: str = "chromaticities",
) -> str:
    """A 16x16 file of one colour, uncompressed; OpenEXR's Python binding writes no half-size channels."""

    def entry(name: str, type: str, value: bytes) -> bytes:
        return f"{name}\0{type}\0".encode() + struct.pack("<i", len(value)) + value

    steps = {name: 2 if name in ("RY", "BY") else 1 for name in sorted(values)}
    channels = b"".join(f"{n}\0".encode() + struct.pack("<4i", 1, 0, s, s) for n, s in steps.items()) + b"\0"
    box = struct.pack("<4i", 0, 0, 15, 15)
    header = struct.pack("<2i", 20000630, 2) + entry("channels", "chlist", channels)
    if chromaticities:
        header += entry("chromaticities", chromaticities_type, struct.pack("<8f", *chromaticities))
    header += entry("compression", "compression", b"\0") + entry("lineOrder", "lineOrder", b"\0")
    header += entry("dataWindow", "box2i", box) + entry("displayWindow", "box2i", box)
    header += entry("pixelAspectRatio", "float", struct.pack("<f", 1)) + entry("screenWindowCenter", "v2f", bytes(8))
    header += entry("screenWindowWidth", "float", struct.pack("<f", 1)) + b"\0"
    rows, offsets = b"", b""
    for y in range(16):
        row = b"".join(np.full(16 // s, values[n], np.float16).tobytes() for n, s in steps.items() if y % s == 0)
        offsets += struct.pack("<Q", len(header) + 16 * 8 + len(rows))
        rows += struct.pack("<2i", y, len(row)) + row
    path.write_bytes(header + offsets + rows)
    return str(path)


@pytest.mark.parametrize(
    ("chromaticities", "weights"),
    [
        ((), (0.2126, 0.7152, 0.0722)),
        ((0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767), (0.34397, 0.72817, -0.07213)),
        ((1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3), (0.0, 1.0, 0.0)),
    ],
    ids=["unsaid", "ACES", "XYZ"],
)
def test_luminance_is_weighed_as_the_chromaticities_say_and_alpha_passes(
    tmp_path: Path, chromaticities: tuple[float, ...], weights: tuple[float, ...]
) -> None:
    red, green, blue = 0.2, 0.5, 0.8
    luminance = float(np.dot(weights, (red, green, blue)))
    values = {"Y": luminance, "RY": red / luminance - 1, "BY": blue / luminance - 1, "A": 0.25}
    path = luminance_chroma(tmp_path / "yc.exr", values, chromaticities)
    frame = image.read_image(path, 1)
    assert frame.channels == image.read_header(path)[0].channels == ("R", "G", "B", "A")
    assert frame.pixels(*"RGBA")[8, 8] == pytest.approx((red, green, blue, 0.25), rel=2e-3)


def test_chromaticities_of_no_colour_space_are_named(tmp_path: Path) -> None:
    path = luminance_chroma(tmp_path / "yc.exr", {"Y": 0.5, "RY": 0.0, "BY": 0.0}, (0.3,) * 8)
    with pytest.raises(MediaError, match=r"yc\.exr: its chromaticities .* are those of no colour space"):
        image.read_image(path, 1)


def test_chromaticities_of_another_type_say_nothing(tmp_path: Path) -> None:
    values = {"Y": 0.5, "RY": 0.1, "BY": -0.2}
    odd = image.read_image(luminance_chroma(tmp_path / "odd.exr", values, (0.3,) * 8, "unheard of"), 1)
    plain = image.read_image(luminance_chroma(tmp_path / "plain.exr", values, ()), 1)
    assert np.array_equal(odd.rgb, plain.rgb)


@pytest.mark.parametrize("name", ["Balls", "Trunks"])
def test_a_deep_image_is_refused_with_a_way_out(shared_data: Path, name: str) -> None:
    path = str(shared_data / f"exr/openexr-images/v2/LowResLeftView/{name}.exr")
    assert image.read_header(path)[0].deep
    with pytest.raises(MediaError, match="a deep image; flatten it first"):
        image.read_image(path, 1)


INTEGERS = [("dpx", t) for t in ("uint8", "uint10", "uint12", "uint16")]
INTEGERS += [(f, t) for f in ("tif", "png") for t in ("uint8", "uint16")]


@pytest.mark.parametrize(("format", "type"), INTEGERS)
@pytest.mark.parametrize("channels", ["RGB", "RGBA", "Y"])
def test_every_code_value_survives(tmp_path: Path, format: str, type: str, channels: str) -> None:
    largest = np.float32((1 << int(type[4:])) - 1)
    codes = np.random.default_rng(1).integers(0, int(largest) + 1, (40, 60, len(channels)))
    codes[0, 0], codes[0, 1] = 0, largest
    frame = Frame.from_pixels(codes.astype(np.float32) / largest, channels, colorspace="", type=type)
    back = write_read(frame, tmp_path / f"a.{format}")
    assert back.channels == tuple(channels) and set(back.types.values()) == {type}
    assert np.array_equal(back.pixels(*channels), frame.pixels(*channels))


@given(st.lists(st.floats(-1, 2, width=32), min_size=6, max_size=6))
@settings(max_examples=30)
def test_light_becomes_the_nearest_code(tmp_path_factory: pytest.TempPathFactory, light: list[float]) -> None:
    path = tmp_path_factory.mktemp("nearest")
    pixels = np.array(light, np.float32).reshape(1, 2, 3)
    for format, bits in (("dpx", 10), ("dpx", 12), ("png", 8), ("tif", 16)):
        frame = Frame.from_pixels(pixels, "RGB", colorspace="", type=f"uint{bits}")
        error = np.abs(write_read(frame, path / f"a.{format}").rgb - pixels.clip(0, 1)).max()
        assert error <= 0.5000001 / ((1 << bits) - 1) + 1e-7, (format, bits)


def test_nan_and_infinity_have_codes_too(tmp_path: Path) -> None:
    pixels = np.array([[[np.nan, np.inf, -np.inf]]], np.float32)
    for format, type in INTEGERS:
        frame = Frame.from_pixels(pixels, "RGB", colorspace="", type=type)
        assert write_read(frame, tmp_path / f"a.{format}").rgb.tolist() == [[[0, 1, 0]]], (format, type)


@pytest.mark.parametrize("type", ["float", "half"])
def test_float_tiff_keeps_its_bits(tmp_path: Path, type: str) -> None:
    plane = FLOATS if type == "float" else HALVES
    frame = Frame(
        1, dict.fromkeys("RGB", plane), dict.fromkeys("RGB", type), Box(0, 0, 256, 256), Box(0, 0, 256, 256), ""
    )
    back = write_read(frame, tmp_path / "a.tif")
    assert np.array_equal(back.planes["G"], plane.astype(np.float32), equal_nan=True)


@pytest.mark.parametrize(
    ("type", "value", "asked"),
    [("float", 100.0, ""), ("uint32", 70000, ""), ("uint32", 70000, "float"), ("uint8", 0.0, "")],
)
def test_a_tiff_of_channels_of_several_types_clips_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, type: str, value: float, asked: str
) -> None:
    color = Frame.from_pixels(np.full((4, 4, 3), 4.5, np.float32), "RGB", colorspace="", type="half")
    plane = np.full((4, 4), value, np.uint32 if type == "uint32" else np.float32)
    frame = replace(color, planes={**color.planes, "other": plane}, types={**color.types, "other": type})
    image.write_image(frame, str(tmp_path / "a.tif"), format="tif", type=asked)
    back = image.read_image(str(tmp_path / "a.tif"), 1)
    assert set(back.types.values()) == {"float"}
    assert [float(plane.max()) for plane in back.planes.values()] == [4.5, 4.5, 4.5, value]
    assert ".tif forgets channel names: R G B other" in caplog.text


def test_integers_beyond_half_are_held_at_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    frame = Frame(1, {"id": np.full((4, 4), 70000, np.uint32)}, {"id": "uint32"}, Box(0, 0, 4, 4), Box(0, 0, 4, 4), "")
    image.write_image(frame, str(tmp_path / "a.tif"), format="tif", type="half")
    assert image.read_image(str(tmp_path / "a.tif"), 1).pixels("Y").max() == 65504
    assert "channel id has values beyond half float" in caplog.text


def test_jpeg_is_near_and_says_its_space(tmp_path: Path) -> None:
    y, x = np.mgrid[0:64, 0:64].astype(np.float32) / 64
    frame = Frame.from_pixels(np.stack([x, y, x * y], -1), "RGB", colorspace="")
    back = write_read(frame, tmp_path / "a.jpg")
    assert set(back.types.values()) == {"uint8"} and np.abs(back.rgb - frame.rgb).mean() < 0.01


def test_real_scans_and_photographs_keep_their_codes(shared_data: Path, tmp_path: Path) -> None:
    for name, type in [
        ("dpx/dpx_nuke_10bits_rgb.dpx", "uint10"),
        ("cineon/checker.cin", "uint10"),
        ("tahoe-gps.jpg", "uint8"),
    ]:
        frame = image.read_image(str(shared_data / "exr/oiio-images" / name), 1)
        assert set(frame.types.values()) == {type}
        codes = frame.rgb * np.float32((1 << int(type[4:])) - 1)
        assert np.array_equal(codes, np.rint(codes)) or np.abs(codes - np.rint(codes)).max() < 1e-3
        copy = write_read(frame, tmp_path / ("copy.png" if type == "uint8" else "copy.dpx"))
        assert np.array_equal(copy.rgb, frame.rgb) and copy.types == frame.types


def test_dpx_codes_are_those_that_openimageio_finds(shared_data: Path) -> None:
    path = str(shared_data / "exr/oiio-images/dpx/dpx_nuke_10bits_rgb.dpx")
    file = oiio.ImageInput.open(path)
    assert file is not None
    raw = np.asarray(file.read_image(0, 0, 0, 3, oiio.UNKNOWN))
    assert np.array_equal(np.rint(image.read_image(path, 1).rgb * 1023).astype(np.uint16), raw >> 6)


@pytest.mark.parametrize("format", ["png", "dpx", "tif", "jpg"])
def test_channels_reach_their_places_in_whatever_order_they_come(tmp_path: Path, format: str) -> None:
    values = {"A": 0.0, "B": 0.25, "G": 0.5, "R": 1.0}
    frame = Frame.from_pixels(
        np.full((8, 8, 4), [*values.values()], np.float32), [*values], colorspace="", type="uint8"
    )
    back = write_read(frame, tmp_path / f"a.{format}")
    for name, plane in back.planes.items():
        assert np.allclose(plane, values[name], atol=0.02), name


def test_channels_without_room_are_left_out_and_that_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    frame = Frame.from_pixels(
        np.ones((8, 8, 5), np.float32), ["R", "G", "B", "A", "depth.Z"], colorspace="", source="plate"
    )
    assert write_read(frame, tmp_path / "a.jpg").channels == ("R", "G", "B")
    assert ".jpg has no room for A depth.Z: left out" in caplog.text
    assert write_read(frame, tmp_path / "a.png").channels == ("R", "G", "B", "A")
    assert ".png has no room for depth.Z" in caplog.text
    assert len(write_read(frame, tmp_path / "a.tif").channels) == 5
    assert ".tif forgets channel names" in caplog.text
    assert write_read(frame.only("depth.Z"), tmp_path / "z.png").channels == ("Y",)
    with pytest.raises(MediaError, match=r"frame 1 has the channels R depth.Z; .png holds R G B A, R G B"):
        write_read(frame.only("R", "depth.Z"), tmp_path / "b.png")


def test_values_beyond_half_are_held_and_that_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pixels = np.array([[[1e6, -1e6, np.inf]]], np.float32)
    frame = Frame.from_pixels(pixels, "RGB", colorspace="", type="half")
    assert write_read(frame, tmp_path / "a.exr").rgb.tolist() == [[[65504, -65504, np.inf]]]
    assert "beyond half float (65504)" in caplog.text
    assert np.array_equal(write_read(frame, tmp_path / "b.exr", type="float").rgb, pixels)


def test_types_a_format_cannot_hold_are_refused_or_replaced_by_its_best(tmp_path: Path) -> None:
    frame = Frame.from_pixels(np.full((4, 4, 3), 0.5, np.float32), "RGB", colorspace="", type="half")
    with pytest.raises(MediaError, match=r"\.png cannot hold half; it holds uint16, uint8"):
        write_read(frame, tmp_path / "a.png", type="half")
    with pytest.raises(MediaError, match=r"cannot write \.xyz; write one of exr, dpx"):
        image.write_image(frame, str(tmp_path / "a"), format="xyz")
    assert set(write_read(frame, tmp_path / "a.png").types.values()) == {"uint16"}
    assert set(write_read(frame, tmp_path / "a.dpx").types.values()) == {"uint10"}


def refused(path: Path | str) -> str:
    for read in (image.read_header, lambda name: image.read_image(name, 1)):
        with pytest.raises(MediaError) as caught:
            read(str(path))
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_image_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "empty.exr").touch()
    (tmp_path / "text.exr").write_text("not an image\n" * 99)
    (tmp_path / "text.png").write_text("not an image\n" * 99)
    (tmp_path / "folder.exr").mkdir()
    (tmp_path / "loop.exr").symlink_to("loop.exr")
    assert "No such file" in refused(tmp_path / "missing.exr")
    assert "is empty (0 bytes)" in refused(tmp_path / "empty.exr")
    assert "is a folder" in refused(tmp_path / "folder.exr")
    assert "no image that can be read" in refused(tmp_path / "text.exr")
    assert "no image that can be read" in refused(tmp_path / "text.png")
    assert "symbolic link" in refused(tmp_path / "loop.exr")
    assert "Not a directory" in refused(tmp_path / "text.exr" / "a.exr")
    assert "cannot be read" in refused("nul\0byte.exr")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.exr").write_bytes(b"x")
    (tmp_path / "a.exr").chmod(0)
    assert "Permission denied" in refused(tmp_path / "a.exr")


@pytest.mark.parametrize("format", ["exr", "tif", "png", "dpx"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.98])
def test_a_frame_that_was_cut_off_is_refused(tmp_path: Path, format: str, share: float) -> None:
    noise = np.random.default_rng(1).random((64, 64, 3), dtype=np.float32)
    whole, cut = tmp_path / f"whole.{format}", tmp_path / f"cut.{format}"
    write_read(Frame.from_pixels(noise, "RGB", colorspace="", type="uint16"), whole)
    data = whole.read_bytes()
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MediaError) as caught:
        image.read_image(str(cut), 1)
    assert str(cut) in str(caught.value) and "\n" not in str(caught.value)


_READ_ALL = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
from vfxgen.errors import MediaError
from vfxgen.media import image
for path in sys.stdin.read().splitlines():
    try:
        said = "frame" if image.read_image(path, 1).planes else "no channels"
    except MediaError as error:
        said = str(error)
    print(json.dumps([path, said]), flush=True)
"""


def test_damaged_files_end_in_one_clear_line(shared_data: Path, tmp_path: Path) -> None:
    """OpenEXR's collection of files that crashed readers: one process reads them all, with little memory."""
    paths = []
    for file in sorted((shared_data / "exr/openexr-images/Damaged").iterdir()):
        if file.suffix != ".rst":
            paths.append(str(tmp_path / f"{file.name[:60]}.exr"))
            shutil.copyfile(file, paths[-1])
    done = subprocess.run(
        [sys.executable, "-c", _READ_ALL],
        input="\n".join(paths),
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(_REPOSITORY)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers = dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
    assert len(paths) > 150 and set(answers) == set(paths)
    for path, said in answers.items():
        assert said == "frame" or (path in said and "\n" not in said), said
