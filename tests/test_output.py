"""Outputs: colour spaces, types, channels and what the header says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from footage import Placed, write_plate
from small_nets import built

import vfxgen
from vfxgen import graph
from vfxgen.errors import FrameError, RequestError
from vfxgen.frame import Attribute, Frame
from vfxgen.media.image import read_header, read_image, write_image
from vfxgen.output import Output, output_of
from vfxgen.provenance import published_key
from vfxgen.testing import Pictures, constant
from vfxgen.zoo.card import dumps


def published(tmp_path: Path, sequence: vfxgen.Sequence, name: str, **fields: Any) -> Frame:
    vfxgen.write(sequence, tmp_path / name, frames="1", **fields)
    return read_image(str(tmp_path / name), 1)


class TestColour:
    def test_exr_keeps_the_plates_scene_linear_space(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1])
        after = published(tmp_path, vfxgen.Grade(vfxgen.read(plate), slope=2.0), "o.exr")
        before = read_image(str(tmp_path / "plate.0001.exr"), 1)
        assert after.attributes["colorInteropID"].value == "lin_rec709_scene"
        # A grade by one factor is the same in any linear space.
        np.testing.assert_allclose(after.pixels(*"RGB"), before.pixels(*"RGB") * 2, rtol=2e-3, atol=1e-4)

    def test_an_encoded_plate_becomes_the_working_space_in_exr(self, tmp_path: Path) -> None:
        grey = Frame.from_pixels(np.full((4, 4, 3), 0.5, np.float32), "RGB", colorspace="", type="uint8")
        write_image(grey, str(tmp_path / "g.png"), format="png")
        after = published(tmp_path, vfxgen.Grade(vfxgen.read(tmp_path / "g.png"), slope=2.0), "o.exr")
        assert after.attributes["colorInteropID"].value == "lin_ap1_scene"
        code = round(0.5 * 255) / 255
        assert after.pixels("G").mean() == pytest.approx(2 * ((code + 0.055) / 1.055) ** 2.4, rel=1e-3)
        assert set(after.types.values()) == {"half"}

    def test_png_of_scene_linear_light_is_encoded_for_display(self, tmp_path: Path) -> None:
        after = published(tmp_path, constant([0.18, 0.18, 0.18]), "o.png")
        assert after.pixels("G").mean() == pytest.approx(1.055 * 0.18 ** (1 / 2.4) - 0.055, abs=1e-3)

    def test_a_space_can_be_asked_for(self, tmp_path: Path) -> None:
        after = published(tmp_path, constant([0.18, 0.18, 0.18]), "o.exr", colorspace="ACEScct")
        assert after.pixels("G").mean() == pytest.approx(0.4135, abs=1e-3)

    def test_layers_an_operator_wrote_are_converted_and_others_are_not(self, tmp_path: Path) -> None:
        frame = constant([0.2, 0.5, 0.1])[1]
        written = frame.with_pixels(["fg.R", "fg.G", "fg.B"], frame.rgb)
        out = Output(path="o.exr", colorspace="lin_rec709_scene").prepared(written)
        np.testing.assert_array_equal(out.pixels("fg.R", "fg.G", "fg.B"), out.rgb)
        assert not np.array_equal(out.rgb, frame.rgb)

    def test_chromaticities_that_no_longer_hold_go(self, tmp_path: Path) -> None:
        xy = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
        plate = constant([0.2, 0.5, 0.1])[1]
        tagged = Frame.from_pixels(
            plate.rgb, "RGB", colorspace="", type="half", attributes={"chromaticities": Attribute(xy, "float[8]")}
        )
        write_image(tagged, str(tmp_path / "p.exr"), format="exr")
        graded = vfxgen.Grade(vfxgen.read(tmp_path / "p.exr"), slope=1.1)
        assert "chromaticities" in published(tmp_path, graded, "same.exr").attributes
        assert "chromaticities" not in published(tmp_path, graded, "other.exr", colorspace="ACEScg").attributes

    @pytest.mark.parametrize("extension", ["jpg", "tif"])
    def test_an_icc_profile_stays_until_the_space_changes(self, tmp_path: Path, extension: str) -> None:
        profile = np.zeros(132, np.uint8)
        profile[3], profile[36:40] = profile.size, [*b"acsp"]
        frame = replace(constant([0.5, 0.5, 0.5])[1], attributes={"ICCProfile": Attribute(profile, "uint8[132]")})
        write_image(frame, str(tmp_path / f"p.{extension}"), format=extension)
        plate = vfxgen.read(tmp_path / f"p.{extension}")
        assert "ICCProfile" in published(tmp_path, plate, f"same.{extension}").attributes
        spaces = {"colorspace": "lin_rec709_scene"}, {"view": "Un-tone-mapped"}
        for fields in spaces:
            after = published(tmp_path, plate, f"other.{extension}", **fields)
            assert not [name for name in after.attributes if name.startswith("ICCProfile")]
        assert "ICCProfile" not in published(tmp_path, plate, "o.exr").attributes

    def test_a_dpx_transfer_stays_until_the_space_changes(self, tmp_path: Path) -> None:
        frame = Frame.from_pixels(
            np.full((8, 8, 3), 0.5, np.float32),
            "RGB",
            colorspace="",
            type="uint10",
            attributes={"dpx:Transfer": Attribute("Logarithmic")},
        )
        write_image(frame, str(tmp_path / "p.dpx"), format="dpx")
        plate = vfxgen.read(tmp_path / "p.dpx", colorspace="ARRI LogC4")
        assert published(tmp_path, plate, "same.dpx").attributes["dpx:Transfer"].value == "Logarithmic"
        other = published(tmp_path, plate, "other.dpx", colorspace="lin_rec709_scene")
        assert other.attributes["dpx:Transfer"].value != "Logarithmic"

    @pytest.mark.parametrize("channels", ["Y", "A", "depth.Z"])
    def test_a_file_without_colour_says_what_it_said(self, tmp_path: Path, channels: str) -> None:
        xy = Attribute((0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290), "float[8]")
        pixels = np.full((4, 4, 1), 0.5, np.float32)
        plate = Frame.from_pixels(pixels, [channels], colorspace="", attributes={"chromaticities": xy})
        for name, attributes in (("tagged.exr", {"chromaticities": xy}), ("plain.exr", {})):
            write_image(replace(plate, attributes=attributes), str(tmp_path / name), format="exr")
            after = published(tmp_path, vfxgen.read(tmp_path / name), f"o.{name}", colorspace="ARRI LogC4")
            assert ("chromaticities" in after.attributes) == ("chromaticities" in attributes)
            assert not {"colorInteropID", "vfxgen:colorspace"} & set(after.attributes)

    @pytest.mark.parametrize("space", ["ACEScct", "ARRI LogC4", "sRGB - Display"])
    def test_light_over_hardly_any_alpha_is_finite_code_and_comes_back(self, tmp_path: Path, space: str) -> None:
        for alpha, light in ((1e-39, 10.0), (0.01, 1000.0)):
            faint = constant([light, light, light, alpha])[1]
            faint = replace(faint, types=dict.fromkeys(faint.types, "float"))
            vfxgen.write(Placed(faint), tmp_path / "o.exr", frames="1", colorspace=space, force=True)
            assert np.isfinite(read_image(str(tmp_path / "o.exr"), 1).rgb).all()
            back = vfxgen.read(tmp_path / "o.exr")[1].rgb
            assert np.isfinite(back).all()
            assert alpha < 0.01 or np.allclose(back, faint.rgb, rtol=1e-3)

    def test_straight_alpha_formats_get_unpremultiplied_colour(self, tmp_path: Path) -> None:
        after = published(tmp_path, constant([0.09, 0.09, 0.09, 0.5]), "o.png")
        assert after.pixels("G").mean() == pytest.approx(1.055 * 0.18 ** (1 / 2.4) - 0.055, abs=1e-3)
        assert after.pixels("A").mean() == pytest.approx(0.5, abs=1e-3)

    @pytest.mark.parametrize(
        ("name", "fields"),
        [("o.jpg", {}), ("o.png", {"channels": "RGB"}), ("o.tif", {"channels": "RGB"}), ("o.dpx", {"channels": "RGB"})],
    )
    @pytest.mark.parametrize("alpha", [0.0, 0.1])
    def test_a_file_without_alpha_holds_what_is_seen_over_black(
        self, tmp_path: Path, name: str, fields: dict[str, str], alpha: float
    ) -> None:
        glow = published(tmp_path, constant([0.5, 0.4, 0.3, alpha]), name, colorspace="ARRI LogC4", **fields)
        opaque = published(tmp_path, constant([0.5, 0.4, 0.3]), f"opaque.{name}", colorspace="ARRI LogC4")
        np.testing.assert_array_equal(glow.rgb, opaque.rgb)

    @pytest.mark.parametrize(
        ("name", "fields", "keeps_it"),
        [
            ("o.exr", {}, True),
            ("o.jpg", {}, True),
            ("o.exr", {"colorspace": "ARRI LogC4"}, False),
            ("o.exr", {"view": "Un-tone-mapped"}, False),
            ("o.dpx", {"colorspace": "ARRI LogC4"}, False),
            ("o.png", {}, False),
        ],
    )
    def test_a_glow_that_a_file_has_no_place_for_is_said(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, fields: dict[str, str], keeps_it: bool
    ) -> None:
        published(tmp_path, constant([0.0, 0.0, 0.0, 0.0]), name, **fields)
        assert "glow" not in caplog.text
        published(tmp_path, constant([0.5, 0.4, 0.3, 0.0]), name, **fields)
        assert ("light where A is 0 (a glow) is not seen" in caplog.text) != keeps_it

    @pytest.mark.parametrize("space", [{}, {"view": "Un-tone-mapped"}, {"colorspace": "ARRI LogC4"}])
    @pytest.mark.parametrize("alpha", [0.0, 0.1])
    def test_a_movie_without_alpha_shows_what_is_seen_over_black(self, space: dict[str, Any], alpha: float) -> None:
        output = Output(path="m.mov", **space)
        glow = output.displayed(constant([0.5, 0.4, 0.3, alpha])[1])
        np.testing.assert_array_equal(glow, output.displayed(constant([0.5, 0.4, 0.3])[1]))

    @pytest.mark.parametrize("type", ["uint8", "uint16"])
    def test_a_straight_plate_under_an_empty_foreground_is_the_file_it_was(self, tmp_path: Path, type: str) -> None:
        pixels = np.random.default_rng(1).random((16, 16, 4), np.float32)
        pixels[:4, :, 3] = 0
        write_image(Frame.from_pixels(pixels, "RGBA", colorspace="", type=type), str(tmp_path / "p.png"), format="png")
        plate = vfxgen.read(tmp_path / "p.png")
        empty = np.zeros((16, 16, 4), np.float32)
        empty[12:, 12:] = (0.2, 0.1, 0.1, 0.5)
        after = published(tmp_path, vfxgen.Merge(plate, Pictures(empty, "RGBA")), "o.png").pixels(*"RGBA")
        before = read_image(str(tmp_path / "p.png"), 1).pixels(*"RGBA")
        kept = ~empty.any(axis=-1)
        assert np.array_equal(after[kept], before[kept]) and not np.array_equal(after[~kept], before[~kept])

    def test_another_alpha_is_another_colour_in_a_file_of_premultiplied_code(self, tmp_path: Path) -> None:
        path, written = str(tmp_path / "p.dpx"), str(tmp_path / "o.dpx")
        code = np.full((8, 8, 4), (0.4, 0.4, 0.4, 0.8), np.float32)
        write_image(Frame.from_pixels(code, "RGBA", colorspace="", type="uint16"), path, format="dpx")
        plate = vfxgen.read(path, colorspace="ARRI LogC4")[1]
        thinner = plate.with_pixels(("A",), plate.alpha * np.float32(0.5))
        write_image(Output(path=written, colorspace="ARRI LogC4").prepared(thinner), written, format="dpx")
        back = vfxgen.read(written, colorspace="ARRI LogC4")[1]
        np.testing.assert_allclose(back.rgb, plate.rgb, rtol=0.01)


class TestTypesAndChannels:
    @pytest.mark.parametrize("type", ["half", "float"])
    def test_the_plates_type_is_kept(self, tmp_path: Path, type: str) -> None:
        plate = write_plate(tmp_path, [1], type=type)
        after = published(tmp_path, vfxgen.Grade(vfxgen.read(plate), slope=2.0), "o.exr")
        assert after.types == {"R": type, "G": type, "B": type, "depth.Z": "float", "id": "uint32"}

    def test_another_type_can_be_asked_for(self, tmp_path: Path) -> None:
        after = published(tmp_path, constant([0.1, 0.2, 0.3]), "o.exr", type="half")
        assert set(after.types.values()) == {"half"}

    @pytest.mark.parametrize(("text", "names"), [("RGB", "R G B"), ("B,G,R", "B G R"), ("R,depth.Z", "R depth.Z")])
    def test_channels_and_their_order(self, tmp_path: Path, text: str, names: str) -> None:
        after = published(tmp_path, vfxgen.read(write_plate(tmp_path, [1])), "o.exr", channels=text)
        assert set(after.channels) == set(names.split())

    def test_a_channel_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(FrameError, match=r"channels R,A: .*has no channel A; it has R G B .*depth\.Z"):
            published(tmp_path, vfxgen.read(write_plate(tmp_path, [1])), "o.exr", channels="R,A")

    @pytest.mark.parametrize("compression", ["none", "zips", "zip", "piz", "dwaa:45", "dwab"])
    def test_compression(self, tmp_path: Path, compression: str) -> None:
        after = published(tmp_path, constant([0.1, 0.2, 0.3]), "o.exr", compression=compression)
        assert after.attributes["compression"].value.split(":")[0] == compression.split(":")[0]


class TestProvenance:
    def test_the_recipe_in_the_header_makes_the_same_key(self, tmp_path: Path) -> None:
        graded = vfxgen.Grade(vfxgen.read(write_plate(tmp_path, [1])), slope=2.0)
        published(tmp_path, graded, "o.exr")
        attributes = read_header(str(tmp_path / "o.exr"))[0].attributes
        nodes = json.loads(str(attributes["vfxgen:recipe"].value))["nodes"]
        again = graph.build(nodes, "", "header")["grade"]
        assert Output(path="o.exr").key(again.key(1)) == published_key(str(tmp_path / "o.exr"))
        assert "digitalsourcetype" in str(attributes["Iptc4xmpExt:DigitalSourceType"].value)
        assert attributes["vfxgen:version"].value == vfxgen.__version__

    def test_nets_that_touched_a_file_before_stay_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VFXGEN_NETS", str(tmp_path))
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            card = built(tmp_path / name, scale=2, channels=4, blocks=1).card
            (tmp_path / name / "card.toml").write_text(dumps(card.model_copy(update={"name": name})))
        first = published(tmp_path, vfxgen.Upscale(constant([0.2, 0.4, 0.1]), net="first"), "first.exr")
        assert set(json.loads(first.attributes["vfxgen:nets"].value)) == {"first"}
        over = vfxgen.Merge(constant([0.1, 0.1, 0.1], (8, 12)), vfxgen.read(tmp_path / "first.exr"))
        second = published(tmp_path, vfxgen.Upscale(over, net="second"), "second.exr")
        assert set(json.loads(second.attributes["vfxgen:nets"].value)) == {"first", "second"}
        graded = published(tmp_path, vfxgen.Grade(vfxgen.read(tmp_path / "second.exr"), slope=0.5), "graded.exr")
        for name in ("vfxgen:nets", "Iptc4xmpExt:DigitalSourceType"):
            assert graded.attributes[name] == second.attributes[name]

    def test_two_nets_of_one_name_are_both_named_before_in_the_graph_and_after(self, tmp_path: Path) -> None:
        nets = []
        for seed in (0, 1):
            folder = tmp_path / str(seed) / "small"
            folder.mkdir(parents=True)
            nets.append(built(folder, seed=seed, scale=2, channels=4, blocks=1))
        first, second = (str(net.folder) for net in nets)
        once = vfxgen.Upscale(constant([0.2, 0.4, 0.1]), net=first)
        published(tmp_path, once, "once.exr")
        over = vfxgen.Upscale(vfxgen.read(tmp_path / "once.exr"), net=second)
        files = [
            published(tmp_path, over, "over.exr"),
            published(tmp_path, vfxgen.Upscale(once, net=second), "both.exr"),
            published(tmp_path, vfxgen.Grade(vfxgen.read(tmp_path / "over.exr")), "graded.exr"),
        ]
        hashes = [net.card.weights.sha256 for net in nets]
        for file in files:
            listed = json.loads(file.attributes["vfxgen:nets"].value)
            assert {name: net["sha256"] for name, net in listed.items()} == {f"small {h[:12]}": h for h in hashes}

    @pytest.mark.parametrize(
        ("sources", "becomes"),
        [
            (["", ""], "compositeCapture"),
            (["digitalCapture", "negativeFilm"], "compositeCapture"),
            (["digitalCapture", "virtualRecording"], "compositeSynthetic"),
            (["compositeSynthetic", "compositeWithTrainedAlgorithmicMedia"], "compositeWithTrainedAlgorithmicMedia"),
            (["", "trainedAlgorithmicMedia"], "compositeWithTrainedAlgorithmicMedia"),
            (["trainedAlgorithmicMedia", "trainedAlgorithmicMedia"], "trainedAlgorithmicMedia"),
        ],
    )
    def test_the_digital_source_type_hides_nothing_that_the_sources_say(
        self, tmp_path: Path, sources: list[str], becomes: str
    ) -> None:
        name, vocabulary = "Iptc4xmpExt:DigitalSourceType", "http://cv.iptc.org/newscodes/digitalsourcetype/"
        for number, source in enumerate(sources):
            said = {name: Attribute(vocabulary + source)} if source else {}
            frame = replace(constant([0.2, 0.4, 0.1])[1], attributes=said)
            write_image(frame, str(tmp_path / f"{number}.exr"), format="exr")
        comp = vfxgen.Merge(*(vfxgen.read(tmp_path / f"{number}.exr") for number in range(2)))
        for file in (
            published(tmp_path, comp, "comp.exr"),
            published(tmp_path, vfxgen.Grade(vfxgen.read(tmp_path / "comp.exr")), "graded.png"),
        ):
            assert file.attributes[name].value == vocabulary + becomes

    @pytest.mark.parametrize("said", ["{", "[]", '{"small": 1}', '{"small": {}}'])
    def test_a_damaged_list_of_nets_is_named(self, tmp_path: Path, said: str) -> None:
        plate = constant([0.1, 0.2, 0.3])[1]
        damaged = replace(plate, attributes={"vfxgen:nets": Attribute(said)})
        write_image(damaged, str(tmp_path / "p.exr"), format="exr")
        with pytest.raises(FrameError, match=r"p\.exr: frame 1: vfxgen:nets in its header is damaged"):
            published(tmp_path, vfxgen.Grade(vfxgen.read(tmp_path / "p.exr")), "o.exr")

    def test_a_plate_is_not_taken_for_a_published_frame(self, tmp_path: Path) -> None:
        write_plate(tmp_path, [1])
        assert published_key(str(tmp_path / "plate.0001.exr")) is None


FORMATS = {"png": "srgb_rec709_scene", "tif": "srgb_rec709_scene", "dpx": "ARRI LogC4", "exr": "lin_rec709_scene"}


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize(
    "operator",
    [
        lambda plate: vfxgen.Grade(plate, slope=1.0001),
        lambda plate: vfxgen.Resize(plate, width=16, height=12),
        lambda plate: vfxgen.Reformat(plate, format="16x12", resize="distort"),
        lambda plate: vfxgen.Merge(plate, plate),
        lambda plate: vfxgen.Denoise(plate, amount=0.001),
    ],
    ids=["grade", "resize", "reformat", "merge", "denoise"],
)
def test_every_operator_goes_back_to_the_plates_colour_space(
    tmp_path: Path, operator: Callable[[vfxgen.Sequence], vfxgen.Sequence], extension: str
) -> None:
    pixels = np.full((24, 32, 3), 0.5, np.float32)
    frame = Frame.from_pixels(pixels, "RGB", colorspace="", type="half" if extension == "exr" else "uint16")
    write_image(frame, str(tmp_path / f"p.{extension}"), format=extension)
    plate = vfxgen.read(tmp_path / f"p.{extension}", colorspace=FORMATS[extension])
    after = published(tmp_path, operator(plate), f"o.{extension}")
    assert after.pixels("G")[5, 5, 0] == pytest.approx(0.5, abs=2e-3)


def test_a_black_frame_is_scene_black_in_the_plates_space(tmp_path: Path) -> None:
    pixels = np.full((8, 8, 3), 0.5, np.float32)
    for number in (1, 3):
        frame = Frame.from_pixels(pixels, "RGB", colorspace="", type="uint10")
        write_image(frame, str(tmp_path / f"p.{number:04d}.dpx"), format="dpx")
    plate = vfxgen.read(tmp_path / "p.####.dpx", colorspace="ARRI LogC4", missing="black")
    vfxgen.write(plate, tmp_path / "o.####.dpx")
    assert read_image(str(tmp_path / "o.0002.dpx"), 2).pixels("G").mean() == pytest.approx(0.0929, abs=1e-3)


def test_a_view_of_premultiplied_colour_is_unpremultiplied_where_alpha_is_straight(tmp_path: Path) -> None:
    half_covered = constant([0.5, 0.5, 0.5, 0.5])
    after = published(tmp_path, half_covered, "v.png", view="Un-tone-mapped")
    assert after.pixels("G").mean() == pytest.approx(1.0, abs=1e-3)
    movie = Output(path="v.mov", codec="prores4444", view="Un-tone-mapped").displayed(half_covered[1])
    assert movie[0, 0].tolist() == pytest.approx([1.0, 1.0, 1.0, 0.5], abs=1e-3)


def test_raw_stays_raw(tmp_path: Path) -> None:
    frame = Frame.from_pixels(np.full((4, 4, 3), 0.127, np.float32), "RGB", colorspace="", type="uint16")
    write_image(frame, str(tmp_path / "r.tif"), format="tif")
    raw = vfxgen.Grade(vfxgen.read(tmp_path / "r.tif", colorspace="Raw"), slope=2.0)
    for name in ("o.tif", "o.exr"):
        assert published(tmp_path, raw, name).pixels("G").mean() == pytest.approx(0.254, abs=1e-3)


def test_grain_of_another_frame_is_another_recipe() -> None:
    still = constant([0.2, 0.2, 0.2])
    assert vfxgen.Grain(still).key(1) != vfxgen.Grain(still).key(2)
    assert vfxgen.Grade(still).key(1) == vfxgen.Grade(still).key(2)


_CONFIG = """
ocio_profile_version: 2
roles: {scene_linear: Linear, default: Linear}
file_rules:
  - !<Rule> {name: Default, colorspace: default}
