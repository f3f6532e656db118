"""What the net of a shot is given: the values that its card speaks of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from vfxgen.testing import Pictures
from vfxgen.training.painted import read_painted
from vfxgen.training.shot_objective import ShotObjective
from vfxgen.training.tasks import TASKS
from vfxgen.zoo.parts import Port

PLATE = np.random.default_rng(0).random((48, 48, 3), np.float32)


def objective(**scaling: Any) -> ShotObjective:
    given = Port(name="x", channels="R G B", encoding="srgb", **scaling)
    painted = read_painted("matte", Pictures({1: PLATE}), Pictures({1: (PLATE[..., :1] > 0.5) * 1.0}, "A"))
    return ShotObjective(painted, TASKS["matte"], given, Port(name="y", channels="A", encoding="none"), 32, 2, 0)


@pytest.mark.parametrize(("mean", "std"), [([0.5] * 3, []), ([], [0.25] * 3), ([0.5] * 3, [0.25] * 3)])
def test_a_mean_or_a_deviation_may_stand_alone(mean: list[float], std: list[float]) -> None:
    plain, scaled = objective(), objective(mean=mean, std=std)
    code, given = plain.batch(3)["given"], scaled.batch(3)["given"]
    assert torch.allclose(given, (code - (0.5 if mean else 0)) / (0.25 if std else 1))
    with torch.no_grad():
        before, after = (one.samples(torch.nn.Conv2d(3, 1, 1)) for one in (plain, scaled))
    assert before is not None and after is not None
    np.testing.assert_allclose(after[:, :32], before[:, :32], atol=1e-5)
