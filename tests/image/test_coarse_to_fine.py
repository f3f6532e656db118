"""Large holes at small sizes first: what is known stays bit for bit, whatever the fill."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfxgen.frame import Mask, Pixels
from vfxgen.image.coarse_to_fine import THIN, doubled, filled, halved, levels


def square(side: int, size: tuple[int, int] = (160, 160)) -> Mask:
    hole = np.zeros(size, bool)
    hole[8 : 8 + side, 8 : 8 + side] = True
    return hole


@pytest.mark.parametrize(("side", "count"), [(0, 0), (4, 0), (int(2 * THIN) - 1, 0), (30, 1), (60, 2), (130, 2)])
def test_the_width_of_a_hole_says_how_often_it_is_halved(side: int, count: int) -> None:
    assert levels(square(side)) == count


def test_a_long_scratch_is_thin() -> None:
    hole = np.zeros((400, 400), bool)
    hole[200:206] = True
    assert levels(hole) == 0


@given(st.integers(33, 80), st.integers(33, 80), st.integers(0, 99))
def test_known_pixels_stay_and_the_last_fill_is_the_result(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    code = random.random((height, width, 3), np.float32)
    hole = square(30, (height, width))
    seen: list[tuple[Pixels, Mask]] = []

    def fill(first: Pixels, there: Mask) -> Pixels:
        seen.append((first, there))
        return np.where(there[..., None], np.float32(0.25), first)

    made = filled(np.where(hole[..., None], np.float32(9), code), hole, fill)
    assert made[~hole].tobytes() == code[~hole].tobytes() and (made[hole] == 0.25).all()
    assert np.array_equal(seen[-1][1], hole) and np.isfinite(seen[0][0]).all()
    assert max(float(first.max()) for first, _ in seen) <= 1, "what the hole hid was seen"


def test_halved_takes_means_of_what_is_known_alone() -> None:
    code = np.full((5, 7, 1), 3, np.float32)
    hole = np.zeros((5, 7), bool)
    hole[:3, :3], code[:3, :3] = True, 99
    small, there = halved(code, hole)
    assert small.shape == (3, 4, 1) and there[0, 0] and not there[1:, 1:].any()
    assert (small[~there] == 3).all() and (small[there] == 0).all()


def test_doubled_fits_odd_sizes() -> None:
    assert doubled(np.ones((3, 4, 3), np.float32), (5, 7)).shape == (5, 7, 3)
