"""Where a net may mend a key: about edges, and not inside a veil."""

from __future__ import annotations

import pytest
import torch

from vfxgen.image.undecided import REACH, determined, undecided


def veil() -> torch.Tensor:
    """Solid to the left, a wide veil, bare screen to the right."""
    alpha = torch.full((1, 1, 96, 192), 0.4)
    alpha[..., :48], alpha[..., 144:] = 1.0, 0.0
    return alpha


def test_what_is_solid_or_empty_is_decided_but_about_its_edge() -> None:
    across = undecided(veil())[0, 0, 48]
    assert not across[: 48 - REACH].any() and across[48 - REACH : 144 + REACH].all() and not across[144 + REACH :].any()


def test_inside_a_wide_veil_no_net_is_believed_and_outside_it_is() -> None:
    across = determined(veil())[0, 0, 48]
    assert (across[48 + 15 : 144 - 15] == 0).all()
    assert (across[:43] == 1).all() and (across[149:] == 1).all()


def test_cloth_in_folds_is_a_veil_still() -> None:
    folds = 0.4 + 0.25 * torch.sin(torch.arange(192) / 6).expand(1, 1, 96, 192)
    assert (determined(folds) == 0).all()


def test_belief_fades_without_a_step() -> None:
    assert determined(veil())[0, 0, 48].diff().abs().max() < 0.35


@pytest.mark.parametrize("gap", [0.0, 0.3])
def test_among_hair_a_net_is_believed(gap: float) -> None:
    """Also where no screen and nothing solid can be seen between its strands."""
    alpha = torch.full((1, 1, 96, 96), 0.5)
    alpha[..., ::4] = gap
    assert (determined(alpha) == 1).all()


def test_a_soft_or_moved_edge_is_no_veil() -> None:
    alpha = ((torch.arange(192) - 70) / 45).clamp(0, 1).expand(1, 1, 96, 192)
    assert (determined(alpha) == 1).all()
