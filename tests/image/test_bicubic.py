"""Small pictures are those of the published test sets."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfxgen.image.bicubic import smaller


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_set5_comes_out_bit_for_bit(shared_data: Path, scale: int) -> None:
    set5 = shared_data / "sr_test" / "Set5"
    files = list(zip(sorted(set5.glob("HR/*.png")), sorted(set5.glob(f"LR_x{scale}/*.png")), strict=True))
    assert len(files) == 5
    for large_file, small_file in files:
        large, small = (np.asarray(cv2.imread(str(file))) for file in (large_file, small_file))
        cut = large[: small.shape[0] * scale, : small.shape[1] * scale]
        assert np.array_equal(smaller(cut, scale), small)


@pytest.mark.parametrize("scale", [2, 3, 4, 5])
def test_a_flat_picture_stays_flat(scale: int) -> None:
    assert np.all(smaller(np.full((20, 25, 3), 77, np.uint8), scale) == 77)
    assert smaller(np.full((20, 25), 1e4, np.float32), scale) == pytest.approx(1e4)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_ramp_keeps_its_places(scale: int) -> None:
    ramp = np.arange(40 * scale, dtype=np.float32)[None].repeat(8 * scale, 0)
    centres = (np.arange(40) + 0.5) * scale - 0.5
    assert smaller(ramp, scale)[:, 3:-3] == pytest.approx(np.tile(centres[3:-3], (8, 1)), abs=1e-3)


@given(height=st.integers(4, 30), width=st.integers(4, 30), scale=st.integers(2, 4))
def test_what_is_left_over_does_not_count(height: int, width: int, scale: int) -> None:
    image = np.random.default_rng(0).random((height, width, 3)).astype(np.float32)
    cut = image[: height // scale * scale, : width // scale * scale]
    small = smaller(image, scale)
    assert small.shape == (height // scale, width // scale, 3) and small.dtype == np.float32
    assert np.array_equal(small, smaller(cut, scale))


def test_rows_and_columns_are_treated_alike() -> None:
    image = np.random.default_rng(1).random((24, 36)).astype(np.float32)
    assert smaller(image.T, 3) == pytest.approx(smaller(image, 3).T, abs=1e-6)


def test_light_beside_a_lamp_goes_below_zero_and_codes_do_not() -> None:
    step = np.repeat(np.where(np.arange(16) < 8, 0, 200)[None], 16, axis=0)
    assert smaller(step.astype(np.float32), 4).min() < -1
    assert smaller(step.astype(np.uint8), 4).min() == 0
