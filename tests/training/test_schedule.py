"""Schedules: rates, length, precision, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vfxgen.errors import RequestError
from vfxgen.training.schedule import LAST_RATE, Schedule


def test_the_rate_rises_then_falls_along_a_cosine() -> None:
    schedule = Schedule(steps=1000, rate=1.0, warm_up=100)
    rates = [schedule.rate_at(step, step / 1000) for step in range(1001)]
    assert rates.index(max(rates)) == 99
    assert rates[0] == pytest.approx(0.01) and rates[-1] == pytest.approx(LAST_RATE)
    assert rates[100:] == sorted(rates[100:], reverse=True)


@given(st.floats(0, 3), st.integers(0, 10**6))
def test_the_rate_never_leaves_its_range(done: float, step: int) -> None:
    assert 0 < Schedule(steps=10, rate=1.0).rate_at(step, done) <= 1


def test_minutes_are_counted_by_the_clock() -> None:
    assert Schedule(minutes=2).done(10**6, 60.0) == 0.5
    assert Schedule(steps=10).done(5, 10**6) == 0.5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "steps or minutes"),
        ({"steps": 1, "minutes": 1.0}, "one of them"),
        ({"steps": 1, "rate": 0.0}, "rate"),
        ({"steps": 1, "clip": -1.0}, "clip = -1.0"),
        ({"steps": 1, "rate": float("nan")}, "rate = nan"),
        ({"steps": 1, "average": 1.0}, "average"),
        ({"steps": 1, "seed": 2**32 + 7}, "seed = 4294967303 must be below 2**32"),
        ({"steps": 1, "precision": "half"}, "auto | fp32 | bf16 | fp16"),
        ({"steps": 1, "optimizer": "sgd"}, "adam | soap"),
    ],
)
def test_a_wrong_value_is_named(words: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestError) as raised:
        Schedule(**words)
    assert said in str(raised.value)


def test_precision_is_what_was_asked_for() -> None:
    cpu = torch.device("cpu")
    assert Schedule(steps=1, precision="fp16").type_on(cpu) == torch.float16
    assert Schedule(steps=1).type_on(cpu) in (torch.float32, torch.bfloat16)
