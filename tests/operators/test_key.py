"""The key operator: a plate in, a premultiplied subject out, and all else untouched."""

from __future__ import annotations

import numpy as np
import pytest

import vfxgen
from vfxgen.errors import FrameError, RequestError
from vfxgen.frame import Attribute, Box, Frame, Pixels
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures, constant

GREEN = (0.09, 0.42, 0.12)


def plate(size: tuple[int, int] = (48, 64)) -> Pixels:
    """A skin-coloured box, with a highlight, in front of a green screen."""
    pixels = np.full((*size, 3), GREEN, np.float32)
    pixels[16:, 20:44] = (0.42, 0.24, 0.16)
    pixels[30, 30] = (12.0, 11.0, 10.0)
    return pixels


def still(value: float, box: tuple[slice, slice], size: tuple[int, int] = (48, 64)) -> Pictures:
    """A matte with `value` in `box`."""
    pixels = np.zeros((*size, 1), np.float32)
    pixels[box] = value
    return Pictures(pixels, ["A"])


def rgba(sequence: Sequence) -> Pixels:
    return sequence[1].pixels("R", "G", "B", "A")


def test_a_subject_is_premultiplied_over_nothing() -> None:
    keyed = rgba(vfxgen.Key(Pictures(plate())))
    assert keyed[2, 2].tolist() == [0, 0, 0, 0]
    assert keyed[40, 32].tolist() == [*plate()[40, 32].tolist(), 1]
    assert keyed[30, 30].tolist() == [12, 11, 10, 1]


def test_merged_over_its_own_screen_the_plate_comes_back() -> None:
    source = Pictures(plate())
    merged = vfxgen.Merge(constant(GREEN, size=(48, 64), channels="RGB"), vfxgen.Key(source, despill=0.0))
    assert np.abs(merged[1].rgb - plate()).max() < 2e-3


def test_the_straight_foreground_comes_on_request() -> None:
    assert vfxgen.Key(Pictures(plate()))[1].channels == ("R", "G", "B", "A")
    frame = vfxgen.Key(Pictures(plate()), foreground=True)[1]
    assert frame.channels == ("R", "G", "B", "A", "fg.R", "fg.G", "fg.B")
    straight = frame.pixels("fg.R", "fg.G", "fg.B")
    assert np.allclose(straight * frame.alpha, frame.rgb, atol=1e-6)
    assert straight[40, 14] == pytest.approx([0.42, 0.24, 0.16], abs=0.05)


def test_blue_is_green_with_channels_swapped() -> None:
    green = rgba(vfxgen.Key(Pictures(plate())))
    blue = rgba(vfxgen.Key(Pictures(plate()[..., [0, 2, 1]]), screen="blue"))
    assert np.allclose(green[..., 3], blue[..., 3], atol=1e-3)


def test_holdout_and_garbage() -> None:
    pixels = plate()
    pixels[34:40, 24:30] = GREEN
    everything = vfxgen.Key(
        Pictures(pixels),
        holdout=still(1.0, np.s_[32:42, 22:32]),
        garbage=still(1.0, np.s_[:, :10]),
    )
    keyed = rgba(everything)
    assert np.array_equal(keyed[32:42, 22:32, :3], pixels[32:42, 22:32])
    assert (keyed[32:42, 22:32, 3] == 1).all()
    assert not keyed[:, :10].any()


@pytest.mark.parametrize("method", ["mixture", "net"])
@pytest.mark.parametrize("garbage", [0.1, 0.5, 0.9])
def test_a_soft_garbage_matte_thins_the_key_once_and_leaves_its_colour(method: str, garbage: float) -> None:
    source = Pictures(plate())
    words = {"method": method, "foreground": True}
    whole = vfxgen.Key(source, **words)[1]
    thin = vfxgen.Key(source, garbage=still(garbage, np.s_[:, :30]), **words)[1]
    kept = np.ones((*whole.size, 1), np.float32)
    kept[:, :30] -= np.float32(garbage)
    # Colours are not learned from what is to go, so both keys may differ a little.
    assert np.abs(thin.alpha - kept * whole.alpha).max() < 0.06
    assert np.abs(thin.rgb - kept * whole.rgb)[whole.alpha[..., 0] > 0.9].max() < 0.03
    solid = (whole.alpha[..., 0] == 1) & (np.mgrid[: whole.size[0], : whole.size[1]][1] < 30)
    colours = [frame.pixels("fg.R", "fg.G", "fg.B")[solid] for frame in (whole, thin)]
    assert solid.sum() > 20 and np.abs(colours[0] - colours[1]).max() < 0.02


