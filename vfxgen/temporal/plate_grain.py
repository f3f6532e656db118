"""The grain of a frame of a plate, measured beside its holes in the difference to a neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vfxgen.frame import Frame
from vfxgen.temporal.registration import HIDDEN

if TYPE_CHECKING:
    from vfxgen.image.grain_model import GrainModel

# Pixels over which motion is averaged (where there is nothing else, it follows the grain), and exposure is matched.
_FLOW_BLUR, _EXPOSURE_BLUR = 6.0, 24.0
# What a neighbour shows, 1 or 0; what that is at least where all that is mixed of it is shown.
_SHOWN, _ALL = "shown", 0.999


def plate_grain(frame: Frame, neighbour: Frame | None) -> GrainModel | None:
    """The grain of a frame whose channel `HIDDEN` marks what does not count; None where it has none.

    Parameters
    ----------
    neighbour
        Another frame of the same scene, likewise: without it, fine detail everywhere passes for grain.
    """
    import cv2

    from vfxgen.image.exposure import gain
    from vfxgen.image.flow import flow
    from vfxgen.image.grain_model import Neighbour, measured_grain
    from vfxgen.image.warp import warped

    light, alone = frame.rgb, ~(frame.planes[HIDDEN] > 0)
    if neighbour is None:
        return measured_grain(light, alone)
    shown = (neighbour.pixels(HIDDEN) == 0).astype(np.float32)
    there = neighbour.with_pixels((_SHOWN,), shown).on(frame.data_window)
    lies = cv2.GaussianBlur(flow(light, there.rgb), (0, 0), _FLOW_BLUR)
    seen, inside = warped(there.rgb, lies)
    whole, _ = warped(there.pixels(_SHOWN), lies, "bilinear")
    known = np.asarray(alone & inside & (whole[..., 0] > _ALL), np.bool_)
    seen = np.where(known[..., None], seen, np.float32(0))
    both = measured_grain(light, known, Neighbour(seen * gain(seen, light, known, _EXPOSURE_BLUR), lies))
    # A neighbour that shows too little of the frame tells nothing.
    return both or measured_grain(light, alone)
