"""Carry colour from where it is known to where it is not, smoothly and at every distance."""

from __future__ import annotations

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, pad

TINY = 1e-20


def reduce(image: Tensor, factor: int) -> Tensor:
    """Block averages of `factor` x `factor` pixels: (B, C, H, W) -> (B, C, ceil(H / factor), ceil(W / factor))."""
    return image if factor == 1 else avg_pool2d(image, factor, factor, ceil_mode=True)


def enlarge(image: Tensor, factor: int, size: tuple[int, int]) -> Tensor:
    """The way back from `reduce`, bilinear: (B, C, h, w) -> (B, C, *size), block centres staying where they are."""
    if factor == 1:
        return image
    large = interpolate(image, scale_factor=float(factor), mode="bilinear", align_corners=False)
    return large[..., : size[0], : size[1]]


def blur(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (B, C, H, W), `sigma` in pixels; the border repeats."""
    reach = max(1, min(round(2.5 * sigma), min(image.shape[-2:]) - 1))
    size = 2 * reach + 1
    blurred: Tensor = gaussian_blur2d(image, (size, size), (sigma, sigma), border_type="replicate")
    return blurred


def weighted_blur(image: Tensor, weight: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """Blur of the pixels that have weight (normalised convolution, Knutsson & Westin 1993), and the blurred weight."""
    spread = blur(weight, sigma)
    return blur(image * weight, sigma) / spread.clamp_min(1e-6), spread


def dot(first: Tensor, second: Tensor) -> Tensor:
    """Sum over the channels of (B, C, H, W) times (B, C, H, W), as (B, 1, H, W); channel by channel, for speed."""
    total = first[:, :1] * second[:, :1]
    for c in range(1, first.shape[1]):
        total = total + first[:, c : c + 1] * second[:, c : c + 1]
    return total


def erode(weight: Tensor, radius: int) -> Tensor:
    """The least value within `radius` pixels (a square): (B, 1, H, W) -> (B, 1, H, W)."""
    rows = max_pool2d(-weight, (1, 2 * radius + 1), 1, (0, radius))
    return -max_pool2d(rows, (2 * radius + 1, 1), 1, (radius, 0))


def push_pull(image: Tensor, weight: Tensor, decay: float = 1.0) -> tuple[Tensor, Tensor]:
    """Fill what has no weight from the nearest that has, at the finest scale that knows something.

    Pull up a pyramid of weighted averages, push down where weight is missing (Gortler et al. 1996, "The Lumigraph",
    section 3.4.2).

    Parameters
    ----------
    image
        (B, C, H, W), finite.
    weight
        (B, 1, H, W), 0 unknown .. 1 certain.
    decay
        How much nearness is left after each octave of distance, 0..1.

    Returns
    -------
    filled, nearness
        (B, C, H, W): `image` where the weight is 1. (B, 1, H, W): 1 there, less with every octave away from it,
        0 where nothing was known at all (the image is 0 then).

    Examples
    --------
    >>> image, weight = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    >>> image[..., 2, 3], weight[..., 2, 3] = 5.0, 1.0
    >>> filled, _ = push_pull(image, weight)
    >>> bool(torch.allclose(filled, torch.full_like(filled, 5.0)))
    True
    """
    count = image.shape[1]
    levels = [torch.cat([image * weight, weight], 1)]
    while min(levels[-1].shape[-2:]) > 2:
        fine = levels[-1]
        even = pad(fine, (0, fine.shape[-1] % 2, 0, fine.shape[-2] % 2))
        coarse = avg_pool2d(even, 4, 2, 1)
        # A few certain pixels make a certain coarse pixel: its weight is their sum, at most 1.
        mean = coarse[:, count:]
        levels.append(coarse * ((4 * mean).clamp(max=1) / mean.clamp_min(TINY)))
    total = levels[-1].sum((2, 3), keepdim=True)
    filled = (total[:, :count] / total[:, count:].clamp_min(TINY)).expand_as(levels[-1][:, :count])
    nearness = (total[:, count:] > 0).to(image.dtype).expand_as(levels[-1][:, count:])
    for level in reversed(levels):
        size = (level.shape[-2], level.shape[-1])
        if filled.shape[-2:] != level.shape[-2:]:
            above = enlarge(torch.cat([filled, nearness * decay], 1), 2, size)
            filled, nearness = above[:, :count], above[:, count:]
        known = level[:, count:]
        filled = level[:, :count] + (1 - known) * filled
        nearness = known + (1 - known) * nearness
    return filled, nearness


def nearest_along_axes(image: Tensor, known: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The colour of the first known pixel to the left, the right, above and below.

    Gathering along rays finds the distinct colours around a pixel, where an average would mix them (Gastal & Oliveira
    2010, "Shared sampling for real-time alpha matting").

    Parameters
    ----------
    image
        (B, C, H, W).
    known
        (B, 1, H, W), bool.

    Returns
    -------
    list of (color, distance)
        (B, C, H, W) and (B, 1, H, W) in pixels, infinite where that direction knows nothing.
    """
    found = []
    for axis in (-1, -2):
        length = image.shape[axis]
        place = torch.arange(length, device=image.device)
        place = (place if axis == -1 else place[:, None]).expand(known.shape)
        before = torch.where(known, place, -1).cummax(axis).values
        mirrored = torch.where(known, length - 1 - place, -1).flip(axis).cummax(axis).values.flip(axis)
        for index, missing in ((before, before < 0), (length - 1 - mirrored, mirrored < 0)):
            index = index.clamp(0, length - 1)
            color = image.gather(axis, index.expand_as(image))
            distance = (place - index).abs().to(image.dtype).masked_fill(missing, torch.inf)
            found.append((color, distance))
    return found
