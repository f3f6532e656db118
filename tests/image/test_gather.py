"""Gathering: what other frames show of a hole, through motion, exposure and occlusion."""

from __future__ import annotations

import cv2
import numpy as np
from moving_scenes import TRANSLATION, TURN, moved, texture

from vfxgen.frame import Pixels
from vfxgen.image.alignment import Source
from vfxgen.image.gather import gathered
from vfxgen.image.harmonic import harmonic
from vfxgen.image.warp import warped

SIZE = (180, 240)
HOLE = np.zeros(SIZE, bool)
HOLE[60:120, 90:150] = True
NOWHERE = np.zeros(SIZE, bool)


def off(made: Pixels, truth: Pixels) -> float:
    return float(np.abs(made - truth)[HOLE].mean() / truth[HOLE].mean())


def test_what_a_source_shows_fills_the_hole_and_nothing_else() -> None:
    this, other, _ = moved(TURN)
    target = np.where(HOLE[..., None], np.float32(7), this)
    found = gathered(target, HOLE, [Source(other, NOWHERE, TURN, 1.0)])
    assert off(found.light, this) < 0.01
    assert np.array_equal(found.seen, HOLE)
    assert found.light[~HOLE].tobytes() == this[~HOLE].tobytes()
    assert (found.left[~HOLE] == 1).all()


def test_what_the_matrix_misses_the_flow_finds() -> None:
    this, other, _ = moved(TRANSLATION)
    rough = TRANSLATION.copy()
    rough[:2, 2] += (2.5, -1.5)
    assert off(gathered(this, HOLE, [Source(other, NOWHERE, rough, 1.0)]).light, this) < 0.03


def test_another_exposure_is_matched() -> None:
    this, other, _ = moved(TRANSLATION)
    dim = other * np.array([0.5, 0.55, 0.45], np.float32)
    assert off(gathered(this, HOLE, [Source(dim, NOWHERE, TRANSLATION, 1.0)]).light, this) < 0.02


def test_what_is_hidden_in_a_source_comes_from_another_or_is_not_seen() -> None:
    this = texture(SIZE)
    hidden = NOWHERE.copy()
    hidden[50:130, 80:120] = True
    blind = Source(harmonic(np.where(hidden[..., None], np.float32(0), this), ~hidden), hidden, np.eye(3), 1.0)
    alone = gathered(this, HOLE, [blind])
    assert not alone.seen[60:120, 90:118].any() and alone.seen[70:110, 126:148].all()
    both = gathered(this, HOLE, [blind, Source(this, NOWHERE, np.eye(3), 0.3)])
    assert both.seen[HOLE].all() and off(both.light, this) < 0.025


def test_single_pixels_that_a_source_shows_are_specks_and_not_seen() -> None:
    this = texture(SIZE)
    hidden = np.zeros(SIZE, bool)
    hidden[50:130, 80:160] = True
    hidden[90, 100:140:8] = False
    chain = this * np.float32(0.2)
    found = gathered(this, HOLE, [Source(chain, hidden, np.eye(3), 1.0, last=True)])
    assert not found.seen[70:110, 100:140].any()
    assert np.array_equal(found.light[~found.seen], this[~found.seen])


def test_one_that_stands_apart_from_the_others_counts_little() -> None:
    this = texture(SIZE)
    walker = this.copy()
    walker[70:110, 100:140] = (1.4, 0.1, 0.1)
    sources = [Source(light, NOWHERE, np.eye(3), 1.0) for light in (this, walker, this, this)]
    assert off(gathered(this, HOLE, sources).light, this) < 0.02


def test_grain_that_is_left_is_told() -> None:
    this = texture(SIZE)
    sources = [Source(this, NOWHERE, np.eye(3), 1.0)] * 4
    assert np.allclose(gathered(this, HOLE, sources).left[HOLE], 0.25, atol=0.01)
    grainless = [source._replace(grain=0.0) for source in sources]
    assert not gathered(this, HOLE, grainless).left[HOLE].any()


def test_another_scene_is_not_seen_unless_there_is_nothing_else() -> None:
    source = Source(texture(SIZE, 50) * np.float32(0.2), NOWHERE, np.eye(3), 1.0)
    target = texture(SIZE)
    assert gathered(target, HOLE, [source._replace(last=True)]).seen[HOLE].all()
    assert gathered(target, NOWHERE, [source]).light is target
    assert not gathered(target, HOLE, []).seen.any()


def test_of_two_ways_to_a_source_the_better_is_taken() -> None:
    this, other, lies = moved(TRANSLATION)
    lost = TRANSLATION.copy()
    lost[:2, 2] += (70, -60)
    astray = Source(other, NOWHERE, lost, 1.0)
    assert off(gathered(this, HOLE, [astray._replace(flow=lies)]).light, this) < 0.03
    assert off(gathered(this, HOLE, [Source(other, NOWHERE, TRANSLATION, 1.0, flow=lies + 60)]).light, this) < 0.03
    assert off(gathered(this, HOLE, [astray]).light, this) > 0.1


def test_sources_that_lie_a_little_apart_are_brought_together() -> None:
    noise = np.random.default_rng(3).random((*SIZE, 3), np.float32)
    this = np.exp2(15 * (cv2.GaussianBlur(noise, (0, 0), 1.2) - np.float32(0.5)))
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    bump = np.exp(-((rows - 90) ** 2 + (columns - 120) ** 2) / (2 * 12**2))[..., None].astype(np.float32)
    # Behind the hole each source is bent another way: nothing beside it tells.
    bends = [np.array(bend, np.float32) for bend in ((2, 0), (-2, 0), (0, 2), (0, -2))]
    sources = [Source(warped(this, bump * bend)[0], NOWHERE, np.eye(3), 1.0) for bend in bends]
    mean = np.mean([source.light for source in sources], axis=0)
    assert off(gathered(this, HOLE, sources).light, this) < 0.7 * off(mean, this)
