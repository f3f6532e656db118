"""What nets for keys and for mattes learn from: plates composed of a subject and what is behind it, with the truth."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vfxgen.errors import MediaError, RequestError
from vfxgen.training.cached import CachedObjective
from vfxgen.training.objective import Picture
from vfxgen.training.patches import write_pictures

HELD_OUT, SHOWN = 1 << 32, 4
REFUSALS = 8
"""How often a plate is composed anew where nothing can be learned from it."""


@dataclass(frozen=True)
class ComposedSettings:
    """What such recipes share of the table ``[objective]``.

    Parameters
    ----------
    samples
        Plates to compose for the cache, of `size` pixels each side.
    rendered
        Share of them with a rendered subject; the others are photographs through drawn mattes.
    own_colors
        Share of rendered subjects that keep their colours; the others take a photograph's.
    held_out
        Plates to compose of the subjects of the validation.
    patch, batch
        Side of a patch, and patches a step.
    seed
        Of plates, guides and patches.
    """

    samples: int = 500
    size: int = 384
    rendered: float = 0.75
    own_colors: float = 0.6
    held_out: int = 16
    patch: int = 128
    batch: int = 6
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.samples, self.batch, self.patch) < 1 or self.size < self.patch:
            raise RequestError(
                f"objective: samples = {self.samples}, batch = {self.batch} and patch = {self.patch} must be 1 or "
                f"more, size = {self.size} no less than patch"
            )
        if min(self.rendered, self.own_colors) < 0 or max(self.rendered, self.own_colors) > 1:
            raise RequestError(
                f"objective: rendered = {self.rendered:g} and own_colors = {self.own_colors:g} must be between 0 and 1"
            )


class ComposedObjective(CachedObjective):
    """Caches plates, each of its own random numbers.

    Attributes
    ----------
    needs_photographs
        Whether plates of rendered subjects need them too.
    """

    needs_photographs: ClassVar[bool]

    @staticmethod
    @abstractmethod
    def compose(
        subjects: Sequence[Path],
        photos: Sequence[Path],
        settings: Any,
        random: np.random.Generator,
        only_rendered: bool = False,
    ) -> NDArray[np.float16] | None:
        """One plate and its truth, channels last; None where nothing can be learned from what was drawn."""

    @classmethod
    def prepare(
        cls, files: Sequence[Path], held_out: Path | None, net: dict[str, Any], settings: Any, cache: Path
    ) -> None:
        """Composed plates: ``plates`` of `files`, ``held_out`` of the subjects there."""
        from vfxgen.training.cutouts import RENDERED

        subjects = [path for path in files if path.suffix == RENDERED]
        photos = [path for path in files if path.suffix != RENDERED]
        wants_photos = cls.needs_photographs or min(settings.rendered, settings.own_colors) < 1
        if (not subjects and settings.rendered) or (not photos and wants_photos):
            missing = "photographs" if subjects else f"{RENDERED} files of rendered subjects"
            shares = f"rendered = {settings.rendered:g} and own_colors = {settings.own_colors:g}"
            raise MediaError(f"objective: {shares}, but the data have no {missing}")
        known = sorted(held_out.rglob(f"*{RENDERED}")) if held_out else []
        if held_out and not known:
            raise MediaError(f"{held_out}: has no {RENDERED} of a rendered subject to validate on")
        write_pictures(cache, "plates", cls._plates(subjects, photos, settings, settings.samples, 0))
        count = settings.held_out if known else 0
        write_pictures(cache, "held_out", cls._plates(known, photos, settings, count, HELD_OUT))

    @classmethod
    def _plates(
        cls, subjects: Sequence[Path], photos: Sequence[Path], settings: Any, count: int, stream: int
    ) -> Iterator[NDArray[np.float16]]:
        for number in range(count):
            random = np.random.default_rng((settings.seed, stream, number))
            for _ in range(REFUSALS):
                made = cls.compose(subjects, photos, settings, random, stream > 0)
                if made is not None:
                    yield made
                    break


def stacked(rows: list[Tensor]) -> Picture | None:
    """Rows (3, H, W) of samples below each other; None where there is none."""
    if not rows:
        return None
    picture: Picture = torch.cat(rows, 1).clamp(0, 1).permute(1, 2, 0).cpu().numpy()
    return picture
