"""Losses: how far a picture or a matte is from the truth, as one number to make small.

Torch alone, but for `structure`, which asks kornia. All compare code values or alpha, never bare light: a lamp of
20000 would outweigh the whole picture.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from vfxgen.training.augment import needed


def charbonnier(made: Tensor, truth: Tensor, weight: Tensor | None = None, epsilon: float = 1e-3) -> Tensor:
    """Mean absolute difference, rounded off near 0 so that its slope fades: sqrt(d^2 + epsilon^2) - epsilon.

    Parameters
    ----------
    made, truth
        (B, C, H, W).
    weight
        (B, 1, H, W), how much each pixel counts; None: all the same.
    epsilon
        Where the slope begins to fade.

    Notes
    -----
    Charbonnier et al., ICIP 1994; less `epsilon`, so that equal pictures cost nothing.

    Examples
    --------
    >>> import torch
    >>> charbonnier(torch.ones(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)).item()
    0.9990004897117615
    """
    return mean((made - truth).square().add(epsilon**2).sqrt() - epsilon, weight)


def structure(made: Tensor, truth: Tensor, span: float = 1.0) -> Tensor:
    """1 - SSIM (Wang et al. 2004): 0 where equal, up to 2; (B, C, H, W) code values, windows of 11 pixels.

    Parameters
    ----------
    span
        Distance between black and white in these values. Nothing is clipped to it.

    Raises
    ------
    TrainingError
        kornia is not installed.

    Notes
    -----
    kornia's map is used as it is: it holds for any values whose mean is not large beside their contrast, as in codes of
    `vfxgen.encoding`. Its variance is a difference of squares in float32: on light of 20000 it is lost in rounding.

    Examples
    --------
    >>> import torch
    >>> picture = torch.rand(1, 3, 16, 16)
    >>> bool(structure(picture, picture) < 1e-5)
    True
    """
    similarity: Tensor = needed("kornia.metrics").ssim(made, truth, 11, span)
    return (1 - similarity).mean()


def laplacian(made: Tensor, truth: Tensor, weight: Tensor | None = None, levels: int = 5) -> Tensor:
    """Absolute difference of Laplacian pyramids, each level weighted by the pixels it stands for.

    Sharp edges and broad areas count alike, whatever the size of what is wrong. Levels end where a side is 1.

    Notes
    -----
    Bojanowski et al., ICML 2018; for mattes Hou and Liu, ICCV 2019. Levels are reduced by the mean of 2x2 pixels and
    expanded bilinearly. The pyramid is linear, so that of the difference is taken; its coarsest level is left to a loss
    of the values themselves.

    Examples
    --------
    >>> import torch
    >>> laplacian(torch.full((1, 1, 8, 8), 0.75), torch.full((1, 1, 8, 8), 0.5)).item()
    0.0
    """
    difference, total = made - truth, made.new_zeros(())
    for level in range(levels):
        if min(difference.shape[-2:]) < 2:
            break
        coarse = _halved(difference)
        expanded = interpolate(coarse, size=difference.shape[-2:], mode="bilinear", align_corners=False)
        total = total + 2.0**level * mean((difference - expanded).abs(), weight)
        difference, weight = coarse, None if weight is None else _halved(weight)
    return total


def gradient(made: Tensor, truth: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean absolute difference of the steps between neighbours, across and down.

    Examples
    --------
    >>> import torch
    >>> ramp = torch.arange(5.0).expand(1, 1, 5, 5)
    >>> gradient(2 * ramp, ramp).item()
    0.5
    """
    difference = made - truth
    across, down = difference.diff(dim=-1).abs(), difference.diff(dim=-2).abs()
    if weight is None:
        return (across.mean() + down.mean()) / 2
    return (mean(across, weight[..., :-1]) + mean(down, weight[..., :-1, :])) / 2


def composition(alpha: Tensor, foreground: Tensor, background: Tensor, plate: Tensor) -> Tensor:
    """Mean absolute difference between the plate and foreground over background by this alpha.

    Parameters
    ----------
    alpha
        (B, 1, H, W).
    foreground, background, plate
        (B, 3, H, W), straight scene-linear light, held to the range of a display by exposure: mixing is linear in
        light alone, not in code values.

    Notes
    -----
    Xu et al., Deep Image Matting, CVPR 2017.
    """
    return (alpha * foreground + (1 - alpha) * background - plate).abs().mean()


def foreground(made: Tensor, truth: Tensor, alpha: Tensor) -> Tensor:
    """Mean absolute difference of straight colour (B, C, H, W) where the true `alpha` (B, 1, H, W) is above 0.

    Where nothing is covered there is no foreground to be right about (Hou and Liu, ICCV 2019).

    Examples
    --------
    >>> import torch
    >>> half = torch.tensor([0.0, 1.0]).expand(1, 1, 2, 2)
    >>> foreground(torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 2), half).item()
    1.0
    """
    return mean((made - truth).abs(), (alpha > 0).to(made.dtype))


def settled(alpha: Tensor, truth: Tensor) -> Tensor:
    """`alpha` with what is above 1 where the truth is 1, and below 0 where it is 0, taken as right.

    Whoever uses the alpha clips it. A net that may overshoot is exactly 1 or 0 afterwards where it is sure, instead of
    hovering around it.

    Examples
    --------
    >>> import torch
    >>> settled(torch.tensor([1.2, 1.2, -0.1, 0.9]), torch.tensor([1.0, 0.5, 0.0, 1.0])).tolist()
    [1.0, 1.2000000476837158, 0.0, 0.8999999761581421]
    """
    return torch.where(truth >= 1, alpha.clamp(max=1), torch.where(truth <= 0, alpha.clamp(min=0), alpha))


def mean(values: Tensor, weight: Tensor | None) -> Tensor:
    """The mean of `values` (B, C, H, W), each pixel counted by `weight` (B, 1, H, W); 0 where nothing counts."""
    if weight is None:
        return values.mean()
    return (values * weight).sum() / (weight.sum() * values.shape[1]).clamp_min(1e-6)


def _halved(values: Tensor) -> Tensor:
    return avg_pool2d(values, 2, ceil_mode=True, count_include_pad=False)
