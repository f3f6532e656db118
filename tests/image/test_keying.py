"""A key: coverage and colour of a subject, and the plate put together again from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vfxgen.image.keying import Key, key, repaired

SHOT = Path(__file__).resolve().parents[2] / "shots" / "greenscreen"
GREEN = (0.09, 0.42, 0.12)
HEIGHT, WIDTH = 72, 120


def backing(uneven: bool = True) -> Tensor:
    light = 1.1 - 0.3 * torch.linspace(0, 1, WIDTH) if uneven else torch.ones(WIDTH)
    return torch.tensor(GREEN).view(1, 3, 1, 1) * light.expand(1, 1, HEIGHT, WIDTH)


def coverage() -> Tensor:
    """A solid body with one hard and one soft edge, and a veil beside it."""
    across = torch.arange(WIDTH, dtype=torch.float32)
    alpha = ((across - 30) / 9).clamp(0, 1) * (across < 70)
    alpha = torch.where((across >= 70) & (across < 96), 0.4, alpha)
    alpha = alpha.expand(1, 1, HEIGHT, WIDTH).clone()
    alpha[..., :8, :] = 0
    return alpha


def composite(color: tuple[float, float, float], grain: float = 0.0, uneven: bool = True) -> Tensor:
    alpha = coverage()
    plate = alpha * torch.tensor(color).view(1, 3, 1, 1) + (1 - alpha) * backing(uneven)
    return plate + grain * torch.randn(plate.shape, generator=torch.Generator().manual_seed(5))


GREY = st.floats(0.2, 0.9)


class TestTruth:
    @settings(max_examples=20, deadline=None)
    @given(GREY, st.floats(0.9, 1.0), st.floats(0.8, 1.0))
    def test_a_known_composite_is_taken_apart(self, level: float, warm: float, blue: float) -> None:
        color = (level, level * warm, level * warm * blue)
        keyed = key(composite(color, uneven=False))
        alpha = coverage()
        assert (keyed.alpha - alpha).abs().mean() < 0.02
        seen = (alpha > 0.3).expand(1, 3, -1, -1)
        wanted = torch.tensor(color).view(1, 3, 1, 1).expand_as(keyed.foreground)
        assert (keyed.foreground - wanted)[seen].abs().mean() < 0.05 * level

    @pytest.mark.parametrize("grain", [0.0, 0.02])
    def test_a_bare_screen_is_transparent(self, grain: float) -> None:
        plate = backing() + grain * torch.randn(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(7))
        keyed = key(plate)
        assert keyed.alpha.mean() < 0.003
        assert keyed.premultiplied.abs().mean() < 0.003
        if grain == 0:
            assert keyed.alpha.max() < 1e-3

    @pytest.mark.parametrize("color", [(0.5, 0.3, 0.2), (0.02, 0.02, 0.02), (0.9, 0.9, 0.9), (0.1, 0.1, 0.5)])
    def test_a_solid_subject_is_opaque_and_its_colour_is_the_plates_bit_for_bit(
        self, color: tuple[float, float, float]
    ) -> None:
        plate = composite(color)
        keyed = key(plate)
        inside = (..., slice(12, None), slice(50, 66))
        assert (keyed.alpha[inside] == 1).all()
        assert torch.equal(keyed.foreground[inside], plate[inside])

    def test_with_grain_the_edge_is_as_soft_as_without(self) -> None:
        keyed = key(composite((0.45, 0.28, 0.2), grain=0.015))
        error = (keyed.alpha - coverage()).abs()
        assert error[..., 12:, :66].mean() < 0.025
        assert error[..., 12:, 74:92].mean() < 0.15

    @pytest.mark.parametrize("number", [1001, 1012, 1024])
    @pytest.mark.parametrize("clean", [False, True])
    def test_the_rendered_shot_hair_veil_and_motion_blur(self, number: int, clean: bool) -> None:
        plate = exr(SHOT / f"plate/greenscreen.{number}.exr")[:, :3]
        truth = exr(SHOT / f"truth/alpha.{number}.exr")[:, -1:]
        foreground = exr(SHOT / f"truth/foreground.{number}.exr")[:, :3]
        keyed = key(plate, clean=exr(SHOT / "clean/screen.exr")[:, :3] if clean else None)
        difference = plate[:, 1:2] - torch.maximum(plate[:, 0:1], plate[:, 2:3])
        level = difference[truth == 0].median()
        naive = 1 - (difference / level).clamp(0, 1)
        error = ((keyed.alpha - truth) ** 2).mean()
        assert error < 0.0006
        assert error < ((naive - truth) ** 2).mean() / 10
        edge = (truth > 0.02) & (truth < 0.98)
        seen = edge.expand_as(foreground)
        assert ((keyed.foreground - foreground)[seen] ** 2).mean() < 0.008
        light = (truth * (keyed.foreground - foreground))[seen] ** 2
        assert light.mean() < 0.001


class TestConsistency:
    def test_over_its_screen_again_the_plate_comes_back(self) -> None:
        plate = composite((0.5, 0.45, 0.4))
        keyed = key(plate, despill_strength=0)
        again = keyed.premultiplied + (1 - keyed.alpha) * keyed.screen
        assert (again - plate).abs().max() < 0.01
        assert (again - plate).abs().mean() < 1e-3
        assert torch.equal(again[..., 12:, 50:66], plate[..., 12:, 50:66])

    @pytest.mark.parametrize("stops", [-6, -1, 3, 9])
    def test_exposure_changes_the_foreground_alone(self, stops: int) -> None:
        plate = composite((0.5, 0.3, 0.2), grain=0.01)
        reference, keyed = key(plate), key(plate * 2.0**stops)
        assert torch.equal(keyed.alpha, reference.alpha)
        assert torch.equal(keyed.foreground, reference.foreground * 2.0**stops)

    def test_blue_is_green_with_channels_swapped(self) -> None:
        plate = composite((0.5, 0.3, 0.2), grain=0.01)
        green, blue = key(plate, despill_strength=0), key(plate[:, [0, 2, 1]], "blue", despill_strength=0)
        assert torch.allclose(green.alpha, blue.alpha, atol=1e-4)
        assert torch.allclose(green.foreground, blue.foreground[:, [0, 2, 1]], atol=1e-3)

    def test_the_same_plate_gives_the_same_bits(self) -> None:
        plate = composite((0.5, 0.3, 0.2), grain=0.01)
        first, second = key(plate), key(plate.clone())
        assert torch.equal(first.alpha, second.alpha)
        assert torch.equal(first.foreground, second.foreground)

    def test_a_part_is_keyed_as_the_whole_if_it_is_told_how_large_that_is(self) -> None:
        whole = composite((0.5, 0.45, 0.4), grain=0.01).repeat(1, 1, 1, 6)
        part, middle = whole[..., : 4 * WIDTH], slice(0, 3 * WIDTH)
        wanted = key(whole).alpha[..., middle]
        told, untold = ((key(part, factor=n).alpha[..., middle] - wanted).abs().mean() for n in (2, None))
        assert told < 2e-3 < untold

    def test_a_frame_of_a_batch_is_the_frame_alone(self) -> None:
        plates = [composite((0.5, 0.3, 0.2), 0.01), 3 * composite((0.3, 0.3, 0.3), 0.01)]
        both = key(torch.cat(plates))
        for i, plate in enumerate(plates):
            assert torch.allclose(both.alpha[i], key(plate).alpha[0], atol=1e-4)


class TestNothingClips:
    @pytest.mark.parametrize("light", [3.0, 20000.0, 1e30])
    def test_a_highlight_stays(self, light: float) -> None:
        plate = composite((0.5, 0.4, 0.3))
        plate[..., 40, 60] = light
        keyed = key(plate)
        assert keyed.alpha[0, 0, 40, 60] == 1
        assert keyed.foreground[0, :, 40, 60].tolist() == pytest.approx([light] * 3)
        assert (key(composite((0.5, 0.4, 0.3))).alpha - keyed.alpha).abs().mean() < 2e-3

    def test_values_below_0_pass(self) -> None:
        plate = composite((0.5, 0.4, 0.3))
        plate[0, :, 40, 60] = torch.tensor([0.1, -0.02, 0.05])
        assert key(plate).foreground[0, 1, 40, 60] == torch.tensor(-0.02)

    @pytest.mark.parametrize("place", [(4, 4), (40, 60), (40, 30)])
    @pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
    def test_a_broken_pixel_stays_where_it_is(self, place: tuple[int, int], value: float) -> None:
        plate = composite((0.5, 0.4, 0.3), 0.01)
        broken = plate.clone()
        broken[0, 0, *place] = value
        sound, keyed = key(plate), key(broken)
        assert not keyed.foreground[0, 0, *place].isfinite()
        finite = keyed.foreground.isfinite()
        assert (~finite).sum() == 1
        assert keyed.alpha.isfinite().all()
        assert keyed.screen.isfinite().all()
        assert (keyed.alpha - sound.alpha).abs().mean() < 1e-3

    def test_a_plate_without_broken_pixels_is_not_copied(self) -> None:
        plate = composite((0.5, 0.4, 0.3))
        assert repaired(plate) is plate


class TestControls:
    def test_holdout_keeps_the_plate_and_garbage_removes_it(self) -> None:
        plate = composite((0.5, 0.4, 0.3))
        plate[..., 30:40, 52:60] = torch.tensor([0.1, 0.5, 0.1]).view(3, 1, 1)  # a green brooch
        holdout, garbage = torch.zeros(1, 1, HEIGHT, WIDTH), torch.zeros(1, 1, HEIGHT, WIDTH)
        holdout[..., 28:42, 50:62] = 1
        garbage[..., 60:, :] = 1
        keyed = key(plate, holdout=holdout, garbage=garbage)
        kept = (..., slice(28, 42), slice(50, 62))
        assert (keyed.alpha[kept] == 1).all()
        assert torch.equal(keyed.foreground[kept], plate[kept])
        left = keyed.without(garbage)
        assert left.alpha[..., 60:, :].max() == 0 and torch.equal(left.alpha[..., :60, :], keyed.alpha[..., :60, :])
        assert torch.equal(left.foreground, keyed.foreground) and keyed.without(None) is keyed

    def test_a_screen_colour_given_is_used(self) -> None:
        keyed = key(composite((0.5, 0.4, 0.3)), screen_color=torch.tensor([GREEN]))
        assert (keyed.alpha - key(composite((0.5, 0.4, 0.3))).alpha).abs().mean() < 2e-3

    def test_clipping_hardens_a_veil_away(self) -> None:
        veil = (..., slice(12, None), slice(76, 90))
        plate = composite((0.5, 0.48, 0.46))
        assert 0.3 < key(plate).alpha[veil].mean() < 0.5
        assert key(plate, clip_black=0.48).alpha[veil].mean() < 0.08
        assert key(plate, clip_white=0.5).alpha[veil].mean() > 0.7

    def test_grain_in_the_matte_goes_as_far_as_asked(self) -> None:
        plate = composite((0.5, 0.3, 0.2), grain=0.02)
        veil = (..., slice(20, None), slice(76, 90))
        assert key(plate).alpha[veil].std() < 0.7 * key(plate, smooth=0).alpha[veil].std()

    @pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 5), (17, 33)])
    def test_a_plate_may_be_small(self, size: tuple[int, int]) -> None:
        plate = torch.tensor(GREEN).view(1, 3, 1, 1).repeat(1, 1, *size)
        keyed: Key = key(plate)
        assert keyed.alpha.shape == (1, 1, *size)
        assert keyed.alpha.max() < 1e-3


def exr(path: Path) -> Tensor:
    """A file of the sample shot as (1, C, H, W)."""
    if not path.exists():
        pytest.skip(f"{path} is not there: shots/greenscreen/make.py renders it")
    import OpenImageIO as oiio

    pixels = np.asarray(oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT), np.float32)
    return torch.from_numpy(pixels).movedim(-1, 0)[None].contiguous()
