"""What each method of the worker does."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import Any

from vfxgen import describe, doctor, render
from vfxgen.cancel import Cancelled
from vfxgen.errors import RequestError, VfxgenError
from vfxgen.hosts.frame_states import frame_states
from vfxgen.hosts.needs import needed
from vfxgen.hosts.requests import work_of
from vfxgen.hosts.rpc import INVALID_PARAMS, Fault, Message, Request, notification
from vfxgen.hosts.tally import Tally
from vfxgen.log import forget_what_was_said
from vfxgen.operators import operators

Send = Callable[[Message], None]
Method = Callable[[Request, Send], dict[str, Any]]


def only(request: Request, *names: str) -> dict[str, Any]:
    """The params of a request that takes no others than these.

    Raises
    ------
    Fault
        They are no object, or hold others.
    """
    takes = f"{request.method} takes {', '.join(names) or 'no params'}"
    if not isinstance(request.params, dict):
        raise Fault(INVALID_PARAMS, f"{takes}, by name in an object")
    if unknown := [name for name in request.params if name not in names]:
        raise Fault(INVALID_PARAMS, f"{takes}; it does not know '{unknown[0]}'")
    return request.params


def bound(methods: Mapping[str, Method], request: Request, send: Send) -> Callable[[], dict[str, Any]]:
    """A request as something to call; an error that nobody foresaw leaves its traceback on stderr."""

    def call() -> dict[str, Any]:
        try:
            return methods[request.method](request, send)
        except (Fault, VfxgenError, Cancelled):
            raise
        except Exception:
            traceback.print_exc()
            raise

    return call


def _describe(request: Request, send: Send) -> dict[str, Any]:
    only(request)
    return describe.catalogue(operators())


def _doctor(request: Request, send: Send) -> dict[str, Any]:
    only(request)
    found = doctor.examine()
    return {"text": doctor.text(found), "found": found}


def _needs(request: Request, send: Send) -> dict[str, Any]:
    return needed(request.params)


def _check(request: Request, send: Send) -> dict[str, Any]:
    work = work_of(request)
    render.check(list(work.jobs.values()), work.frames, work.options["force"])
    return {"outputs": {name: frame_states(job, work.frames) for name, job in work.jobs.items()}}


def _render(request: Request, send: Send) -> dict[str, Any]:
    # A worker lives long: what is said once a run on the command line is said once a render here.
    forget_what_was_said()
    work = work_of(request)
    jobs = list(work.jobs.values())
    tally = Tally(len(work.frames) * render.events_per_frame(jobs))
    send(notification("progress", id=request.id, **tally.progress()))
    try:
        for event in render.render(jobs, work.frames, **work.options):
            tally.add(event)
            send(notification("progress", id=request.id, **tally.progress(event)))
    except Cancelled:
        raise tally.cancelled() from None
    return tally.result()


def _analyse(request: Request, send: Send) -> dict[str, Any]:
    raise RequestError(f"{', '.join(work_of(request).jobs)}: has nothing to analyse; render it")


LOOKS: dict[str, Method] = {"describe": _describe, "doctor": _doctor, "needs": _needs, "check": _check}
RENDERS: dict[str, Method] = {"analyse": _analyse, "render": _render}