displays:
  screen: [!<View> {name: Bright, colorspace: Linear}, !<View> {name: Dark, colorspace: Linear}]
  print: [!<View> {name: Bright, colorspace: Linear}, !<View> {name: Dark, colorspace: Linear}]
colorspaces:
  - !<ColorSpace> {name: Linear, encoding: scene-linear}
"""


def test_another_default_view_or_display_is_another_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Output(path="o.mov"), Output(path="o.####.png", view="Dark")
    plain = Output(path="o.mov", colorspace="Linear"), Output(path="o.####.png")
    keys = []
    active: list[dict[str, str]] = [{}, {"OCIO_ACTIVE_VIEWS": "Dark"}, {"OCIO_ACTIVE_DISPLAYS": "print, screen"}]
    for number, variables in enumerate(active):
        with monkeypatch.context() as environment:
            # A configuration is read once, and these variables with it.
            file = tmp_path / f"{number}.ocio"
            file.write_text(_CONFIG)
            for name, value in {"OCIO": str(file), **variables}.items():
                environment.setenv(name, value)
            keys.append([output.key("") for output in (*shown, *plain)])
    movie, still, *rest = (set(of_one) for of_one in zip(*keys, strict=True))
    assert (len(movie), len(still)) == (3, 2)
    assert all(len(of_one) == 1 for of_one in rest)


def test_a_field_that_is_unknown_or_wrong_is_named_with_what_is_allowed() -> None:
    with pytest.raises(RequestError, match=r"output o\.exr: compresion: unknown field; known: path, channels, type"):
        output_of("o.exr", compresion="zip")
    with pytest.raises(RequestError, match=r"output o\.exr: type = 'int8': must be half \| float \| uint8 \| uint10"):
        output_of("o.exr", type="int8")


@pytest.mark.parametrize("fps", [0, -24, 10**12, "1/1000000000000", "abc", "1/0", [24]])
def test_a_frame_rate_is_one(fps: object) -> None:
    with pytest.raises(RequestError, match=r"fps.*above 0 and at most 1000"):
        output_of("o.mp4", fps=fps)


def test_a_decimal_frame_rate_is_the_number_that_is_written() -> None:
    assert output_of("o.mp4", fps=23.976).fps == Fraction("23.976")
