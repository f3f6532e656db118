"""How a benchmark says what it measured: a table for people, JSON beside it for comparison."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from vfxgen.version import __version__

RESULTS = Path(__file__).parent / "results"
REPOSITORY = Path(__file__).parents[1]
SHARED = Path(os.environ.get("VFXGEN_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")


def publish(name: str, title: str, rows: Sequence[Mapping[str, Any]], notes: Sequence[str] = ()) -> None:
    """Print `rows` as a table and write them to `results/NAME.json` with the machine they were measured on."""
    table = Table(title=title, title_justify="left")
    for column in rows[0]:
        table.add_column(column, justify="left" if isinstance(rows[0][column], str) else "right")
    for row in rows:
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()))
    console = Console(width=140)
    console.print(table)
    for note in notes:
        console.print(note)
    RESULTS.mkdir(exist_ok=True)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    document = {"title": title, "vfxgen": __version__, "machine": machine, "rows": rows, "notes": list(notes)}
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")


def paired(ours: Callable[[], object], peer: Callable[[], object], runs: int = 9) -> tuple[float, float, float]:
    """Median seconds of each and the median of their ratio, run in turns so that a machine's moods cancel."""
    ours(), peer()
    pairs = [(_seconds(ours), _seconds(peer)) for _ in range(runs)]
    mine, theirs = ([pair[i] for pair in pairs] for i in (0, 1))
    return statistics.median(mine), statistics.median(theirs), statistics.median(a / b for a, b in pairs)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
