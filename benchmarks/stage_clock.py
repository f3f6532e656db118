"""A clock for the stages of a computation: processor time, to the innermost function that is running."""

from __future__ import annotations

import functools
import importlib
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Self


class StageClock:
    """Counts processor time while it is open, by putting a stopwatch around functions wherever they are known.

    Parameters
    ----------
    rest
        The stage of what runs in none of the functions.
    stages
        Stage -> functions and methods, as ``module:Class.name``.
    whole
        Stages that hold all that is called within them, other stages too.
    """

    def __init__(self, rest: str, stages: Mapping[str, Sequence[str]], whole: Collection[str] = ()) -> None:
        self.stages, self.whole = stages, whole
        self.spent = defaultdict[str, float](float)
        """Seconds."""
        self._running, self._since = [rest], 0.0
        self._restore = list[Callable[[], None]]()

    def __enter__(self) -> Self:
        for stage, functions in self.stages.items():
            for function in functions:
                for holder, name, plain in _places(function):
                    setattr(holder, name, self._timed(stage, plain))
                    self._restore.append(functools.partial(setattr, holder, name, plain))
        self._since = time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        self._tick()
        for restore in self._restore:
            restore()

    def _timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*args: Any, **values: Any) -> Any:
            self._tick()
            self._running.append(self._running[-1] if self._running[-1] in self.whole else stage)
            try:
                return function(*args, **values)
            finally:
                self._tick()
                self._running.pop()

        return timed

    def _tick(self) -> None:
        now = time.process_time()
        self.spent[self._running[-1]] += now - self._since
        self._since = now


def _places(function: str) -> Iterator[tuple[Any, str, Callable[..., Any]]]:
    """The class, or the modules, that know a function, its name there, and the function."""
    module, _, path = function.partition(":")
    *classes, attribute = path.split(".")
    owner = functools.reduce(getattr, classes, importlib.import_module(module))
    plain = getattr(owner, attribute)
    if classes:
        yield owner, attribute, plain
        return
    for name, holder in list(sys.modules.items()):
        if name.startswith(module.partition(".")[0]):
            yield from [(holder, key, plain) for key, value in list(vars(holder).items()) if value is plain]