def test_infinite_light_stays_infinite() -> None:
    pixels = plate()
    pixels[2, 2] = np.inf
    assert np.isposinf(vfxgen.Key(Pictures(pixels))[1].rgb[2, 2]).all()


def test_a_matte_with_a_broken_pixel_counts_as_empty_there() -> None:
    matte = still(np.nan, np.s_[4:6, 4:6])
    assert np.isfinite(rgba(vfxgen.Key(Pictures(plate()), garbage=matte))).all()


def test_a_clean_plate_shows_what_the_screen_hides() -> None:
    clean = np.full((48, 64, 3), GREEN, np.float32)
    clean[26:30] *= 0.5
    pixels = np.where(plate() == np.array(GREEN, np.float32), clean, plate())
    pixels[:, 50:60] = 0.3 * 0.4 + 0.6 * clean[:, 50:60]  # a veil over a crease
    alpha = rgba(vfxgen.Key(Pictures(pixels), Pictures(clean), method="mixture"))[..., 3]
    assert alpha[27:29, 52:58].mean() == pytest.approx(0.4, abs=0.12)
    assert alpha[27:29, 2:16].max() < 0.05


@pytest.mark.parametrize("size", [(32, 32), (96, 128)])
def test_a_clean_plate_of_another_format_is_refused(size: tuple[int, int]) -> None:
    height, width = size
    with pytest.raises(FrameError, match=rf"a clean plate of {width}x{height}\+0\+0 on a plate of 64x48.*reformat"):
        vfxgen.Key(Pictures(plate()), Pictures(plate(size)))[1]


def test_a_clean_plate_of_a_part_of_the_view_is_refused() -> None:
    cropped = vfxgen.Reformat(Pictures(plate((48, 48))), format="64x48", resize="none", centre=False)
    with pytest.raises(FrameError, match=r"clean plate covers 48x48\+0\+0.*64x48\+0\+0"):
        vfxgen.Key(Pictures(plate()), cropped)[1]


def test_a_plate_without_a_screen_names_the_frame_and_the_remedy() -> None:
    with pytest.raises(RequestError, match=r"key: frame 1: no green screen found.*screen_color"):
        vfxgen.Key(constant([0.5, 0.5, 0.5]))[1]
    keyed = rgba(vfxgen.Key(constant([0.5, 0.5, 0.5]), screen_color=GREEN))
    assert (keyed[..., 3] == 1).all()


def test_a_plate_that_is_nan_everywhere_is_no_plate_without_a_screen() -> None:
    broken = Pictures({1: plate(), 2: np.full_like(plate(), np.nan)})
    with pytest.raises(FrameError, match="key: frame 2 of the plate is NaN or infinite in every pixel"):
        vfxgen.Key(broken)[2]


def test_a_screen_colour_that_is_not_green_is_refused() -> None:
    with pytest.raises(RequestError, match="is not green"):
        vfxgen.Key(Pictures(plate()), screen_color=(0.5, 0.2, 0.1))[1]


class FromCamera(Sequence):
    """A plate with a header, an overscan window, and channels of its own."""

    def make_key(self, number: int) -> str:
        return str(number)

    def frame(self, number: int) -> Frame:
        pixels = np.concatenate([plate(), np.full((48, 64, 1), 7.5, np.float32)], axis=-1)
        return Frame.from_pixels(
            pixels, ("R", "G", "B", "depth.Z"), number=number, colorspace="ACEScg", type="half",
            data_window=Box(-4, 3, 64, 48), display_window=Box(0, 0, 56, 54),
            attributes={"reelName": Attribute("A001")},
        )  # fmt: skip


def test_header_windows_and_other_channels_pass() -> None:
    source = FromCamera()
    before, after = source[7], vfxgen.Key(source)[7]
    assert after.channels == ("R", "G", "B", "depth.Z", "A")
    assert after.planes["depth.Z"].tobytes() == before.planes["depth.Z"].tobytes()
    assert (after.data_window, after.display_window) == (before.data_window, before.display_window)
    assert after.attributes == before.attributes
    assert after.types["A"] == "half"
