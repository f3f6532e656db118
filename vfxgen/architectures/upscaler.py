"""A compact residual upscaler: convolutions trained with several branches, run with one, blind to exposure by form."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad, pixel_shuffle

from vfxgen.architectures import register
from vfxgen.errors import RequestError

# Side of the window whose mean is taken off the input: the body sees detail, the skip carries the level.
DETAIL_WINDOW = 5
LEAK = 0.1
# Adam moves every weight alike: unscaled, a product of three would outrun the direct branch (measured).
EXPANDED_SHARE = 0.1


class BranchedConvolution(nn.Module):
    """A 3x3 convolution that learns as two branches and is one kernel at any time.

    Branches: a direct 3x3, and 1x1 to `expansion` times the channels, 3x3, 1x1 back. All are linear and without bias,
    so their sum is one 3x3 kernel, zero padding included. The kernel is merged *before* the picture is touched, in
    training too (Bhardwaj et al., SESR, MLSys 2022; branches of Zhang et al., ECBSR, ACM MM 2021), so that a
    training step costs little more than one of the plain net.

    Shapes: (B, inputs, H, W) -> (B, outputs, H, W).

    Init: direct branch normal by He et al. 2015 times `gain`, the expanding branch by He with its last 1x1 at zero.
    """

    def __init__(self, inputs: int, outputs: int, gain: float = 1.0, expansion: int = 2) -> None:
        super().__init__()
        wide = expansion * max(inputs, outputs)
        self.direct = nn.Parameter(_he_normal(inputs, outputs, gain))
        self.expand = nn.Parameter(torch.randn(wide, inputs) * inputs**-0.5)
        self.middle = nn.Parameter(_he_normal(wide, wide, 1.0))
        self.project = nn.Parameter(torch.zeros(outputs, wide))

    def kernel(self) -> Tensor:
        """The one kernel both branches sum to: (outputs, inputs, 3, 3), float32 whatever autocast says."""
        with torch.autocast(self.direct.device.type, enabled=False):
            expanded = self.project @ (self.middle.permute(2, 3, 0, 1) @ self.expand)
            return self.direct + EXPANDED_SHARE * expanded.permute(2, 3, 0, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H, W)."""
        return conv2d(features, self.kernel(), padding=1)


class Block(nn.Module):
    """Activation and convolution, added to the input: (B, C, H, W) -> the same."""

    def __init__(self, channels: int, collapsed: bool) -> None:
        super().__init__()
        self.activation = nn.LeakyReLU(LEAK)
        self.convolution = _convolution(channels, channels, 0.3, collapsed)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        changed: Tensor = features + self.convolution(self.activation(features))
        return changed


@register("upscaler")
class Upscaler(nn.Module):
    """Picture times `scale`: bilinear enlargement plus a learned residual.

    The net is equivariant by construction: out(a x + b) = a out(x) + b for every a > 0 and every b per channel. It has
    no bias, its activation is positively homogeneous (Mohan et al., ICLR 2020) and its body sees the picture less its
    local mean. In a logarithmic encoding one stop more light is a constant added, so one stop up in gives one stop up
    out exactly, and a change of white balance passes likewise; display-encoded pictures, whose contrast is another
    multiple, go through the same weights. For that, SPAN's attention (Wan et al., 2024) is left out: its sigmoid
    depends on how strong the contrast is.

    Shapes: (B, 3, H, W) -> (B, 3, scale H, scale W), any H and W from 1. The skip stays in the picture's precision, the
    body works in that of the weights: `net.half()` with a float32 picture loses no light, only detail's last digits.

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

    def __init__(self, scale: int = 2, channels: int = 32, blocks: int = 12, *, collapsed: bool = False) -> None:
        super().__init__()
        if scale not in (2, 3, 4):
            raise RequestError(f"upscaler: scale {scale} is not 2, 3 or 4")
        self.hyperparameters = {"scale": scale, "channels": channels, "blocks": blocks, "collapsed": collapsed}
        self.scale, self.channels = scale, channels
        self.head = _convolution(3, channels, 1.0, collapsed)
        self.body = nn.Sequential(*(Block(channels, collapsed) for _ in range(blocks)))
        self.tail = _convolution(channels, 3 * scale**2, 0.3, collapsed)
        self.shuffle = nn.PixelShuffle(scale)

    @property
    def receptive_field(self) -> int:
        """Radius in input pixels: the mean's window and one for each convolution."""
        return DETAIL_WINDOW // 2 + 1 + len(self.body) + 1

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) code values -> (B, 3, scale H, scale W)."""
        level = avg_pool2d(picture, DETAIL_WINDOW, 1, DETAIL_WINDOW // 2, count_include_pad=False)
        features = self.head((picture - level).to(next(self.parameters()).dtype))
        residual = self.shuffle(self.tail(self.body(features)))
        enlarged = _bilinear(picture, self.scale)
        return torch.add(enlarged, residual.to(enlarged.dtype))

    def collapsed(self) -> Upscaler:
        """The same map with one plain 3x3 convolution in place of each branched one (float32 rounding apart)."""
        if self.hyperparameters["collapsed"]:
            return self
        plain = Upscaler(self.scale, self.channels, len(self.body), collapsed=True)
        for name, module in self.named_modules():
            if isinstance(module, BranchedConvolution):
                kernel = module.kernel().detach().contiguous()
                cast(nn.Conv2d, plain.get_submodule(name)).weight.data = kernel.clone()
        return plain.train(self.training)


def _bilinear(picture: Tensor, scale: int) -> Tensor:
    """(B, C, H, W) -> (B, C, scale H, scale W), corners not aligned: a tile has the bits of the frame at any scale."""
    if scale != 3:
        return interpolate(picture, scale_factor=float(scale), mode="bilinear", align_corners=False)
    # There interpolate rounds coordinates that grow with the picture; here the weights are constants.
    batch, channels, height, width = picture.shape
    plane = pad(picture.reshape(batch * channels, 1, height, width), (1, 1, 1, 1), "replicate")
    across = [_between(plane[..., :-2], plane[..., 1:-1], plane[..., 2:], phase, scale) for phase in range(scale)]
    rows = torch.cat(across, 1)
    down = [_between(rows[:, :, :-2], rows[:, :, 1:-1], rows[:, :, 2:], phase, scale) for phase in range(scale)]
    return pixel_shuffle(torch.cat(down, 1), scale).reshape(batch, channels, scale * height, scale * width)


def _between(before: Tensor, here: Tensor, after: Tensor, phase: int, scale: int) -> Tensor:
    offset = (phase + 0.5) / scale - 0.5
    if offset == 0:
        return here
    return here * (1 - abs(offset)) + (before if offset < 0 else after) * abs(offset)


def _he_normal(inputs: int, outputs: int, gain: float) -> Tensor:
    return torch.randn(outputs, inputs, 3, 3) * (gain * math.sqrt(2 / (9 * inputs)))


def _convolution(inputs: int, outputs: int, gain: float, collapsed: bool) -> nn.Module:
    if not collapsed:
        return BranchedConvolution(inputs, outputs, gain)
    plain = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    plain.weight.data = _he_normal(inputs, outputs, gain)
    return plain
