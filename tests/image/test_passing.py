"""Passing: a thing before the hole in another frame is known by its being shown beside the hole in this one."""

from __future__ import annotations

import numpy as np
from moving_scenes import texture

from vfxgen.frame import Pixels
from vfxgen.image.alignment import Source
from vfxgen.image.gather import gathered
from vfxgen.image.passing import home, passing

SIZE = (120, 200)
HOLE = np.zeros(SIZE, bool)
HOLE[40:80, 80:120] = True
NOWHERE = np.zeros(SIZE, bool)
STILL = np.zeros((*SIZE, 2), np.float32)
SCENE = texture(SIZE)
POST = texture(SIZE, 4)[:, :30] * np.array([0.2, 1.5, 0.2], np.float32)
# The first column of the post in the frame that is filled, and in the other one: there it stands before the hole.
HERE, THERE = 20, 85


def with_post(first: int) -> Pixels:
    light = SCENE.copy()
    light[:, first : first + 30] = POST
    return light


def places(moved: float = HERE - THERE) -> Pixels:
    """Where the pixels of the other frame are in this one: the scene where it was, the post `moved`."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    columns[:, THERE : THERE + 30] += moved
    return np.stack([columns, rows], axis=-1)


def test_a_home_is_where_the_target_shows_the_scene_and_nowhere_beyond_the_frame() -> None:
    leads = places()
    leads[:, :10] = np.nan
    found = home(NOWHERE, HOLE, leads)
    inner = np.s_[5:-5, THERE + 5 : THERE + 25]
    assert (found[inner][..., 0] == leads[inner][..., 0]).all() and found[inner][..., 2].all()
    assert not found[:, :10, 2].any()
    assert not found[45:75, 117:119, 2].any(), "the target does not show what its hole hides"
    assert not home(HOLE, NOWHERE, leads)[HOLE][:, 2].any(), "nor is it known where hidden pixels are"


def test_what_the_target_shows_elsewhere_passes_and_what_is_at_home_does_not() -> None:
    passes = passing(home(NOWHERE, HOLE, places()), STILL)
    assert passes[10:-10, THERE + 5 : THERE + 25].min() == 1
    assert passes[10:-10, THERE + 40 :].max() == 0


def test_motion_that_errs_by_some_pixels_does_not_count() -> None:
    assert passing(home(NOWHERE, NOWHERE, places(5.0)), STILL).max() == 0
    assert passing(home(NOWHERE, NOWHERE, places(9.0)), STILL).max() == 0.5


def test_a_post_before_the_hole_does_not_fill_it() -> None:
    target, other = with_post(HERE), with_post(THERE)
    source = Source(other, NOWHERE, np.eye(3), 1.0)
    inner = np.s_[45:75, THERE + 5 : THERE + 25]
    drawn = gathered(target, HOLE, [source])
    assert drawn.seen[inner].all() and np.abs(drawn.light - other)[inner].mean() < 0.05 * other[inner].mean()
    known = source._replace(home=home(NOWHERE, HOLE, places()))
    assert not gathered(target, HOLE, [known]).seen[inner].any()
    behind = Source(SCENE, NOWHERE, np.eye(3), 0.2)
    both = gathered(target, HOLE, [known, behind])
    assert both.seen[inner].all() and np.abs(both.light - SCENE)[inner].mean() < 0.05 * SCENE[inner].mean()
