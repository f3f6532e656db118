"""The tasks a net of a shot can learn, as rules: what it is given, what it gives, how frames may be changed for it."""

from __future__ import annotations

from dataclasses import dataclass

from vfxgen.encoding import EncodingName
from vfxgen.training.augment import Augmentation

# One shot has one camera and one light: changes are those that happen within it, not those of all films.
_WITHIN_A_SHOT = Augmentation(exposure=0.3, balance=0.03, rotation=0, zoom=0, blur=0, noise=0, compression=0)


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes
    ----------
    name
        As the artist says it.
    on_card
        As a card says it.
    coverage, colour
        Whether the net gives A; whether it gives R G B (a key: where the target has them).
    needs_mask
        Whether it is told where to work.
    degrade
        Whether plates may be made softer and noisier: not where the net gives the plate back, since it would learn to
        sharpen and denoise it.
    augmentation
        How far frames are changed.
    encoding
        Of plate and colour.
    """

    name: str
    on_card: str
    coverage: bool = False
    colour: bool = False
    needs_mask: bool = False
    degrade: bool = False
    augmentation: Augmentation = _WITHIN_A_SHOT
    encoding: EncodingName = "srgb"


TASKS = {
    task.name: task
    for task in (
        Task("matte", "matte", coverage=True, degrade=True),
        Task("key", "key", coverage=True, colour=True, degrade=True),
        Task("inpaint", "inpaint", colour=True, needs_mask=True),
        Task("retouch", "image-to-image", colour=True),
        Task(
            "upscale",
            "upscale",
            colour=True,
            augmentation=Augmentation(exposure=1.0, balance=0.05, rotation=0, zoom=0, blur=0, noise=0, compression=0),
        ),
    )
}
"""By name."""
