"""Inpainting without a net: structure goes on, light of any range, nothing else is touched."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
from moving_scenes import texture

import vfxgen
from vfxgen.errors import FrameError
from vfxgen.image.inpainting import Method, inpainted
from vfxgen.image.patch_fill import patch_filled

METHODS = get_args(Method)
SIZE = (64, 72)
HOLE = np.zeros(SIZE, bool)
HOLE[24:40, 28:46] = True


@pytest.mark.parametrize("method", METHODS)
class TestEveryMethod:
    def test_a_flat_picture_of_any_brightness_is_flat(self, method: Method) -> None:
        for level in (1e-3, 0.18, 20000.0):
            light = np.full((*SIZE, 3), level, np.float32)
            made = inpainted(np.where(HOLE[..., None], np.nan, light), HOLE, method)
            np.testing.assert_allclose(made, light, rtol=1e-3)

    def test_outside_the_hole_every_bit_stays(self, method: Method) -> None:
        light = texture(SIZE) - np.float32(0.05)
        made = inpainted(light, HOLE, method)
        assert made[~HOLE].tobytes() == light[~HOLE].tobytes()
        assert np.isfinite(made).all() and (made[HOLE] != light[HOLE]).mean() > 0.9

    def test_the_same_again_is_the_same(self, method: Method) -> None:
        assert inpainted(texture(SIZE), HOLE, method).tobytes() == inpainted(texture(SIZE), HOLE, method).tobytes()

    def test_a_hole_at_the_border_and_one_of_a_pixel(self, method: Method) -> None:
        light, hole = texture(SIZE), np.zeros(SIZE, bool)
        hole[:10, :12] = hole[50, 60] = True
        assert np.abs(inpainted(light, hole, method) - light)[hole].mean() < 0.3 * light.mean()

    def test_nothing_to_fill_from(self, method: Method) -> None:
        with pytest.raises(FrameError, match="whole picture"):
            inpainted(texture(SIZE), np.ones(SIZE, bool), method)
        assert inpainted(light := texture(SIZE), np.zeros(SIZE, bool), method) is light


@pytest.mark.parametrize("gap", [2, 4, 8, 9, 11])
@pytest.mark.parametrize("across", [False, True])
def test_two_holes_with_little_between_them_at_the_edge_of_the_frame(gap: int, across: bool) -> None:
    light, hole = texture((96, 128)), np.zeros((96, 128), bool)
    hole[:, 84:100] = hole[:, 100 + gap :] = True
    if across:
        light, hole = light.swapaxes(0, 1).copy(), hole.T.copy()
    made = inpainted(light, hole, "patch")
    assert np.isfinite(made).all()
    assert light.min() - 0.05 <= made.min() and made.max() <= light.max() + 0.05


def test_patches_carry_a_pattern_on_where_smooth_fills_lose_it() -> None:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    light = np.array([0.05, 0.6], np.float32)[(rows // 4 + columns // 4) % 2][..., None].repeat(3, axis=-1)
    wrong = {m: np.abs(inpainted(light, HOLE, m) - light)[HOLE].mean() for m in METHODS}
    assert wrong["patch"] < 0.06 < 0.15 < min(wrong["telea"], wrong["smooth"])


def test_leaves_behind_a_wire_go_on_from_what_is_beside_it() -> None:
    hole = np.zeros((96, 96), bool)
    hole[44:50] = True
    wrong = []
    for seed in range(6):
        noise = np.random.default_rng(seed).standard_normal((96, 96)).astype(np.float32)
        leaves = np.where(cv2.GaussianBlur(noise, (0, 0), 2.0) > 0, np.float32(0.7), np.float32(0.2))
        code = cv2.GaussianBlur(leaves, (0, 0), 0.7)[..., None].repeat(3, axis=-1)
        made = patch_filled(np.where(hole[..., None], np.float32(0), code), hole)
        wrong.append(np.square(made - code)[hole].mean())
    assert np.mean(wrong) < 0.04, "patches that count the smooth start as if it were known have 0.046"


def test_patches_bring_no_colour_that_is_not_beside_the_hole() -> None:
    hole = np.zeros((96, 96), bool)
    hole[34:62, 34:62] = True
    orange = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 5) > 14
    for seed in range(3):
        noise = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal((96, 96)).astype(np.float32), (0, 0), 1.2)
        code = (0.4 + 0.15 * noise / noise.std())[..., None].repeat(3, axis=-1)
        code[orange] *= np.array([1.5, 1.0, 0.5], np.float32)
        made = patch_filled(np.where(hole[..., None], np.float32(0), code), hole, seed)
        assert np.abs(made[hole] - made[hole][:, 1:2]).max() < 1e-3, "without limits 0.25 and more"


def test_posts_go_on_through_a_hole_whatever_is_beside_them() -> None:
    hole, post = np.zeros((120, 160), bool), np.arange(160) % 40 >= 26
    hole[40:80, 50:112] = True
    noise = np.random.default_rng(1).normal(0, 0.02, (120, 160, 1))
    code = (np.where(post[None, :, None], (0.2, 0.15, 0.1), 0.6) + noise).astype(np.float32)
    made = patch_filled(np.where(hole[..., None], np.float32(0), code), hole)
    assert np.abs(made - code)[hole].mean() < 0.04, "held to the colours next to each pixel 0.09"


def test_a_lamp_behind_the_hole_goes_on_as_bright_as_it_is() -> None:
    light = texture(SIZE) * np.float32(0.2)
    light[30:34] = 800.0
    assert np.median(inpainted(light, HOLE, "patch")[30:34, 28:46]) == pytest.approx(800, rel=0.05)


def test_another_seed_is_another_fill() -> None:
    code = texture(SIZE)
    assert patch_filled(code, HOLE, 1).tobytes() != patch_filled(code, HOLE, 2).tobytes()


def test_without_a_whole_patch_outside_the_fill_is_smooth() -> None:
    hole = np.ones((12, 12), bool)
    hole[::4, ::4] = False
    made = patch_filled(np.full((12, 12, 3), 0.4, np.float32), hole)
    np.testing.assert_allclose(made, 0.4, rtol=1e-4)


def test_a_real_picture(shared_data: Path) -> None:
    clip = vfxgen.read(shared_data / "video/davis/bmx-trees/#####.jpg")
    light = clip[10].rgb
    hole = cv2.circle(np.zeros(light.shape[:2], np.uint8), (100, 215), 14, 1, -1) > 0
    ring = cv2.dilate(hole.astype(np.uint8), np.ones((21, 21), np.uint8)).astype(bool) & ~hole
    made = inpainted(light, hole, "patch")
    assert (np.abs(np.log2(made[hole].mean(axis=0) / light[ring].mean(axis=0))) < 1).all()
    assert made[hole].std() > 0.5 * light[ring].std()
