"""Motion: the optical flow between each frame of a sequence and the next, as frames."""

from __future__ import annotations

import numpy as np

from vfxgen.frame import Frame
from vfxgen.sequence import Sequence
from vfxgen.temporal.pairs import Pairs

FORWARD = ("forward.x", "forward.y", "forward.trust")
BACKWARD = ("backward.x", "backward.y", "backward.trust")


class Motion(Pairs):
    """Frame n is the motion between frames n and n + 1 of `plate`, and says how far it can be trusted.

    ``forward`` lies on frame n and leads to n + 1, ``backward`` lies on n + 1 and leads to n: x and y in pixels, to the
    right and down (`vfxgen.image.flow.flow`), trust 0 .. 1 (`vfxgen.image.flow.trust`). The data window is what both
    frames cover together. A function of the two frames alone; kept for whoever asks next, like every sequence's frames.

    Examples
    --------
    >>> from vfxgen.testing import constant
    >>> still = Motion(constant([0.2, 0.3, 0.4], size=(64, 80)))
    >>> still[1].channels[:3], float(abs(still[1].pixels("forward.x")).max())
    (('forward.x', 'forward.y', 'forward.trust'), 0.0)
    """

    relation = "motion"

    def __init__(self, plate: Sequence) -> None:
        super().__init__(plate)
        # The one before a frame and the one after it.
        self.keep = 2

    def frame(self, number: int) -> Frame:
        from vfxgen.image.flow import flow_of_codes, motion_codes, trust

        first, second = (self.plate[needed] for needed in (number, number + 1))
        window = first.data_window.union(second.data_window)
        this, other = (frame.on(window).rgb for frame in (first, second))
        codes = motion_codes(this, other)
        forward, backward = flow_of_codes(*codes), flow_of_codes(*codes[::-1])
        return Frame.from_pixels(
            np.concatenate(
                [forward, trust(this, other, forward, backward), backward, trust(other, this, backward, forward)], -1
            ),
            (*FORWARD, *BACKWARD),
            number=number,
            colorspace=first.colorspace,
            data_window=window,
            display_window=first.display_window,
            source=f"motion of {first.source}",
        )

    def is_cut(self, one: int, other: int) -> bool:
        """Whether two consecutive frames of the plate show different scenes."""
        from vfxgen.image.cuts import is_cut

        first, second = self.plate[one], self.plate[other]
        return is_cut(first.rgb, second.on(first.data_window).rgb)
