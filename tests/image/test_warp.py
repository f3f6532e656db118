"""Warps: nothing moves by nothing, there and back is near where it was, NaN and lamps stay themselves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfxgen.frame import Pixels
from vfxgen.image.warp import Filter, displacement, warped

FILTERS: tuple[Filter, ...] = ("bicubic", "bilinear")


def light(size: tuple[int, int], seed: int = 1, sigma: float = 2.0) -> Pixels:
    noise = np.random.default_rng(seed).random((*size, 3), np.float32)
    return cv2.GaussianBlur(noise, (0, 0), sigma).reshape(*size, 3)  # type: ignore[no-any-return]


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.sampled_from(FILTERS),
    st.floats(-40, 40).map(round),
    st.floats(-40, 40).map(round),
    st.integers(0, 99),
)
def test_whole_pixels_keep_every_bit(size: tuple[int, int], filter: Filter, x: int, y: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    picture = (random.normal(0, 1, (*size, 4)) * 10.0 ** random.integers(-6, 9, (*size, 4))).astype(np.float32)
    made, valid = warped(picture, np.full((*size, 2), (x, y), np.float32), filter)
    rows, columns = np.arange(size[0]) + y, np.arange(size[1]) + x
    looked_up = picture[rows.clip(0, size[0] - 1)][:, columns.clip(0, size[1] - 1)]
    assert made.tobytes() == looked_up.tobytes()
    inside = np.outer((rows >= 0) & (rows < size[0]), (columns >= 0) & (columns < size[1]))
    assert np.array_equal(valid, inside)


@pytest.mark.parametrize(("filter", "most"), [("bicubic", 0.003), ("bilinear", 0.015)])
def test_there_and_back_is_near_where_it_was(filter: Filter, most: float) -> None:
    picture = light((120, 150))
    matrix = np.array([[1.02, -0.03, 2.4], [0.03, 0.99, -1.7], [1e-5, 0, 1]])
    there, _ = warped(picture, displacement(matrix, (120, 150)), filter)
    back, valid = warped(there, displacement(np.linalg.inv(matrix), (120, 150)), filter)
    inner = np.s_[10:-10, 10:-10]
    assert valid[inner].all()
    assert np.abs(back - picture)[inner].mean() < most * picture.std() * 5
    assert np.abs(back - picture)[inner].max() < 0.1


def test_parts_of_a_pixel_are_exact_on_a_ramp() -> None:
    ramp = np.broadcast_to(np.arange(50, dtype=np.float32)[None, :, None], (20, 50, 1)).copy()
    for part in (0.013, 0.37, 0.5):
        made, _ = warped(ramp, np.full((20, 50, 2), (part, 0), np.float32))
        assert np.abs(made - ramp - np.float32(part))[:, 2:-3].max() < 1e-5


def test_a_lamp_gets_no_ring_and_keeps_its_brightness() -> None:
    picture = np.full((30, 30, 3), 0.18, np.float32)
    picture[10:16, 10:16] = 20000.0
    made, _ = warped(picture, np.full((30, 30, 2), (0.3, 0.6), np.float32))
    assert made.min() == np.float32(0.18) and made.max() == 20000.0


def test_what_is_not_finite_stays_on_its_pixel() -> None:
    clean = light((40, 50))
    dirty = clean.copy()
    dirty[10, 20, 1], dirty[30, 31, 2] = np.nan, -np.inf
    flow = np.full((40, 50, 2), (2.3, -1.2), np.float32)
    made, valid = warped(dirty, flow)
    bad = sorted(map(tuple, np.argwhere(~np.isfinite(made)).tolist()))
    assert bad == [(11, 18, 1), (31, 29, 2)]
    assert not valid[11, 18] and not valid[31, 29]
    expected, inside = warped(clean, flow)
    assert np.abs(np.where(np.isfinite(made), made - expected, 0)).max() < 0.2
    assert (inside & ~valid).sum() == 2


def test_a_flow_that_leads_nowhere_is_not_valid() -> None:
    flow = np.zeros((6, 8, 2), np.float32)
    flow[1, 1], flow[2, 2], flow[3, 3] = np.nan, np.inf, 1e30
    made, valid = warped(light((6, 8), sigma=1), flow)
    assert np.isfinite(made).all()
    assert sorted(map(tuple, np.argwhere(~valid).tolist())) == [(1, 1), (2, 2), (3, 3)]


def test_a_homography_moves_its_corners_and_sees_nothing_beyond_the_horizon() -> None:
    matrix = np.array([[1.1, 0.02, -3], [0.01, 0.9, 5], [1e-4, 2e-4, 1]])
    flow = displacement(matrix, (20, 30))
    x, y, w = matrix @ (29, 19, 1)
    assert flow[19, 29] == pytest.approx((x / w - 29, y / w - 19), abs=1e-4)
    assert np.isnan(displacement(np.array([[1, 0, 0], [0, 1, 0], [-0.1, 0, 1.0]]), (4, 30))[:, 20:]).all()
