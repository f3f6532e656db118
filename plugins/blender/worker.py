"""The one worker of this Blender."""

import os
from collections.abc import Callable, Generator
from typing import Any

import bpy

from . import preferences
from .client import Client, Request, WorkerError
from .problem import Problem

_clients: list[Client] = []


def client() -> Client:
    """The client of the environment that the preferences name; it starts its worker when it is needed."""
    where = preferences.environment()
    if _clients and _clients[0].vfxgen != where:
        close()
    if not _clients:
        _clients.append(Client(where, host=f"Blender {bpy.app.version_string}"))
    return _clients[0]


def close() -> None:
    """End the worker."""
    while _clients:
        _clients.pop().close()


def ask(
    method: str, params: dict[str, Any], hear: Callable[[Request], None] = lambda request: None
) -> Generator[None, None, Any]:
    """Send a request, yield until it is over, return its result; closing the generator cancels it.

    `hear` is given the request after each step.

    Raises
    ------
    Problem
        It failed, in the worker's words.
    """
    asked = client()
    request = asked.send(method, params)
    try:
        while not request.is_over:
            asked.poll()
            hear(request)
            yield
    except GeneratorExit:
        asked.cancel(request)
        raise
    if request.error is not None:
        raise Problem(words(request.error)) from None
    return request.result


def call(method: str, timeout: float = 60.0) -> Any:
    """Ask and wait.

    Raises
    ------
    Problem
        As for `ask`.
    """
    try:
        return client().call(method, {}, timeout)
    except WorkerError as error:
        raise Problem(words(error)) from None


def doctor() -> str:
    """What works in the environment and what does not, for people.

    Raises
    ------
    Problem
        As for `ask`.
    """
    lines = call("doctor")["text"].splitlines()[1:]
    about = client().about
    working = [line.split()[1] for line in lines if line.split()[:1] == ["ok"]]
    rest = [line for line in lines if line and line.split()[:1] != ["ok"]]
    return "\n".join([f"vfxgen {about['vfxgen']}, Python {about['python']}", f"ok: {', '.join(working)}", *rest])


def words(error: WorkerError) -> str:
    """What a worker's error says, with where to set the path when that is what is wrong."""
    if not preferences.environment():
        return "where vfxgen is installed is not set: Preferences > Add-ons > vfxgen"
    text = str(error).rstrip(".")
    return text.replace(os.linesep, " ")
