"""The matting Laplacian: pymatting's matrix to rounding, and coverage that comes back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfxgen.image.matting_laplacian import FLATNESS, MattingLaplacian, MattingSystem, Rows, halved

pymatting = pytest.importorskip("pymatting")


def light(seed: int, size: tuple[int, int] = (20, 24)) -> np.ndarray:
    noise = np.random.default_rng(seed).random((*size, 3)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.0)) + np.float32(0.1)


def product(picture: np.ndarray, plane: np.ndarray) -> np.ndarray:
    """The whole Laplacian times a plane, (H, W)."""
    rows = Rows(MattingLaplacian(picture), np.ones(plane.shape, np.bool_))
    return np.asarray(rows @ plane).reshape(plane.shape)


def test_it_is_the_matrix_of_the_literature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vfxgen.image.matting_laplacian.FLATNESS", 0.0)
    picture, plane = light(1), np.random.default_rng(2).random((20, 24), np.float32)
    theirs = pymatting.cf_laplacian(picture / np.mean(np.abs(picture), dtype=np.float32).astype(float), epsilon=0.0)
    np.testing.assert_allclose(product(picture, plane), (theirs @ plane.ravel()).reshape(20, 24), atol=1e-4)
    some = np.random.default_rng(5).random((20, 24)) < 0.3
    rows = Rows(MattingLaplacian(picture), some)
    np.testing.assert_allclose(rows @ plane, (theirs @ plane.ravel())[some.ravel()], atol=1e-4)
    np.testing.assert_allclose(rows.diagonal, theirs.diagonal()[some.ravel()], rtol=2e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_it_is_symmetric_and_finds_no_fault_in_what_is_constant(seed: int) -> None:
    picture, (one, other) = light(seed), np.random.default_rng(seed).random((2, 20, 24), np.float32)
    energy = np.vdot(one, product(picture, one))
    assert energy > 0
    # Against its own energy: one times the other can be next to 0, where rounding is all there is.
    difference = np.vdot(one, product(picture, other)) - np.vdot(other, product(picture, one))
    assert abs(difference) < 1e-6 * energy
    assert np.abs(product(picture, np.ones((20, 24), np.float32))).max() < 1e-5


@settings(max_examples=10, deadline=None)
@given(st.floats(-12, 12))
def test_exposure_changes_nothing(stops: float) -> None:
    plane, picture = np.random.default_rng(3).random((20, 24), np.float32), light(3)
    plain, other = (product(p, plane) for p in (picture, picture * np.float32(2.0**stops)))
    np.testing.assert_allclose(plain, other, atol=1e-3)
    assert FLATNESS > 0


def scene(size: tuple[int, int] = (120, 160)) -> tuple[np.ndarray, np.ndarray]:
    """A soft disk over a background, each of one colour; and its coverage."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    away = np.hypot(rows - size[0] / 2, columns - size[1] / 2)
    alpha = np.clip((size[0] / 3 - away) / 10 + 0.5, 0, 1).astype(np.float32)
    mixed = alpha[..., None] * np.array([0.7, 0.3, 0.1], np.float32) + (1 - alpha[..., None]) * np.array(
        [0.1, 0.3, 0.6], np.float32
    )
    return mixed.astype(np.float32), alpha


def test_a_mixture_of_two_colours_comes_back() -> None:
    picture, alpha = scene()
    unknown = (alpha > 0) & (alpha < 1)
    unknown = cv2.dilate(unknown.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    found = MattingSystem(picture, unknown).solve(np.where(unknown, 0, alpha), np.zeros_like(alpha))
    assert np.abs(found - alpha).max() < 0.02
    assert np.array_equal(found[~unknown], alpha[~unknown])


def test_what_is_believed_strongly_is_kept() -> None:
    picture, alpha = scene()
    unknown = (alpha > 0) & (alpha < 1)
    wished = np.where(unknown, np.float32(0.25), alpha)
    found = MattingSystem(picture, unknown).solve(wished, np.full_like(alpha, 1e5))
    assert np.abs(found - wished).max() < 0.01


def test_a_lamp_does_not_hide_the_texture_beside_it() -> None:
    picture, alpha = scene()
    picture[:10, :10] = 20000
    unknown = (alpha > 0) & (alpha < 1)
    found = MattingSystem(picture, unknown).solve(np.where(unknown, 0, alpha), np.zeros_like(alpha))
    assert np.abs(found - alpha).max() < 0.05


def test_what_was_found_at_half_size_has_the_detail_of_the_light() -> None:
    picture, alpha = scene()
    alpha[:, 80] = 0.0
    picture[:, 80] = (0.1, 0.3, 0.6)
    half = MattingLaplacian(halved(picture))
    found = half.enlarged(halved(alpha), picture)
    assert found.shape == alpha.shape
    assert (
        np.abs(found - alpha)[40:80, 70:90].max() < 0.1 < np.abs(cv2.resize(halved(alpha), (160, 120)) - alpha)[60, 80]
    )


@pytest.mark.parametrize("gain", [0.3, 7.0])
def test_lamps_in_what_is_unknown_do_not_upset_the_rest(gain: float) -> None:
    picture, alpha = scene()
    picture[60, 20:140:4] = 5000
    unknown = (alpha > 0) & (alpha < 1) | (np.arange(120)[:, None] == 60)
    told = np.where(unknown, 0, alpha)
    plain, other = (
        MattingSystem(lit, unknown).solve(told, np.zeros_like(alpha)) for lit in (picture, picture * np.float32(gain))
    )
    beside = unknown & (picture.max(-1) < 1)
    assert np.abs(plain - other)[beside].max() < 0.02 and np.abs(plain - alpha)[beside].mean() < 0.05
