"""Read: files as a sequence in the working space, missing frames by choice, keys by content."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import vfxgen
from vfxgen import color
from vfxgen.errors import ColorError, FrameError, MediaError, MissingFrameError, RequestError
from vfxgen.frame import RGB, Attribute, Frame
from vfxgen.media import image
from vfxgen.media.movie_writer import MovieWriter
from vfxgen.operators.read import Read

LINEAR = {"colorInteropID": Attribute("lin_ap1_scene")}


def picture(number: int, channels: str = "RGB", **options: object) -> Frame:
    pixels = np.random.default_rng(number).random((6, 8, len(channels)), dtype=np.float32) * 4 - 0.1
    frame = Frame.from_pixels(pixels, channels, number=number, colorspace="", type="half", attributes=LINEAR)
    return replace(frame, **options)  # type: ignore[arg-type]


def plate(folder: Path, numbers: list[int], name: str = "plate.####.exr", channels: str = "RGB") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    pattern = str(folder / name)
    for number in numbers:
        path = pattern.replace("####", f"{number:04d}")
        image.write_image(picture(number, channels), path, format=image.extension(path))
    return pattern


def movie(path: Path, length: int = 5) -> str:
    with MovieWriter(str(path), format="mov", codec="prores", fps=Fraction(24)) as writer:
        for index in range(length):
            writer.write(np.full((32, 32, 3), 0.1 + 0.1 * index, np.float32))
    return str(path)


def test_a_plate_in_the_working_space_is_read_as_it_lies_in_its_files(tmp_path: Path) -> None:
    read = vfxgen.read(plate(tmp_path, [1001, 1002]), colorspace="ACEScg")
    assert read.range == [1001, 1002]
    frame = read[1002]
    assert frame.number == 1002 and frame.colorspace == "ACEScg" and frame.origin is None
    assert frame.planes["R"].dtype == np.float16
    assert np.array_equal(frame.rgb, picture(1002).rgb.astype(np.float16))


def test_colour_comes_to_the_working_space_and_the_file_values_stay_beside_it(tmp_path: Path) -> None:
    frame = vfxgen.read(plate(tmp_path, [1]), colorspace="lin_rec709_scene")[1]
    native = picture(1).rgb.astype(np.float16).astype(np.float32)
    assert np.array_equal(frame.rgb, color.convert(native, "lin_rec709_scene", "ACEScg"))
    assert frame.origin is not None and frame.origin.colorspace == color.resolve("lin_rec709_scene")
    assert np.array_equal(np.stack([frame.origin.native[c] for c in RGB], -1), native)
    other = vfxgen.read(plate(tmp_path, [1]), colorspace="lin_rec709_scene", working_space="ACES2065-1")[1]
    assert other.colorspace == "ACES2065-1" and not np.array_equal(other.rgb, frame.rgb)


def test_the_space_is_the_one_given_else_the_header_s_else_the_file_rules(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = plate(tmp_path, [1, 2])
    assert vfxgen.read(path)[1].origin is None  # the header says ACEScg
    assert vfxgen.read(path, colorspace="ACES2065-1")[1].origin is not None
    assert caplog.text == ""
    bare = str(tmp_path / "bare.####.dpx")
    for number in (1, 2):
        silent = picture(number, attributes={})
        image.write_image(silent, bare.replace("####", f"{number:04d}"), format="dpx")
    guessed = vfxgen.read(bare)
    assert guessed[1].origin is not None and guessed[2].origin is not None
    assert guessed[1].origin.colorspace == color.file_rule_space(bare)
    assert caplog.text.count("do not say their colour space") == 1


def test_other_channels_and_the_header_pass_as_they_are(tmp_path: Path) -> None:
    frame = picture(1).with_pixels(["depth.Z"], np.full((6, 8, 1), 12345.678, np.float32), type="float")
    frame = replace(frame, attributes={**LINEAR, "reelName": Attribute("A001"), "iso": Attribute(800, "int")})
    image.write_image(frame, str(tmp_path / "a.exr"), format="exr")
    read = vfxgen.read(str(tmp_path / "a.exr"), colorspace="lin_rec709_scene")[7]
    assert read.planes["depth.Z"].tobytes() == frame.planes["depth.Z"].tobytes()
    assert read.attributes["reelName"].value == "A001" and read.attributes["iso"].value == 800


def test_a_matte_without_colour_is_not_converted(tmp_path: Path) -> None:
    image.write_image(picture(1, "A"), str(tmp_path / "matte.exr"), format="exr")
    frame = vfxgen.read(str(tmp_path / "matte.exr"), colorspace="ACEScct")[1]
    assert np.array_equal(frame.alpha[..., 0], picture(1, "A").planes["A"].astype(np.float16))


def test_data_is_not_converted(tmp_path: Path) -> None:
    frame = vfxgen.read(plate(tmp_path, [1]), colorspace="Raw")[1]
    assert np.array_equal(frame.rgb, picture(1).rgb.astype(np.float16))


@pytest.mark.parametrize(("type", "format"), [("uint10", "dpx"), ("half", "exr"), ("float", "exr")])
@pytest.mark.parametrize("space", ["ARRI LogC4", "ACEScct", "sRGB - Display"])
def test_code_that_is_larger_than_its_alpha_is_finite_light(tmp_path: Path, type: str, format: str, space: str) -> None:
    codes = np.tile(np.array([0.3, 0.7, 1.0], np.float32), (1, 5, 1))
    alpha = np.array([1, 3, 100, 700, 1023], np.float32).reshape(1, 5, 1) / 1023
    path = str(tmp_path / f"a.{format}")
    picture = Frame.from_pixels(np.concatenate([codes, alpha], axis=-1), "RGBA", colorspace="", type=type)
    image.write_image(picture, path, format=format)
    plate = vfxgen.read(path, colorspace=space)
    assert np.isfinite(plate[1].rgb).all()
    if format == "dpx":
        brightest = color.convert(np.ones((1, 1, 3), np.float32), space, "ACEScg") * plate[1].alpha
        assert np.allclose(plate[1].rgb[:, :3], brightest[:, :3], rtol=1e-3)
    vfxgen.write(plate, tmp_path / f"o.{format}", frames="1", colorspace=space)
    before, after = (image.read_image(str(tmp_path / f"{name}.{format}"), 1) for name in "ao")
    assert all(np.array_equal(before.planes[name], after.planes[name]) for name in "RGBA")


def test_straight_alpha_is_premultiplied_after_the_colour_became_light(tmp_path: Path) -> None:
    pixels = np.array([[[0.5, 0.25, 1.0, 0.5], [0.5, 0.25, 1.0, 0.0]]], np.float32)
    straight = Frame.from_pixels(pixels, "RGBA", colorspace="", type="uint16")
    image.write_image(straight, str(tmp_path / "a.png"), format="png")
    frame = vfxgen.read(str(tmp_path / "a.png"))[1]
    stored = image.read_image(str(tmp_path / "a.png"), 1)
    light = color.convert(stored.rgb, "srgb_rec709_scene", "ACEScg") * stored.alpha
    assert np.array_equal(frame.rgb, light) and not frame.rgb[0, 1].any()
    assert frame.origin is not None and frame.origin.straight


@pytest.mark.parametrize("type", ["uint8", "uint16"])
def test_straight_data_is_premultiplied_too_and_comes_back_bit_for_bit(tmp_path: Path, type: str) -> None:
    pixels = np.random.default_rng(1).random((16, 16, 4), np.float32)
    pixels[:4, :, 3] = 0
    straight = Frame.from_pixels(pixels, "RGBA", colorspace="", type=type)
    image.write_image(straight, str(tmp_path / "a.png"), format="png")
    source, stored = (
        vfxgen.read(str(tmp_path / "a.png"), colorspace="Raw"),
        image.read_image(str(tmp_path / "a.png"), 1),
    )
    assert np.array_equal(source[1].rgb, stored.rgb * stored.alpha)
    vfxgen.write(source, str(tmp_path / "b.png"), frames="1")
    assert np.array_equal(image.read_image(str(tmp_path / "b.png"), 1).pixels(*"RGBA"), stored.pixels(*"RGBA"))


def test_a_still_is_the_same_for_every_frame(tmp_path: Path) -> None:
    image.write_image(picture(1), str(tmp_path / "still.exr"), format="exr")
    read = vfxgen.read(str(tmp_path / "still.exr"))
    assert read.range is None
    assert [read[n].number for n in (1, -5, 9999)] == [1, -5, 9999]
    assert np.array_equal(read[1].rgb, read[9999].rgb) and read.key(1) == read.key(9999)


def test_a_missing_frame_stops_and_says_what_there_is(tmp_path: Path) -> None:
    read = vfxgen.read(plate(tmp_path, [1001, 1002, 1003, 1010]))
    with pytest.raises(MissingFrameError) as caught:
        read[1005]
    said = str(caught.value)
    assert str(tmp_path / "plate.1005.exr") in said and "there are 1001-1003,1010" in said and "hold" in said
    assert read[1003].number == 1003


@pytest.mark.parametrize(
    ("missing", "asked", "taken"),
    [
        ("hold", 1005, 1002),
        ("hold", 2000, 1010),
        ("nearest", 1005, 1002),
        ("nearest", 1007, 1010),
        ("nearest", 1006, 1002),
        ("nearest", -50, 1001),
        ("nearest", 5000, 1010),
    ],
)
def test_a_missing_frame_is_another_one_where_asked(tmp_path: Path, missing: str, asked: int, taken: int) -> None:
    read = vfxgen.read(plate(tmp_path, [1001, 1002, 1010]), missing=missing)
    frame = read[asked]
    assert frame.number == asked and np.array_equal(frame.rgb, read[taken].rgb)
    assert read.key(asked) == read.key(taken)


@pytest.mark.parametrize("missing", ["hold", "nearest", "black"])
@pytest.mark.parametrize(
    ("rate", "made"),
    [({}, [None, None]), ({"FramesPerSecond": Attribute((24, 1), "rational")}, [0x01000022, 0x01000100])],
)
def test_a_missing_frame_has_its_own_time_code_or_none(
    tmp_path: Path, missing: str, rate: dict[str, Attribute], made: list[int | None]
) -> None:
    for number, code in ((1001, 0x01000021), (1003, 0x01000023)):
        header = {"smpte:TimeCode": Attribute((code, 0), "timecode"), **rate}
        frame = replace(picture(number), attributes=header)
        image.write_image(frame, str(tmp_path / f"plate.{number}.exr"), format="exr")
    read = vfxgen.read(tmp_path / "plate.####.exr", missing=missing)
    found = [read[number].attributes.get("smpte:TimeCode") for number in range(1001, 1005)]
    assert [code and code.value[0] for code in found] == [0x01000021, made[0], 0x01000023, made[1]]


def test_a_gap_is_within_the_range_but_not_present(tmp_path: Path) -> None:
    read = vfxgen.read(plate(tmp_path, [1001, 1003]))
    assert read.range == [1001, 1002, 1003]
    assert read.present == vfxgen.Grade(read).present == [1001, 1003]
    assert vfxgen.read(plate(tmp_path, [1], "still.exr")).present is None


def test_a_missing_frame_is_black_where_asked(tmp_path: Path) -> None:
    read = vfxgen.read(plate(tmp_path, [1001, 1003], channels="RGBA"), missing="black")
    black = read[1002]
    assert black.number == 1002 and black.channels == read[1001].channels and black.types == read[1001].types
    assert not any(plane.any() for plane in black.planes.values()) and "black" in black.source
    assert read.key(1002) not in (read.key(1001), read.key(1003))
    assert read[1003].rgb.any()


@pytest.mark.parametrize("missing", ["error", "hold", "nearest", "black"])
def test_no_frame_at_all_is_an_error_whatever_was_chosen(tmp_path: Path, missing: str) -> None:
    read = vfxgen.read(str(tmp_path / "plate.####.exr"), missing=missing)
    assert read.range == []
    with pytest.raises(MissingFrameError, match=r"plate\.####\.exr: no file matches"):
        read[1001]
    with pytest.raises(MediaError, match="the folder cannot be listed"):
        vfxgen.read(str(tmp_path / "nowhere" / "plate.####.exr"), missing=missing)[1001]


def test_a_damaged_frame_is_an_error_whatever_was_chosen(tmp_path: Path) -> None:
    path = plate(tmp_path, [1001, 1002])
    (tmp_path / "plate.1002.exr").write_bytes(b"")
    with pytest.raises(MediaError, match=r"plate\.1002\.exr: is empty"):
        vfxgen.read(path, missing="hold")[1002]


def test_a_damaged_first_frame_fails_alone(tmp_path: Path) -> None:
    path = plate(tmp_path, [1001, 1002, 1003])
    (tmp_path / "plate.1001.exr").write_bytes(b"cut off")
    source = vfxgen.read(path)
    assert np.array_equal(source[1003].rgb, picture(1003).rgb.astype(np.float16))
    with pytest.raises(MediaError, match=r"plate\.1001\.exr"):
        source[1001]


def test_files_that_appear_are_seen_after_a_reset(tmp_path: Path) -> None:
    read = vfxgen.read(plate(tmp_path, [1001]))
    assert read.range == [1001]
    plate(tmp_path, [1002])
    read.reset()
    assert read.range == [1001, 1002] and read[1002].number == 1002


def test_a_movie_is_a_sequence_from_its_first_frame_on(tmp_path: Path) -> None:
    read = vfxgen.read(movie(tmp_path / "clip.mov"), first=1001, colorspace="ACEScg")
    assert read.range == [1001, 1002, 1003, 1004, 1005]
    assert [round(float(read[n].rgb.mean()), 1) for n in (1005, 1001, 1003)] == [0.5, 0.1, 0.3]
    assert read[1004].number == 1004 and read[1004].attributes["FramesPerSecond"].value == (24, 1)
    with pytest.raises(MissingFrameError, match=r"clip\.mov: frame 1006 does not exist; there are 1001-1005"):
        read[1006]
    held = vfxgen.read(movie(tmp_path / "clip.mov"), first=1001, missing="hold", colorspace="ACEScg")
    assert np.array_equal(held[1200].rgb, read[1005].rgb) and held[1200].number == 1200


def test_frames_of_a_movie_have_keys_of_their_own(tmp_path: Path) -> None:
    read = vfxgen.read(movie(tmp_path / "clip.mov"))
    assert len({read.key(n) for n in range(1, 6)}) == 5
    before = read.key(2)
    movie(tmp_path / "clip.mov", 4)
    read.reset()
    assert read.key(2) != before and read.range == [1, 2, 3, 4]


def test_a_key_follows_the_content_not_the_time_or_the_name(tmp_path: Path) -> None:
    path = plate(tmp_path / "a", [1001, 1002])
    before = vfxgen.read(path).key(1001)
    os.utime(tmp_path / "a/plate.1001.exr", (1, 1))
    assert vfxgen.read(path).key(1001) == before
    (tmp_path / "a").rename(tmp_path / "b")
    assert vfxgen.read(str(tmp_path / "b/plate.####.exr")).key(1001) == before
    (tmp_path / "b/plate.1001.exr").rename(tmp_path / "b/other.0007.exr")
    assert vfxgen.read(str(tmp_path / "b/other.####.exr")).key(7) == before
    image.write_image(picture(3), str(tmp_path / "b/other.0007.exr"), format="exr")
    assert vfxgen.read(str(tmp_path / "b/other.####.exr")).key(7) != before


def test_a_key_follows_what_changes_the_pixels(tmp_path: Path) -> None:
    path = plate(tmp_path, [1001])
    keys = [
        vfxgen.read(path).key(1001),
        vfxgen.read(path, colorspace="ACEScct").key(1001),
        vfxgen.read(path, working_space="lin_rec709_scene").key(1001),
        vfxgen.read(path, view="left").key(1001),
        vfxgen.read(path, part="1").key(1001),
    ]
    assert len(set(keys)) == len(keys)
    assert vfxgen.read(path, missing="hold").key(1001) == keys[0]


def test_another_configuration_is_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plate(tmp_path, [1001])
    before = vfxgen.read(path).key(1001)
    monkeypatch.setenv("OCIO", "ocio://cg-config-v2.2.0_aces-v1.3_ocio-v2.4")
    assert vfxgen.read(path).key(1001) != before


def test_parts_and_views_are_chosen_by_name(shared_data: Path) -> None:
    beachball = shared_data / "exr/openexr-images/Beachball"
    depth = vfxgen.read(str(beachball / "multipart.0001.exr"), part="depth_left")[1]
    assert depth.channels == ("Z",)
    single = str(beachball / "singlepart.####.exr")
    left, right = (vfxgen.read(single, view=view, colorspace="ACEScg")[1] for view in ("left", "right"))
    assert np.array_equal(left.rgb, right.pixels("left.R", "left.G", "left.B"))


def test_wrong_requests_are_refused_before_a_file_is_touched() -> None:
    with pytest.raises(ColorError, match="colour space 'nope'"):
        vfxgen.read("a.####.exr", colorspace="nope")
    with pytest.raises(ColorError):
        vfxgen.read("a.####.exr", working_space="nope")
    with pytest.raises(RequestError, match=r"read\.missing = 'skip': must be error \| hold \| nearest \| black"):
        vfxgen.read("a.####.exr", missing="skip")
    with pytest.raises(RequestError, match="has no parameter 'colourspace'"):
        vfxgen.read("a.####.exr", colourspace="ACEScg")
    with pytest.raises(RequestError, match="an empty path"):
        vfxgen.read("")
    with pytest.raises(RequestError, match="must be a file name or a pattern, not int"):
        vfxgen.read(1)  # type: ignore[arg-type]
    assert isinstance(vfxgen.read(Path("a.####.exr")), Read)


def test_a_channel_that_is_asked_for_and_missing_names_the_file(tmp_path: Path) -> None:
    frame = vfxgen.read(plate(tmp_path, [1001]))[1001]
    with pytest.raises(FrameError, match=r"frame 1001 of .*plate\.1001\.exr has no channel A"):
        frame.require("A")


def test_nothing_is_held_before_the_first_frame(tmp_path: Path) -> None:
    read = vfxgen.read(plate(tmp_path, [1001, 1002]), missing="hold")
    with pytest.raises(MissingFrameError, match="frame 1 does not exist"):
        read[1]


def test_the_range_of_a_sequence_holds_its_gaps(tmp_path: Path) -> None:
    assert vfxgen.read(plate(tmp_path, [1001, 1002, 1005])).range == [1001, 1002, 1003, 1004, 1005]


def test_a_plate_whose_colour_is_in_a_layer_says_so_and_is_read_by_it(tmp_path: Path) -> None:
    path = str(tmp_path / "a.exr")
    named = {"R": "beauty.R", "G": "beauty.G", "B": "beauty.B"}
    frame = picture(1)
    planes = {named.get(name, name): plane for name, plane in frame.planes.items()}
    types = {named.get(name, name): type for name, type in frame.types.items()}
    image.write_image(replace(frame, planes=planes, types=types), path, format="exr")
    with pytest.raises(
        FrameError, match=r"no channel R G B; it has beauty\.R .*\. Read a layer of it: layer = beauty$"
    ):
        vfxgen.Grade(vfxgen.read(path))[1]
    with pytest.raises(FrameError, match=r"used as a matte, .* layer = beauty$"):
        vfxgen.read(path)[1].matte  # noqa: B018
    with pytest.raises(MediaError, match=r"a\.exr: has no layer 'diffuse'; it has beauty"):
        vfxgen.read(path, layer="diffuse")[1]
    read = vfxgen.read(path, layer="beauty", colorspace="lin_rec709_scene")
    assert np.array_equal(read[1].rgb, color.convert(picture(1).rgb.astype(np.float16), "lin_rec709_scene", "ACEScg"))
    assert read.key(1) != vfxgen.read(path, colorspace="lin_rec709_scene").key(1)


def test_a_grey_plate_says_how_to_make_it_colour(tmp_path: Path) -> None:
    grey = Frame.from_pixels(np.full((4, 4, 1), 0.5, np.float32), "Y", colorspace="")
    image.write_image(grey, str(tmp_path / "a.exr"), format="exr")
    with pytest.raises(FrameError, match=r"it has Y\. It is grey: make it R G B first \(oiiotool"):
        vfxgen.Grade(vfxgen.read(tmp_path / "a.exr"))[1]
