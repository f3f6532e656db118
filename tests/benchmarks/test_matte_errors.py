"""Errors of mattes: known cases of each definition."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.matte_errors import dt_ssd, errors


def solid() -> np.ndarray:
    truth = np.zeros((40, 40), np.float32)
    truth[10:30, 10:30] = 1
    return truth


def test_only_unknown_pixels_count() -> None:
    unknown = np.zeros((40, 40), np.bool_)
    unknown[:, :20] = True
    wrong = solid()
    wrong[:, 25:] = 0.5
    assert errors(wrong, solid(), unknown)["SAD"] == 0
    assert errors(np.zeros_like(wrong), solid(), unknown)["SAD"] == pytest.approx(0.2)
    assert errors(np.zeros_like(wrong), solid(), unknown)["MSE"] == pytest.approx(200 / 800)


def test_a_speck_apart_is_less_connected_than_a_soft_rim() -> None:
    everywhere = np.ones((40, 40), np.bool_)
    apart, beside = solid(), solid()
    apart[2:6, 2:6] = 0.8
    beside[30:31, 10:26] = 0.8
    assert np.abs(apart - solid()).sum() == pytest.approx(np.abs(beside - solid()).sum())
    found = [errors(alpha, solid(), everywhere)["connectivity"] for alpha in (apart, beside)]
    assert found[0] >= found[1] > 0
    assert errors(solid(), solid(), everywhere)["connectivity"] == 0


def test_flicker_counts_and_a_steady_error_does_not() -> None:
    truths = {n: solid() for n in range(4)}
    steady = {n: solid() * np.float32(0.5) for n in range(4)}
    flickering = {n: solid() * np.float32(0.5 + 0.1 * (n % 2)) for n in range(4)}
    assert dt_ssd(steady, truths) == 0
    assert dt_ssd(flickering, truths) == pytest.approx(100 * 0.1 * 0.5, rel=1e-4)
