"""Encodings: scene-linear light to code values that a net can learn from, and back without loss.

Torch alone: training reads it on machines that have nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

EncodingName = Literal["log", "srgb", "srgb-clipped", "none"]


@dataclass(frozen=True)
class Encoding:
    """Scene-linear light to a bounded code value for nets, and back without loss inside its range.

    Parameters
    ----------
    name
        ``log``: a logarithm with a linear toe (the form of ACEScct, S-2016-001), for HDR light: 0 .. 65504 becomes
        -0.02 .. 1, and -0.1 becomes -0.79. ``srgb``: the sRGB curve (IEC 61966-2-1) up to `KNEE`, then a logarithmic
        shoulder that meets it with equal slope, mirrored below 0: what nets trained on photographs expect, with room
        above white (65504 becomes 4.9). ``srgb-clipped``: that curve held to 0 .. 1 on its way in, for a net that knows
        nothing else. ``none``: values as they are.

    Notes
    -----
    ``log`` and ``srgb`` are strictly increasing and continuous in value and slope, so `decode(encode(x))` is `x` to
    float32 rounding, for every finite `x`.

    Examples
    --------
    >>> import torch
    >>> light = torch.tensor([-0.1, 0.0, 0.18, 1.0, 20000.0])
    >>> bool(torch.allclose(Encoding("log").decode(Encoding("log").encode(light)), light, rtol=1e-5))
    True
    """

    name: EncodingName = "log"

    def encode(self, light: torch.Tensor) -> torch.Tensor:
        """Scene-linear `light` (any shape, float32) to code values."""
        if self.name == "none":
            return light
        if self.name == "log":
            return _log_encode(light)
        code = _srgb_encode(light)
        return code.clamp(0, 1) if self.name == "srgb-clipped" else code

    def decode(self, code: torch.Tensor) -> torch.Tensor:
        """Code values back to scene-linear light."""
        if self.name == "none":
            return code
        return _log_decode(code) if self.name == "log" else _srgb_decode(code)


# The logarithm spans 24 stops up to half float's largest value, 65504; the toe is its tangent.
LOG_TOP, LOG_STOPS = math.log2(65504.0), 24.0
LOG_CUT = 2.0**-7
LOG_CUT_CODE = (math.log2(LOG_CUT) - LOG_TOP) / LOG_STOPS + 1.0
LOG_TOE_SLOPE = 1.0 / (LOG_CUT * math.log(2.0) * LOG_STOPS)


def _log_encode(light: torch.Tensor) -> torch.Tensor:
    curve = (light.clamp(min=LOG_CUT).log2() - LOG_TOP) / LOG_STOPS + 1.0
    return curve.where(light > LOG_CUT, (light - LOG_CUT) * LOG_TOE_SLOPE + LOG_CUT_CODE)


def _log_decode(code: torch.Tensor) -> torch.Tensor:
    curve = ((code.clamp(min=LOG_CUT_CODE) - 1.0) * LOG_STOPS + LOG_TOP).exp2()
    return curve.where(code > LOG_CUT_CODE, (code - LOG_CUT_CODE) / LOG_TOE_SLOPE + LOG_CUT)


# Above the knee (about 4/5 of white) code grows with the logarithm of light.
KNEE = 0.6
KNEE_CODE = 1.055 * KNEE ** (1 / 2.4) - 0.055
SHOULDER = KNEE * 1.055 / 2.4 * KNEE ** (1 / 2.4 - 1)


def _srgb_encode(light: torch.Tensor) -> torch.Tensor:
    size = light.abs()
    curve = 1.055 * size.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    code = (size * 12.92).where(size <= 0.0031308, curve)
    shoulder = KNEE_CODE + SHOULDER * (size.clamp(min=KNEE) / KNEE).log()
    return code.where(size <= KNEE, shoulder) * light.sign()


def _srgb_decode(code: torch.Tensor) -> torch.Tensor:
    size = code.abs()
    curve = ((size.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    light = (size / 12.92).where(size <= 0.04045, curve)
    shoulder = KNEE * ((size.clamp(min=KNEE_CODE) - KNEE_CODE) / SHOULDER).exp()
    return light.where(size <= KNEE_CODE, shoulder) * code.sign()
