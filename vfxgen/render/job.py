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
    outputs
        The outputs it tells of, as `Job.label` has them: all that are stills, or a movie.
    """

    frame: int
    status: Literal["rendered", "current", "failed"]
    paths: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    error: str = ""
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """One sequence and where its frames go; `name` is what a shot file calls the output."""

    sequence: Sequence
    output: Output
    name: str = ""

    @property
    def label(self) -> str:
        """The name, else the path, of the output."""
        return self.name or self.output.path
