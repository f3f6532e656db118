"""Subjects, screens, shapes and guides from random numbers: the same each time, within their ranges, of every kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from subjects import SIZE, files, write_data

from vfxgen.training.cutouts import Cutout, photographed, random_subject, square
from vfxgen.training.guides import random_guide, random_mask, random_trimap
from vfxgen.training.screens import lit_screen, screen_color, shadow
from vfxgen.training.shapes import moved, random_coverage

SEEDS = st.integers(0, 1 << 30)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_coverage_is_coverage_and_the_same_each_time(seed: int) -> None:
    one, again = (random_coverage(64, np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(one, again) and one.dtype == np.float32 and one.shape == (64, 64)
    assert one.min() >= 0 and one.max() <= 1


def test_most_shapes_have_soft_and_solid_parts() -> None:
    mattes = [random_coverage(96, np.random.default_rng(n)) for n in range(24)]
    assert sum(((m > 0.05) & (m < 0.95)).mean() > 0.01 for m in mattes) > 16
    assert sum((m > 0.99).mean() > 0.02 for m in mattes) > 12


def test_motion_keeps_the_light() -> None:
    picture = np.zeros((64, 64), np.float32)
    picture[30:34, 30:34] = 1
    smeared = moved(picture, 12.0, 0.3)
    assert smeared.sum() == pytest.approx(16, rel=1e-3) and smeared.max() < 0.5


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_folds_change_what_lets_light_through_alone(seed: int) -> None:
    alpha = np.full((48, 48, 1), 0.4, np.float32)
    alpha[:8], alpha[-8:] = 0, 1
    light = np.full((48, 48, 3), 0.5, np.float32)
    folded = Cutout(alpha, light, light).folded(np.random.default_rng(seed))
    assert np.array_equal(folded.alpha[:8], alpha[:8]) and np.array_equal(folded.alpha[-8:], alpha[-8:])
    veil = folded.alpha[8:-8]
    assert veil.min() >= 0 and veil.max() <= 1 and veil.std() > 0
    assert np.array_equal(folded.foreground, light) and np.array_equal(folded.bounce, light)


def test_a_soft_cutout_keeps_its_colour() -> None:
    alpha = np.zeros((32, 32, 1), np.float32)
    alpha[8:24, 8:24] = 1
    color = np.broadcast_to(np.array([0.8, 0.2, 0.1], np.float32), (32, 32, 3)) * (alpha > 0)
    soft = Cutout(alpha, color.astype(np.float32), color.astype(np.float32)).soft(1.5)
    inside = soft.alpha[..., 0] > 0.05
    assert np.abs(soft.foreground[inside] - (0.8, 0.2, 0.1)).max() < 1e-3
    assert soft.alpha.sum() == pytest.approx(256, rel=1e-3)


def test_turning_a_cutout_turns_all_of_it() -> None:
    random = np.random.default_rng(1)
    parts = [random.random((8, 8, c), np.float32) for c in (1, 3, 3)]
    turned = Cutout(*parts).oriented(1, True)
    assert np.array_equal(turned.alpha, np.rot90(parts[0][:, ::-1]))
    assert np.array_equal(turned.bounce, np.rot90(parts[2][:, ::-1]))


def test_subjects_keep_their_colours_as_often_as_asked(tmp_path: Path) -> None:
    known = files(write_data(tmp_path))
    subjects, photos = ([path for path in known if path.suffix == end] for end in (".exr", ".png"))

    def one_coloured(own: float) -> int:
        """Of eight; the subjects have one colour, no photograph has."""
        drawn = (random_subject(subjects, photos, SIZE, 1.0, own, np.random.default_rng(n)) for n in range(8))
        return sum(float(cut.foreground[cut.alpha[..., 0] > 0.9].std(0).max()) < 1e-2 for cut in drawn)

    assert one_coloured(1.0) == 8 and one_coloured(0.0) == 0 and 0 < one_coloured(0.5) < 8


def test_a_photograph_is_lit_at_its_rim() -> None:
    alpha = np.zeros((64, 64, 1), np.float32)
    alpha[8:56, 8:56] = 1
    cut = photographed(np.full((64, 64, 3), 0.3, np.float32), np.random.default_rng(1), alpha)
    assert cut.bounce[10, 32].mean() > cut.bounce[32, 32].mean() >= 0
    assert np.array_equal(cut.alpha, alpha)


def test_a_square_of_a_photograph_is_light() -> None:
    photo = np.full((60, 90, 3), 188, np.uint8)
    assert np.abs(square(photo, 48, np.random.default_rng(1)) - 0.5).max() < 0.01
    assert square(photo, 80, np.random.default_rng(1)).shape == (80, 80, 3)


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.sampled_from(["green", "blue"]))
def test_a_screen_is_of_its_colour(seed: int, name: str) -> None:
    random = np.random.default_rng(seed)
    color = screen_color(name, random)  # type: ignore[arg-type]
    lead = 1 if name == "green" else 2
    assert color.argmax() == lead and color[lead] > 1.3 * np.delete(color, lead).max()
    screen = lit_screen(64, color, random)
    assert screen.shape == (64, 64, 3) and screen.min() >= 0 and np.isfinite(screen).all()
    assert np.median(screen, (0, 1)).argmax() == lead


def test_a_shadow_only_takes_light() -> None:
    alpha = random_coverage(64, np.random.default_rng(2))[..., None]
    left = [shadow(alpha, np.random.default_rng(n)) for n in range(12)]
    assert all(s.min() > 0.3 and s.max() <= 1 for s in left)
    assert any(s.min() < 0.95 for s in left) and any((s == 1).all() for s in left)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_a_trimap_is_unknown_wherever_coverage_is_neither_empty_nor_solid(seed: int) -> None:
    random = np.random.default_rng(seed)
    alpha = random_coverage(64, random)
    trimap = random_trimap(alpha, random)
    assert set(np.unique(trimap)) <= {0, 0.5, 1}
    assert (trimap[(alpha > 0.02) & (alpha < 0.98)] == 0.5).all()


def test_masks_are_rough_in_many_ways() -> None:
    alpha = random_coverage(96, np.random.default_rng(5))
    masks = [random_mask(alpha, np.random.default_rng(n)) for n in range(16)]
    assert all(m.min() >= 0 and m.max() <= 1 for m in masks)
    off = [float(np.abs(m - alpha).mean()) for m in masks]
    assert len({round(o, 5) for o in off}) > 10 and np.median(off) < 0.1
    assert np.array_equal(random_guide("mask", alpha, np.random.default_rng(3)), masks[3])
