"""Architectures by name: what a card asks for is built, or refused in words."""

from __future__ import annotations

import pytest
from torch import nn

from vfxgen.architectures import architectures, build, register
from vfxgen.errors import RequestError


@pytest.mark.parametrize("name", sorted(architectures()))
def test_a_net_is_rebuilt_from_what_it_says_of_itself(name: str) -> None:
    net = build(name)
    again = build(name, **net.hyperparameters)  # type: ignore[arg-type]
    assert str(again) == str(net)
    assert again.hyperparameters == net.hyperparameters


@pytest.mark.parametrize("name", sorted(architectures()))
def test_every_net_states_its_view_and_its_sizes(name: str) -> None:
    net = build(name)
    assert net.receptive_field is None or int(net.receptive_field) > 0  # type: ignore[arg-type]
    assert int(net.size_multiple) >= 1  # type: ignore[arg-type]


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RequestError, match=r"'esrgan' is not known; there are inpainter, unet, upscaler"):
        build("esrgan")


def test_an_unknown_hyperparameter_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RequestError, match=r"takes .*widths"):
        build("unet", depth=4)


def test_a_name_is_given_once() -> None:
    with pytest.raises(RequestError, match="'unet' is UNet already"):

        @register("unet")
        class Another(nn.Module):
            pass
