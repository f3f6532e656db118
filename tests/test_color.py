"""Colour: spaces by name, conversions that come back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfxgen import color
from vfxgen.errors import ColorError
from vfxgen.frame import Attribute, Pixels
from vfxgen.media.movie import EXTENSIONS

REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
AP1 = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)

# A configuration with one space, as a studio might have it.
_STUDIO = """
ocio_profile_version: 2
environment: {}
search_path: ""
roles: {scene_linear: StudioLinear, default: StudioLinear}
file_rules:
  - !<Rule> {name: Default, colorspace: default}
displays:
  screen: [!<View> {name: Raw, colorspace: StudioLinear}]
colorspaces:
  - !<ColorSpace> {name: StudioLinear, encoding: scene-linear}
"""


def ramp(values: list[float]) -> Pixels:
    return np.array(values, np.float32).reshape(1, -1, 3)


@pytest.mark.parametrize("space", ["lin_rec709_scene", "ACEScct", "sRGB Encoded Rec.709 (sRGB)", "ACES2065-1"])
@given(values=st.lists(st.floats(0.0, 100.0, width=32), min_size=3, max_size=3))
def test_a_colour_comes_back_from_another_space(space: str, values: list[float]) -> None:
    rgb = ramp(values)
    back = color.convert(color.convert(rgb, "ACEScg", space), space, "ACEScg")
    assert np.allclose(back, rgb, rtol=1e-4, atol=1e-4 * max(values) + 1e-5)


def test_negative_and_very_bright_light_pass_between_linear_spaces() -> None:
    rgb = ramp([-0.1, -0.02, 0.0, 20000.0, 65504.0, 1.0])
    back = color.convert(color.convert(rgb, "ACEScg", "lin_rec709_scene"), "lin_rec709_scene", "ACEScg")
    assert np.allclose(back, rgb, rtol=1e-5, atol=0.02)


def test_a_space_to_itself_is_the_same_array() -> None:
    rgb = ramp([1, 2, 3])
    assert color.convert(rgb, "ACEScg", "lin_ap1_scene") is rgb
    assert color.convert(rgb, "scene_linear", "ACEScg") is rgb


def test_nan_and_infinity_stay_in_their_channel_and_their_pixel() -> None:
    rgb = ramp([0.5, np.nan, 0.25, np.inf, 0.5, -np.inf, 0.1, 0.2, 0.3])
    out = color.convert(rgb, "ACEScg", "lin_rec709_scene")
    assert np.array_equal(np.isnan(out), np.isnan(rgb))
    assert np.array_equal(np.isposinf(out), np.isposinf(rgb)) and np.array_equal(np.isneginf(out), np.isneginf(rgb))
    alone = color.convert(ramp([0.1, 0.2, 0.3]), "ACEScg", "lin_rec709_scene")
    assert np.array_equal(out[:, 2:], alone)


def test_what_comes_in_is_not_changed() -> None:
    rgb = ramp([0.5, np.nan, 0.25])
    before = rgb.copy()
    color.convert(rgb, "ACEScg", "lin_rec709_scene")
    color.to_display(rgb, "ACEScg")
    assert np.array_equal(rgb, before, equal_nan=True)


def test_a_display_shows_grey_as_grey_between_0_and_1() -> None:
    shown = color.to_display(ramp([0.18, 0.18, 0.18, 1e4, 1e4, 1e4, 0, 0, 0]), "ACEScg")
    assert shown.min() >= -1e-3 and shown.max() <= 1.001
    assert np.ptp(shown[0, 0]) < 1e-3 and 0.2 < shown[0, 0, 0] < 0.6


def test_a_view_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ColorError, match="has no view 'Nice'; it has "):
        color.to_display(ramp([0, 0, 0]), "ACEScg", view="Nice")


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("ACEScgg", "ACEScg"),
        ("acescct log", "ACEScct"),
        ("ARRI LogC4x", "ARRI LogC4"),
        ("Cineon", "near: ADX10, ADX16"),
    ],
)
def test_an_unknown_space_is_refused_with_near_ones(wrong: str, near: str) -> None:
    with pytest.raises(ColorError) as caught:
        color.resolve(wrong)
    assert f"colour space '{wrong}' is not in" in str(caught.value) and near in str(caught.value)


@pytest.mark.parametrize("name", ["", " ", "\n", "x" * 10000, "日本"])
def test_nonsense_for_a_space_is_refused(name: str) -> None:
    with pytest.raises(ColorError):
        color.resolve(name)


def test_roles_aliases_and_interoperable_names_mean_the_same_space() -> None:
    assert color.resolve("lin_ap1_scene") == color.resolve("scene_linear") == color.working_space() == "ACEScg"
    assert color.interop_id("ACEScg") == "lin_ap1_scene"
    assert color.is_scene_linear("lin_rec709_scene") and not color.is_scene_linear("ACEScct")


def test_ocio_names_the_configuration_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "studio.ocio"
    config.write_text(_STUDIO)
    assert color.working_space() == "ACEScg"
    monkeypatch.setenv("OCIO", str(config))
    assert color.working_space() == "StudioLinear"
    with pytest.raises(ColorError, match="colour space 'ACEScg' is not in"):
        color.resolve("ACEScg")
    monkeypatch.delenv("OCIO")
    assert color.working_space() == "ACEScg"


@pytest.mark.parametrize("content", [None, "", "ocio_profile_version: 2\ncolorspaces: [", "\x00\xff"])
def test_a_broken_configuration_is_refused_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    config = tmp_path / "broken.ocio"
    if content is not None:
        config.write_text(content)
    monkeypatch.setenv("OCIO", str(config))
    with pytest.raises(ColorError, match=r"\$OCIO=.*broken\.ocio: not a usable OpenColorIO configuration"):
        color.working_space()


def test_a_space_whose_lookup_table_is_missing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "studio.ocio"
    lost = "  - !<ColorSpace> {name: Lost, to_scene_reference: !<FileTransform> {src: lost.cube}}\n"
    config.write_text(_STUDIO + lost)
    monkeypatch.setenv("OCIO", str(config))
    with pytest.raises(ColorError, match=r"colour space 'Lost' cannot become 'StudioLinear' .*lost\.cube"):
        color.convert(ramp([1, 2, 3]), "Lost", "StudioLinear")


@pytest.mark.parametrize(
    ("attributes", "space"),
    [
        ({"colorInteropID": Attribute("lin_rec709_scene")}, "lin_rec709_scene"),
        ({"chromaticities": Attribute(REC709, "float[8]")}, "lin_rec709_scene"),
        ({"chromaticities": Attribute(AP1, "float[8]")}, "ACEScg"),
        ({"chromaticities": Attribute(tuple(np.float32(v) for v in AP1), "float[8]")}, "ACEScg"),
        ({"acesImageContainerFlag": Attribute(1, "int")}, "ACES2065-1"),
        ({"oiio:ColorSpace": Attribute("srgb_rec709_scene")}, "srgb_rec709_scene"),
        ({"colorInteropID": Attribute("lin_ap1_scene"), "chromaticities": Attribute(REC709, "float[8]")}, "ACEScg"),
    ],
)
def test_a_header_says_its_space(attributes: dict[str, Attribute], space: str) -> None:
    assert color.declared_space(attributes) == color.resolve(space)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"colorInteropID": Attribute("")},
        {"colorInteropID": Attribute("no such space")},
        {"chromaticities": Attribute((1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3), "float[8]")},
        {"chromaticities": Attribute("x")},
        {"chromaticities": Attribute(REC709[:4], "float[4]")},
        {"oiio:ColorSpace": Attribute("Unknown")},
    ],
)
def test_a_header_that_says_nothing_known_decides_nothing(attributes: dict[str, Attribute]) -> None:
    assert color.declared_space(attributes) is None


def test_file_rules_give_a_movie_one_space_in_any_container() -> None:
    spaces = {color.file_rule_space(f"sh010.{extension}") for extension in (*EXTENSIONS, "MKV")}
    assert spaces == {"Rec.1886 Rec.709 - Display"}


def test_file_rules_give_every_path_a_space() -> None:
    for path in ("a.exr", "plate_acescct_v1.dpx", "a.mov", "no extension"):
        assert color.resolve(color.file_rule_space(path)) == color.file_rule_space(path)
