"""Talk to a vfxgen worker from inside a host: standard library alone, Python 3.7 on; a plug-in carries a copy.

A host makes one `Client`, sends requests, and polls it from a timer of its own::

    client = Client("/opt/vfxgen/.venv", host="Blender 5.0")
    shot = client.send("render", {"operator": "key", "inputs": {"plate": "plate.####.exr"}, "output": {...}})
    ...
    client.poll()                       # in the timer: takes what has arrived, never waits
    shot.state, shot.progress           # "running", {"done": 3, "total": 24, "seconds_left": 12.0, ...}
    shot.result, shot.error             # once it is over

All calls come from one thread of the host, and there is no other: Blender crashes where Python runs beside a render.
The protocol is described in docs/hosts.md.
"""

from __future__ import annotations

import atexit
import collections
import itertools
import os
import time
from typing import Any, Mapping

# Relative, since a plug-in carries these two files in a package of its own.
from .worker_process import WORKER_ENDED as WORKER_ENDED
from .worker_process import WorkerError as WorkerError
from .worker_process import WorkerProcess, clean_environment, worker_command

PROTOCOL = 1
CANCELLED = 20
_GRACE_S = 3.0


class WorkerTimeout(WorkerError):
    """The worker did not answer in time; the request is still on its way."""


class Request:
    """Something asked of the worker; it changes when its client is polled.

    Attributes
    ----------
    id
        Of the request.
    state
        ``waiting``, ``running``, ``done``, ``failed`` or ``cancelled``.
    progress
        Params of its last progress notification: ``done total seconds_left``, and the last frame's ``frame status paths
        seconds error``. Empty before the first.
    failed_frames
        Frame -> what it failed of, so far.
    result
        What the worker answered, when it is done.
    error
        A `WorkerError`, when it failed or was cancelled.
    """

    def __init__(self, id: int, method: str, params: Mapping[str, Any]) -> None:
        self.id = id
        self.method = method
        self.params = dict(params)
        self.state = "waiting"
        self.progress: dict[str, Any] = {}
        self.failed_frames: dict[int, str] = {}
        self.result: Any = None
        self.error: WorkerError | None = None
        self.is_unwanted = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.state in ("done", "failed", "cancelled")

    def fail(self, error: WorkerError) -> None:
        """End with an error."""
        self.error = error
        self.state = "cancelled" if error.code == CANCELLED else "failed"

    def message(self) -> dict[str, Any]:
        """The request as it goes over the line."""
        return {"jsonrpc": "2.0", "id": self.id, "method": self.method, "params": self.params}

    def __repr__(self) -> str:
        return f"Request({self.id}, {self.method}, {self.state})"


