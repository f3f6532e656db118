"""A generator that fills holes: gated and dilated convolutions, attention at low resolution."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, scaled_dot_product_attention

from vfxgen.architectures import register
from vfxgen.errors import RequestError

# Side of the window of local mean and contrast; the contrast that is taken for no contrast, in code.
LOCAL, DARKEST_CONTRAST = 33, 0.01
# One over the deviation of SiLU(x) sigmoid(y) for x and y of deviation 1.
GATED_GAIN = 3.1


class GatedConvolution(nn.Module):
    """A convolution that learns where its own output counts (Yu et al., ICCV 2019): values times a sigmoid.

    Init: values and gates of the inputs' variance, biases 0, so that gates start half open; `GATED_GAIN` keeps that
    variance through any number of layers (Brock et al., ICLR 2021).
    """

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        padding = dilation * (size // 2)
        self.both = nn.Conv2d(inputs, 2 * outputs, size, stride, padding, dilation)
        self.activation = nn.SiLU()
        nn.init.kaiming_normal_(self.both.weight, nonlinearity="linear")
        nn.init.zeros_(self.both.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""
        values, gates = self.both(features).chunk(2, 1)
        gated: Tensor = self.activation(values) * torch.sigmoid(gates) * GATED_GAIN
        return gated


class WideBlock(nn.Module):
    """A gated dilated convolution and a 1x1, added to the input: (B, C, H, W) -> the same. The 1x1 starts at zero."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.look = GatedConvolution(channels, channels, dilation=dilation)
        self.mix = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.mix.weight)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return torch.add(features, self.mix(self.look(features)))


class Attention(nn.Module):
    """Every place looks at every other (Vaswani et al., 2017), on a grid made `shrink` times smaller: (B, C, H, W).

    A depthwise convolution before it gives places their neighbourhood in lieu of a position code, so that
    any frame size will do. The last 1x1 starts at zero.
    """

    def __init__(self, channels: int, heads: int, shrink: int) -> None:
        super().__init__()
        self.heads = heads
        self.shrink = nn.AvgPool2d(shrink, shrink, ceil_mode=True, count_include_pad=False)
        self.neighbours = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.project = nn.Conv2d(channels, 3 * channels, 1)
        self.mix = nn.Conv2d(channels, channels, 1)
        self.factor = shrink
        nn.init.zeros_(self.mix.weight)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        batch, channels, height, width = features.shape
        small = self.neighbours(self.shrink(features))
        rows, columns = small.shape[-2:]
        triple = self.project(small).reshape(batch, 3 * self.heads, channels // self.heads, rows * columns)
        query, key, value = triple.transpose(2, 3).chunk(3, 1)
        seen = scaled_dot_product_attention(query, key, value)
        picture = self.mix(seen.transpose(2, 3).reshape(batch, channels, rows, columns))
        large = interpolate(picture, scale_factor=float(self.factor), mode="bilinear", align_corners=False)
        return features + large[..., :height, :width]


@register("inpainter")
class Inpainter(nn.Module):
    """Fill what a mask marks, from all of the frame.

    The picture is blanked under the mask, reduced 4 times by strided gated convolutions, thought about by rounds of
    dilated blocks (1, 2, 4, 8 by default) with attention after each round, and enlarged with skips. Outside the
    mask the picture is returned as it came, bit for bit. Output is code values, without bound.

    Shapes: picture and mask (B, 4, H, W), the mask last and 1 where to fill -> picture (B, 3, H, W), H and W
    multiples of `size_multiple`.

    Parameters
    ----------
    width
        Channels at full size; twice at half, four times at a quarter.
    rounds
        How often dilated blocks and attention follow each other.
    dilations
        Of the blocks of a round.
    heads
        Of the attention; 4 `width` must be a multiple.
    residual
        What is under the mask is a first fill, such as a smooth surface: it is seen, and the net learns what to change
        about it, starting from no change. It sees and changes the picture less its local mean, over the local contrast
        of what is known: so out(a x + b) = a out(x) + b, as far as a stays well above rounding to 8 bits.

    Examples
    --------
    >>> net = Inpainter(width=8, rounds=1, heads=2)
    >>> net(torch.zeros(1, 4, 12, 20)).shape, net.size_multiple, net.receptive_field
    (torch.Size([1, 3, 12, 20]), 4, None)
    """

    size_multiple = 4
    receptive_field = None

    def __init__(
        self,
        width: int = 24,
        rounds: int = 2,
        dilations: list[int] | None = None,
        heads: int = 4,
        residual: bool = False,
    ) -> None:
        super().__init__()
        dilations = list(dilations or [1, 2, 4, 8])
        if 4 * width % heads:
            raise RequestError(f"inpainter: {4 * width} channels (4 x width) do not divide into {heads} heads")
        self.hyperparameters = {"width": width, "rounds": rounds, "dilations": dilations, "heads": heads}
        self.hyperparameters |= {"residual": True} if residual else {}
        self.residual = residual
        self.encode_full = GatedConvolution(4, width, 5)
        reduce = GatedConvolution(width, 2 * width, stride=2)
        self.encode_half = nn.Sequential(reduce, GatedConvolution(2 * width, 2 * width))
        self.encode_quarter = GatedConvolution(2 * width, 4 * width, stride=2)
        middle: list[nn.Module] = []
        for _ in range(rounds):
            middle += [*(WideBlock(4 * width, d) for d in dilations), Attention(4 * width, heads, shrink=4)]
        self.middle = nn.Sequential(*middle)
        self.decode_half = GatedConvolution(6 * width, 2 * width)
        self.decode_full = GatedConvolution(3 * width, width)
        self.out = nn.Conv2d(width, 3, 3, padding=1)
        if residual:
            nn.init.zeros_(self.out.weight)
            nn.init.zeros_(cast(Tensor, self.out.bias))

    def forward(self, picture_and_mask: Tensor) -> Tensor:
        """(B, 4, H, W) -> (B, 3, H, W)."""
        picture, mask = picture_and_mask[:, :3], picture_and_mask[:, 3:]
        if self.residual:
            first = picture
            seen, contrast = _normalised(picture, mask)
            amount = mask * contrast
        else:
            seen = first = picture * (1 - mask)
            amount = mask
        full = self.encode_full(torch.cat((seen, mask), 1))
        half = self.encode_half(full)
        quarter = self.middle(self.encode_quarter(half))
        half = self.decode_half(torch.cat((_doubled(quarter), half), 1))
        full = self.decode_full(torch.cat((_doubled(half), full), 1))
        return torch.where(mask > 0, first + amount * self.out(full), picture)


def _normalised(picture: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The picture (B, 3, H, W) less its local mean, over its local contrast (B, 1, H, W), which is given too."""
    detail = picture - _local_mean(picture)
    known = 1 - mask
    power = _local_mean(known * detail.square().mean(1, keepdim=True)) / _local_mean(known).clamp_min(0.02)
    contrast = (power + DARKEST_CONTRAST**2).sqrt()
    return detail / contrast, contrast


def _local_mean(values: Tensor) -> Tensor:
    rows = avg_pool2d(values, (1, LOCAL), 1, (0, LOCAL // 2), count_include_pad=False)
    return avg_pool2d(rows, (LOCAL, 1), 1, (LOCAL // 2, 0), count_include_pad=False)


def _doubled(features: Tensor) -> Tensor:
    return interpolate(features, scale_factor=2.0, mode="nearest")
