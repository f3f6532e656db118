"""The protocol of the upscaling figures gives what is published, and says no where it would not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import super_resolution as protocol
from benchmarks.fsrcnn import Fsrcnn

Codes = protocol.Codes


@pytest.fixture
def picture() -> Codes:
    rows, columns = np.mgrid[:40, :48]
    waves = np.stack([np.sin(rows / 3 + i) * np.cos(columns / (4 + i)) for i in range(3)], axis=-1)
    return np.asarray(128 + 100 * waves, np.uint8)


def test_published_figures_come_out(shared_data: Path) -> None:
    said = protocol.check_anchors(shared_data)
    assert len(said) == 7 and all("published" in line for line in said)


def test_a_figure_that_does_not_come_out_ends_the_run(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BICUBIC", {4: (28.46, 0.8104)})
    with pytest.raises(protocol.AnchorError, match=r"Set5 x4, bicubic .*: 28\.4\d+ dB.*published 28\.46"):
        protocol.check_anchors(shared_data)


def test_another_luma_is_found_out(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "_LUMA", np.array([0.299, 0.587, 0.114]))
    monkeypatch.setattr(protocol, "BICUBIC", {2: protocol.BICUBIC[2]})
    with pytest.raises(protocol.AnchorError, match="nothing was measured"):
        protocol.check_anchors(shared_data)


def test_luma_of_black_and_white_is_studio_range() -> None:
    black_and_white = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    assert protocol.luma(black_and_white)[0] == pytest.approx([16, 235], abs=1e-3)


def test_psnr_by_hand() -> None:
    assert protocol.psnr(np.full((4, 4), 10.0), np.zeros((4, 4)), 255) == pytest.approx(28.1308, abs=1e-4)
    assert protocol.psnr(np.ones((4, 4)), np.ones((4, 4)), 1) == float("inf")


def test_the_border_does_not_count(picture: Codes) -> None:
    spoilt = picture.copy()
    spoilt[:4], spoilt[:, -4:] = 0, 255
    assert protocol.score(spoilt, picture, 4).psnr == float("inf")
    assert protocol.score(spoilt, picture, 4).ssim == pytest.approx(1)
    assert protocol.score(spoilt, picture, 3).psnr < 40


def test_ssim_is_that_of_its_definition(picture: Codes) -> None:
    ours, theirs = protocol.luma(picture)[:11, :11], protocol.luma(picture[::-1])[:11, :11]
    distance = np.arange(-5, 6)
    window = np.exp(-(distance[:, None] ** 2 + distance**2) / (2 * 1.5**2))
    window /= window.sum()
    means = [float((window * y).sum()) for y in (ours, theirs)]
    spreads = [float((window * (y - m) ** 2).sum()) for y, m in zip((ours, theirs), means, strict=True)]
    both = float((window * (ours - means[0]) * (theirs - means[1])).sum())
    c1, c2 = 6.5025, 58.5225
    expected = (2 * means[0] * means[1] + c1) * (2 * both + c2)
    expected /= (means[0] ** 2 + means[1] ** 2 + c1) * (sum(spreads) + c2)
    assert protocol.ssim(ours, theirs) == pytest.approx(expected, abs=1e-9)


@given(offset=st.integers(1, 60))
def test_a_worse_picture_scores_less(offset: int) -> None:
    truth = np.full((24, 24, 3), 90, np.uint8)
    truth[::3, 1::4] = 140
    near, far = truth + np.uint8(offset), truth + np.uint8(offset + 20)
    scores = [protocol.score(picture, truth, 2) for picture in (near, far)]
    assert scores[0].psnr > scores[1].psnr and 1 > scores[0].ssim > scores[1].ssim


@given(st.lists(st.floats(-1, 2), min_size=3, max_size=3))
def test_codes_are_rounded_and_held(values: list[float]) -> None:
    codes = protocol.to_codes(np.array([[values]], np.float32))
    assert codes.tolist() == [[[min(255, max(0, int(np.float32(v) * np.float32(255) + 0.5))) for v in values]]]


def test_light_of_middle_grey_code() -> None:
    assert protocol.as_light(np.full((1, 1, 3), 188, np.uint8))[0, 0] == pytest.approx([0.5029] * 3, abs=1e-3)


def test_bicubic_keeps_a_ramp(picture: Codes) -> None:
    ramp = np.tile(np.arange(20, 60, 2, dtype=np.uint8)[None, :, None], (16, 1, 3))
    large = protocol.bicubic(ramp, 2)
    assert large.shape == (32, 40, 3)
    steps = np.diff(large[8:-8, 8:-8, 0].astype(int), axis=1)
    assert set(np.unique(steps)) <= {0, 1, 2}


def test_kodak_is_cut_to_what_the_small_picture_stands_for(shared_data: Path) -> None:
    for pair in protocol.pairs(shared_data, "Kodak", 4)[:2]:
        assert pair.truth.shape == tuple(np.multiply(pair.small.shape, (4, 4, 1)))


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Set5/HR: no pictures"):
        protocol.pairs(tmp_path, "Set5", 2)


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no")
    with pytest.raises(FileNotFoundError, match=r"a\.png: not a picture"):
        protocol.read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_fsrcnn_puts_pixels_where_they_belong(shared_data: Path, scale: int) -> None:
    rows, columns = np.mgrid[:24, :24]
    small = np.repeat((60 + 3 * rows + 3 * columns)[..., None], 3, axis=-1).astype(np.uint8)
    large = Fsrcnn(shared_data, scale)(small).astype(float)
    inside = (slice(4 * scale, -4 * scale),) * 2
    filtered = protocol.bicubic(small, scale).astype(float)
    assert large.shape == (24 * scale, 24 * scale, 3)
    assert np.abs(large - filtered)[inside].max() < 6
