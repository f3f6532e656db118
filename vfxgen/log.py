"""Words for people: one logger, notes that are said once instead of once a frame, and their lines on a terminal."""

from __future__ import annotations

import logging
from functools import cache

log = logging.getLogger("vfxgen")

NEWS = logging.INFO
"""The level of what is as it should be: which net runs, how the camera moves."""


@cache
def say_once(message: str, level: int = logging.WARNING) -> None:
    """Log `message` the first time it is said in this process: as a warning of what may be wrong, or as `NEWS`."""
    log.log(level, message)


class Lines(logging.Handler):
    """Writes each record to stderr as one line, whole however wide the terminal is: farm logs are searched by line."""

    def emit(self, record: logging.LogRecord) -> None:
        from rich.console import Console

        style = "yellow" if record.levelno >= logging.WARNING else ""
        # A console for each: a progress bar puts itself in place of stderr while it is shown.
        console = Console(stderr=True)
        words = f"{record.levelname:8} {record.getMessage()}"
        console.print(words, style=style, highlight=False, soft_wrap=True, markup=False)
