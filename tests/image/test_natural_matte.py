"""Mattes without a screen: trimaps, colours, carried beliefs, straight foreground, pymatting."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_scenes import texture

from vfxgen.errors import RequestError
from vfxgen.frame import Pixels
from vfxgen.image.carry import Carry, together, trimap_between
from vfxgen.image.color_pairs import NO_KNOWLEDGE, Estimate, estimate, information
from vfxgen.image.matting_laplacian import MattingSystem
from vfxgen.image.natural_matte import clues, matte_by, mixture_matte
from vfxgen.image.sparse_matte import Name, sparse_matte
from vfxgen.image.straight import straight_foreground
from vfxgen.image.trimap import pieces, trimap_levels, trimap_of

SUBJECT, BEHIND = np.array([0.7, 0.35, 0.12], np.float32), np.array([0.1, 0.2, 0.5], np.float32)


def disk(size: tuple[int, int] = (90, 110), softness: float = 8) -> Pixels:
    rows, columns = np.mgrid[: size[0], : size[1]]
    away = np.hypot(rows - size[0] / 2, columns - size[1] / 2)
    covered: Pixels = np.clip((size[0] / 3 - away) / softness + 0.5, 0, 1).astype(np.float32)
    return covered


def mixed(alpha: Pixels, subject: Pixels = SUBJECT, behind: Pixels = BEHIND) -> Pixels:
    return np.asarray(alpha[..., None] * subject + (1 - alpha[..., None]) * behind, np.float32)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 20), st.floats(0, 20))
def test_a_wider_trimap_knows_less_and_nothing_else(one: float, other: float) -> None:
    narrow, wide = (trimap_of(disk(), width) for width in sorted((one, other)))
    assert set(np.unique(wide)) <= {0, 0.5, 1}
    known = wide != 0.5
    assert np.array_equal(narrow[known], wide[known])


def test_width_is_pixels_to_each_side() -> None:
    edge = np.zeros((9, 40), np.float32)
    edge[:, 20:] = 1
    assert (trimap_of(edge, 4)[4] == 0.5).sum() == 8
    assert not (trimap_of(edge, 0) == 0.5).any()
    assert (trimap_of(np.zeros((5, 5), np.float32), 3) == 0).all()
    assert trimap_levels(np.array([[0.4, 0.6, 0.99]], np.float32)).tolist() == [[0.5, 0.5, 1]]


def test_every_unknown_pixel_is_in_one_piece_with_known_ones_around() -> None:
    unknown = np.random.default_rng(4).random((200, 260)) > 0.9995
    unknown[60:70, 80:90] = True
    seen = np.zeros(unknown.shape, int)
    for crop, own in pieces(unknown, 30):
        seen[crop] += own
        rows, columns = np.nonzero(own)
        assert crop[0].start == 0 or rows.min() >= 30
        assert crop[1].start == 0 or columns.min() >= 30
    assert np.array_equal(seen, unknown)


def test_two_colours_are_told_apart_and_a_busy_background_counts_for_little() -> None:
    alpha, noise = disk(), np.random.default_rng(5)
    trimap = trimap_of(alpha, 3)
    masks = trimap == 1, trimap == 0, trimap == 0.5
    clear = estimate(mixed(alpha), *masks)
    assert np.abs(clear.coverage - alpha)[masks[2]].max() < 0.05
    assert np.isinf(clear.variance[~masks[2]]).all()
    scattered = noise.random((*alpha.shape, 3)).astype(np.float32)
    busy = estimate(mixed(alpha, scattered, noise.permuted(scattered)), *masks)
    assert information(clear.variance)[masks[2]].mean() > 5 * information(busy.variance)[masks[2]].mean()
    assert not information(np.array([NO_KNOWLEDGE, 1, np.inf], np.float32)).any()


@pytest.mark.parametrize("stops", [-6, 6])
def test_one_method_for_every_exposure(stops: int) -> None:
    alpha = disk()
    light = mixed(alpha, behind=texture(alpha.shape) * np.float32(0.2))
    plain, other = (mixture_matte(lit, trimap_of(alpha, 4)) for lit in (light, light * np.float32(2.0**stops)))
    np.testing.assert_allclose(plain, other, atol=2e-3)


def test_colours_help_where_a_hole_is_cut_off_from_the_background() -> None:
    alpha = disk(softness=1)
    alpha[38:52, 48:62] = 0
    trimap = trimap_of(alpha, 3)
    trimap[34:56, 44:66] = 0.5
    light = mixed(alpha) + np.random.default_rng(6).normal(0, 0.005, (*alpha.shape, 3)).astype(np.float32)
    unknown = trimap == 0.5
    smooth = MattingSystem(light, unknown).solve(np.where(unknown, 0, trimap), np.zeros_like(trimap))
    ours = mixture_matte(light, trimap)
    assert np.abs(ours - alpha)[40:50, 50:60].mean() < 0.05 < np.abs(smooth - alpha)[40:50, 50:60].mean()


def test_a_carried_belief_decides_where_colour_cannot() -> None:
    alpha = disk()
    flat = mixed(alpha, behind=SUBJECT)
    sure = Estimate(alpha, np.full_like(alpha, 1e-3))
    told, alone = (mixture_matte(flat, trimap_of(alpha, 5), belief) for belief in (sure, None))
    assert np.abs(told - alpha).mean() < 0.02 < 0.5 * np.abs(alone - alpha).mean()


def test_strands_that_half_the_size_cannot_show_are_found() -> None:
    alpha = disk((240, 300))
    alpha[:, 60:240:9] = np.maximum(alpha[:, 60:240:9], np.where(np.abs(np.arange(240) - 120) < 110, 1, 0)[:, None])
    trimap = np.where(disk((240, 300)) == 1, np.float32(1), np.float32(0.5))
    trimap[:, :40], trimap[:, -40:], trimap[:5], trimap[-5:] = 0, 0, 0, 0
    found = mixture_matte(mixed(alpha), trimap)
    assert np.abs(found - alpha)[20:220].mean() < 0.02


@pytest.mark.parametrize("carried", [False, True])
def test_clues_hold_the_mixture_and_what_it_was_made_of(carried: bool) -> None:
    alpha = disk()
    trimap = trimap_of(alpha, 5)
    light = mixed(alpha, behind=texture(alpha.shape) * np.float32(0.2))
    believed = Estimate(alpha, np.full_like(alpha, 1e-3)) if carried else None
    found = clues(light, trimap, believed)
    assert found.shape == (*alpha.shape, 5) and found.dtype == np.float32 and 0 <= found.min() <= found.max() <= 1
    assert np.array_equal(found[..., 0], mixture_matte(light, trimap, believed))
    assert np.array_equal(found[..., 4], trimap)
    unknown = trimap == 0.5
    smooth = MattingSystem(light, unknown).solve(trimap, np.zeros_like(trimap))
    assert np.abs(found[..., 1] - smooth)[unknown].mean() < 0.02
    for layer in range(3):
        assert np.array_equal(found[..., layer][~unknown], trimap[~unknown])
    assert (found[..., 3][~unknown] == 1).all()
    if carried:
        assert np.array_equal(found[..., 2][unknown], alpha[unknown]) and found[..., 3].min() > 0.8


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40))
def test_the_nearer_keyframe_counts_more(before: int, after: int) -> None:
    ones = np.ones((6, 7), np.float32)
    both = together([Carry(ones, ones, before), Carry(0 * ones, ones, after)])
    np.testing.assert_allclose(both.coverage, after / (before + after), atol=1e-5)


def test_what_was_hidden_on_the_way_is_filled_and_unsure_and_unknown() -> None:
    matte, trust = disk(softness=1), np.ones((90, 110), np.float32)
    trust[40:50, 70:90] = 0
    carried = together([Carry(np.where(trust > 0, matte, 1 - matte), trust, 2)])
    assert carried.variance[45, 80] >= NO_KNOWLEDGE > carried.variance[45, 55]
    assert trimap_between(carried, 2, 2)[45, 84] == 0.5
    far, near = (trimap_between(carried, 2, frames) == 0.5 for frames in (40, 2))
    assert far.sum() > near.sum()


def test_the_subjects_own_colour_comes_back_and_solid_pixels_keep_their_bits() -> None:
    alpha = disk(softness=16)
    light = mixed(alpha)
    found = straight_foreground(light, alpha)
    assert np.abs(found - SUBJECT)[alpha > 0.1].max() < 0.03
    assert found[alpha == 1].tobytes() == light[alpha == 1].tobytes()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99))
def test_the_subject_gives_no_more_light_than_there_is(seed: int) -> None:
    random = np.random.default_rng(seed)
    light = np.exp(random.normal(0, 3, (24, 31, 3))).astype(np.float32)
    alpha = np.clip(random.normal(0.5, 0.5, (24, 31)), 0, 1).astype(np.float32)
    premultiplied = straight_foreground(light, alpha) * alpha[..., None]
    assert (premultiplied >= 0).all() and (premultiplied <= light * 1.0001).all()


@pytest.mark.parametrize("name", ["closed-form", "knn"])
def test_pymatting_cuts_out_a_disk_and_tiles_give_what_the_whole_gives(
    name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pymatting")
    alpha = disk((150, 170))
    light = mixed(alpha, behind=texture(alpha.shape) * np.float32(0.1))
    whole = matte_by(partial(sparse_matte, name), light, trimap_of(alpha, 4))
    assert np.abs(whole - alpha).mean() < 0.02
    monkeypatch.setattr("vfxgen.image.sparse_matte._MOST", 64 * 64)
    monkeypatch.setattr("vfxgen.image.sparse_matte._TILE", 64)
    monkeypatch.setattr("vfxgen.image.sparse_matte._AROUND", 24)
    tiled = matte_by(partial(sparse_matte, name), light, trimap_of(alpha, 4))
    assert np.abs(tiled - whole).mean() < 0.01


def test_without_pymatting_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pymatting", None)
    alpha = disk()
    with pytest.raises(RequestError, match=r"pip install 'vfxgen\[matte\]', or take method = mixture"):
        matte_by(partial(sparse_matte, "knn"), mixed(alpha), trimap_of(alpha, 4))


def read(path: Path) -> Pixels:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None
    code: Pixels = picture[..., ::-1].astype(np.float32) / 255
    return code


def test_a_photograph_with_known_alpha(shared_data: Path) -> None:
    folder = shared_data / "matting" / "alphamatting"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    size = (400, 262)
    photo = read(folder / "input" / "GT02.webp")
    photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    truth, painted = (read(folder / part / "GT02.png")[..., 0] for part in ("gt", "trimap1"))
    truth = cv2.resize(truth, size, interpolation=cv2.INTER_AREA)
    trimap = trimap_levels(cv2.resize(painted, size, interpolation=cv2.INTER_NEAREST))
    unknown = trimap == 0.5
    smooth = MattingSystem(photo, unknown).solve(np.where(unknown, 0, trimap), np.zeros_like(trimap))
    errors = [float(((made - truth)[unknown] ** 2).mean()) for made in (mixture_matte(photo, trimap), smooth)]
    assert errors[0] < 0.6 * errors[1]
