"""Words for people: one logger, and notes that are said once instead of once a frame."""

from __future__ import annotations

import logging
from functools import cache

log = logging.getLogger("vfxgen")


@cache
def say_once(message: str) -> None:
    """Log `message` as a warning the first time it is said in this process."""
    log.warning(message)
