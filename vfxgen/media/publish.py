"""Publishing: a file appears under its name whole or not at all, and says which recipe made it."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache

from vfxgen.errors import MediaError

_TEMPORARY = re.compile(r"\.(?P<name>.+)~(?P<host>[^~]+)~(?P<pid>\d+)~[0-9a-f]{8}\.(tmp|old)")
_ABANDONED_S = 24 * 3600.0


@contextmanager
def published(path: str) -> Iterator[str]:
    """Give a temporary path beside `path`; when the block ends without an error, it becomes `path` in one step.

    The file is flushed to the disk before it is renamed, and the folder after, so that a power cut leaves the old
    file or the new one, never a torn one.

    Raises
    ------
    MediaError
        The folder cannot be made or written, or the disk is full. `path` is then as it was before.

    Examples
    --------
    >>> import tempfile, os
    >>> folder = tempfile.mkdtemp()
    >>> with published(os.path.join(folder, "note.txt")) as temporary:
    ...     _ = open(temporary, "w").write("whole")
    >>> os.listdir(folder)
    ['note.txt']
    """
    folder, temporary = os.path.dirname(path), temporary_name(path)
    try:
        os.makedirs(folder or ".", exist_ok=True)
        if os.path.isdir(path):
            raise MediaError(f"{path}: is a folder; give a file name")
        yield temporary
        _flush(temporary, os.O_RDWR)
        os.replace(temporary, path)
        _flush(folder or ".", os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise MediaError(f"{path}: cannot be written ({error.strerror or error})") from error
    except MediaError as error:
        # Who wrote knows the temporary name alone: people look for the other.
        said = str(error).replace(temporary, path)
        raise type(error)(said if path in said else f"{path}: {said}") from None
    finally:
        with suppress(OSError):
            os.unlink(temporary)


def require_writable(path: str) -> None:
    """See whether `path` could be published, before anything is made for it; no trace is left.

    Raises
    ------
    MediaError
        Its folder cannot be written, or not be made.
    """
    folder = os.path.dirname(path) or "."
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder) or "."
    try:
        # Who may write is the server's to say: only a file that was made tells.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise MediaError(f"{path}: cannot be written ({error.strerror or error})") from None


def temporary_name(path: str) -> str:
    """A name beside `path` that nobody has; `left_behind` tells from it when the process that took it is gone."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}~{_host()}~{os.getpid()}~{uuid.uuid4().hex[:8]}.tmp")


def _host() -> str:
    """This machine and the container in it: where the number of a process says which one it is."""
    name = re.sub(r"[^\w.-]", "_", socket.gethostname())
    try:
        return f"{name}.{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return name


def _flush(path: str, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep_temporaries(paths: Iterable[str]) -> None:
    """Remove what a killed process left beside `paths`; see `left_behind`."""
    for left in left_behind(paths):
        with suppress(OSError):
            os.unlink(left)


def left_behind(paths: Iterable[str]) -> list[str]:
    """What a killed process left beside `paths`: temporary files and folders of theirs whose process is gone.

    One of another machine or container is left behind when it is a day old: its process cannot be asked.
    """
    wanted: dict[str, set[str]] = {}
    for path in paths:
        folder, name = os.path.split(path)
        wanted.setdefault(folder or ".", set()).add(name)
    found, here = [], _host()
    for folder, names in wanted.items():
        with suppress(OSError):
            for entry in os.scandir(folder):
                match = _TEMPORARY.fullmatch(entry.name)
                if match is None or match["name"] not in names:
                    continue
                gone = (
                    not _is_running(int(match["pid"]))
                    if match["host"] == here
                    else time.time() - entry.stat().st_mtime > _ABANDONED_S
                )
                if gone:
                    found.append(entry.path)
    return found


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def content_hash(path: str) -> str:
    """SHA-256 of a file's bytes, remembered for as long as its size and time do not change.

    Raises
    ------
    MediaError
        The file is missing or cannot be read.
    """
    try:
        status = os.stat(path)
        return _content_hash(os.path.abspath(path), status.st_size, status.st_mtime_ns, status.st_ino)
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror or error})") from None


@lru_cache(maxsize=65536)
def _content_hash(path: str, size: int, modified: int, inode: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
