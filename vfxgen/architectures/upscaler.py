"""A compact residual upscaler: convolutions trained with several branches, run with one, blind to exposure by form."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate

from vfxgen.architectures import register
from vfxgen.errors import RequestError

# Side of the window whose mean is taken off the input: the body sees detail, the skip carries the level.
DETAIL_WINDOW = 5
LEAK = 0.1


class BranchedConvolution(nn.Module):
    """A 3x3 convolution that learns as three branches and is one kernel at any time.

    Branches: a direct 3x3; 1x1 to `expansion` times the channels, 3x3, 1x1 back; where shapes allow, the identity.
    All are linear and without bias, so their sum is one 3x3 kernel, zero padding included. The kernel is merged
    *before* the picture is touched, in training too (Bhardwaj et al., SESR, MLSys 2022; branches of Zhang et al.,
    ECBSR, ACM MM 2021), which makes a training step nearly as cheap as one of the plain net.

    Shapes: (B, inputs, H, W) -> (B, outputs, H, W).

    Init: direct branch normal with the variance of He et al. 2015 divided by 4, expanding branches by He with the last
    1x1 at zero, so that a block starts as its identity with a small change.
    """

    def __init__(self, inputs: int, outputs: int, expansion: int = 2) -> None:
        super().__init__()
        wide = expansion * max(inputs, outputs)
        self.direct = nn.Parameter(torch.randn(outputs, inputs, 3, 3) * (2 / (9 * inputs)) ** 0.5 / 2)
        self.expand = nn.Parameter(torch.randn(wide, inputs) * (1 / inputs) ** 0.5)
        self.middle = nn.Parameter(torch.randn(wide, wide, 3, 3) * (1 / (9 * wide)) ** 0.5)
        self.project = nn.Parameter(torch.zeros(outputs, wide))
        self.identity = inputs == outputs

    def kernel(self) -> Tensor:
        """The one kernel all branches sum to: (outputs, inputs, 3, 3), float32."""
        wide, outputs, inputs = self.middle.shape[0], *self.direct.shape[:2]
        with torch.autocast(self.direct.device.type, enabled=False):
            spatial = self.middle.permute(2, 3, 0, 1)
            merged = self.project @ (spatial @ self.expand)
            kernel = self.direct + merged.permute(2, 3, 0, 1)
            if self.identity:
                one = torch.eye(outputs, device=kernel.device)
                kernel = kernel + nn.functional.pad(one[:, :, None, None], (1, 1, 1, 1))
        return kernel

    def forward(self, features: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H, W)."""
        return conv2d(features, self.kernel(), padding=1)

    def collapsed(self) -> nn.Conv2d:
        """The same map as a plain convolution."""
        outputs, inputs = self.direct.shape[:2]
        plain = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        plain.weight.data = self.kernel().detach().clone(memory_format=torch.contiguous_format)
        return plain


@register("upscaler")
class Upscaler(nn.Module):
    """Picture times `scale`: bilinear enlargement plus a learned residual.

    The net is *equivariant by construction*: out(a x + b) = a out(x) + b for every a > 0 and every b per channel. It has no bias,
    its activation is positively homogeneous (Mohan et al., ICLR 2020) and its body sees the picture less its local
    mean. In a logarithmic encoding one stop more light is a constant added, so one stop up in gives one stop up out
    exactly, and a change of white balance passes likewise; and display-encoded pictures, whose contrast is another
    multiple, go through the same weights. For that, SPAN's attention (Wan et al., 2024) is left out: its sigmoid
    depends on the absolute level.

    Shapes: (B, 3, H, W) -> (B, 3, scale H, scale W), any H and W from 1. The skip stays in the input's precision: give
    float32 and run the body in half through autocast or `net.body.half()`.

    Parameters
    ----------
    scale
        2, 3 or 4.
    channels, blocks
        Width of the body and number of its convolutions.
    collapsed
        Plain convolutions, as shipped; otherwise branches to train.

    Examples
    --------
    >>> net = Upscaler(scale=2, channels=8, blocks=1)
    >>> net(torch.zeros(1, 3, 5, 7)).shape, net.collapsed().receptive_field
    (torch.Size([1, 3, 10, 14]), 5)
    """

    size_multiple = 1

    def __init__(self, scale: int = 2, channels: int = 32, blocks: int = 8, *, collapsed: bool = False) -> None:
        super().__init__()
        if scale not in (2, 3, 4):
            raise RequestError(f"upscaler: scale {scale} is not 2, 3 or 4")
        self.hyperparameters = {"scale": scale, "channels": channels, "blocks": blocks, "collapsed": collapsed}
        self.scale = scale
        self.head = _convolution(3, channels, collapsed)
        body = []
        for _ in range(blocks):
            body += [nn.LeakyReLU(LEAK), _convolution(channels, channels, collapsed)]
        self.body = nn.Sequential(*body)
        self.tail = _convolution(channels, 3 * scale**2, collapsed)
        self.shuffle = nn.PixelShuffle(scale)

    @property
    def receptive_field(self) -> int:
        """Radius in input pixels: the mean's window and one for each convolution."""
        return DETAIL_WINDOW // 2 + 1 + len(self.body) // 2 + 1

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) code values -> (B, 3, scale H, scale W)."""
        level = avg_pool2d(picture, DETAIL_WINDOW, 1, DETAIL_WINDOW // 2, count_include_pad=False)
        features = self.head(picture - level)
        residual = self.shuffle(self.tail(features + self.body(features)))
        enlarged = interpolate(picture, scale_factor=float(self.scale), mode="bilinear", align_corners=False)
        return enlarged + residual.to(enlarged.dtype)

    def collapsed(self) -> Upscaler:
        """The same map with one plain 3x3 convolution in place of each branched one (float32 rounding apart)."""
        plain = Upscaler(**{**self.hyperparameters, "collapsed": True})
        for name, module in self.named_modules():
            if isinstance(module, BranchedConvolution):
                cast(nn.Conv2d, plain.get_submodule(name)).weight.data = module.collapsed().weight.data
        return plain.train(self.training)


def _convolution(inputs: int, outputs: int, collapsed: bool) -> nn.Module:
    if collapsed:
        return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return BranchedConvolution(inputs, outputs)
