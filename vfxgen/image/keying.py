"""Pull a key: coverage and despilled colour of a subject in front of a green or blue screen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vfxgen.image.fill import dot, enlarge, push_pull, reduce
from vfxgen.image.matte import clip, smooth_grain
from vfxgen.image.mixture import LimitName, difference_weights, mixture
from vfxgen.image.screen import ScreenName, estimate_screen, sample_screen_color, working_factor
from vfxgen.image.tensor import is_finite
from vfxgen.image.unmix import despill, unmix


@dataclass(frozen=True)
class Key:
    """What `key` found, at the plate's resolution.

    Attributes
    ----------
    alpha
        (B, 1, H, W), coverage 0..1.
    foreground
        (B, 3, H, W): straight (unpremultiplied) colour of the subject, despilled, scene-linear. Where alpha is 0: the
        subject's colour carried on.
    screen
        (B, 3, H, W): the estimated screen without the subject.
    """

    alpha: Tensor
    foreground: Tensor
    screen: Tensor

    @property
    def premultiplied(self) -> Tensor:
        """Foreground times alpha, (B, 3, H, W): over black as it stands; pixels that are not finite stay so."""
        covered = self.foreground * self.alpha
        if is_finite(self.foreground):
            return covered
        return torch.where(self.foreground.isfinite(), covered, self.foreground)

    def with_nonfinite_of(self, plate: Tensor) -> Key:
        """The same with NaN and infinities of `plate` (B, 3, H, W) in its foreground."""
        return replace(self, foreground=torch.where(plate.isfinite(), self.foreground, plate))

    def without(self, garbage: Tensor | None) -> Key:
        """The same with less coverage where `garbage` (B, 1, H, W), 0..1, is; the subject's colour is what it was."""
        return self if garbage is None else replace(self, alpha=self.alpha * (1 - garbage))


def key(
    plate: Tensor,
    screen: ScreenName = "green",
    *,
    screen_color: Tensor | None = None,
    clean: Tensor | None = None,
    holdout: Tensor | None = None,
    garbage: Tensor | None = None,
    clip_black: float = 0.0,
    clip_white: float = 1.0,
    smooth: float = 1.0,
    edge: float = 1.0,
    despill_strength: float = 1.0,
    limit: LimitName = "maximum",
    factor: int | None = None,
) -> Key:
    """Key a subject from its screen.

    1. The screen is estimated under the subject (`estimate_screen`).
    2. Colour difference against that local screen says what surely is subject (Vlahos 1964, US 3,158,477; 1978,
       US 4,100,569; Smith & Blinn 1996, "Blue screen matting", section 3).
    3. Near its edges the subject's own colour replaces Vlahos' assumption that it has no green beyond its red and blue:
       alpha becomes the place of the plate between screen and subject, weighed by what each is uncertain of
       (`mixture`; Chuang et al. 2001, "A Bayesian approach to digital matting").
    4. Grain is taken out of the matte where it is flat, never where it has detail (`smooth_grain`).
    5. The foreground is un-mixed (`unmix`) and despilled (`despill`).

    All of it is linear in light: one stop up gives the same alpha, and a foreground one stop up.

    Parameters
    ----------
    plate
        (B, 3, H, W), scene-linear. Pixels that are not finite stay so in the foreground and touch no other.
    screen
        Which of the screen's channels leads.
    screen_color
        (B, 3), optional: its colour; else it is sampled from the plate.
    clean
        (B, 3, H, W), optional: the same view without the subject.
    holdout
        (B, 1, H, W), optional, 0..1: what stays as the plate has it, solid, not despilled.
    garbage
        (B, 1, H, W), optional, 0..1: what is to go: neither screen nor subject to learn colours from. It is keyed all
        the same: `Key.without` takes it out, when all else is done.
    clip_black, clip_white
        Alpha that becomes 0 and 1, with soft shoulders (`clip`).
    smooth
        How much of the measured grain is taken out of the matte; 0 leaves it.
    edge
        How far step 3 is believed: 0 leaves the colour-difference matte.
    despill_strength, limit
        See `despill`.
    factor
        Pixels along one side of the blocks in which colours are estimated, a power of two; None: as the plate's size
        asks. For a part of a larger plate: as the whole would ask.

    Returns
    -------
    Key

    Raises
    ------
    ValueError
        No screen in the plate; or `screen_color` is not of the screen's colour.

    Examples
    --------
    >>> plate = torch.tensor([0.1, 0.6, 0.2]).view(1, 3, 1, 1).repeat(1, 1, 32, 32)
    >>> plate[..., 8:24, 8:24] = 0.5
    >>> keyed = key(plate)
    >>> keyed.alpha[0, 0, 0, 0].item(), keyed.alpha[0, 0, 16, 16].item(), keyed.foreground[0, :, 16, 16].tolist()
    (0.0, 1.0, [0.5, 0.5, 0.5])
    """
    original, plate = plate, repaired(plate)
    outside = None
    for matte in (holdout, garbage):
        if matte is not None:
            outside = 1 - matte if outside is None else outside * (1 - matte)
    factor = factor or working_factor(plate)
    if screen_color is None:
        weight = None if outside is None else reduce(outside, factor)
        screen_color = sample_screen_color(reduce(plate, factor), screen, weight)
    differences = difference_weights(screen_color, screen, limit)
    estimate = estimate_screen(plate, screen_color, None if clean is None else repaired(clean), outside, factor)
    mixed = mixture(plate, estimate, differences, garbage, edge)

    size = (plate.shape[-2], plate.shape[-1])
    backing = enlarge(estimate.color, factor, size)
    above = plate - backing
    slope = enlarge(mixed.slope, factor, size)
    alpha = dot(slope, above).clamp_(-0.5, 1.5)
    alpha += enlarge(mixed.solid, factor, size) * (1 - alpha).clamp_min_(0)
    if smooth > 0:
        variance = (mixed.slope**2).sum(1, keepdim=True) * estimate.variance * smooth**2
        alpha = smooth_grain(alpha, enlarge(variance, factor, size))
    alpha = clip(alpha, clip_black, clip_white)
    if holdout is not None:
        alpha = torch.maximum(alpha, holdout)
    foreground = unmix(
        plate, backing, alpha, enlarge(mixed.foreground, factor, size), enlarge(estimate.variance, factor, size)
    )
    if despill_strength > 0:
        strength = despill_strength if holdout is None else despill_strength * (1 - holdout)
        foreground = despill(foreground, backing, differences, strength)
    keyed = Key(alpha, foreground, backing)
    return keyed if original is plate else keyed.with_nonfinite_of(original)


def repaired(plate: Tensor) -> Tensor:
    """`plate` (B, C, H, W) with every pixel that is not finite filled in from its neighbours; itself if all are."""
    if is_finite(plate):
        return plate
    finite = plate.isfinite().all(1, keepdim=True)
    return push_pull(torch.where(finite, plate, 0), finite.to(plate.dtype))[0]
