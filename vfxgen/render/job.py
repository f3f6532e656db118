"""What a rendering is asked for, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from vfxgen.output import Output
from vfxgen.sequence import Sequence


@dataclass(frozen=True)
class Event:
    """What became of one frame.

    Parameters
    ----------
    frame
        Its number.
    status
        ``rendered``, ``current`` (it was there already, made by the same recipe from the same files), or ``failed``.
    paths
        The files that were published.
    seconds
        Seconds of work by stage: ``read``, ``compute``, ``write``.
    error
        What went wrong, in words.
    """

    frame: int
    status: Literal["rendered", "current", "failed"]
    paths: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class Job:
    """One sequence and where its frames go."""

    sequence: Sequence
    output: Output
