"""A net for mattes: colours carried in from what is known, the share of each in a pixel, and a U-Net that mends it."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from vfxgen.architectures import register
from vfxgen.architectures.unet import UNet
from vfxgen.encoding import Encoding
from vfxgen.errors import RequestError

_ENCODING = Encoding("srgb")
_SOLID, _EMPTY = 0.95, 0.05
_FILLED = 0.25
"""Share of a block that must be known for its mean to stand for all of it."""

_COARSEST = ((3, 1e-2), (7, 1e-4))
"""Of the coarsest octave: windows of blocks, and how much their means count beside a block's own."""
_GREY = 1e-7
"""How much grey counts, where nothing is known at all."""


@register("matter")
class Matter(nn.Module):
    """Coverage from a picture and a guide, a trimap or a rough mask.

    Colours of what the guide says is surely subject, and surely not, are carried into the unknown (pull and push over a
    pyramid: Gortler et al. 1996). Coverage is first the place of the pixel's light between both (Chuang et al. 2001);
    a U-Net is given picture, guide, both colours and this alpha, and adds what is missing. Before it has learned
    anything the answer is that first alpha.

    Shapes: (B, 4, H, W) -> (B, 1, H, W), H and W multiples of `size_multiple`. The picture is in the encoding ``srgb``;
    the result is linear and may overshoot 0 .. 1, clip it.

    Parameters
    ----------
    widths
        Of the U-Net.
    levels
        Octaves over which colours are carried: as far as about ``3 * 2 ** levels`` pixels.
    doubt
        Pixels about the edge of the guide that are not believed: 0 for a trimap, whose known parts are known.

    Examples
    --------
    >>> net = Matter(widths=[8, 16], levels=4)
    >>> net(torch.zeros(1, 4, 32, 48)).shape, net.size_multiple
    (torch.Size([1, 1, 32, 48]), 16)
    """

    def __init__(self, widths: list[int] | None = None, levels: int = 5, doubt: int = 0) -> None:
        super().__init__()
        if levels < 1 or doubt < 0:
            raise RequestError(f"matter: levels = {levels} must be 1 or more, doubt = {doubt} 0 or more")
        self.net = UNet(11, 1, list(widths or [24, 48, 96, 128]), residual=True)
        self.levels, self.doubt = levels, doubt
        self.hyperparameters = {"widths": self.net.hyperparameters["widths"], "levels": levels, "doubt": doubt}

    @property
    def size_multiple(self) -> int:
        """The larger of the pyramid's and the U-Net's."""
        return max(1 << self.levels, self.net.size_multiple)

    @property
    def receptive_field(self) -> int:
        """Radius in pixels: the U-Net's, then up and down the pyramid, then the edge of the guide."""
        # The coarsest octave looks three blocks far; the bilinear steps from there up reach less than two more in all.
        return self.net.receptive_field + 6 * (1 << self.levels) + self.doubt

    def forward(self, picture_and_guide: Tensor) -> Tensor:
        """(B, 4, H, W) -> (B, 1, H, W)."""
        picture, guide = picture_and_guide[:, :3], picture_and_guide[:, 3:]
        subject, background = _within(guide > _SOLID, self.doubt), _within(guide < _EMPTY, self.doubt)
        foreground, behind = self._carried(picture, subject), self._carried(picture, background)
        light, front, back = (_ENCODING.decode(code) for code in (picture, foreground, behind))
        way = front - back
        # What is as dark as noise tells nothing.
        share = ((light - back) * way).sum(1, keepdim=True) / ((way * way).sum(1, keepdim=True) + 1e-4)
        unknown = 1 - subject - background
        first = subject + unknown * share.clamp(0, 1)
        features = torch.cat([first, picture, guide, foreground, behind], 1)
        return cast(Tensor, self.net(features))

    def _carried(self, picture: Tensor, weight: Tensor) -> Tensor:
        """`picture` where `weight` (B, 1, H, W) is 1, and what is near to it elsewhere; grey where nothing is."""
        sums, weights = [picture * weight], [weight]
        for _ in range(self.levels):
            sums.append(avg_pool2d(sums[-1], 2))
            weights.append(avg_pool2d(weights[-1], 2))
        total, share = sums[-1], weights[-1]
        for size, trust in _COARSEST:
            total = total + trust * avg_pool2d(sums[-1], size, 1, size // 2)
            share = share + trust * avg_pool2d(weights[-1], size, 1, size // 2)
        filled = (total + 0.5 * _GREY) / (share + _GREY)
        for total, share in zip(reversed(sums[:-1]), reversed(weights[:-1]), strict=True):
            wide = interpolate(filled, scale_factor=2.0, mode="bilinear", align_corners=False)
            believed = (share / _FILLED).clamp(max=1)
            filled = believed * total / (share + 1e-6) + (1 - believed) * wide
        return filled


def _within(where: Tensor, distance: int) -> Tensor:
    """1 where everything within `distance` pixels is so, (B, 1, H, W)."""
    inside = where.float()
    if not distance:
        return inside
    return 1 - max_pool2d(1 - inside, 2 * distance + 1, 1, distance)
