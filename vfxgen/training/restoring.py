"""Upscaling of soft, noisy, compressed pictures: photographs and degraded versions, learned against a critic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from vfxgen.errors import MediaError, RequestError
from vfxgen.training.adversarial import Opposition
from vfxgen.training.cached import Measure
from vfxgen.training.degradation import degraded
from vfxgen.training.losses import charbonnier, gradient
from vfxgen.training.objective import Batch, Forward
from vfxgen.training.patches import Cut, read_pictures, write_pictures
from vfxgen.training.upscaling import Upscaling, encoded, photograph, said_scale, to_light


@dataclass(frozen=True)
class Settings:
    """The table ``[objective]`` of the recipe of a restoring upscaler.

    Parameters
    ----------
    patch
        Side of a patch of the small picture, in pixels.
    batch, light
        Patches a step, and how many of them are light, exposed and encoded; the others are display code.
    versions
        Degraded versions of each photograph in the cache.
    exposure_stops
        Light is exposed by as much up or down.
    edges
        Weight of the loss of gradients, beside Charbonnier's.
    adversarial, matching
        Weights of the critic's verdict and of its features.
    adversarial_from
        The step from which the critic counts, in full after a tenth as many more.
    critic_width
        Channels of its first layer.
    seed
        Of versions and patches.
    """

    patch: int = 32
    batch: int = 6
    light: int = 2
    versions: int = 4
    exposure_stops: float = 2.0
    edges: float = 0.5
    adversarial: float = 0.005
    matching: float = 0.2
    adversarial_from: int = 1000
    critic_width: int = 24
    seed: int = 0

    def __post_init__(self) -> None:
        if self.patch < 16 or self.batch < 1 or not 0 <= self.light <= self.batch or self.versions < 1:
            raise RequestError(
                f"objective: patch = {self.patch} must be 16 or more, batch = {self.batch} and versions = "
                f"{self.versions} 1 or more, light = {self.light} between 0 and batch"
            )
        if min(self.exposure_stops, self.edges, self.adversarial, self.matching, self.adversarial_from) < 0:
            raise RequestError(
                "objective: exposure_stops, edges, adversarial, matching, adversarial_from must be 0 or more"
            )
        if self.critic_width < 1:
            raise RequestError(f"objective: critic_width = {self.critic_width} must be 1 or more")


class Restoring(Upscaling):
    """Random patches of the cached photographs and of their degraded versions; see `Settings`."""

    settings_type: ClassVar[type] = Settings
    measures: ClassVar = {
        "PSNR of Y": Measure(
            "PSNR, Y of BT.601, border = scale", "dB", "small pictures degraded as in training, seeded"
        )
    }

    @classmethod
    def prepare(  # type: ignore[override]
        cls, files: Sequence[Path], held_out: Path | None, net: dict[str, Any], settings: Settings, cache: Path
    ) -> None:
        """Per photograph the 8-bit original and its versions; per picture in the folder `held_out` one version."""
        scale, seed = said_scale(net), settings.seed
        write_pictures(cache, "large", (photograph(path, scale, settings.patch) for path in files))
        versions = (
            degraded(photo, scale, np.random.default_rng((seed, n, version)))
            for n, photo in enumerate(read_pictures(cache, "large"))
            for version in range(settings.versions)
        )
        write_pictures(cache, "small", versions)
        found = sorted(held_out.glob("*.png")) if held_out else []
        if held_out and not found:
            raise MediaError(f"{held_out}: has no .png to validate on")
        write_pictures(cache, "held_out_large", (photograph(path, scale, 1) for path in found))
        held = enumerate(read_pictures(cache, "held_out_large"))
        write_pictures(cache, "held_out_small", (degraded(p, scale, np.random.default_rng((seed, n))) for n, p in held))

    def __init__(self, net: dict[str, Any], settings: Settings, cache: Path) -> None:
        self.scale, self.restoring = net["scale"], settings
        self.large, self.small = (read_pictures(cache, name) for name in ("large", "small"))
        held_out = (read_pictures(cache, name) for name in ("held_out_large", "held_out_small"))
        self.held_out = list(zip(*held_out, strict=True))
        area = np.array([photo.size for photo in self.large], np.float64)
        self.chance = area / area.sum()
        weights = settings.adversarial, settings.matching
        self.opposition = Opposition(3, settings.critic_width, *weights, settings.adversarial_from)
        self.critic = self.opposition.critic if settings.adversarial else None

    def batch(self, step: int) -> Batch:
        """As `Upscaling.batch`, and ``opposed``, how much the critic counts, from the step on at which it does."""
        settings, scale = self.restoring, self.scale
        random = np.random.default_rng((settings.seed, step))
        large, small = [], []
        for n in random.choice(len(self.large), settings.batch, p=self.chance):
            version = self.small[n * settings.versions + int(random.integers(settings.versions))]
            cut = Cut.random(version.shape, settings.patch, random)
            small.append(torch.from_numpy(np.ascontiguousarray(cut.of(version))))
            large.append(torch.from_numpy(np.ascontiguousarray(cut.of(self.large[n], scale))))
        stops = random.uniform(-settings.exposure_stops, settings.exposure_stops, settings.light)
        batch = {"large": torch.stack(large), "stops": torch.from_numpy(stops.astype(np.float32))}
        displayed = settings.batch - settings.light
        if displayed:
            batch["code"] = torch.stack(small[:displayed])
        if settings.light:
            batch["light"] = to_light(torch.stack(small[displayed:]).float() / 255)
        if self.critic is not None and (share := self.opposition.share(step)):
            batch["opposed"] = torch.tensor(share)
        return batch

    def loss(self, net: Forward, batch: Batch) -> dict[str, Tensor]:
        """Values and edges; the critic's verdict, once it counts."""
        given, truth = encoded(batch)
        made = net(given)
        terms = {"charbonnier": charbonnier(made, truth), "edges": self.restoring.edges * gradient(made, truth)}
        return terms | (self.opposition.terms(truth, made, batch["opposed"]) if "opposed" in batch else {})

    def critic_loss(self, batch: Batch) -> dict[str, Tensor]:
        """The hinge; nothing before the critic counts."""
        return self.opposition.critic_terms() if "opposed" in batch else {}
