"""Holes: grown and feathered by true distances, mixed without touching what stays."""

from __future__ import annotations

import numpy as np

from vfxgen.image.holes import around, feathered, grown, mixed, without_specks


def test_a_mask_grows_by_a_disc_and_nan_is_0() -> None:
    matte = np.zeros((21, 21), np.float32)
    matte[10, 10], matte[0, 0] = 1e-3, np.nan
    rows, columns = np.mgrid[:21, :21] - 10
    assert np.array_equal(grown(matte, 4), np.hypot(rows, columns) <= 4)
    assert not grown(np.zeros((4, 4), np.float32), 9).any()


def test_a_feather_falls_from_1_in_the_hole_to_0_beyond_it() -> None:
    hole = np.zeros((30, 30), bool)
    hole[10:20, 10:20] = True
    soft = feathered(hole, 3)
    assert (soft[hole] == 1).all() and (soft[~grown(hole.astype(np.float32), 4)] == 0).all()
    assert (np.diff(soft[15, 20:25]) <= 0).all() and 0 < soft[15, 22] < 1
    assert np.array_equal(feathered(hole, 0), hole.astype(np.float32))
    assert not feathered(np.zeros((5, 5), bool), 3).any()


def test_outside_bits_stay_and_nan_in_the_feather_stays() -> None:
    light = np.full((2, 3, 1), np.nan, np.float32)
    light[1] = np.inf
    made = mixed(np.ones_like(light), light, np.array([[0, 0.5, 1], [0, 0.5, 1]], np.float32))
    assert made[:, 2].tolist() == [[1], [1]]
    assert made[:, :2].tobytes() == light[:, :2].tobytes()


def test_around_a_hole_within_the_frame() -> None:
    hole = np.zeros((50, 60), bool)
    hole[4:10, 30:50] = True
    assert around(hole, 5) == (slice(0, 15), slice(25, 55))
    assert around(hole, 5, 1.0) == (slice(0, 16), slice(10, 60))


def test_specks_are_pieces_of_fewer_than_9_pixels_that_join_over_sides() -> None:
    there = np.zeros((20, 30), bool)
    there[2:5, 2:5], there[10, 2:11] = True, True
    there[2, 10:18] = True
    corners = np.arange(12)
    there[6 + corners, 16 + corners] = True
    kept = np.zeros_like(there)
    kept[2:5, 2:5], kept[10, 2:11] = True, True
    assert np.array_equal(without_specks(there), kept)
    assert not without_specks(np.zeros((5, 5), bool)).any() and without_specks(np.ones((5, 5), bool)).all()
    few = np.eye(5, dtype=bool)
    assert np.array_equal(without_specks(few), few), "nothing larger is there"
