"""Cleanplate: what moved away is found in other frames, promises hold, bad input is said."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from moving_scenes import texture

import vfxgen
from vfxgen.errors import FrameError, MissingFrameError
from vfxgen.frame import Pixels
from vfxgen.image.holes import grown
from vfxgen.log import NEWS
from vfxgen.operators.cleanplate import Cleanplate
from vfxgen.temporal.cleaning import Holes, Seen, Unseen
from vfxgen.testing import Pictures

SIZE, FRAMES = (96, 128), tuple(range(1, 10))
PAN = 3
SMALL = {"reach": 4, "grow": 1.0, "feather": 2.0, "method": "smooth"}


@cache
def scene() -> dict[int, Pixels]:
    """What is behind: a camera that pans by 3 pixels a frame over light with a lamp in it."""
    wide = texture((SIZE[0], SIZE[1] + PAN * (len(FRAMES) + 1)))
    wide[40:44, 60:66] = 90.0
    return {n: np.ascontiguousarray(wide[:, PAN * n : PAN * n + SIZE[1]]) for n in FRAMES}


@cache
def masks() -> dict[int, Pixels]:
    """A thin bar that stays in view while the camera pans: 6 pixels wide, so that it is seen two frames on."""
    mask = np.zeros((*SIZE, 1), np.float32)
    mask[20:80, 60:64] = 1
    return dict.fromkeys(FRAMES, mask)


@cache
def plate() -> dict[int, Pixels]:
    return {n: np.where(masks()[n] > 0, np.array([0.9, 0.05, 0.4], np.float32), scene()[n]) for n in FRAMES}


def clean(
    frames: dict[int, Pixels] | None = None, mask: dict[int, Pixels] | None = None, **values: object
) -> Cleanplate:
    return Cleanplate(
        Pictures(dict(frames or plate())), Pictures(dict(mask or masks()), "A"), **{**SMALL, "grain": 0.0, **values}
    )


def hole() -> np.ndarray:
    return masks()[1][..., 0] > 0


def off(operator: Cleanplate, number: int, truth: dict[int, Pixels] | None = None) -> float:
    """Mean error in the hole relative to the light there; lamps held to 2."""
    made, wanted = operator[number].rgb[hole()], (truth or scene())[number][hole()]
    return float(np.abs(np.minimum(made, 2) - np.minimum(wanted, 2)).mean() / np.minimum(wanted, 2).mean())


def test_what_is_behind_comes_from_the_frames_that_see_it() -> None:
    operator = clean()
    alone = vfxgen.Inpaint(Pictures(plate()[5]), Pictures(masks()[5], "A"), method="smooth")[1].rgb
    wrong = np.abs(alone - scene()[5])[hole()].mean() / scene()[5][hole()].mean()
    assert off(operator, 5) < 0.05 < 0.5 * wrong


def test_near_things_that_part_from_far_ones_behind_the_mask_are_followed() -> None:
    near, posts = texture((SIZE[0], 220), 5) * np.array([0.3, 0.5, 0.2], np.float32), np.zeros((SIZE[0], 220, 1), bool)
    for left in range(10, 220, 48):
        posts[:, left : left + 16] = True
    truth = {}
    for n in FRAMES:
        over = slice(6 * n, 6 * n + SIZE[1])
        truth[n] = np.where(posts[:, over], near[:, over], scene()[n])
    frames = {n: np.where(masks()[n] > 0, np.array([0.9, 0.05, 0.4], np.float32), light) for n, light in truth.items()}
    operator = clean(frames)
    assert np.mean([off(operator, n, truth) for n in (4, 5, 6)]) < 0.045


def test_what_passes_before_the_hole_does_not_fill_it() -> None:
    """A box that nobody sees behind, and a post that goes by before it: post is no part of what is behind."""
    ground, bark = texture(SIZE), texture((SIZE[0], 14), 6) * np.array([0.1, 0.1, 2.0], np.float32)
    plates, boxes = dict[int, Pixels](), dict[int, Pixels]()
    for n in FRAMES:
        first = 16 + 7 * n
        plates[n], boxes[n] = ground.copy(), np.zeros((*SIZE, 1), np.float32)
        boxes[n][40:60, 50:76] = 1
        plates[n][40:60, 50:76] = (0.9, 0.05, 0.4)
        plates[n][:, first : first + 14], boxes[n][:, first : first + 14] = bark, 0
    made, inner = clean(plates, boxes)[1].rgb, np.s_[42:58, 52:74]
    red, _, blue = made[inner].mean(axis=(0, 1)) / ground[inner].mean(axis=(0, 1))
    assert blue < 5 * red  # 12 where the post is drawn


def test_specks_that_the_mask_leaves_out_are_no_specks_in_other_frames() -> None:
    """A box that nobody sees behind, with links of a chain before it, which the mask leaves out, as it should."""
    ground = texture(SIZE)
    plates, boxes = dict[int, Pixels](), dict[int, Pixels]()
    for n in FRAMES:
        plates[n], boxes[n] = ground.copy(), np.zeros((*SIZE, 1), np.float32)
        plates[n][40:60, 50:76], boxes[n][40:60, 50:76] = (0.9, 0.05, 0.4), 1
        for column in range(53 + n % 3, 74, 6):
            plates[n][50, column], boxes[n][50, column] = (0.0, 0.0, 9.0), 0
    operator = clean(plates, boxes, grow=0.0, feather=0.0)
    for n in (4, 5):
        made, inside = operator[n].rgb, boxes[n][..., 0] > 0
        assert made[50, 53 + n % 3].tolist() == [0.0, 0.0, 9.0]
        assert made[inside][:, 2].max() < 1.5 * ground[40:60, 50:76, 2].max()


def test_a_lamp_behind_is_as_bright_as_it_is() -> None:
    made = clean()[1].rgb[41:43, 61:63]
    assert made.tobytes() != plate()[1][41:43, 61:63].tobytes()
    lit = next(n for n in FRAMES if (scene()[n][41:43, 61:63] == 90).all())
    assert np.median(clean()[lit].rgb[41:43, 61:63]) == pytest.approx(90, rel=0.1)


def test_outside_the_feathered_mask_every_bit_stays() -> None:
    bad = {n: light.copy() for n, light in plate().items()}
    bad[5][3, 3], bad[5][90, 100, 1], bad[4][50, 30] = np.nan, -np.inf, np.nan
    made = clean(bad, grain=1.0)[5].rgb
    far = cv2.distanceTransform((~hole()).astype(np.uint8), cv2.DIST_L2, 5) > SMALL["grow"] + SMALL["feather"]  # type: ignore[operator]
    assert made[far].tobytes() == bad[5][far].tobytes()
    assert np.isfinite(made[hole()]).all()


def test_the_feather_does_not_widen_what_is_made_up() -> None:
    still = dict.fromkeys(FRAMES, plate()[1])
    seen = Seen(Holes(Pictures(still), Pictures(masks(), "A"), grow=1.0, feather=8.0), reach=2)
    made_up = Unseen(seen)[5].matte[..., 0] > 0
    np.testing.assert_array_equal(made_up, grown(masks()[5][..., 0], 1.0))


def test_nan_under_the_mask_is_filled_and_nan_elsewhere_comes_into_no_other_frame() -> None:
    bad = {n: light.copy() for n, light in plate().items()}
    bad[5][40, 61] = np.nan
    bad[4][:, 50:60] = np.inf
    assert np.isfinite(clean(bad)[5].rgb).all()


def test_a_frame_does_not_know_how_the_job_was_cut() -> None:
    numbers = [4, 5]
    operator = clean(grain=1.0, reach=2)
    in_order = {n: operator[n].rgb.tobytes() for n in numbers}
    again = clean(grain=1.0, reach=2)
    assert {n: again[n].rgb.tobytes() for n in reversed(numbers)} == in_order
    assert clean(grain=1.0, reach=2)[4].rgb.tobytes() == in_order[4]


def test_a_frame_depends_on_what_it_says_it_needs() -> None:
    operator = clean(reach=2)
    needed = operator.needs(5)["plate"]
    assert needed == operator.needs(5)["mask"] and set(needed) < set(FRAMES)
    window = ({n: source[n] for n in FRAMES} for source in (plate(), masks()))
    frames, mask = window
    changed = {n: light if n in needed else light * 0 for n, light in frames.items()}
    assert clean(changed, mask, reach=2)[5].rgb.tobytes() == operator[5].rgb.tobytes()
    assert clean(changed, mask, reach=2).key(5) == operator.key(5) != operator.key(4)


def test_a_clean_plate_of_another_frame_is_in_the_key_where_it_is_in_the_picture() -> None:
    plates, mask = (dict.fromkeys(FRAMES, source[1]) for source in (plate(), masks()))

    def cleaned(shown: int, level: float) -> Cleanplate:
        """What stands still is shown on one frame alone."""
        known = {n: np.concatenate([scene()[1], np.full((*SIZE, 1), n == shown, np.float32)], -1) for n in FRAMES}
        known[shown][hole(), :3] = level
        words = {**SMALL, "grain": 0.0}
        return Cleanplate(Pictures(plates), Pictures(mask, "A"), Pictures(known, "RGBA"), **words)

    for shown in (4, 6, 8):
        dark, light = (cleaned(shown, level) for level in (0.1, 0.6))
        assert np.abs(dark[6].rgb - light[6].rgb).max() > 0.1 and dark.key(6) != light.key(6)
        assert shown in dark.needs(6)["clean"]


def test_exposure_that_changes_is_matched() -> None:
    dimmed = {n: light * np.float32(0.8**n) for n, light in plate().items()}
    truth = {n: light * np.float32(0.8**n) for n, light in scene().items()}
    assert off(clean(dimmed), 5, truth) < 0.06


def test_a_still_camera_with_nothing_behind_ever_seen_is_made_up_and_does_not_boil(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(NEWS)
    still = dict.fromkeys(FRAMES, plate()[1])
    operator = clean(still, method="patch")
    made = {n: operator[n].rgb for n in (3, 4, 5)}
    assert np.isfinite(made[4]).all() and np.abs(made[4] - plate()[1])[hole()].mean() > 0.1
    assert np.abs(made[4] - made[5])[hole()].mean() < 0.02 * made[4][hole()].mean()
    assert "camera stands still" in caplog.text and "seen in no frame" in caplog.text


def test_a_moving_camera_is_told_as_news(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(NEWS)
    clean()[5]
    assert "the camera moves" in caplog.text and "stands still" not in caplog.text
    assert not any("camera" in record.message for record in caplog.records if record.levelno > NEWS)


def test_a_cut_is_a_wall(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(NEWS)
    other = texture(SIZE, 77) * np.float32(0.3)
    cut = {n: light if n < 6 else np.where(masks()[n] > 0, np.float32(0.9), other) for n, light in plate().items()}
    assert off(clean(cut), 5) < 0.1
    assert "a cut between frames 5 and 6" in caplog.text
    blue = {n: light if n >= 6 else light * np.array([0, 0, 50], np.float32) for n, light in cut.items()}
    assert clean(cut)[7].rgb.tobytes() == clean(blue)[7].rgb.tobytes()


def test_a_still_clean_plate_is_taken_first() -> None:
    still = dict.fromkeys(FRAMES, plate()[5])
    given = Cleanplate(
        Pictures(still), Pictures(masks(), "A"), Pictures(scene()[5] * np.float32(1.3)), **SMALL, grain=0.0
    )
    assert off(given, 4, dict.fromkeys(FRAMES, scene()[5])) < 0.04


def test_a_clean_plate_of_another_format_is_aligned_or_refused(caplog: pytest.LogCaptureFixture) -> None:
    wide = np.concatenate([scene()[1][:, : 4 * PAN], scene()[5]], axis=1)
    still = Pictures(dict.fromkeys(FRAMES, plate()[5]))
    given = Cleanplate(still, Pictures(masks(), "A"), Pictures(wide), **SMALL, grain=0.0)
    assert off(given, 4, dict.fromkeys(FRAMES, scene()[5])) < 0.04
    assert "could not be aligned" not in caplog.text
    with pytest.raises(FrameError, match=r"a clean plate of 140x96\+0\+0 on a plate of 128x96\+0\+0.*reformat"):
        Cleanplate(still, Pictures(masks(), "A"), Pictures(wide * 0 + 1), **SMALL, grain=0.0)[4]


def test_flat_frames_have_nothing_to_align_and_are_filled_all_the_same() -> None:
    flat = {n: np.where(masks()[n] > 0, np.float32(1), np.full((*SIZE, 3), 0.25, np.float32)) for n in FRAMES}
    np.testing.assert_allclose(clean(flat)[4].rgb[hole()], 0.25, rtol=1e-3)


def test_an_empty_mask_gives_the_plate_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    empty = dict.fromkeys(FRAMES, np.zeros((*SIZE, 1), np.float32))
    operator = clean(mask=empty)
    assert operator[4] is operator.plate[4] and operator[5] is operator.plate[5]
    assert caplog.text.count("mask is empty") == 1


def test_a_mask_over_everything_is_refused() -> None:
    full = {**masks(), 4: np.ones((*SIZE, 1), np.float32)}
    with pytest.raises(FrameError, match="frame 4: the mask covers the whole frame"):
        clean(mask=full)[4]


def test_frames_without_a_mask_are_not_looked_at_and_cannot_be_cleaned() -> None:
    short = {n: mask for n, mask in masks().items() if n <= 6}
    operator = clean(mask=short)
    assert max(operator.needs(5)["plate"]) == 6
    assert off(operator, 5) < 0.08
    with pytest.raises(MissingFrameError, match="frame 8 does not exist"):
        operator[8]


def test_grain_is_that_of_the_plate() -> None:
    noise = np.random.default_rng(6)
    grainy = {n: light + noise.normal(0, 0.02, light.shape).astype(np.float32) for n, light in plate().items()}
    flat = {n: np.where(masks()[n] > 0, light, 0.3 + light - plate()[n]) for n, light in grainy.items()}
    operator, smooth = clean(flat, grain=1.0), clean(flat, grain=0.0)
    inside, outside = operator[5].rgb[hole()].std(axis=0), flat[5][~hole()].std(axis=0)
    np.testing.assert_allclose(inside, outside, rtol=0.2)
    assert smooth[5].rgb[hole()].std() < 0.8 * outside.mean()
    assert clean(flat, grain=1.0, seed=2)[5].rgb.tobytes() != operator[5].rgb.tobytes()


def test_rendered_in_chunks_the_files_are_the_same(tmp_path: Path) -> None:
    vfxgen.write(clean(reach=1), tmp_path / "all.####.exr", frames="4-5")
    for chunk in ("5", "4"):
        vfxgen.write(clean(reach=1), tmp_path / "cut.####.exr", frames=chunk)
    for number in (4, 5):
        whole, cut = (vfxgen.read(tmp_path / f"{name}.####.exr")[number].rgb for name in ("all", "cut"))
        assert whole.tobytes() == cut.tobytes()


def test_a_real_rider_goes(shared_data: Path) -> None:
    frames = vfxgen.read(shared_data / "video/davis/bmx-trees/#####.jpg")
    rider = vfxgen.read(shared_data / "video/davis/bmx-trees_mask/#####.png")
    made = Cleanplate(frames, rider, reach=3)[30]
    there = rider[30].matte[..., 0] > 0
    white = frames[30].rgb[there].min(axis=-1)
    assert (made.rgb[there].min(axis=-1) > 0.5).mean() < 0.3 * (white > 0.5).mean()
