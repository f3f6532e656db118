"""Where a net may mend a key: about edges, and not inside a veil."""

from __future__ import annotations

import torch

from vfxgen.image.undecided import BESIDE, REACH, beside_sure, undecided


def veil() -> torch.Tensor:
    """Solid to the left, a wide veil, bare screen to the right."""
    alpha = torch.full((1, 1, 96, 192), 0.4)
    alpha[..., :48], alpha[..., 144:] = 1.0, 0.0
    return alpha


def test_what_is_solid_or_empty_is_decided_but_about_its_edge() -> None:
    across = undecided(veil())[0, 0, 48]
    assert not across[: 48 - REACH].any() and across[48 - REACH : 144 + REACH].all() and not across[144 + REACH :].any()


def test_inside_a_wide_veil_no_net_is_believed_and_beside_its_edges_it_is() -> None:
    across = beside_sure(veil())[0, 0, 48]
    assert (across[48 + BESIDE : 144 - BESIDE] == 0).all()
    assert (across[:57] == 1).all() and (across[135:] == 1).all()


def test_belief_fades_without_a_step() -> None:
    assert beside_sure(veil())[0, 0, 48].diff().abs().max() < 0.2


def test_among_hair_a_net_is_believed() -> None:
    alpha = torch.full((1, 1, 96, 96), 0.5)
    alpha[..., ::4] = 0.0
    assert (beside_sure(alpha) == 1).all()
