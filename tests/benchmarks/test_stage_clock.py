"""A clock for stages: every second goes to the innermost stage, once, and the functions come back as they were."""

from __future__ import annotations

import sys
import time
import types
from collections.abc import Iterator

import pytest

from benchmarks.stage_clock import StageClock


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[types.ModuleType, types.ModuleType]]:
    """Two modules, of which the second knows a function of the first, and a processor that counts what is spent."""
    now = [0.0]
    first, second = types.ModuleType("clocked.first"), types.ModuleType("clocked.second")

    def spend(seconds: float) -> None:
        now[0] += seconds

    def inner() -> str:
        spend(2)
        return "done"

    class Outer:
        def frame(self) -> str:
            spend(1)
            return second.known_as()  # type: ignore[no-any-return]

    first.inner, first.Outer, second.known_as, first.spend = inner, Outer, inner, spend  # type: ignore[attr-defined]
    for module in (first, second):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(time, "process_time", lambda: now[0])
    yield first, second


STAGES = {"within": ["clocked.first:inner"], "around": ["clocked.first:Outer.frame"]}


def test_time_goes_to_the_innermost_stage(ticking: tuple[types.ModuleType, types.ModuleType]) -> None:
    first, second = ticking
    plain = second.known_as
    with StageClock("the rest", STAGES) as clock:
        first.spend(5)
        assert first.Outer().frame() == "done"
    assert clock.spent == {"the rest": 5, "around": 1, "within": 2}
    assert second.known_as is plain and first.inner is plain


def test_a_whole_stage_keeps_what_is_called_within_it(ticking: tuple[types.ModuleType, types.ModuleType]) -> None:
    first, _ = ticking
    with StageClock("the rest", STAGES, whole=["around"]) as clock:
        first.Outer().frame()
        first.inner()
    assert clock.spent == {"the rest": 0, "around": 3, "within": 2}


def test_an_error_ends_its_stage(ticking: tuple[types.ModuleType, types.ModuleType]) -> None:
    first, second = ticking

    def broken() -> str:
        first.spend(3)
        raise ValueError("no")

    vars(first)["inner"] = vars(second)["known_as"] = broken
    with pytest.raises(ValueError, match="no"), StageClock("the rest", STAGES) as clock:
        first.Outer().frame()
    assert clock.spent == {"the rest": 0, "around": 1, "within": 3} and second.known_as is broken


def test_every_stage_of_the_measurement_is_there() -> None:
    from benchmarks.removal_speed import STAGES as measured

    for stages in measured.values():
        with StageClock("the rest", stages) as clock:
            time.sleep(0)
        assert set(clock.spent) == {"the rest"}
