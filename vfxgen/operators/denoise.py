"""Denoise: camera noise out of one frame, detail left in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import RGB, Frame, Pixels
from vfxgen.image.mask import within
from vfxgen.image.noise import Noise, measure_noise
from vfxgen.operator import Operator, image_input, matte_input, parameter
from vfxgen.sequence import Sequence

# Half the side of the patches that are compared; filter strength in noise deviations: as Buades for colour pictures.
_PATCH, _STRENGTH = 2, 0.55
# What is that many deviations away is unlike: a bound that keeps a sun from rounding away its neighbours' distances.
_UNLIKE = np.float32(1e6)

_Place = tuple[slice, slice]


class Denoise(Operator):
    """Denoise the noise of a camera: each pixel becomes a mean of those around it that look alike.

    How strong the noise is, and how it grows with light, is measured in each frame, for each of R, G and B. `amount` is
    relative to it: 1 takes out what was measured, 0 leaves the plate bit for bit. Pixels are compared on a scale where
    the noise is equally strong everywhere, but the mean is one of scene-linear light: brightness stays, no value goes
    beyond those around it, superwhites and negative values pass. A pixel with NaN or infinity stays and counts for no
    other. Noise that was clipped or coded away (8 bit, JPEG) is measured as what is left of it: raise `amount`.

    Notes
    -----
    Non-local means (Buades, Coll, Morel 2005, 2011) on light stabilised by a generalised Anscombe transform (Starck,
    Murtagh, Bijaoui 1998) for noise of the variance gain * light + floor (Foi et al. 2008), measured by the median
    absolute deviation of the diagonal Haar band (Donoho 1994) in bins of brightness.

    Examples
    --------
    >>> import numpy, vfxgen
    >>> from vfxgen.testing import Pictures
    >>> noise = numpy.random.default_rng(1).normal(0.18, 0.02, (48, 48, 3))
    >>> bool(vfxgen.Denoise(Pictures(noise))[1].rgb.std() < 0.01)
    True
    """

    plate: Sequence = image_input("Frames to denoise.", channels="R G B")
    mask: Sequence | None = matte_input("Where to denoise: 1 fully, 0 leaves the plate untouched.")
    amount: float = parameter(1.0, "Noise taken out, relative to what the frame has.", minimum=0.0, maximum=8.0)
    size: int = parameter(5, "How far like pixels are looked for.", minimum=1, maximum=16, unit="pixels")

    writes = RGB

    def frame(self, number: int) -> Frame:
        plate = self.input_frame("plate", number)
        if self.amount == 0:
            return plate
        light = plate.rgb
        valid: NDArray[np.bool_] = np.all(np.isfinite(light), axis=-1)
        noise = [measure_noise(light[..., i], valid) for i in range(3)]
        noisy = [i for i in range(3) if noise[i].gain or noise[i].floor]
        if not noisy:
            return plate
        clean = light.copy()
        clean[..., noisy] = non_local_means(light[..., noisy], valid, [noise[i] for i in noisy], self.amount, self.size)
        if self.mask is not None:
            clean = within(self.mask[number], clean, plate, RGB)
        return plate.with_pixels(RGB, clean)


def non_local_means(light: Pixels, valid: NDArray[np.bool_], noise: list[Noise], amount: float, size: int) -> Pixels:
    """Each `valid` pixel of `light` (H, W, C) as the mean of those within `size` pixels with surroundings like its."""
    import cv2

    height, width = valid.shape
    rim = size + _PATCH
    counts = np.where(valid[..., None], light, np.float32(0))
    around = [np.pad(counts[..., i], rim, "symmetric") for i in range(len(noise))]
    share = np.float32(len(noise) ** -0.5)
    level = [n.stabilised(plane) * share for n, plane in zip(noise, around, strict=True)]
    known = np.pad(valid.astype(np.float32), rim, "symmetric")
    every = bool(valid.all())
    patch = (2 * _PATCH + 1, 2 * _PATCH + 1)
    threshold, slope = np.float32(2 * amount**2), np.float32(-1 / max(_STRENGTH * amount, 1e-3) ** 2)

    def likeness(one: _Place, other: _Place) -> Pixels:
        difference = np.zeros_like(known[one])
        for plane in level:
            cv2.accumulateSquare(cv2.subtract(plane[one], plane[other]), difference)
        difference = cv2.min(difference, float(_UNLIKE))
        if every:
            distance = cv2.blur(difference, patch)
        else:
            both = known[one] * known[other]
            distance = cv2.blur(difference * both, patch) / np.maximum(cv2.blur(both, patch), np.float32(1e-6))
        weight: Pixels = cv2.exp((np.maximum(distance, threshold) - threshold) * slope)
        return weight if every else weight * both

    total = [np.ascontiguousarray(counts[..., i]) for i in range(len(noise))]
    weights = np.ones((height, width), np.float32)
    for down, right in _half_disc(size):
        # How one pixel is like another is how the other is like the one: each pair is compared once.
        left, tall, wide = min(right, 0), height + 2 * rim - down, width + 2 * rim - abs(right)
        alike = likeness(
            np.s_[:tall, -left : wide - left], np.s_[down : down + tall, right - left : right - left + wide]
        )
        for y, x, weight in (
            (down, right, alike[rim:, rim + left :]),
            (-down, -right, alike[rim - down :, rim + left - right :]),
        ):
            weight = np.ascontiguousarray(weight[:height, :width])
            there = np.s_[rim + y : rim + y + height, rim + x : rim + x + width]
            for sum_of, plane in zip(total, around, strict=True):
                cv2.accumulateProduct(plane[there], weight, sum_of)
            weights += weight
    mean = np.stack([sum_of / weights for sum_of in total], axis=-1)
    return np.where(valid[..., None], mean, light)


def _half_disc(size: int) -> list[tuple[int, int]]:
    """The steps (down, right) within `size` pixels, one of each opposite pair."""
    steps = [(down, right) for down in range(size + 1) for right in range(-size, size + 1)]
    return [s for s in steps if s > (0, 0) and s[0] ** 2 + s[1] ** 2 <= (size + 0.5) ** 2]
