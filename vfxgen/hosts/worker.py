"""`vfxgen worker`: a process that a host starts, talks to over stdin and stdout, and keeps for its warm nets."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from typing import Any, NoReturn

from vfxgen.hosts import methods, rpc
from vfxgen.hosts.channel import Channel
from vfxgen.hosts.lane import Job, Lane
from vfxgen.hosts.rpc import Fault, Id, Request
from vfxgen.log import log
from vfxgen.version import __version__

GRACE_S = 10.0
"""How long a worker that ends waits for the job at work to stop."""
STUCK = 3
"""Exit code of one that left without waiting longer."""


def serve(idle: float) -> NoReturn:
    """Answer requests until stdin closes, `shutdown` comes, or nothing happens for `idle` seconds (0: for ever)."""
    code = Worker(Channel.take_over(), idle).run()
    # Python's own end takes a second once torch is there, and waits for threads of libraries.
    os._exit(code)


class Worker:
    """Reads requests, answers what is quick, and gives the rest to two lanes.

    Renders wait for one another in one lane; in the other are the requests that only look, so that a host learns which
    frames are current while a long render goes on.
    """

    def __init__(self, channel: Channel, idle: float) -> None:
        self._channel, self._idle = channel, idle
        self._inbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._greeted = False
        self._renders = Lane(self._answered, self._tell_queue)
        self._looks = Lane(self._answered, lambda running, waiting: None)
        self._last_message = time.monotonic()

    def run(self) -> int:
        """See `serve`; returns the exit code."""
        # What is logged goes to the host; stderr is left to libraries and to what nobody foresaw.
        log.handlers[:] = [_Notifying(self._channel)]
        log.setLevel(logging.INFO)
        threading.Thread(target=self._read, name="vfxgen-stdin", daemon=True).start()
        try:
            while (line := self._next_line()) is not None and self._handle(line):
                pass
        finally:
            self._end()
        return 0

    def _read(self) -> None:
        for line in self._channel.lines():
            self._inbox.put(line)
        self._inbox.put(None)

    def _next_line(self) -> bytes | None:
        """The next line; None when there are no more, or none came for too long."""
        while True:
            try:
                line = self._inbox.get(timeout=self._idle_left())
            except queue.Empty:
                if self._idle_left():
                    continue
                log.info("nothing to do for %g seconds: the worker ends", self._idle)
                return None
            self._last_message = time.monotonic()
            return line

    def _idle_left(self) -> float | None:
        """Seconds until the worker has been idle too long; None: it never is."""
        if not self._idle:
            return None
        if self._renders.is_busy or self._looks.is_busy:
            return self._idle
        active = max(self._last_message, self._renders.last_active, self._looks.last_active)
        return max(0.0, active + self._idle - time.monotonic())

    def _handle(self, line: bytes) -> bool:
        """Do what a line asks; whether to go on."""
        try:
            request = rpc.parse(line)
        except Fault as fault:
            self._channel.send(rpc.failure(None, fault))
            return True
        if request.method == "shutdown":
            self._answer(request.id, {})
            return False
        try:
            self._dispatch(request)
        except Fault as fault:
            self._answer(request.id, fault)
        return True

    def _dispatch(self, request: Request) -> None:
        method, id = request.method, request.id
        if method == "hello":
            self._answer(id, self._hello(methods.only(request, "protocol", "host")))
        elif not self._greeted:
            raise Fault(rpc.PROTOCOL_DIFFERS, f"{method}: say hello first, with the protocol you speak")
        elif method == "cancel":
            asked = methods.only(request, "id").get("id")
            self._answer(id, {"cancelled": self._renders.cancel(asked) or self._looks.cancel(asked)})
        elif method in methods.RENDERS:
            self._renders.add(Job(id, methods.bound(methods.RENDERS, request, self._channel.send)))
        elif method in methods.LOOKS:
            self._looks.add(Job(id, methods.bound(methods.LOOKS, request, self._channel.send)))
        else:
            raise Fault(rpc.METHOD_NOT_FOUND, f"there is no method '{method}'; there are {', '.join(METHODS)}")

    def _hello(self, params: dict[str, Any]) -> dict[str, Any]:
        protocol, host = params.get("protocol"), params.get("host", "the host")
        self._greeted = protocol == rpc.PROTOCOL
        if not self._greeted:
            raise Fault(
                rpc.PROTOCOL_DIFFERS,
                f"vfxgen {__version__} speaks protocol {rpc.PROTOCOL}, {host} speaks {protocol!r}: "
                "install the plug-in and vfxgen of one release",
            )
        return {
            "protocol": rpc.PROTOCOL,
            "vfxgen": __version__,
            "python": sys.version.split()[0],
            "pid": os.getpid(),
            "methods": list(METHODS),
        }

    def _answered(self, job: Job, outcome: Any) -> None:
        self._answer(job.id, outcome)

    def _answer(self, id: Id, outcome: Any) -> None:
        """Answer a request; one without an id wants no answer."""
        if id is not None:
            is_error = isinstance(outcome, BaseException)
            self._channel.send(rpc.failure(id, outcome) if is_error else rpc.result(id, outcome))

    def _tell_queue(self, running: Id, waiting: list[Id]) -> None:
        self._channel.send(rpc.notification("queue", running=running, waiting=waiting))

    def _end(self) -> None:
        """Cancel what is at work and wait for it; leave without it when it does not stop."""
        lanes = (self._renders, self._looks)
        for lane in lanes:
            lane.end()
        if not all(lane.join(GRACE_S) for lane in lanes):
            os._exit(STUCK)


METHODS = ("hello", *methods.LOOKS, *methods.RENDERS, "cancel", "shutdown")


class _Notifying(logging.Handler):
    """Sends what is logged to the host."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname.lower()
        self._channel.send(rpc.notification("log", level=level, message=record.getMessage()))
