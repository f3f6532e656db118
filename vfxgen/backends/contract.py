"""What a net's card promises about what goes in and what comes out, and the errors where it is not so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vfxgen.errors import FrameError, NetError
from vfxgen.image.tensor import is_finite

if TYPE_CHECKING:
    from vfxgen.backends.net import Net
    from vfxgen.zoo.parts import Port


def check_inputs(net: Net, inputs: Sequence[Tensor]) -> None:
    """Raise `NetError` where number, channels or size of the inputs are not those of the card."""
    ports = net.card.inputs
    if len(inputs) != len(ports):
        raise NetError(f"{net}: takes {len(ports)} inputs ({_names(ports)}), got {len(inputs)}")
    for tensor, port in zip(inputs, ports, strict=True):
        channels, size, multiple = len(port.channel_names), list(tensor.shape[-2:]), net.card.size_multiple
        if tensor.ndim != 4 or (channels and tensor.shape[1] != channels):
            wanted = f"(B, {channels or 'C'}, H, W) for {port.channels or 'its channels'}"
            raise NetError(f"{net}: input '{port.name}' is {wanted}, got {tuple(tensor.shape)}")
        if port.size and size != port.size:
            raise NetError(f"{net}: input '{port.name}' is {_by(port.size)} always, got {_by(size)}")
        if not port.size and (size[0] % multiple or size[1] % multiple):
            raise NetError(f"{net}: height and width must be multiples of {multiple}, got {_by(size)}")


def check_outputs(net: Net, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
    """Raise `FrameError` where number, channels or size of the outputs are not those of the card."""
    ports = net.card.outputs
    if len(outputs) != len(ports):
        raise FrameError(f"{net}: gave {len(outputs)} outputs, its card says {len(ports)} ({_names(ports)})")
    for tensor, port in zip(outputs, ports, strict=True):
        if tensor.ndim == 4:
            _check_picture(net, inputs[0], tensor, port)


def check_finite(net: Net, inputs: Sequence[Tensor], finite: Sequence[bool]) -> None:
    """Raise `FrameError` where an output is not `finite`, one answer for each, though the inputs are."""
    for port, fine in zip(net.card.outputs, finite, strict=True):
        if not fine and all(map(is_finite, inputs)):
            raise FrameError(
                f"{net}: made NaN or infinity of finite pixels in '{port.name}' at {net.precision} on "
                f"{net.device}. With fp16, try --precision fp32; else its weights are damaged or the pixels are "
                f"far outside what it was trained on"
            )


def _check_picture(net: Net, given: Tensor, made: Tensor, port: Port) -> None:
    channels, scale = len(port.channel_names), net.card.scale
    if channels and made.shape[1] != channels:
        raise FrameError(
            f"{net}: gave {made.shape[1]} channels in '{port.name}', its card says {channels} ({port.channels})"
        )
    if not port.channels and not port.size:
        return
    wanted, size = port.size or [scale * side for side in given.shape[-2:]], list(made.shape[-2:])
    if size != wanted:
        raise FrameError(
            f"{net}: made {_by(size)} of {_by(given.shape[-2:])} in '{port.name}', its card says "
            f"{f'{_by(port.size)} always' if port.size else f'scale {scale}, so {_by(wanted)}'}"
        )


def normalised(tensor: Tensor, port: Port) -> Tensor:
    """(B, C, H, W) less the mean of the port, over its deviation."""
    if port.mean:
        tensor = tensor - _per_channel(port.mean, tensor)
    return tensor / _per_channel(port.std, tensor) if port.std else tensor


def scaled_back(tensor: Tensor, port: Port) -> Tensor:
    """What `normalised` takes, from what it gives."""
    if port.std:
        tensor = tensor * _per_channel(port.std, tensor)
    return tensor + _per_channel(port.mean, tensor) if port.mean else tensor


def _per_channel(values: Sequence[float], like: Tensor) -> Tensor:
    per_channel: torch.Tensor = torch.tensor(values, dtype=like.dtype, device=like.device)
    return per_channel[:, None, None]


def _names(ports: Sequence[Port]) -> str:
    return ", ".join(port.name for port in ports)


def _by(size: Sequence[int]) -> str:
    return f"{size[0]}x{size[1]}"