class Client:
    """A worker, started when it is first needed, and again when it has ended.

    Parameters
    ----------
    vfxgen
        vfxgen's virtual environment (its folder or its python), or its ``vfxgen`` executable.
    host
        Name and version of the host, for messages.
    idle
        Seconds without work after which the worker ends; it is started again when it is needed. 0: it stays.
    environment
        Variables for the worker beside the host's own, such as ``VFXGEN_NETS``.

    Attributes
    ----------
    about
        What the worker said of itself: ``vfxgen protocol python pid methods``. Empty before it has said hello.
    log
        The last log notifications, ``{"level": ..., "message": ...}``, oldest first.
    """

    def __init__(
        self, vfxgen: str, host: str = "", idle: float = 600.0, environment: Mapping[str, str] | None = None
    ) -> None:
        self.vfxgen = vfxgen
        self.host = host
        self.idle = idle
        self.environment = dict(environment or {})
        self.about: dict[str, Any] = {}
        self.log: collections.deque[dict[str, Any]] = collections.deque(maxlen=200)
        self._ids = itertools.count(1)
        self._process: WorkerProcess | None = None
        self._words: collections.deque[str] = collections.deque()
        self._hello: Request | None = None
        self._open: dict[int, Request] = {}
        self._changed: dict[int, Request] = {}

    @property
    def is_running(self) -> bool:
        """Whether there is a worker now."""
        return self._process is not None and self._process.is_running

    @property
    def last_words(self) -> str:
        """The last lines that the worker, or the one before it, wrote on stderr, up to the last poll."""
        return "\n".join(list(self._words))

    def send(self, method: str, params: Mapping[str, Any] | None = None) -> Request:
        """Ask for something; returns at once what will become the answer.

        Nothing is raised: a request that cannot be sent has failed already.
        """
        self._take(0.0)
        request = Request(next(self._ids), method, params or {})
        self._open[request.id] = request
        try:
            if self._process is None:
                self._start()
            self._write(request)
        except WorkerError as error:
            del self._open[request.id]
            request.fail(error)
            self._changed[request.id] = request
        return request

    def poll(self, wait: float = 0.0) -> list[Request]:
        """Take what has arrived, waiting up to `wait` seconds for it; the requests that changed since the last poll."""
        self._take(wait)
        changed, self._changed = list(self._changed.values()), {}
        return changed

    def wait(self, request: Request, timeout: float | None = None) -> Any:
        """Wait for a request to be over; its result.

        Raises
        ------
        WorkerError
            It failed, or was cancelled.
        WorkerTimeout
            It was not over in time (seconds).
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not request.is_over:
            left = 0.2 if end is None else end - time.monotonic()
            if left <= 0:
                raise WorkerTimeout(f"vfxgen's worker did not answer '{request.method}' in {timeout:g} seconds")
            self._take(min(0.2, left))
        self._changed.pop(request.id, None)
        if request.error is not None:
            raise request.error
        return request.result

    def call(self, method: str, params: Mapping[str, Any] | None = None, timeout: float | None = 60.0) -> Any:
        """`send` and `wait`."""
        return self.wait(self.send(method, params), timeout)

    def cancel(self, request: Request) -> None:
        """Ask the worker to stop a request; it is over when its state says so, and frames it made stay."""
        request.is_unwanted = True
        if not request.is_over and self._process is not None:
            self._process.write({"jsonrpc": "2.0", "method": "cancel", "params": {"id": request.id}})

    def close(self) -> None:
        """End the worker: at its next step, or by force when that takes too long. What was open fails."""
        atexit.unregister(self.close)
        self._end(_GRACE_S, WorkerError("vfxgen's worker was closed"))

    def kill(self) -> None:
        """End a worker that does not answer, by force. The next request starts another."""
        self._end(0.0, WorkerError("vfxgen's worker was killed"))

    def _start(self) -> None:
        command = worker_command(self.vfxgen, self.idle)
        self.about = {}
        self._process = WorkerProcess(command, clean_environment(os.environ, self.environment))
        self._words = self._process.words
        atexit.unregister(self.close)
        atexit.register(self.close)
        self._hello = Request(next(self._ids), "hello", {"protocol": PROTOCOL, "host": self.host or "a host"})
        self._open[self._hello.id] = self._hello
        self._write(self._hello)

    def _write(self, request: Request) -> None:
        assert self._process is not None
        self._process.write(request.message())

    def _take(self, wait: float) -> None:
        """Handle every message that is here; wait for the first."""
        process = self._process
        if process is None:
            return
        messages, has_ended = process.take(wait)
        for message in messages:
            if process is self._process:
                self._handle(message)
        if has_ended and process is self._process:
            process.end(0.0)
            self._worker_ended(process)

    def _handle(self, message: Mapping[str, Any]) -> None:
        params = message.get("params") or {}
        if message.get("method") == "progress":
            self._progressed(params)
        elif message.get("method") == "queue":
            running = self._open.get(params.get("running") or 0)
            if running is not None:
                self._change(running, "running")
        elif message.get("method") == "log":
            self.log.append(params)
        elif message.get("id") in self._open:
            self._answered(self._open.pop(message["id"]), message)

    def _progressed(self, params: Mapping[str, Any]) -> None:
        request = self._open.get(params.get("id", 0))
        if request is None:
            return
        request.progress = dict(params)
        if params.get("status") == "failed":
            request.failed_frames[params["frame"]] = params.get("error", "")
        self._change(request, "running")

    def _answered(self, request: Request, message: Mapping[str, Any]) -> None:
        if "error" in message:
            error = message["error"]
            request.fail(WorkerError(error.get("message", ""), error.get("code", 0), error.get("data")))
        else:
            request.result = message.get("result")
            request.state = "done"
        if request is not self._hello:
            self._changed[request.id] = request
        elif request.error is not None:
            self._end(_GRACE_S, request.error)
        elif request.result.get("protocol") != PROTOCOL:
            said = request.result.get("protocol")
            self._end(_GRACE_S, WorkerError(f"vfxgen's worker speaks protocol {said!r}, this plug-in {PROTOCOL}"))
        else:
            self.about = dict(request.result)

    def _change(self, request: Request, state: str) -> None:
        request.state = state
        self._changed[request.id] = request

    def _worker_ended(self, process: WorkerProcess) -> None:
        code = process.code
        if code == 0 and self.about and not any(request.state == "running" for request in self._open.values()):
            self._process = None
            self._ask_again()
            return
        self._process = None
        if self.about:
            self._fail(WorkerError(f"vfxgen's worker {process.obituary}; the next request starts it again"))
        else:
            self._fail(WorkerError(f"{self.vfxgen} did not start a vfxgen worker: it {process.obituary}"))

    def _ask_again(self) -> None:
        """Give another worker what one that ended idle could not read any more."""
        for request in [one for one in self._open.values() if one.is_unwanted]:
            self._open.pop(request.id).fail(WorkerError("cancelled", CANCELLED))
            self._changed[request.id] = request
        left = list(self._open.values())
        try:
            if left:
                self._start()
            for request in left:
                self._write(request)
        except WorkerError as error:
            self._fail(error)

    def _end(self, grace: float, error: WorkerError) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end(grace)
        self._fail(error)

    def _fail(self, error: WorkerError) -> None:
        left, self._open = self._open, {}
        for request in left.values():
            request.fail(error)
            if request is not self._hello:
                self._changed[request.id] = request
