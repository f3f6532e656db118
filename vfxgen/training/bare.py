"""Train a prepared run on a machine that has torch, numpy and OpenCV, and nothing else.

    vfxgen train --recipe nets/NAME/train.toml --data DATA --work WORK --prepare    # where vfxgen is installed
    python -m vfxgen.training.bare WORK                                             # there, beside a copy of vfxgen/
    vfxgen train --recipe nets/NAME/train.toml --data DATA --work WORK              # with WORK/checkpoint.pt back here

It goes on where WORK/checkpoint.pt stands.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from threading import Event

import torch

from vfxgen.errors import VfxgenError
from vfxgen.training.loop import Progress
from vfxgen.training.work import load_work

SAY_SECONDS = 10.0


class Lines:
    """One line on stdout every ten seconds, and at each validation; ends the run when its time is up."""

    def __init__(self, cancelled: Event, minutes: float) -> None:
        self.cancelled, self.begun, self.minutes = cancelled, time.monotonic(), minutes
        self.said = -SAY_SECONDS

    def __call__(self, progress: Progress) -> None:
        here = time.monotonic() - self.begun
        if self.minutes and here > 60 * self.minutes:
            self.cancelled.set()
        if here - self.said < SAY_SECONDS and progress.picture is None:
            return
        self.said = here
        figures = "  ".join(f"{name} {value:.5g}" for name, value in (progress.losses | progress.figures).items())
        print(f"step {progress.step}  {progress.seconds_left / 60:.1f} min left  {figures}", flush=True)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, nargs="+", help="prepared folders, one after the other")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--stop-after", type=float, default=0.0, help="minutes for each; started again, it goes on")
    options = parser.parse_args()
    try:
        for folder in options.work:
            cancelled = Event()
            work = load_work(folder)
            print(f"{work.name} on {options.device}", flush=True)
            fitted = work.train(folder, options.device, Lines(cancelled, options.stop_after), cancelled)
            print(f"{work.name}: {fitted.ended}, step {fitted.steps}, {fitted.figures}", flush=True)
    except VfxgenError as error:
        print(f"vfxgen: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
