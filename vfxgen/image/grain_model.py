"""Grain of a plate: measured where the picture is flat, and made again with the same strength, size and colour."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Mask, Pixels
from vfxgen.image.grain_spectrum import (
    HALF_WAY,
    SIDE,
    grain_profile,
    kernel,
    spectrum_of,
    taken_by_interpolation,
    transformed,
)
from vfxgen.image.noise import measure_noise

Floats = NDArray[np.float64]

# The least step between blocks and how many there are at most; how many there must be; how much more variance than the
# flattest of them a block may have to be looked at closely, and how many are.
_STEP, _MOST, _LEAST, _FLAT, _CLOSELY = 4, 4096, 24, 2.5, 768
# Pixels over which a picture is held against its grain; its variance, relative to that of the grain, up to which there
# is nothing but grain, and from which on there is detail.
_AROUND, _GRAIN_ALONE, _DETAIL = 4.0, 2.0, 4.0


class GrainModel(NamedTuple):
    """Grain of variance `gain` * light + `floor`, each of R, G, B.

    Parameters
    ----------
    gain, floor
        (3,), scene-linear.
    kernels
        (3, N, N): what white noise of deviation 1 is convolved with, so that it has the grain's power spectrum and
        deviation 1.
    mix
        (3, 3): what three planes of independent noise are mixed with, so that they share what the channels share.
    """

    gain: Floats
    floor: Floats
    kernels: Pixels
    mix: Floats

    @property
    def reach(self) -> int:
        """How far grain depends on the noise around it, in pixels."""
        return int(self.kernels.shape[-1]) // 2

    def deviation(self, light: Pixels) -> Pixels:
        """Of the grain on `light` (H, W, 3)."""
        positive = np.maximum(light, 0)
        return np.asarray(np.sqrt(positive * self.gain.astype(np.float32) + self.floor.astype(np.float32)), np.float32)


class Neighbour(NamedTuple):
    """The same picture with other grain: a neighbouring frame, looked up along the motion by cubics.

    Parameters
    ----------
    light
        (H, W, 3), finite where known.
    flow
        (H, W, 2), in pixels: where it was looked up.
    """

    light: Pixels
    flow: Pixels


def measured_grain(light: Pixels, known: Mask, neighbour: Neighbour | None = None) -> GrainModel | None:
    """The grain of a frame, from the flattest of its blocks of 32 pixels; None where it has none, or too few are known.

    How grain grows with light is measured on the finest detail (`vfxgen.image.noise.measure_noise`); how much of it
    there is at each frequency in blocks that hold hardly anything else
    (`vfxgen.image.grain_spectrum.grain_profile`).

    Parameters
    ----------
    light
        (H, W, 3), scene-linear, finite where known.
    known
        (H, W).
    neighbour
        The difference to it has grain and less detail, so that a plate that is nowhere flat can be measured too.

    Examples
    --------
    >>> picture = np.random.default_rng(1).normal(0.2, 0.01, (96, 96, 3)).astype(np.float32)
    >>> model = measured_grain(picture, np.ones((96, 96), bool))
    >>> bool(np.abs(model.deviation(picture).mean() / 0.01 - 1) < 0.1)
    True
    """
    corners = _corners(known)
    there = None if neighbour is None else neighbour.light
    noise = [measure_noise(light[..., i], known, None if there is None else there[..., i]) for i in range(3)]
    gain, floor = np.array(noise, np.float64).T
    grainy = gain + floor > 0
    if len(corners) < _LEAST or not grainy.any():
        return None
    if not grainy.all():
        # A channel with nothing in it, or clipped: one that has grain is measured in its place.
        standing = np.where(grainy, range(3), grainy.argmax())
        other = neighbour and neighbour._replace(light=neighbour.light[..., standing])
        model = measured_grain(light[..., standing], known, other)
        return model and model._replace(gain=model.gain * grainy, floor=model.floor * grainy)
    white = _blocks(light, corners)
    expected = np.sqrt(np.maximum(white.mean(axis=(1, 2), dtype=np.float64), 0) * gain + floor)
    if neighbour is not None:
        white -= _blocks(neighbour.light, corners)
    white /= np.maximum(expected, 1e-9)[:, None, None].astype(np.float32)
    _take_slope(white)
    rough = white.var(axis=(1, 2)).sum(axis=-1)
    if not rough.any():
        return None
    looked = np.flatnonzero(rough <= _FLAT * np.partition(rough, _LEAST - 1)[_LEAST - 1])
    looked = looked[:: -(-len(looked) // _CLOSELY)]
    waves = transformed(white[looked])
    if neighbour is not None:
        taken = _blocks(taken_by_interpolation(neighbour.flow)[..., None], corners[looked]).mean(axis=(1, 2))
        waves /= np.sqrt(2 - taken[:, None, None] * spectrum_of(HALF_WAY)[..., None])
    profile, flat = grain_profile(np.abs(waves) ** 2)
    spectra = np.stack([spectrum_of(one) for one in profile], axis=-1)
    scale = spectra.mean(axis=(0, 1))
    if not scale.all():
        return None
    return GrainModel(
        gain * scale,
        floor * scale,
        np.stack([kernel(one / part) for one, part in zip(profile, scale, strict=True)]),
        _mixing(waves[flat] / np.sqrt(spectra)),
    )


def grain_like(model: GrainModel, white: Pixels, light: Pixels) -> Pixels:
    """Grain to be added to grainless `light`, (H, W, 3), made of `white` noise of deviation 1.

    Where the noise at a pixel depends on its place alone (`vfxgen.operators.grain.white_noise`), so does the grain.

    Parameters
    ----------
    white
        (H + 2 * reach, W + 2 * reach, 3): on the light and `GrainModel.reach` pixels around it.
    """
    mixed = white @ model.mix.T.astype(np.float32)
    planes = [cv2.filter2D(np.ascontiguousarray(mixed[..., i]), cv2.CV_32F, one) for i, one in enumerate(model.kernels)]
    inside = slice(model.reach, -model.reach)
    return np.stack([plane[inside, inside] for plane in planes], axis=-1) * model.deviation(light)


def detail(light: Pixels, model: GrainModel) -> Pixels:
    """Where there is more in a picture (H, W, 3) than light that changes slowly, and grain: (H, W), 0 .. 1.

    Examples
    --------
    >>> model = GrainModel(np.zeros(3), np.full(3, 1e-4), np.ones((3, 1, 1), np.float32), np.eye(3))
    >>> light = np.random.default_rng(1).normal(0.2, 0.01, (64, 64, 3)).astype(np.float32)
    >>> light[:, 40:] *= 2
    >>> found = detail(light, model)
    >>> float(found[:, :16].max()), float(found[:, 39:41].min())
    (0.0, 1.0)
    """
    rest = light - cv2.GaussianBlur(light, (0, 0), _AROUND)
    variance = np.mean((rest / np.maximum(model.deviation(light), np.float32(1e-9))) ** 2, axis=-1)
    variance = cv2.GaussianBlur(variance, (0, 0), _AROUND)
    return np.asarray(np.clip((variance - _GRAIN_ALONE) / (_DETAIL - _GRAIN_ALONE), 0, 1), np.float32)


def _corners(known: Mask) -> NDArray[np.intp]:
    """First row and column, (M, 2), of blocks that are known all over."""
    height, width = known.shape
    if min(height, width) < SIDE:
        return np.zeros((0, 2), np.intp)
    step = max(_STEP, int(np.ceil(np.sqrt(height * width / _MOST))))
    counts = cv2.integral((~known).astype(np.uint8))
    hidden = counts[SIDE:, SIDE:] - counts[:-SIDE, SIDE:] - counts[SIDE:, :-SIDE] + counts[:-SIDE, :-SIDE]
    return np.argwhere(hidden[::step, ::step] == 0) * step


def _blocks(picture: Pixels, corners: NDArray[np.intp]) -> Pixels:
    """(M, SIDE, SIDE, C)."""
    view = np.lib.stride_tricks.sliding_window_view(picture, (SIDE, SIDE), axis=(0, 1))
    return np.ascontiguousarray(np.moveaxis(view[corners[:, 0], corners[:, 1]], 1, -1), np.float32)


def _take_slope(blocks: Pixels) -> None:
    place = np.linspace(-1, 1, SIDE, dtype=np.float32)
    place /= np.sqrt(np.mean(place**2))
    blocks -= blocks.mean(axis=(1, 2), keepdims=True)
    for slope in (place[:, None, None], place[None, :, None]):
        blocks -= (blocks * slope).mean(axis=(1, 2), keepdims=True) * slope


def _mixing(waves: NDArray[np.complex128]) -> Floats:
    """What the channels share: a root of their correlation, from the power of their sums and of their differences."""
    share = np.eye(3)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        together, apart = (np.median(np.abs(waves[..., one] + sign * waves[..., other]) ** 2) for sign in (1, -1))
        share[one, other] = share[other, one] = (together - apart) / max(together + apart, 1e-30)
    values, vectors = np.linalg.eigh(share)
    root = vectors * np.sqrt(np.maximum(values, 0))
    return np.asarray(root / np.linalg.norm(root, axis=1, keepdims=True))
