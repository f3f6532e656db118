"""The critic tells noise from flat pictures, and cannot do so with unbounded slopes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vfxgen.training.adversarial import PatchCritic, critic_hinge, feature_matching, maker_hinge


def noise(seed: int) -> Tensor:
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def flat(seed: int) -> Tensor:
    level = torch.rand(4, 3, 1, 1, generator=torch.Generator().manual_seed(seed))
    return level.expand(4, 3, 32, 32)


def critic(seed: int = 1) -> PatchCritic:
    torch.manual_seed(seed)
    return PatchCritic(3, width=8, halvings=2)


def test_it_learns_to_tell_noise_from_flat_and_knows_new_ones() -> None:
    net = critic()
    optimizer = torch.optim.Adam(net.parameters(), 3e-3, betas=(0.5, 0.99))
    first = critic_hinge(net(noise(0))[-1], net(flat(0))[-1]).item()
    for step in range(60):
        loss = critic_hinge(net(noise(step))[-1], net(flat(step))[-1])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert loss.item() < first / 2
    assert net(noise(1000))[-1].mean().item() > net(flat(1000))[-1].mean().item() + 0.5


def test_a_small_change_of_a_picture_changes_the_verdict_little() -> None:
    net = critic().train()
    for step in range(20):
        net(noise(step))
    net.eval()
    picture = noise(1)
    shifted = picture + 1e-2 * torch.randn(picture.shape, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        before, after = net(picture)[-1], net(shifted)[-1]
    # A 4x4 convolution whose kernel matrix has norm 1 reads each pixel up to 16 times (stride 1) or 4 (stride 2).
    assert (after - before).norm() <= (shifted - picture).norm() * 2 * 2 * 4 * 4


@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_the_size_of_a_weight_is_nothing(factor: float) -> None:
    one, two = critic(), critic()
    with torch.no_grad():
        for layer in two.layers:
            layer.parametrizations.weight.original.mul_(factor)  # type: ignore[union-attr, operator]
    one.eval(), two.eval()
    picture = noise(3)
    with torch.no_grad():
        torch.testing.assert_close(one(picture)[0], two(picture)[0], rtol=1e-3, atol=1e-4)


def test_hinges() -> None:
    sure = torch.full((2, 1, 3, 3), 1.5)
    assert critic_hinge(sure, -sure).item() == 0
    assert critic_hinge(-sure, sure).item() == 5
    assert maker_hinge(sure).item() == -1.5


def test_features_match_themselves_and_pull_the_made_picture_alone() -> None:
    net = critic().eval()
    real, made = noise(4).requires_grad_(), noise(5).requires_grad_()
    assert feature_matching(net(real), net(real)).item() == 0
    feature_matching(net(real), net(made)).backward()  # type: ignore[no-untyped-call]
    assert made.grad is not None and made.grad.abs().sum() > 0
    assert real.grad is None
