"""Likeness: how far apart in stops two pictures are, whatever the exposure of one."""

from __future__ import annotations

import numpy as np
from moving_scenes import texture

from vfxgen.image.likeness import agreement, exposed_as, toe_of

SIZE = (120, 160)
KNOWN = np.ones(SIZE, bool)
KNOWN[40:80, 60:100] = False


def test_agreement_is_a_half_at_a_sixth_of_a_stop() -> None:
    flat = np.full((*SIZE, 3), 0.5, np.float32)
    alike = agreement(flat * np.float32(2**0.15), flat, 1e-6, KNOWN)
    assert np.allclose(alike[KNOWN], 0.5, atol=0.01) and not alike[~KNOWN].any()


def test_the_same_picture_at_another_exposure_is_alike_and_another_picture_is_not() -> None:
    this, other = texture(SIZE), texture(SIZE, 9)
    toe = toe_of(this, KNOWN)
    alike, unlike = (
        agreement(exposed_as(light, this, KNOWN), this, toe, KNOWN)[KNOWN].mean() for light in (this * 0.25, other)
    )
    assert alike > 0.99 > 0.8 > unlike
