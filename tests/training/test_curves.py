"""The curves: what was logged is what is seen."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vfxgen.training.curves import COLOURS, HEIGHT, draw_curves
from vfxgen.training.objective import Picture


def heights(picture: Picture, colour: tuple[int, int, int], x: int) -> list[int]:
    """Rows of a column where a curve of this colour is, below the title."""
    column = np.rint(picture[40:270, x] * 255).astype(int)
    return [int(y) for y in np.flatnonzero(np.abs(column - colour).sum(1) < 250)]


def test_a_falling_loss_falls() -> None:
    history = [{"step": s, "losses": {"loss": 1000 / s, "l1": 1000 / s}} for s in range(50, 3000, 50)]
    picture = draw_curves(history)
    left, right = heights(picture, COLOURS[0], 120), heights(picture, COLOURS[0], 860)
    assert left and right and left[0] < right[0]


def test_every_figure_has_its_panel() -> None:
    history = [{"step": s, "losses": {"loss": 1.0}, "figures": {"PSNR": s, "SSIM": 0.9}} for s in (1, 2)]
    assert draw_curves(history).shape[0] == 3 * HEIGHT


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=5))
def test_any_numbers_make_a_picture(values: list[tuple[float, float]]) -> None:
    history = [{"step": n, "losses": {"loss": a}, "figures": {"f": b}} for n, (a, b) in enumerate(values)]
    picture = draw_curves(history)
    assert picture.ndim == 3 and np.isfinite(picture).all() and not math.isnan(picture.sum())
