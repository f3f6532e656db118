"""Pictures mapped into memory, and what is cut from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfxgen.errors import MediaError
from vfxgen.training.patches import Cut, read_pictures, write_pictures


@pytest.mark.parametrize("kind", [np.uint8, np.float16, np.float32])
def test_pictures_come_back_as_they_were(tmp_path: Path, kind: type[np.generic]) -> None:
    random = np.random.default_rng(0)
    pictures = [(255 * random.random((h, w, 3))).astype(kind) for h, w in ((4, 5), (1, 1), (7, 2))]
    write_pictures(tmp_path, "photos", pictures)
    read = read_pictures(tmp_path, "photos")
    assert all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(read, pictures, strict=True))
    assert isinstance(read[0].base, np.memmap)


def test_none_come_back_as_none(tmp_path: Path) -> None:
    write_pictures(tmp_path, "photos", [])
    assert read_pictures(tmp_path, "photos") == []


def test_a_cache_cut_short_is_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path, "photos", [np.zeros((8, 8, 3), np.uint8)])
    (tmp_path / "photos.raw").write_bytes(b"12")
    with pytest.raises(MediaError, match=r"photos\.raw: is not a whole cache.*--prepare"):
        read_pictures(tmp_path, "photos")
    with pytest.raises(MediaError, match="prepare"):
        read_pictures(tmp_path, "nothing")


@given(st.integers(0, 2**31), st.integers(1, 4))
def test_small_and_large_are_cut_at_the_same_place(seed: int, scale: int) -> None:
    small = np.random.default_rng(0).random((9, 11, 2))
    large = small.repeat(scale, 0).repeat(scale, 1)
    cut = Cut.random(small.shape, 5, np.random.default_rng(seed))
    patch = cut.of(small)
    assert patch.shape == (2, 5, 5)
    assert np.array_equal(cut.of(large, scale), patch.repeat(scale, 1).repeat(scale, 2))
    assert np.isin(patch, small).all()
