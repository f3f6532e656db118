"""Cancelling: work that is asked to stop does so at its next step, between frames, operators and tiles."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Cancelled(BaseException):
    """The work was asked to stop; like KeyboardInterrupt it is no error, and passes those who handle errors."""


_asked: ContextVar[threading.Event | None] = ContextVar("asked", default=None)


@contextmanager
def cancellable(asked: threading.Event) -> Iterator[None]:
    """Let what runs in this block, and in threads that copy its context, stop once `asked` is set.

    Examples
    --------
    >>> asked = threading.Event()
    >>> with cancellable(asked):
    ...     stop_if_cancelled()
    ...     asked.set()
    ...     stop_if_cancelled()
    Traceback (most recent call last):
    vfxgen.cancel.Cancelled
    """
    token = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(token)


def stop_if_cancelled() -> None:
    """A step at which work may stop; what takes long calls it again and again.

    Raises
    ------
    Cancelled
        The work was asked to stop.
    """
    asked = _asked.get()
    if asked is not None and asked.is_set():
        raise Cancelled
