"""The worker's own stdin and stdout: messages alone go through them, whatever libraries print or read."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from typing import BinaryIO

from vfxgen.hosts.rpc import Message, encoded


class Channel:
    """Lines in, messages out."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._lock = threading.Lock()

    @classmethod
    def take_over(cls) -> Channel:
        """Keep stdin and stdout for messages: from now on a print goes to stderr, and a read finds nothing."""
        channel = cls(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        return channel

    def lines(self) -> Iterator[bytes]:
        """Every line that is not empty, until the host closes its end."""
        return (line for line in self._incoming if line.strip())

    def send(self, message: Message) -> None:
        """Write one message; nothing happens where the host is gone, which ends the lines too."""
        line = encoded(message)
        with self._lock:
            try:
                self._outgoing.write(line)
                self._outgoing.flush()
            except OSError:
                return
