"""The worker's process as a host sees it: started with a clean environment, read without threads, ended with the host.

Standard library alone, Python 3.7 on; a plug-in carries a copy beside `client.py`.

Beside a render of Blender's no Python of another thread may run: parts of Blender touch Python objects then without
holding its lock, and it crashes. So pipes are looked into when the host asks; a worker that has filled them waits for
that. (Files in their place would lose messages on a full disk.)
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import signal
import subprocess
import time
from typing import IO, Any, Iterable, Mapping

_FOREIGN = ("PYTHON", "QT_", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV")
WORKER_ENDED = -1
"""Code of an error that no worker sent: it could not be started, or it ended before it answered."""
_LOOK_AGAIN_S = 0.005


class WorkerError(Exception):
    """What a request failed of, in words for people.

    Attributes
    ----------
    code, data
        As the worker sent them; `WORKER_ENDED` where it could not.
    """

    def __init__(self, message: str, code: int = WORKER_ENDED, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = dict(data or {})


class _Pipe:
    """What a process writes, line by line as it comes."""

    def __init__(self, reading: IO[bytes]) -> None:
        self._reading = reading
        self._begun = b""
        if os.name != "nt":
            os.set_blocking(reading.fileno(), False)

    def lines(self, are_last: bool) -> list[bytes]:
        """The lines that were not given before; one without an end only where nothing follows."""
        *lines, self._begun = b"".join([self._begun, *iter(self._some, b"")]).split(b"\n")
        return [*lines, self._begun] if are_last and self._begun else lines

    def _some(self) -> bytes:
        """A part of what is there; empty where nothing is."""
        descriptor = self._reading.fileno()
        if os.name == "nt":
            return os.read(descriptor, _waiting_on_windows(descriptor))
        try:
            return os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Read no more."""
        self._reading.close()


class WorkerProcess:
    """A worker process, its messages and its last words.

    Attributes
    ----------
    words
        Its last lines on stderr, and those on stdout that are no message, as far as they have been taken.
    """

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self.words: collections.deque[str] = collections.deque(maxlen=40)
        # In a group of its own: Ctrl-C in the host's terminal is for the host, which then decides.
        own_group: dict[str, Any] = {"start_new_session": True}
        if os.name == "nt":
            own_group = {"creationflags": getattr(subprocess, "CREATE_NO_WINDOW", 0)}
        pipe = subprocess.PIPE
        try:
            self._popen = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=pipe, env=dict(environment), **own_group
            )
        except OSError as error:
            reason = error.strerror or error
            raise WorkerError(f"vfxgen's worker cannot be started: {command[0]}: {reason}") from None
        assert self._popen.stdout is not None and self._popen.stderr is not None
        self._messages, self._words = _Pipe(self._popen.stdout), _Pipe(self._popen.stderr)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._popen.poll() is None

    @property
    def code(self) -> int | None:
        """Its exit code; below 0: the signal that killed it."""
        return self._popen.poll()

    @property
    def obituary(self) -> str:
        """How it ended, and its last words."""
        code = self.code or 0
        how = f"was killed ({_signal_name(-code)})" if code < 0 else f"ended with exit code {code}"
        return how + _last(list(self.words))

    def write(self, message: Mapping[str, Any]) -> None:
        """Send one message; that it cannot be read any more shows when it has ended."""
        assert self._popen.stdin is not None
        try:
            self._popen.stdin.write(json.dumps(message, allow_nan=False).encode("ascii") + b"\n")
            self._popen.stdin.flush()
        except OSError:
            return
        except (TypeError, ValueError) as error:
            raise WorkerError(f"a request that is no JSON: {error}") from None

    def take(self, wait: float) -> tuple[list[dict[str, Any]], bool]:
        """Its messages since the last call, and whether they were its last: it has ended.

        Parameters
        ----------
        wait
            Seconds that it may take until there is one of the two.
        """
        until = time.monotonic() + wait
        while True:
            # Asked before it is read: what it writes at its end is read then.
            has_ended = not self.is_running
            messages = self._taken(has_ended)
            left = until - time.monotonic()
            if messages or has_ended or left <= 0:
                return messages, has_ended
            time.sleep(min(_LOOK_AGAIN_S, left))

    def end(self, grace: float) -> None:
        """Close its stdin, on which it ends; kill it when that takes longer than `grace` seconds."""
        assert self._popen.stdin is not None
        with contextlib.suppress(OSError):
            self._popen.stdin.close()
        until = time.monotonic() + grace
        while self.is_running and time.monotonic() < until:
            # What it still writes is read, or it might wait for that.
            self.take(until - time.monotonic())
        if self.is_running:
            self._popen.kill()
            self._popen.wait()
        self._taken(has_ended=True)
        self._messages.close()
        self._words.close()

    def _taken(self, has_ended: bool) -> list[dict[str, Any]]:
        lines = self._messages.lines(has_ended)
        messages = [_parsed(line) for line in lines]
        others = [line for line, message in zip(lines, messages) if message is None]
        self.words.extend(line.decode("utf-8", "replace").rstrip() for line in others + self._words.lines(has_ended))
        return [message for message in messages if message is not None]


