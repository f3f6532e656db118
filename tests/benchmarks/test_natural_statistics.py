"""Statistics see blur, noise and compression, and not where texture lies; fills are scored within their holes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.inpaint_quality import Case, scores
from benchmarks.natural_statistics import energy_difference, naturalness

Luma = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def texture(seed: int) -> Luma:
    """Grain of one kind, its places by the seed."""
    noise = np.random.default_rng(seed).standard_normal((96, 96))
    return np.asarray(0.5 + 0.4 * cv2.GaussianBlur(noise, (0, 0), 1.2), np.float64)


def test_texture_elsewhere_is_nearer_than_a_blur_that_psnr_prefers() -> None:
    truth, other = texture(0), texture(1)
    soft = cv2.GaussianBlur(truth, (0, 0), 4)
    assert np.mean((soft - truth) ** 2) < np.mean((other - truth) ** 2)
    assert 2 * energy_difference(other, truth).error < energy_difference(soft, truth).error


def test_too_much_detail_is_above_0_and_too_little_below() -> None:
    truth = texture(0)
    noisy = truth + np.random.default_rng(2).normal(0, 0.1, truth.shape)
    assert energy_difference(noisy, truth).detail > 1
    assert energy_difference(cv2.GaussianBlur(truth, (0, 0), 2), truth).detail < -1


def test_direction_counts() -> None:
    truth = texture(0)
    along, across = (cv2.GaussianBlur(truth, (0, 0), sigmaX=x, sigmaY=y) for x, y in ((4, 0.5), (0.5, 4)))
    assert energy_difference(along, across).error > 3


def test_naturalness_tells_noise_from_flat_with_few_edges() -> None:
    edges = np.full((96, 96), 0.2)
    edges[:, 30:60] = 0.8
    assert naturalness(edges) < 1 < naturalness(np.random.default_rng(0).normal(0.5, 0.2, (96, 96)))


@pytest.fixture
def case() -> Case:
    truth = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    hole = np.zeros((48, 48), bool)
    hole[10:30, 12:30] = True
    return Case("noise", "box", truth, hole)


def test_only_the_hole_is_scored(case: Case) -> None:
    made = case.truth / np.float32(255)
    assert scores(made, case).psnr == pytest.approx(100) and scores(made, case).ssim == pytest.approx(1)
    beside = made.copy()
    beside[40:] = 0
    assert scores(beside, case).psnr == pytest.approx(100)
    off = np.where(case.hole[..., None], np.abs(made - 0.1), made).astype(np.float32)
    assert scores(off, case).psnr == pytest.approx(20, abs=0.5)
