"""A U-Net for mattes and keys: a picture in, a matte or layers out, nothing normalised over the frame."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle, pixel_unshuffle

from vfxgen.architectures import register
from vfxgen.errors import RequestError


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions added to a 1x1 (or to the input itself): (B, inputs, H, W) -> (B, outputs, H, W).

    Init: He et al. 2015; the second convolution starts at zero, so that a net of any depth starts well-scaled without
    normalisation (Zhang et al., Fixup, ICLR 2019).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.activation = nn.SiLU()
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.match = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        nn.init.kaiming_normal_(self.first.weight)
        nn.init.zeros_(self.second.weight)

    def forward(self, features: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H, W)."""
        change = self.second(self.activation(self.first(self.activation(features))))
        return torch.add(self.match(features), change)


class Up(nn.Module):
    """Coarse features doubled in size (bilinear), joined with the skip of that size."""

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(coarse, fine, 1)
        self.join = ResidualBlock(2 * fine, fine)

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        """(B, coarse, H, W) and (B, fine, 2 H, 2 W) -> (B, fine, 2 H, 2 W)."""
        large = interpolate(self.narrow(coarse), scale_factor=2.0, mode="bilinear", align_corners=False)
        joined: Tensor = self.join(torch.cat((large, skip), 1))
        return joined


@register("unet")
class UNet(nn.Module):
    """Encoder, decoder and skips (Ronneberger et al., MICCAI 2015) with residual blocks and a bounded view.

    Nothing is normalised over the frame: what a pixel becomes depends on its neighbourhood alone, so a frame
    cut into tiles comes out the same. The output is linear (logits, or values): a sigmoid belongs to the loss or to
    the caller.

    Shapes: (B, in_channels, H, W) -> (B, out_channels, H, W), H and W multiples of `size_multiple`.

    Parameters
    ----------
    in_channels, out_channels
        For example picture and trimap, 4; matte, 1.
    widths
        Channels at each level, finest first; each level halves the size.
    residual
        The picture's first channels are added to the output: the net learns what changes, starting from no change.
    fold
        Every `fold` x `fold` pixels become the channels of one (Shi et al., CVPR 2016), and are laid out again at the
        end: of nearly the same quality as a net of as many channels that works at full size, and much faster.

    Examples
    --------
    >>> net = UNet(in_channels=4, out_channels=1, widths=[8, 16])
    >>> net(torch.zeros(1, 4, 6, 10)).shape, net.size_multiple, net.receptive_field
    (torch.Size([1, 1, 6, 10]), 2, 12)
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 1,
        widths: list[int] | None = None,
        residual: bool = False,
        fold: int = 1,
    ) -> None:
        super().__init__()
        widths = list(widths or [24, 48, 96, 192])
        if min(in_channels, out_channels, fold, *widths) < 1:
            raise RequestError(
                f"unet: channels {in_channels}, {out_channels}, widths {widths} and fold {fold} must be positive"
            )
        if residual and out_channels > in_channels:
            raise RequestError(f"unet: a residual of {out_channels} channels cannot be added to {in_channels}")
        self.hyperparameters = {"in_channels": in_channels, "out_channels": out_channels, "widths": widths}
        self.hyperparameters |= {"residual": True} if residual else {}
        self.hyperparameters |= {"fold": fold} if fold > 1 else {}
        self.residual, self.fold = residual, fold
        self.stem = nn.Conv2d(in_channels * fold**2, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(ResidualBlock(width, width) for width in widths)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        self.up = nn.ModuleList(Up(b, a) for a, b in pairwise(widths))
        self.out = nn.Conv2d(widths[0], out_channels * fold**2, 3, padding=1)
        if residual:
            nn.init.zeros_(self.out.weight)
            nn.init.zeros_(cast(Tensor, self.out.bias))

    @property
    def size_multiple(self) -> int:
        """Two to the number of halvings, times `fold`."""
        return self.fold << len(self.down)

    @property
    def receptive_field(self) -> int:
        """Radius in input pixels, walked back from the output: the farthest input a pixel of any phase can see."""
        return self.fold * (_reach(len(self.down)) + 1) - 1

    def forward(self, picture: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, out_channels, H, W)."""
        features, skips = self.stem(_folded(picture, self.fold)), []
        for block, down in zip(self.encoder, self.down, strict=False):
            skips.append(block(features))
            features = down(skips[-1])
        features = self.encoder[-1](features)
        for up, skip in zip(reversed(self.up), reversed(skips), strict=True):
            features = up(features, skip)
        out = _unfolded(self.out(features), self.fold)
        return torch.add(picture[:, : out.shape[1]], out) if self.residual else out


def _folded(picture: Tensor, fold: int) -> Tensor:
    return picture if fold == 1 else pixel_unshuffle(picture, fold)


def _unfolded(features: Tensor, fold: int) -> Tensor:
    return features if fold == 1 else pixel_shuffle(features, fold)


def _reach(depth: int) -> int:
    def into_encoder(level: int, low: int, high: int) -> tuple[int, int]:
        if level == 0:
            return low - 1, high + 1
        return into_encoder(level - 1, 2 * low - 2, 2 * high + 3)

    def into_decoder(level: int, low: int, high: int) -> tuple[int, int]:
        if level == depth:
            return into_encoder(level, low - 2, high + 2)
        skip = into_encoder(level, low - 4, high + 4)
        coarse = into_decoder(level + 1, (low - 3) // 2, (high + 3) // 2)
        return min(skip[0], coarse[0]), max(skip[1], coarse[1])

    spans = [(phase, *into_decoder(0, phase - 1, phase + 1)) for phase in range(2**depth)]
    return max(max(phase - low, high - phase) for phase, low, high in spans)
