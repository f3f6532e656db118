"""Adversarial training: a critic of patches, and what it and the net lose to one another."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import relu
from torch.nn.utils.parametrizations import spectral_norm


class PatchCritic(nn.Module):
    """Says of every patch of a picture how real it looks: above 0 real, below 0 made.

    PatchGAN (Isola et al., CVPR 2017) with spectral normalisation of every convolution (Miyato et al., ICLR 2018), so
    that no layer makes a difference between two pictures larger, and without batch normalisation. A patch is
    as wide as the convolutions see: 70 pixels with three halvings.

    Shapes: (B, channels, H, W) code values -> features of each layer, finest first, the last of them the verdict
    (B, 1, about H / 2^halvings, ...).

    Parameters
    ----------
    channels
        Of the pictures; condition it on a plate or a mask by joining their channels.
    width
        Channels of the first layer; doubled with each halving, up to eight times.
    halvings
        How often the size is halved.

    Examples
    --------
    >>> [tuple(features.shape) for features in PatchCritic(3, width=8, halvings=2)(torch.zeros(1, 3, 32, 32))]
    [(1, 8, 16, 16), (1, 16, 8, 8), (1, 32, 7, 7), (1, 1, 6, 6)]
    """

    def __init__(self, channels: int = 3, width: int = 48, halvings: int = 3) -> None:
        super().__init__()
        widths = [channels, *(width * min(2**level, 8) for level in range(halvings + 1)), 1]
        strides = [2] * halvings + [1, 1]
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(inputs, outputs, 4, stride, 1))
            for inputs, outputs, stride in zip(widths[:-1], widths[1:], strides, strict=True)
        )
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """(B, channels, H, W) -> features of each layer and the verdict."""
        found = []
        for layer in self.layers[:-1]:
            picture = self.activation(layer(picture))
            found.append(picture)
        return [*found, self.layers[-1](picture)]


class Opposition:
    """A critic, and what the net loses to it: for an objective that lets the critic join in late.

    Parameters
    ----------
    channels, width
        Of the critic.
    verdict, matching
        Weights of its verdict and of its features.
    joins
        The step from which it counts, in full after a tenth as many more: a net that knows nothing yet is told nothing
        by a critic.

    Examples
    --------
    >>> opposition = Opposition(3, 8, verdict=0.1, matching=1.0, joins=100)
    >>> [opposition.share(step) for step in (99, 104, 500)]
    [0.0, 0.5, 1.0]
    >>> sorted(opposition.terms(torch.ones(1, 3, 64, 64), torch.zeros(1, 3, 64, 64), torch.tensor(1.0)))
    ['adversarial', 'matching']
    >>> opposition.critic_terms()["hinge"] > 0
    tensor(True)
    """

    def __init__(self, channels: int, width: int, verdict: float, matching: float, joins: int) -> None:
        self.critic = PatchCritic(channels, width)
        self.verdict, self.matching, self.joins = verdict, matching, joins
        self._pair = (torch.zeros(0), torch.zeros(0))

    def share(self, step: int) -> float:
        """How much it counts at a step, 0 .. 1."""
        return 0.0 if step < self.joins else min(1.0, (step + 1 - self.joins) / max(1.0, self.joins / 10))

    def terms(self, truth: Tensor, made: Tensor, share: Tensor) -> dict[str, Tensor]:
        """What the net loses; both pictures are kept for `critic_terms`."""
        self._pair = truth, made.detach()
        real, given = self.critic(truth), self.critic(made)
        return {
            "adversarial": self.verdict * share * maker_hinge(given[-1]),
            "matching": self.matching * share * feature_matching(real, given),
        }

    def critic_terms(self) -> dict[str, Tensor]:
        """What the critic loses on the last pictures."""
        real, made = (self.critic(picture)[-1] for picture in self._pair)
        return {"hinge": critic_hinge(real, made)}


def critic_hinge(real: Tensor, made: Tensor) -> Tensor:
    """What the critic loses: verdicts on real patches below 1, on made ones above -1 (Lim and Ye, 2017).

    Examples
    --------
    >>> critic_hinge(torch.tensor([2.0, 0.0]), torch.tensor([-2.0, -1.0])).item()
    0.5
    """
    return relu(1 - real).mean() + relu(1 + made).mean()


def maker_hinge(made: Tensor) -> Tensor:
    """What the net loses: the critic's verdict on what it made, the other way round."""
    return -made.mean()


def feature_matching(real: Sequence[Tensor], made: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of the critic's features, the verdict apart (Wang et al., pix2pixHD, CVPR 2018).

    Features of the real picture are held fixed.
    """
    differences = [(m - r.detach()).abs().mean() for r, m in zip(real[:-1], made[:-1], strict=True)]
    return torch.stack(differences).mean()
