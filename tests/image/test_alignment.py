"""Alignment: what a matrix misses the flow finds, over a hole too; a source counts as far as it agrees."""

from __future__ import annotations

import numpy as np
from moving_scenes import TRANSLATION, TURN, moved, texture

from vfxgen.image.alignment import Source, Target, aligned, refined
from vfxgen.image.grain_model import detail, measured_grain
from vfxgen.image.harmonic import harmonic
from vfxgen.image.likeness import toe_of
from vfxgen.image.warp import displacement, through

SIZE = (180, 240)
HOLE = np.zeros(SIZE, bool)
HOLE[60:120, 90:150] = True
NOWHERE = np.zeros(SIZE, bool)
STILL = np.zeros((*SIZE, 2), np.float32)


def test_a_matrix_and_a_flow_lead_on_from_each_other() -> None:
    assert np.allclose(through(TURN, STILL), displacement(TURN, SIZE), atol=1e-4)
    back = through(np.linalg.inv(TURN), displacement(TURN, SIZE))
    assert np.abs(back).max() < 1e-3


def test_what_the_matrix_misses_is_found_and_carried_over_the_hole() -> None:
    this, other, lies = moved(TURN)
    spanned = harmonic(np.where(HOLE[..., None], np.float32(0), this), ~HOLE)
    rough = TURN.copy()
    rough[:2, 2] += (2.5, -1.5)
    for start in (None, STILL + np.array([-2, 1], np.float32)):
        found = refined(Target(spanned, HOLE, toe_of(this, ~HOLE)), Source(other, NOWHERE, rough, 1.0), start)
        assert np.linalg.norm(through(rough, found) - lies, axis=-1)[HOLE].mean() < 0.3


def test_a_source_is_trusted_as_far_as_it_agrees_and_is_known_where_it_is_not_hidden() -> None:
    this, other, _ = moved(TRANSLATION)
    hidden = NOWHERE.copy()
    hidden[:, :60] = True
    target = Target(this, HOLE, toe_of(this, ~HOLE))
    good, bad = (aligned(target, Source(light, hidden, TRANSLATION, 1.0), STILL) for light in (other, texture(SIZE, 9)))
    assert good.trust[HOLE].min() > 0.9 > 0.81 > bad.trust[HOLE].max()
    assert not good.known[:, :50].any() and good.known[20:160, 70:220].all()
    assert (good.weight[~good.known] == 0).all()


def test_the_ground_before_a_wall_does_not_bend_the_motion_of_the_wall_in_the_hole() -> None:
    wall, ground, hole = texture(SIZE), texture((50, SIZE[1] + 9), 4), NOWHERE.copy()
    hole[50:170, 100:150] = True
    this, other = wall.copy(), wall.copy()
    this[130:], other[130:] = ground[:, 9:], ground[:, :-9]
    flow = refined(Target(this, hole, toe_of(this, ~hole)), Source(other, hole, np.eye(3), 1.0), None)
    assert np.abs(flow[150:, :80, 0].mean() - 9) < 1
    assert np.abs(flow[50:80, 100:150, 0]).mean() < 0.03, "as a harmonic surface 0.06"


def test_a_few_pixels_beside_the_hole_that_move_otherwise_do_not_lead_it_astray() -> None:
    this, other, hole, hand = texture(SIZE), texture(SIZE), NOWHERE.copy(), texture((26, 60), 7)
    hole[60:120, 100:150] = True
    this[76:102, 76:100], other[76:102, 76:100] = hand[:, 24:48], hand[:, 10:34]
    flow = refined(Target(this, hole, toe_of(this, ~hole)), Source(other, hole, np.eye(3), 1.0), None)
    assert np.abs(flow[75:105, 100:120, 0]).mean() < 0.6, "believed like the rest 1.2"


def test_motion_is_smoother_where_there_is_but_grain_and_follows_detail_as_before() -> None:
    scene = texture(SIZE)
    scene[:, 120:] = 0.3
    random = np.random.default_rng(5)
    this, other = (scene + random.normal(0, 0.02, scene.shape).astype(np.float32) for _ in range(2))
    source, target = Source(other, NOWHERE, TRANSLATION, 1.0), Target(this, NOWHERE, toe_of(this, ~NOWHERE))
    grain = measured_grain(this[:, 124:], ~NOWHERE[:, 124:])
    assert grain is not None
    knowing = target._replace(detail=detail(this, grain))
    before, after = (refined(one, source, None) for one in (target, knowing))
    rough, smooth = (np.abs(np.diff(flow[20:-20, 150:-20], 2, axis=0)).mean() for flow in (before, after))
    assert smooth < 0.6 * rough
    np.testing.assert_allclose(after[20:-20, 20:90], before[20:-20, 20:90], atol=0.02)
