"""Words for people: one logger, notes that are said once instead of once a frame, and their lines on a terminal."""

from __future__ import annotations

import logging

log = logging.getLogger("vfxgen")
_said: set[str] = set()

NEWS = logging.INFO
"""The level of what is as it should be: which net runs, how the camera moves."""


def say_once(message: str, level: int = logging.WARNING, about: str = "") -> None:
    """Log `message` the first time it is said in this process: as a warning of what may be wrong, or as `NEWS`.

    What has the same `about`, where given, counts as said: so what holds for all frames of a sequence is said of the
    first file alone (see `Frame.files`).
    """
    if (about or message) not in _said:
        _said.add(about or message)
        log.log(level, message)


def forget_what_was_said() -> None:
    """From now on everything is said again, once."""
    _said.clear()


class Lines(logging.Handler):
    """Writes each record to stderr as one line, whole however wide the terminal is: farm logs are searched by line."""

    def emit(self, record: logging.LogRecord) -> None:
        from rich.console import Console

        style = "yellow" if record.levelno >= logging.WARNING else ""
        # A console for each: a progress bar puts itself in place of stderr while it is shown.
        console = Console(stderr=True)
        words = f"{record.levelname:8} {record.getMessage()}"
        console.print(words, style=style, highlight=False, soft_wrap=True, markup=False)
