"""How every verb of the command line ends: one line on stderr and an exit code, never a traceback for a user's slip."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import typer
from rich.console import Console

from vfxgen.errors import RequestError, VfxgenError

REQUEST_WRONG, SOMETHING_FAILED, INTERRUPTED = 2, 1, 130


def guarded(command: Callable[..., int | None]) -> Callable[..., None]:
    """Turn vfxgen's errors into one line on stderr and an exit code."""

    @wraps(command)
    def ending_well(*args: Any, **options: Any) -> None:
        try:
            code = command(*args, **options)
        except RequestError as error:
            say(str(error))
            code = REQUEST_WRONG
        except VfxgenError as error:
            say(str(error))
            code = SOMETHING_FAILED
        except BrokenPipeError:
            code = SOMETHING_FAILED
        except KeyboardInterrupt:
            say("interrupted; published frames are whole, start it again to go on")
            code = INTERRUPTED
        raise typer.Exit(code or 0)

    return ending_well


def say(message: str) -> None:
    """One line for people on stderr."""
    Console(stderr=True).print(f"vfxgen: {message}", style="red", highlight=False, soft_wrap=True, markup=False)
