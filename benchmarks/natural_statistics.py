"""What pictures look like, without a net: energy by direction and size, and how far codes stray from around them.

Textures with equal energies of oriented filters at several sizes look alike (Heeger and Bergen 1995; Portilla and
Simoncelli 2000), and the eye sees energies where PSNR sees phases: a blur has too little, noise too much, wherever each
grain or leaf is. Codes less their local mean over their local deviation have one distribution in natural
pictures (Ruderman 1994); its form tells blur and compression (Mittal et al., BRISQUE, 2012).
"""

from __future__ import annotations

from math import gamma
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.float64]
Mask = NDArray[np.bool_]

WAVELENGTHS = (4.0, 8.0, 16.0)
DIRECTIONS = 4
# Variance under which nothing is seen: that of rounding to 8 bits, and some.
FLOOR = (0.5 / 255) ** 2


class Energies(NamedTuple):
    """Differences of energy, in dB: how far off on the whole, and whether too little (below 0) or too much detail."""

    error: float
    detail: float


def energies(luma: Luma) -> Luma:
    """Energy (wavelengths, directions, H, W) of a picture (H, W), code 0 .. 1, in dB over `FLOOR`.

    Of Gabor pairs, even and odd (so that no phase counts), an octave apart, averaged over a Gaussian as wide as a wave.

    Examples
    --------
    >>> flat = energies(np.full((32, 32), 0.5))
    >>> flat.shape, bool(np.abs(flat).max() < 0.01)
    ((3, 4, 32, 32), True)
    """
    found = [[_energy(luma, w, np.pi * d / DIRECTIONS) for d in range(DIRECTIONS)] for w in WAVELENGTHS]
    return np.asarray(10 * np.log10(1 + np.array(found) / FLOOR))


def energy_difference(luma: Luma, truth: Luma, where: Mask | None = None) -> Energies:
    """Of a picture against the truth, over the pixels `where` (H, W): of the error all waves, of detail the shortest.

    Examples
    --------
    >>> truth = np.random.default_rng(0).random((64, 64))
    >>> soft = cv2.GaussianBlur(truth, (0, 0), 1.5)
    >>> energy_difference(truth, truth)
    Energies(error=0.0, detail=0.0)
    >>> energy_difference(soft, truth).detail < -5
    True
    """
    difference = energies(luma) - energies(truth)
    if where is not None:
        difference = difference[:, :, where]
    return Energies(float(np.abs(difference).mean()), float(difference[0].mean()))


def naturalness(luma: Luma) -> float:
    """Shape of the generalised Gaussian that fits codes less local mean over local deviation (moments: Sharifi 1995).

    2 is a Gaussian, 1 Laplace's; flat areas with edges between them make it small. To be compared with the truth's.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0.5, 0.1, (256, 256))
    >>> naturalness(noise) > 2
    True
    """
    mean = cv2.GaussianBlur(luma, (0, 0), 7 / 6)
    deviation = np.sqrt(np.maximum(cv2.GaussianBlur(luma**2, (0, 0), 7 / 6) - mean**2, 0))
    strays = (luma - mean) / (deviation + 1 / 255)
    ratio = np.mean(strays**2) / max(float(np.mean(np.abs(strays))) ** 2, 1e-12)
    shapes = np.linspace(0.2, 10, 2000)
    expected = np.array([gamma(1 / s) * gamma(3 / s) / gamma(2 / s) ** 2 for s in shapes])
    return float(shapes[np.argmin(np.abs(expected - ratio))])


def _energy(luma: Luma, wavelength: float, angle: float) -> Luma:
    sigma = wavelength / 2
    radius = int(np.ceil(3 * sigma))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    window = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    phase = 2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / wavelength
    total = np.zeros_like(luma)
    for wave in (np.cos(phase), np.sin(phase)):
        kernel = window * (wave - (window * wave).sum() / window.sum())
        kernel /= np.sqrt((kernel**2).sum())
        total += cv2.filter2D(luma, cv2.CV_64F, kernel, borderType=cv2.BORDER_REFLECT) ** 2
    return np.asarray(cv2.GaussianBlur(total / 2, (0, 0), wavelength))
