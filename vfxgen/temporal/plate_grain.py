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

    light, known = frame.rgb, ~(frame.planes[HIDDEN] > 0)
    if neighbour is None:
        return measured_grain(light, known)
    there = neighbour.on(frame.data_window)
    lies = cv2.GaussianBlur(flow(light, there.rgb), (0, 0), _FLOW_BLUR)
    seen, inside = warped(there.rgb, lies)
    hidden, _ = warped(there.pixels(HIDDEN), lies, "bilinear")
    known = np.asarray(known & inside & (hidden[..., 0] == 0), np.bool_)
    seen = np.where(known[..., None], seen, np.float32(0))
    return measured_grain(light, known, Neighbour(seen * gain(seen, light, known, _EXPOSURE_BLUR), lies))
