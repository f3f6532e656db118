"""A worker and its two pipes, bare: what goes over the line, without a client."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


class Lines:
    """One worker."""

    def __init__(self, cwd: Path | None = None) -> None:
        command = [sys.executable, "-m", "vfxgen", "worker"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=cwd)
        self.said: list[dict[str, Any]] = []

    def write(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def ask(self, method: str, params: Any = None, id: Any = 1) -> dict[str, Any]:
        """One request; its answer, with what was notified before in `said`."""
        self.write(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params or {}}).encode())
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next answer; what was notified before it is in `said`."""
        self.said = []
        while "id" not in (message := self.message()):
            self.said.append(message)
        return message

    def message(self) -> dict[str, Any]:
        """The next message."""
        assert self.process.stdout is not None
        message: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert message["jsonrpc"] == "2.0"
        return message

    def end(self) -> int:
        """Close its stdin; the exit code."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        code = self.process.wait(20)
        self.process.stdout.close()
        return code
