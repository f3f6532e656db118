"""`vfxgen` with operators that print, read stdin, wait and fail: run as a program by the tests of the worker."""

from __future__ import annotations

import os
import sys
import time

from vfxgen.cancel import stop_if_cancelled
from vfxgen.cli import main
from vfxgen.frame import Frame
from vfxgen.operator import Operator, image_input, parameter
from vfxgen.operators import operators
from vfxgen.sequence import Sequence


class Noisy(Operator):
    """Print to stdout in every way a library can, and read stdin."""

    plate: Sequence = image_input("Frames.")

    def frame(self, number: int) -> Frame:
        print("from print")
        os.write(1, b'{"jsonrpc": "2.0", "method": "log", "params": {"level": "error", "message": "forged"}}\n')
        os.system("echo from a child process")
        print(len(sys.stdin.read()), os.read(0, 9), file=sys.stderr)
        return self.plate[number]


class Talkative(Operator):
    """Print more than a pipe holds."""

    plate: Sequence = image_input("Frames.")

    def frame(self, number: int) -> Frame:
        for line in range(4000):
            print(f"line {line} {'.' * 70}")
        return self.plate[number]


class Slow(Operator):
    """Take `seconds` a frame, in small steps."""

    plate: Sequence = image_input("Frames.")
    seconds: float = parameter(1.0, "How long.")

    def frame(self, number: int) -> Frame:
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            stop_if_cancelled()
            time.sleep(0.01)
        return self.plate[number]


class Deaf(Operator):
    """Take very long, and hear nothing meanwhile."""

    plate: Sequence = image_input("Frames.")

    def frame(self, number: int) -> Frame:
        time.sleep(1000)
        return self.plate[number]


class Failing(Operator):
    """Fail at one frame, with an error that nobody foresaw."""

    plate: Sequence = image_input("Frames.")
    at: int = parameter(2, "The frame.")

    def frame(self, number: int) -> Frame:
        if number == self.at:
            raise ValueError("no such luck")
        return self.plate[number]


if __name__ == "__main__":
    for operator in (Noisy, Talkative, Slow, Deaf, Failing):
        operators()[operator.name] = operator
    main()
