"""Progress of a training for a person (a bar on stderr) or a program (JSON lines on stdout), and how to end one."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from vfxgen.training.loop import Progress


class Watch:
    """The callback of a training.

    Attributes
    ----------
    cancelled
        Set by Ctrl-C, by SIGTERM, and after `stop_after` minutes (0: never): the step is finished, what there is is
        kept. Ctrl-C once more ends at once.
    """

    def __init__(self, bar: Bar, task: TaskID, stop_after: float, *, as_json: bool) -> None:
        self.cancelled = Event()
        self._bar, self._task, self._as_json = bar, task, as_json
        self._end = time.monotonic() + 60 * stop_after if stop_after else float("inf")
        self._said: tuple[dict[str, float], dict[str, float]] = {}, {}

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() > self._end:
            self.cancelled.set()
        figures = progress.losses, progress.figures
        if self._as_json and figures != self._said:
            facts = {"step": progress.step, "seconds": round(progress.seconds, 3), "done": round(progress.done, 5)}
            said = {"event": "step", **facts, "losses": progress.losses, "figures": progress.figures}
            print(json.dumps(said), flush=True)
        self._said = figures
        shown = {name: value for name, value in progress.losses.items() if name == "loss"} | progress.figures
        words = "  ".join(f"{name} {value:.4g}" for name, value in shown.items())
        left = f"{time_of(progress.seconds_left)} left"
        self._bar.update(self._task, completed=progress.done, said=f"step {progress.step}  {words}  {left}")


@contextmanager
def watched(name: str, stop_after: float = 0.0, *, as_json: bool = False) -> Iterator[Watch]:
    """Give the callback of a training; signals end that training well while the block lasts."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
    with Bar(*columns, console=console, disable=as_json or not console.is_terminal) as bar:
        watch = Watch(bar, bar.add_task(name, total=1.0, said=""), stop_after, as_json=as_json)

        def ask(signum: int, frame: FrameType | None) -> None:
            if watch.cancelled.is_set():
                raise KeyboardInterrupt
            watch.cancelled.set()

        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield watch
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def time_of(seconds: float) -> str:
    """Hours, minutes and seconds.

    Examples
    --------
    >>> time_of(3725.4), time_of(float("inf"))
    ('1:02:05', '?')
    """
    if seconds == float("inf"):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