def _waiting_on_windows(descriptor: int) -> int:
    """Bytes that can be read from a pipe without waiting."""
    import _winapi
    import msvcrt

    try:
        return int(_winapi.PeekNamedPipe(msvcrt.get_osfhandle(descriptor), 0)[0])  # type: ignore[attr-defined]
    except OSError:
        # Its other end is closed.
        return 0


def worker_command(vfxgen: str, idle: float) -> list[str]:
    """The command that starts a worker from a virtual environment, its python, or the ``vfxgen`` executable.

    Raises
    ------
    WorkerError
        The path is empty, or a folder that is no virtual environment.

    Examples
    --------
    >>> worker_command("/opt/vfxgen/bin/python3", 600)
    ['/opt/vfxgen/bin/python3', '-m', 'vfxgen', 'worker', '--idle', '600']
    """
    path = os.path.expanduser(vfxgen)
    if not path:
        raise WorkerError("where vfxgen is has not been set: give its virtual environment, such as /opt/vfxgen/.venv")
    if os.path.isdir(path):
        inside = [os.path.join(path, "bin", "python"), os.path.join(path, "Scripts", "python.exe")]
        found = [python for python in inside if os.path.exists(python)]
        if not found:
            raise WorkerError(f"{path} is no virtual environment: there is no python in it")
        path = found[0]
    is_python = os.path.basename(path).lower().startswith("python")
    return [path] + (["-m", "vfxgen"] if is_python else []) + ["worker", "--idle", f"{idle:g}"]


def clean_environment(host: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """A host's environment without what is for its own Python and libraries, and with `more`.

    Examples
    --------
    >>> cleaned = clean_environment({"HOME": "/home/ada", "PYTHONHOME": "/opt/host"}, {"VFXGEN_NETS": "/nets"})
    >>> cleaned["HOME"], "PYTHONHOME" in cleaned, cleaned["VFXGEN_NETS"]
    ('/home/ada', False, '/nets')
    """
    kept = {name: value for name, value in host.items() if not name.upper().startswith(_FOREIGN)}
    # Names of files are UTF-8 whatever the host's locale, and no module is taken from the host's current folder.
    kept.update(PYTHONUTF8="1", PYTHONSAFEPATH="1", PYTHONNOUSERSITE="1")
    kept.update(more)
    return kept


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line.decode("utf-8"))
    except ValueError:
        return None
    return message if isinstance(message, dict) and message.get("jsonrpc") == "2.0" else None


def _last(words: Iterable[str]) -> str:
    lines = [line.strip() for line in words if line.strip()]
    return ": " + lines[-1] if lines else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
