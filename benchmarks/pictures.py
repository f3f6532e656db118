"""Light and coverage as pictures for people."""

from __future__ import annotations

from vfxgen.frame import Pixels
from vfxgen.report import shown
from vfxgen.report.shown import in_grey as in_grey

SPACE = "lin_rec709_scene"
"""What the sample shots are measured in."""


def displayed(light: Pixels) -> Pixels:
    """Light in `SPACE`, (H, W, 3), through the view transform, 0 .. 1."""
    return shown.displayed(light, SPACE)
