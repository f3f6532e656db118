"""Errors against truth, in closed cases."""

from __future__ import annotations

import numpy as np
import pytest

from vfxgen.frame import Pixels
from vfxgen.report.truth import alpha_errors, foreground_error


def test_equal_alphas_have_no_error() -> None:
    alpha = np.random.default_rng(0).random((20, 30, 1)).astype(np.float32)
    assert alpha_errors(alpha, alpha) == {"mse": 0.0, "sad": 0.0, "gradient": 0.0}


def test_a_known_difference() -> None:
    truth = np.zeros((50, 40, 1), np.float32)
    errors = alpha_errors(np.full_like(truth, 0.1), truth)
    assert errors["mse"] == pytest.approx(0.01, rel=1e-5)
    assert errors["sad"] == pytest.approx(0.1 * 50 * 40 / 1000, rel=1e-5)
    assert errors["gradient"] == pytest.approx(0, abs=1e-9)


def test_the_gradient_sees_a_soft_edge_where_a_hard_one_was() -> None:
    columns = np.arange(60, dtype=np.float32)

    def edge(width: float) -> Pixels:
        ramp = np.asarray(np.clip((columns - 30) / width + 0.5, 0, 1), np.float32)
        return np.broadcast_to(ramp[None, :, None], (40, 60, 1))

    hard, soft, softer = edge(1), edge(20), edge(40)
    assert 0 < alpha_errors(soft, hard)["gradient"] < alpha_errors(softer, hard)["gradient"]


def test_foreground_counts_only_where_the_edge_is_soft() -> None:
    alpha = np.zeros((4, 6, 1), np.float32)
    alpha[0] = 0.5
    truth = np.zeros((4, 6, 3), np.float32)
    wrong = np.full_like(truth, 9.0)
    wrong[0] = 0.25
    assert foreground_error(wrong, truth, alpha) == pytest.approx(0.25)
    assert foreground_error(wrong, truth, np.ones_like(alpha)) == 0.0
