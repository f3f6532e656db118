"""Upscale with `temporal` and `strength`: promises hold, real motion does not smear, and only what can is set."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from moving_scenes import texture
from small_nets import scripted
from torch import Tensor, nn

import vfxgen
from vfxgen.errors import RequestError
from vfxgen.frame import Box, Frame, Pixels
from vfxgen.operators.upscale import Upscale
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures

FRAMES = (1, 2, 3, 4, 5)


@cache
def noisy_pan(size: tuple[int, int] = (75, 91)) -> dict[int, Pixels]:
    """A scene that moves by two pixels a frame under noise, with a lamp, values below 0, and an odd size."""
    scene = texture((size[0], size[1] + 2 * len(FRAMES)))
    scene[40:46, 50:56] = 60.0
    scene[10, 20:60] = -0.02
    noise = np.random.default_rng(5)
    return {n: scene[:, 2 * n : 2 * n + size[1]] + noise.normal(0, 0.01, (*size, 3)).astype(np.float32) for n in FRAMES}


def upscaled(frames: dict[int, Pixels], **parameters: object) -> Upscale:
    return Upscale(Pictures(frames), **{"method": "lanczos", "temporal": 1.0, **parameters})


def test_without_it_frames_are_bit_for_bit_what_they_were() -> None:
    plain, named = Upscale(Pictures(noisy_pan())), Upscale(Pictures(noisy_pan()), temporal=0.0)
    assert plain[3].rgb.tobytes() == named[3].rgb.tobytes()
    assert plain.needs(3) == {"plate": (3,)}
    assert plain.key(3) == named.key(3) != Upscale(Pictures(noisy_pan()), temporal=0.5).key(3)


@pytest.mark.parametrize("method", ["lanczos", "net"])
def test_a_frame_does_not_know_how_the_job_was_cut(method: str) -> None:
    numbers = FRAMES if method == "lanczos" else FRAMES[:3]
    made = upscaled(noisy_pan(), method=method)
    in_order = {n: made[n].rgb.tobytes() for n in numbers}
    assert {n: made[n].rgb.tobytes() for n in random.Random(3).sample(numbers, len(numbers))} == in_order
    assert {n: upscaled(noisy_pan(), method=method)[n].rgb.tobytes() for n in numbers} == in_order


def test_a_frame_depends_on_its_neighbours_alone() -> None:
    assert upscaled(noisy_pan()).needs(3) == {"plate": (2, 3, 4)}
    window = {n: noisy_pan()[n] for n in (2, 3, 4)}
    assert upscaled(window)[3].rgb.tobytes() == upscaled(noisy_pan())[3].rgb.tobytes()
    changed = {**noisy_pan(), 4: noisy_pan()[4] * np.float32(1.01)}
    assert upscaled(changed).key(3) != upscaled(noisy_pan()).key(3)
    assert upscaled(changed).key(2) == upscaled(noisy_pan()).key(2)


def test_ends_and_gaps_do_without() -> None:
    assert upscaled(noisy_pan()).needs(1) == {"plate": (1, 2)}
    assert upscaled(noisy_pan()).needs(5) == {"plate": (4, 5)}
    alone = {1: noisy_pan()[1], 3: noisy_pan()[3]}
    assert upscaled(alone).needs(3) == {"plate": (3,)}
    assert upscaled(alone)[3].rgb.tobytes() == upscaled(alone, temporal=0.0)[3].rgb.tobytes()


def test_a_still_stays_bit_for_bit_what_it_is() -> None:
    still = Pictures(noisy_pan()[1])
    steady, plain = (Upscale(still, method="lanczos", temporal=t) for t in (1.0, 0.0))
    assert steady[7].rgb.tobytes() == plain[7].rgb.tobytes()


def test_noise_falls_and_the_scene_stays() -> None:
    clean = texture((75, 101))
    truth = Upscale(Pictures(clean[:, 6 : 6 + 91]), method="lanczos")[1].rgb
    frames = {n: clean[:, 2 * n : 2 * n + 91] + 0 for n in FRAMES}
    noise = np.random.default_rng(8)
    noisy = {n: light + noise.normal(0, 0.01, light.shape).astype(np.float32) for n, light in frames.items()}
    inner = np.s_[20:-20, 20:-20]
    wrong = {t: np.abs(upscaled(noisy, temporal=t)[3].rgb - truth)[inner].mean() for t in (0.0, 0.5, 1.0)}
    assert wrong[1.0] < 0.75 * wrong[0.0]
    assert wrong[1.0] < wrong[0.5] < wrong[0.0]


def test_another_scene_leaves_no_trace() -> None:
    cut = {1: texture((75, 91), 1), 2: texture((75, 91), 2) * np.float32(3)}
    steady, alone = upscaled(cut)[2].rgb, upscaled(cut, temporal=0.0)[2].rgb
    assert np.abs(steady - alone).mean() < 0.005 * alone.mean()


def test_lamps_stay_and_nothing_leaves_the_range_around_it() -> None:
    large = upscaled(noisy_pan())[3].rgb
    plate = noisy_pan()[3]
    assert large.max() <= plate.max() and large.min() >= plate.min()
    assert large[2 * 42 : 2 * 44, 2 * 46 : 2 * 48].mean() == pytest.approx(60, rel=0.01)


def test_nan_in_a_frame_stays_and_nan_in_a_neighbour_does_not_come_in() -> None:
    bad = {n: light.copy() for n, light in noisy_pan().items()}
    bad[3][30, 40, 1] = np.nan
    bad[4][50, 60] = np.inf
    for method in ("lanczos", "net"):
        alone, steady = (upscaled(bad, method=method, temporal=t)[3].rgb for t in (0.0, 1.0))
        assert not np.isfinite(alone).all()
        assert np.array_equal(np.isfinite(alone), np.isfinite(steady))
        assert np.array_equal(alone[~np.isfinite(alone)], steady[~np.isfinite(alone)], equal_nan=True)


class Placed(Sequence):
    """The pan with alpha, ids, and a data window of its own in each frame."""

    @property
    def range(self) -> list[int]:
        return list(FRAMES)

    def frame(self, number: int) -> Frame:
        light = noisy_pan()[number]
        alpha = np.clip(np.mgrid[:75, :91][1] / 40, 0, 1).astype(np.float32)[..., None]
        window = Box(-3 + number % 2, 5, 91, 75)
        frame = Frame.from_pixels(
            np.concatenate([light * alpha, alpha], axis=-1), "RGBA", colorspace="ACEScg", number=number,
            data_window=window, display_window=Box(0, 0, 100, 90),
        )  # fmt: skip
        ids = np.full((75, 91), 2**24 + number, np.uint32)
        return replace(frame, planes={**frame.planes, "id": ids}, types={**frame.types, "id": "uint32"})

    def make_key(self, number: int) -> str:
        return str(number)


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_alpha_is_mixed_too_and_other_channels_and_windows_are_those_of_the_frame(scale: float) -> None:
    alone, steady = (Upscale(Placed(), scale=scale, method="lanczos", temporal=t)[3] for t in (0.0, 1.0))
    assert (steady.data_window, steady.display_window) == (alone.data_window, alone.display_window)
    assert steady.channels == alone.channels == ("R", "G", "B", "A", "id")
    assert steady.planes["id"].tobytes() == alone.planes["id"].tobytes()
    assert steady.alpha.min() >= 0 and steady.alpha.max() <= 1
    assert (steady.rgb != alone.rgb).mean() > 0.3


def test_in_a_sequence_each_frame_goes_through_the_net_once(monkeypatch: pytest.MonkeyPatch) -> None:
    through: list[int] = []
    original = Upscale._through_net

    def counted(self: Upscale, pixels: Pixels) -> Pixels:
        through.append(1)
        return original(self, pixels)

    monkeypatch.setattr(Upscale, "_through_net", counted)
    made = upscaled(noisy_pan(), method="net")
    for number in FRAMES:
        made[number]
    assert len(through) == len(FRAMES)
    made.reset()
    made[1]
    assert len(through) == len(FRAMES) + 2


def test_rendered_in_chunks_the_files_are_the_same(tmp_path: Path) -> None:
    vfxgen.write(upscaled(noisy_pan()), tmp_path / "all.####.exr", frames="1-5")
    for chunk in ("4-5", "1-3"):
        vfxgen.write(upscaled(noisy_pan()), tmp_path / "cut.####.exr", frames=chunk)
    for number in FRAMES:
        whole, cut = (vfxgen.read(tmp_path / f"{name}.####.exr")[number].rgb for name in ("all", "cut"))
        assert whole.tobytes() == cut.tobytes()


class Smoothing(nn.Module):
    """Twice the size, mixed with its mean over 3x3 pixels as much as `strength` says."""

    def forward(self, picture: Tensor, strength: Tensor) -> Tensor:
        smooth = torch.nn.functional.avg_pool2d(picture, 3, 1, 1, count_include_pad=False)
        mixed = picture + strength * (smooth - picture)
        return torch.nn.functional.interpolate(mixed, scale_factor=2.0, mode="nearest")


def test_a_net_with_a_strength_is_given_it(studio: Path) -> None:
    picture = {"name": "picture", "channels": "R G B", "encoding": "log"}
    given = [picture, {"name": "amount", "channels": "strength"}]
    made = [{**picture, "name": "enlarged"}]
    scripted(studio, "smoothing", Smoothing(), scale=2, receptive_field=2, inputs=given, outputs=made)
    plate = Pictures(np.random.default_rng(1).uniform(0.1, 0.3, (40, 50, 3)).astype(np.float32))
    rough = {s: Upscale(plate, net="smoothing", strength=s)._through_net(plate[1].rgb) for s in (0.0, 0.5, 1.0)}
    assert np.abs(rough[0.0] - np.repeat(np.repeat(plate[1].rgb, 2, 0), 2, 1)).max() < 1e-5
    assert rough[0.0].std() > rough[0.5].std() > rough[1.0].std()
    assert Upscale(plate, net="smoothing", strength=0.5).key(1) != Upscale(plate, net="smoothing").key(1)


@pytest.mark.parametrize("method", ["net", "lanczos"])
def test_a_strength_that_nothing_takes_is_refused(method: str) -> None:
    with pytest.raises(RequestError, match=r"strength = 0\.5, but (net 'upscale-x2'|method = lanczos) has none"):
        Upscale(Pictures(noisy_pan()), method=method, strength=0.5)
