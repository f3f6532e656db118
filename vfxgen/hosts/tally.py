"""How far a render is: what a host shows while it goes on, and what it is told at the end."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from vfxgen.errors import FrameError
from vfxgen.hosts.rpc import CANCELLED, CODES, Fault
from vfxgen.media.pattern import format_frames
from vfxgen.render import Event


class Tally:
    """Counts the events of a render of `total` frames."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.counts = {"rendered": 0, "current": 0, "failed": 0}
        self.failed: dict[int, str] = {}
        self._start = time.perf_counter()
        self._first_made: float | None = None

    @property
    def done(self) -> int:
        """How many events there were."""
        return sum(self.counts.values())

    def add(self, event: Event) -> None:
        """Count one more."""
        self.counts[event.status] += 1
        if event.status == "rendered" and self._first_made is None:
            self._first_made = time.perf_counter()
        if event.status == "failed":
            self.failed[event.frame] = event.error

    def progress(self, event: Event | None = None) -> dict[str, Any]:
        """What a progress notification says; without an event, that the render begins."""
        said = {"done": self.done, "total": self.total, "seconds_left": self._seconds_left()}
        return said | (dataclasses.asdict(event) if event else {})

    def result(self) -> dict[str, Any]:
        """What the render came to.

        Raises
        ------
        Fault
            Frames failed; its data has each.
        """
        result = {"rendered": self.counts["rendered"], "current": self.counts["current"], "seconds": self._seconds()}
        if not self.failed:
            return result
        first, words = next(iter(self.failed.items()))
        others = f" ({len(self.failed)} frames failed: {format_frames(self.failed)})" if len(self.failed) > 1 else ""
        failed = {str(frame): error for frame, error in self.failed.items()}
        untried = max(0, self.total - self.done)
        message = f"frame {first}: {words}{others}"
        raise Fault(CODES[FrameError], message, kind="FrameError", failed=failed, not_tried=untried, **result)

    def cancelled(self) -> Fault:
        """What a host is told of a render that it stopped."""
        there = self.counts["rendered"] + self.counts["current"]
        words = f"cancelled; {there} of {self.total} frames are there, start it again to go on"
        return Fault(CANCELLED, words, kind="Cancelled", **self.counts)

    def _seconds(self) -> float:
        return round(time.perf_counter() - self._start, 3)

    def _seconds_left(self) -> float | None:
        """By the frames that were made after the first, for which nets are loaded; None before there are two."""
        more = self.counts["rendered"] - 1
        if self._first_made is None or not more:
            return None
        return round((time.perf_counter() - self._first_made) / more * max(0, self.total - self.done), 1)
