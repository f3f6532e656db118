"""Matte: a subject cut out by trimap, rough mask, keyframes or net, and nothing else changed."""

from __future__ import annotations

import logging
import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_scenes import texture

import vfxgen
from vfxgen.errors import FrameError, MissingFrameError, RequestError
from vfxgen.frame import Attribute, Box, Frame, Pixels
from vfxgen.media.image import write_image
from vfxgen.operators.matte import Matte
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures

SIZE = (96, 120)
FRAMES = (1, 2, 3, 4, 5)
SUBJECT = np.array([0.8, 0.35, 0.12], np.float32)


def coverage(number: int = 3, softness: float = 6) -> Pixels:
    """A soft disk that moves to the right."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    away = np.hypot(rows - 48, columns - 42 - 4 * number)
    covered: Pixels = np.clip((26 - away) / softness + 0.5, 0, 1).astype(np.float32)
    return covered[..., None]


@cache
def shot() -> dict[int, Pixels]:
    """A disk with some texture before a bluish ground that stands still, with a lamp on each."""
    behind = texture(SIZE, 1) * np.array([0.1, 0.2, 0.5], np.float32)
    made = {}
    for number in FRAMES:
        before = SUBJECT * (0.6 + 0.4 * np.roll(texture(SIZE, 2), 4 * number, axis=1))
        light = coverage(number) * before + (1 - coverage(number)) * behind
        light[48, 42 + 4 * number] = 40.0
        light[5:8, 5:8] = 300.0
        made[number] = light.astype(np.float32)
    return made


def rough(number: int = 3) -> Pixels:
    """A mask that is a few pixels off."""
    return np.roll(coverage(number, 0.01), 2, axis=0)


def mattes(pixels: Pixels | dict[int, Pixels]) -> Pictures:
    return Pictures(pixels, "A")


def cut(**values: Any) -> Matte:
    given: dict[str, Any] = {"rough": mattes({n: rough(n) for n in FRAMES}), "width": 5.0, "method": "mixture"}
    return Matte(Pictures(shot()), **{**given, **values})


def keyed(**values: Any) -> Matte:
    keys = mattes({n: coverage(n) for n in (1, 5)})
    return Matte(Pictures(shot()), **{"keyframes": keys, "width": 4.0, **values})


def error(frame: Frame, number: int = 3) -> float:
    return float(np.abs(frame.alpha - coverage(number)).mean())


@pytest.mark.parametrize("method", ["mixture", "closed-form", "knn"])
def test_a_rough_mask_becomes_an_alpha(method: str) -> None:
    assert error(cut(method=method)[3]) < 0.4 * np.abs(rough() - coverage()).mean()


def test_a_trimap_is_kept_where_it_is_known() -> None:
    trimap = np.where(coverage() > 0.98, 1, np.where(coverage() < 0.02, 0, 0.5)).astype(np.float32)
    frame = Matte(Pictures(shot()), trimap=mattes(trimap))[3]
    assert np.array_equal(frame.alpha[trimap != 0.5], trimap[trimap != 0.5])
    assert error(frame) < 0.01


def test_colour_is_premultiplied_and_solid_pixels_keep_their_bits() -> None:
    frame, light = cut(foreground=True)[3], shot()[3]
    solid = frame.alpha[..., 0] == 1
    assert solid.sum() > 500 and frame.rgb[solid].tobytes() == light[solid].tobytes()
    assert frame.rgb.max() == 40 and not frame.rgb[5:8, 5:8].any(), "her lamp stays, that behind goes"
    straight = frame.pixels("fg.R", "fg.G", "fg.B")
    np.testing.assert_allclose(straight * frame.alpha, frame.rgb, rtol=1e-6)
    assert cut()[3].channels == ("R", "G", "B", "A")


@settings(max_examples=6, deadline=None)
@given(st.integers(-8, 8))
def test_one_stop_more_light_gives_the_same_alpha(stops: int) -> None:
    gain = np.float32(2.0**stops)
    lit = Pictures({n: light * gain for n, light in shot().items()})
    brighter = Matte(lit, rough=mattes({n: rough(n) for n in FRAMES}), width=5.0, method="mixture")[3]
    np.testing.assert_allclose(brighter.alpha, cut()[3].alpha, atol=5e-3)


def test_holdout_and_garbage() -> None:
    box = np.zeros((*SIZE, 1), np.float32)
    box[40:60, 30:34] = 1
    frame = cut(holdout=mattes(box))[3]
    assert (frame.alpha[box > 0] == 1).all()
    assert frame.rgb[box[..., 0] > 0].tobytes() == shot()[3][box[..., 0] > 0].tobytes()
    gone = cut(garbage=mattes(box))[3]
    assert not gone.alpha[box > 0].any() and not gone.rgb[box[..., 0] > 0].any()


@pytest.mark.parametrize("garbage", [0.1, 0.5, 0.9])
def test_a_soft_garbage_matte_thins_the_matte_and_leaves_its_colour(garbage: float) -> None:
    half = np.zeros((*SIZE, 1), np.float32)
    half[:, :50] = garbage
    whole, thin = cut(foreground=True)[3], cut(garbage=mattes(half), foreground=True)[3]
    assert np.allclose(thin.alpha, whole.alpha * (1 - half), atol=1e-6)
    assert np.allclose(thin.rgb, whole.rgb * (1 - half), atol=1e-5)
    assert thin.pixels("fg.R", "fg.G", "fg.B").tobytes() == whole.pixels("fg.R", "fg.G", "fg.B").tobytes()


def test_nan_stays_and_touches_no_other_pixel() -> None:
    bad = {**shot(), 3: shot()[3].copy()}
    bad[3][20, 60] = np.nan
    bad[3][48, 50, 1] = np.inf
    masks = {n: rough(n) for n in FRAMES}
    masks[3][0, 0] = np.nan
    frame = Matte(Pictures(bad), rough=mattes(masks), width=5.0)[3]
    assert np.isfinite(frame.alpha).all()
    assert np.isnan(frame.rgb[20, 60]).all() and np.isinf(frame.rgb[48, 50, 1])
    assert np.isfinite(frame.rgb).sum() == frame.rgb.size - 4
    assert np.abs(frame.alpha - cut()[3].alpha).max() < 0.1


class Placed(Sequence):
    """The shot with a header, a data window off the display window, and a depth channel."""

    @property
    def range(self) -> list[int]:
        return list(FRAMES)

    def frame(self, number: int) -> Frame:
        pixels = np.concatenate([shot()[number], np.full((*SIZE, 1), 7.5, np.float32)], axis=-1)
        return Frame.from_pixels(
            pixels, ("R", "G", "B", "depth.Z"), number=number, colorspace="ACEScg", type="half",
            data_window=Box(-4, 3, SIZE[1], SIZE[0]), display_window=Box(0, 0, 110, 100),
            attributes={"reelName": Attribute("A001")},
        )  # fmt: skip

    def make_key(self, number: int) -> str:
        return str(number)


class PlacedMatte(Placed):
    def frame(self, number: int) -> Frame:
        frame = super().frame(number)
        return frame.with_pixels(("A",), rough(number)).only("A")


def test_header_windows_and_other_channels_pass() -> None:
    for temporal in (0.0, 1.0):
        before, after = Placed()[3], Matte(Placed(), rough=PlacedMatte(), width=5.0, temporal=temporal)[3]
        assert after.channels == ("R", "G", "B", "depth.Z", "A")
        assert after.planes["depth.Z"].tobytes() == before.planes["depth.Z"].tobytes()
        assert (after.data_window, after.display_window) == (before.data_window, before.display_window)
        assert after.attributes == before.attributes and after.types["A"] == "half"
        assert error(after) < 0.02


def test_a_matte_of_another_size_lies_where_its_windows_say_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "vfxgen"):
        frame = cut(rough=mattes(rough()[:60, :100]))[3]
    assert "a matte of 100x60+0+0 on a plate of 120x96+0+0" in caplog.text
    assert not frame.alpha[70:].any()


def test_keyframes_are_kept_and_the_frames_between_are_solved() -> None:
    made = keyed()
    for number in (1, 5):
        assert made[number].alpha.tobytes() == coverage(number).tobytes()
    for number in (2, 3, 4):
        assert error(made[number], number) < 0.012
    nearest = np.abs(coverage(1) - coverage(3)).mean()
    assert error(made[3]) < 0.1 * nearest


def test_one_keyframe_reaches_both_ways() -> None:
    made = keyed(keyframes=mattes({3: coverage(3)}))
    assert max(error(made[number], number) for number in (1, 5)) < 0.02


@pytest.mark.parametrize("temporal", [0.0, 1.0])
def test_a_frame_does_not_know_how_the_job_was_cut(temporal: float, tmp_path: Path) -> None:
    whole = keyed(temporal=temporal)
    in_order = {n: whole[n].pixels(*"RGBA").tobytes() for n in FRAMES}
    for number in random.Random(2).sample(FRAMES, len(FRAMES)):
        assert keyed(temporal=temporal)[number].pixels(*"RGBA").tobytes() == in_order[number]
    vfxgen.write(keyed(temporal=temporal), tmp_path / "a.####.exr", frames="1-5")
    for chunk in ("4-5", "1-3"):
        vfxgen.write(keyed(temporal=temporal), tmp_path / "b.####.exr", frames=chunk)
    for number in FRAMES:
        a, b = (vfxgen.read(tmp_path / f"{name}.####.exr")[number].pixels(*"RGBA") for name in "ab")
        assert a.tobytes() == b.tobytes()


def test_keyframes_in_files_are_those_that_are_there(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        picture = Frame.from_pixels(shot()[number], "RGB", colorspace="", type="float")
        write_image(picture, str(tmp_path / f"plate.{number}.exr"), format="exr")
    for number in (1, 3):
        painted = Frame.from_pixels(coverage(number), "A", colorspace="", type="float")
        write_image(painted, str(tmp_path / f"painted.{number}.exr"), format="exr")
    read = {name: vfxgen.read(str(tmp_path / f"{name}.#.exr"), colorspace="ACEScg") for name in ("plate", "painted")}
    made = Matte(read["plate"], keyframes=read["painted"], width=4.0)
    assert made.needs(2)["keyframes"] == (1, 3)
    assert error(made[2], 2) < 0.012


def test_a_frame_depends_on_the_keyframes_around_it_and_what_is_between() -> None:
    keys = mattes({n: coverage(n) for n in (1, 3, 5)})
    assert keyed(keyframes=keys).needs(2) == {"plate": (1, 2, 3), "keyframes": (1, 3)}
    assert keyed(keyframes=keys).needs(5)["plate"] == (5,)
    assert keyed(keyframes=keys, temporal=0.5).needs(4)["plate"] == (3, 4, 5)
    assert cut(temporal=0.5).needs(3) == {"plate": (2, 3, 4), "rough": (2, 3, 4)}
    changed = {**shot(), 5: shot()[5] * np.float32(1.01)}
    one, other = keyed(keyframes=keys), Matte(Pictures(changed), keyframes=keys, width=4.0)
    assert one.key(2) == other.key(2) and one.key(4) != other.key(4)
    assert one[2].alpha.tobytes() == other[2].alpha.tobytes()


def test_temporal_takes_out_flicker_and_does_not_smear() -> None:
    noise = np.random.default_rng(9)
    grainy = {n: light + noise.normal(0, 0.02, light.shape).astype(np.float32) for n, light in shot().items()}
    wrong = {}
    for temporal in (0.0, 1.0):
        made = Matte(Pictures(grainy), rough=mattes({n: rough(n) for n in FRAMES}), width=6.0, temporal=temporal)
        wrong[temporal] = np.mean([error(made[n], n) for n in (2, 3, 4)])
    assert wrong[1.0] < 0.97 * wrong[0.0]


def test_a_cut_between_keyframes_is_a_wall() -> None:
    other = {n: texture(SIZE, 5)[:, ::-1] * np.float32(3) for n in (4, 5)}
    plate = Pictures({**shot(), **other})
    both = Matte(plate, keyframes=mattes({1: coverage(1), 5: rough(5)}), width=4.0)
    assert error(both[3]) < 0.02, "what comes from behind the cut does not count"
    one = Matte(plate, keyframes=mattes({1: coverage(1)}), width=4.0)
    with pytest.raises(FrameError, match=r"frame 5: no keyframe \(1\).*a cut between frames 3 and 4; paint a keyframe"):
        one[5]


def test_what_says_nothing_or_too_much_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="give a trimap, a rough mask or keyframes"):
        Matte(Pictures(shot()))
    with pytest.raises(RequestError, match="rough and keyframes are given; give one of them"):
        cut(keyframes=mattes({1: coverage(1)}))
    with pytest.raises(RequestError, match=rf"keyframes: there are none in {tmp_path}/none.####.exr; give a sequence"):
        keyed(keyframes=vfxgen.read(tmp_path / "none.####.exr"))[3]
    with pytest.raises(RequestError, match=r"keyframes: 9 is not among the plate's frames 1 \.\. 5"):
        keyed(keyframes=mattes({1: coverage(1), 9: coverage(1)}))[2]
    with pytest.raises(FrameError, match="has no channel R G B"):
        Matte(mattes({3: coverage()}), rough=mattes(rough()))[3]


def test_masks_that_leave_nothing_to_solve(caplog: pytest.LogCaptureFixture) -> None:
    empty = cut(rough=mattes(np.zeros((*SIZE, 1), np.float32)))
    with caplog.at_level(logging.WARNING, "vfxgen"):
        frame = empty[3]
        empty[4]
    assert not frame.alpha.any() and not frame.rgb.any()
    assert caplog.text.count("nothing is unknown") == 1
    full = cut(rough=mattes(np.ones((*SIZE, 1), np.float32)))[3]
    assert (full.alpha == 1).all() and full.rgb.tobytes() == shot()[3].tobytes()
    with pytest.raises(FrameError, match=r"frame 3: all of it is unknown.*make width smaller"):
        Matte(Pictures(shot()), trimap=mattes(np.full((*SIZE, 1), 0.5, np.float32)))[3]


def test_a_subject_thinner_than_the_width_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "vfxgen"):
        cut(width=40.0)[3]
    assert "no pixel is surely subject" in caplog.text


def test_frames_before_a_cut_or_the_last_of_a_mask_are_steadied_by_the_neighbour_there_is() -> None:
    short = mattes({n: rough(n) for n in (1, 2, 3)})
    matte = Matte(Pictures(shot()), rough=short, width=5.0, method="mixture", temporal=0.5)
    assert matte.needs(3)["plate"] == (2, 3) and np.isfinite(matte[3].alpha).all()
    with pytest.raises(MissingFrameError, match="frame 4"):
        matte[4]


def test_a_frame_at_a_cut_is_steadied_by_the_neighbour_of_its_own_scene() -> None:
    other = {n: np.ascontiguousarray(1 - shot()[n].clip(0, 1)[::-1, ::-1]) for n in (4, 5)}
    words = {"keyframes": mattes({2: coverage(2)}), "width": 5.0}
    steadied, alone = (Matte(Pictures({**shot(), **other}), temporal=t, **words)[3] for t in (0.5, 0.0))
    assert 0 < np.abs(steadied.alpha - alone.alpha).max() < 0.5
