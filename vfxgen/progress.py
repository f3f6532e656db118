"""Progress of a render, for a person (a bar on stderr) or a program (one JSON object a line on stdout)."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vfxgen.media.pattern import format_frames

if TYPE_CHECKING:
    from vfxgen.render import Event

DONE, SOME_FAILED = 0, 1


def report(events: Iterable[Event], total: int, *, as_json: bool) -> int:
    """Show events as they come; returns the exit code: 0 when every frame is there, 1 when some failed."""
    return _report_json(events, total) if as_json else _report_rich(events, total)


def _report_json(events: Iterable[Event], total: int) -> int:
    counts = {"rendered": 0, "current": 0, "failed": 0}
    start = time.perf_counter()
    for event in events:
        counts[event.status] += 1
        done = sum(counts.values())
        print(json.dumps({"event": "frame", "done": done, "total": total, **dataclasses.asdict(event)}), flush=True)
    seconds = round(time.perf_counter() - start, 3)
    print(json.dumps({"event": "end", **counts, "seconds": seconds}), flush=True)
    return SOME_FAILED if counts["failed"] else DONE


def _report_rich(events: Iterable[Event], total: int) -> int:
    console = Console(stderr=True)
    seen: list[Event] = []
    start = time.perf_counter()
    columns = (
        TextColumn("frame {task.fields[frame]:>5}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:5.2f} fps"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total, frame="", rate=0.0)
        for event in events:
            seen.append(event)
            if event.status == "failed":
                words = f"frame {event.frame}: {event.error}"
                console.print(words, style="red", highlight=False, soft_wrap=True, markup=False)
            rendered = sum(e.status == "rendered" for e in seen)
            rate = rendered / max(1e-6, time.perf_counter() - start)
            bar.update(task, completed=min(total, len(seen)), frame=event.frame, rate=rate)
    _summary(console, seen, total, time.perf_counter() - start)
    return SOME_FAILED if any(event.status == "failed" for event in seen) else DONE


def _summary(console: Console, seen: list[Event], total: int, seconds: float) -> None:
    by_status = {s: [e.frame for e in seen if e.status == s] for s in ("rendered", "current", "failed")}
    words = [f"{len(by_status['rendered'])} rendered in {seconds:.1f} s"]
    if by_status["current"]:
        words.append(f"{len(by_status['current'])} already current")
    if by_status["failed"]:
        words.append(f"{len(by_status['failed'])} failed: {format_frames(sorted(set(by_status['failed'])))}")
    if len(seen) < total:
        words.append(f"{total - len(seen)} not tried")
    console.print(", ".join(words), highlight=False, soft_wrap=True)
    if not sys.stderr.isatty():
        sys.stderr.flush()
