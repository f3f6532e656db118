"""Which published frames are what a graph would give now: current, stale, missing; by the keys in their headers."""

from __future__ import annotations

import os
from collections.abc import Sequence as Values
from typing import Any

from vfxgen.errors import VfxgenError
from vfxgen.media.pattern import format_frames
from vfxgen.render import Job, movie_is_current

STATES = ("current", "stale", "missing", "unknown")


def frame_states(job: Job, frames: Values[int]) -> dict[str, Any]:
    """Frames of one job by their state, as frame ranges (empty: none), and why those without a state have none.

    ``current``: a render would leave it; ``stale``: it would make it again; ``missing``: there is no file; ``unknown``:
    its inputs cannot be read, for a reason in ``errors`` (words -> frame range).

    Parameters
    ----------
    job
        A sequence and where its frames go.
    frames
        Frame numbers.

    Examples
    --------
    >>> from vfxgen.output import Output
    >>> from vfxgen.testing import constant
    >>> frame_states(Job(constant([0.18, 0.18, 0.18]), Output(path="/no/where.####.exr")), [1, 2])
    {'current': '', 'stale': '', 'missing': '1-2', 'unknown': '', 'errors': {}}
    """
    by_state: dict[str, list[int]] = {state: [] for state in STATES}
    errors: dict[str, list[int]] = {}
    job.sequence.reset()
    # A movie is one file: its frames share their state.
    for group in [list(frames)] if job.output.is_movie else [[number] for number in frames]:
        try:
            by_state[_state(job, group)] += group
        except VfxgenError as error:
            by_state["unknown"] += group
            errors.setdefault(str(error), []).extend(group)
    ranges = {state: format_frames(numbers) if numbers else "" for state, numbers in by_state.items()}
    return {**ranges, "errors": {words: format_frames(numbers) for words, numbers in errors.items()}}


def _state(job: Job, frames: list[int]) -> str:
    output, first = job.output, frames[0]
    if not os.path.exists(output.pattern.file(first)):
        return "missing"
    if output.is_movie:
        is_current = movie_is_current(job, frames)
    else:
        is_current = output.is_current(first, output.key(job.sequence.key(first)))
    return "current" if is_current else "stale"
