"""What a training leaves to look at: a log of JSON lines, curves, pictures of before, result and truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vfxgen.errors import MediaError
from vfxgen.media.publish import published
from vfxgen.training.curves import draw_curves
from vfxgen.training.objective import Picture


class Record:
    """`log.jsonl`, `curves.png`, `samples.png` and `samples/STEP.png` in `folder`, going on from `history`."""

    def __init__(self, folder: Path, history: list[dict[str, Any]]) -> None:
        self.folder, self.history = folder, history
        with published(str(folder / "log.jsonl")) as temporary:
            Path(temporary).write_text("".join(json.dumps(line) + "\n" for line in history), "utf-8")

    @property
    def losses(self) -> dict[str, float]:
        """The last that were logged."""
        last: dict[str, float] = self.history[-1]["losses"] if self.history else {}
        return last

    def add(self, line: dict[str, Any]) -> None:
        """Append a line to history and log.

        Raises
        ------
        MediaError
            The disk is full, or the folder cannot be written.
        """
        self.history.append(line)
        path = self.folder / "log.jsonl"
        try:
            with open(path, "a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")
        except OSError as error:
            raise MediaError(f"{path}: cannot be written ({error.strerror})") from None

    def show(self, step: int, picture: Picture | None) -> None:
        """Draw the curves, and keep `picture`."""
        write_png(self.folder / "curves.png", draw_curves(self.history))
        if picture is not None:
            for path in (self.folder / "samples.png", self.folder / "samples" / f"{step:06d}.png"):
                write_png(path, picture)


def write_png(path: Path, picture: Picture) -> None:
    """(H, W, 3) display-referred RGB, 0 .. 1, as 8 bit.

    Raises
    ------
    MediaError
        The file cannot be written.
    """
    code = np.rint(np.nan_to_num(picture[..., ::-1]).clip(0, 1) * 255).astype(np.uint8)
    _, data = cv2.imencode(".png", code)
    with published(str(path)) as temporary:
        Path(temporary).write_bytes(data.tobytes())
