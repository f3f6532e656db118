"""Harmonic fill: Laplace's equation, against functions that solve it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfxgen.frame import Mask
from vfxgen.image.harmonic import harmonic

ROWS, COLUMNS = np.mgrid[:60, :80].astype(np.float32) / 10


def hole(top: int = 12, bottom: int = 45, left: int = 20, right: int = 66) -> Mask:
    known = np.ones(ROWS.shape, bool)
    known[top:bottom, left:right] = False
    return known


@pytest.mark.parametrize("truth", [COLUMNS - 2 * ROWS, COLUMNS**2 - ROWS**2, np.exp(COLUMNS / 3) * np.cos(ROWS / 3)])
def test_harmonic_functions_come_back(truth: np.ndarray) -> None:
    known = hole()
    solved = harmonic(np.where(known, truth, 0)[..., None], known)[..., 0]
    assert np.abs(solved - truth).max() < 0.04 * truth[~known].std()
    assert solved[known].tobytes() == truth[known].tobytes()


@given(st.integers(0, 2**16), st.integers(1, 6))
@settings(max_examples=10, deadline=None)
def test_nothing_goes_beyond_what_is_known(seed: int, channels: int) -> None:
    random = np.random.default_rng(seed)
    values, known = random.normal(size=(23, 31, channels)).astype(np.float32), random.random((23, 31)) < 0.2
    known[0, 0] = True
    solved = harmonic(values, known)
    assert solved.shape == values.shape
    assert (solved.max(axis=(0, 1)) <= values[known].max(axis=0) + 1e-5).all()
    assert (solved.min(axis=(0, 1)) >= values[known].min(axis=0) - 1e-5).all()


def test_what_is_unknown_may_be_anything() -> None:
    known = hole()
    clean = np.where(known, ROWS, 0)[..., None]
    dirty = np.where(known, ROWS, np.nan)[..., None]
    assert harmonic(clean, known).tobytes() == harmonic(dirty, known).tobytes()


def test_nothing_known_is_0_and_everything_known_is_itself() -> None:
    values = ROWS[..., None]
    assert not harmonic(values, np.zeros(ROWS.shape, bool)).any()
    assert harmonic(values, np.ones(ROWS.shape, bool)) is values
