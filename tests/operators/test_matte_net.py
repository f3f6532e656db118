"""Matte by nets: what they are told, what they may change, where they are taken, which are refused."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_nets import scripted
from test_matte_operator import SIZE, coverage, cut, keyed, mattes, rough, shot
from torch import Tensor, nn

from vfxgen.errors import FrameError, RequestError
from vfxgen.image.trimap import CLUES, trimap_of
from vfxgen.operators.matte import Matte
from vfxgen.testing import Pictures
from vfxgen.zoo import registry


class Thresholding(nn.Module):
    """Red above 0.4; where a second picture is given, that."""

    def forward(self, picture: Tensor) -> Tensor:
        last = picture[:, -1:]
        return last if picture.shape[1] == 4 else (picture[:, :1] > 0.4).to(picture.dtype)


def net(studio: Path, name: str, channels: str, **fields: Any) -> str:
    ports: dict[str, Any] = {
        "inputs": [{"name": "picture", "channels": channels, "encoding": "none"}],
        "outputs": [{"name": "alpha", "channels": "A"}],
    }
    return scripted(studio, name, Thresholding(), **{"task": "matte", **ports, **fields})


def test_a_net_alone_needs_no_guide_and_one_with_a_guide_gets_it(studio: Path) -> None:
    alone = Matte(Pictures(shot()), method="net", net=net(studio, "alone", "R G B"))
    assert alone[3].alpha[48, 54] == 1 and alone[3].alpha[80, 5] == 0
    told = net(studio, "told", "R G B T")
    with pytest.raises(RequestError, match="nothing says where the subject is"):
        Matte(Pictures(shot()), method="net", net=told)
    apart = scripted(
        studio,
        "apart",
        Reddening(),
        task="matte",
        inputs=[{"name": "picture", "channels": "R G B"}, {"name": "told", "channels": "T"}],
        outputs=[{"name": "alpha", "channels": "A"}],
    )
    with pytest.raises(RequestError, match="nothing says where the subject is"):
        Matte(Pictures(shot()), method="net", net=apart)
    frame = cut(method="net", net=told)[3]
    assert set(np.unique(frame.alpha)) == {0, 0.5, 1}
    masked = cut(method="net", net=net(studio, "masked", "R G B M"))[3]
    inside = (frame.alpha == 0.5)[..., 0]
    assert np.array_equal(masked.alpha[inside], rough()[inside])
    assert alone.nets and alone.key(3) != cut(method="net", net=told).key(3)


class Reddening(nn.Module):
    """As much alpha as red."""

    def forward(self, picture: Tensor) -> Tensor:
        return picture[:, :1]


@pytest.mark.parametrize("stops", [-4, 4])
def test_a_net_that_is_told_where_sees_every_frame_at_one_exposure(studio: Path, stops: int) -> None:
    ports: dict[str, Any] = {
        "inputs": [{"name": "picture", "channels": "R G B M", "encoding": "none"}],
        "outputs": [{"name": "alpha", "channels": "A"}],
    }
    red = scripted(studio, f"red{stops}", Reddening(), **{"task": "matte", **ports})
    exposed = {n: light * np.float32(2.0**stops) for n, light in shot().items()}
    one, other = (
        Matte(Pictures(light), rough=mattes(rough()), method="net", net=red)[3].alpha for light in (shot(), exposed)
    )
    assert one[one < 1].max() > 0.01 and np.abs(one - other).max() < 1e-5


class First(nn.Module):
    """Its first layer as it is: a net that has learned nothing."""

    def forward(self, layers: Tensor) -> Tensor:
        return layers[:, :1]


class Empty(nn.Module):
    """No coverage anywhere."""

    def forward(self, layers: Tensor) -> Tensor:
        return 0 * layers[:, :1]


def mending(studio: Path, name: str, module: nn.Module, **fields: Any) -> str:
    ports: dict[str, Any] = {
        "inputs": [{"name": "solved", "channels": f"{CLUES} R G B", "encoding": "srgb"}],
        "outputs": [{"name": "alpha", "channels": "A"}],
    }
    return scripted(studio, name, module, **{"task": "matte", **ports, **fields})


def _net(name: str) -> dict[str, Any]:
    return {"method": "net", "net": name}


@pytest.mark.parametrize("guide", ["rough", "keyframes"])
def test_a_net_that_mends_starts_from_the_mixture_and_changes_the_unknown_alone(studio: Path, guide: str) -> None:
    made = cut if guide == "rough" else keyed
    first, empty = (mending(studio, f"{kind.__name__}-{guide}", kind(), receptive_field=3) for kind in (First, Empty))
    plain, same, gone = (made(**net)[3].alpha for net in ({}, _net(first), _net(empty)))
    # The net is shown light times a factor: the solver's last digits differ.
    assert np.abs(plain - same).max() < 2e-3 and (plain > 0).any()
    assert set(np.unique(gone)) == {0, 1} and np.array_equal(gone == 1, gone * plain == 1)


def test_a_hole_without_background_in_sight_stays_as_the_mixture_has_it(studio: Path) -> None:
    trimap = trimap_of(coverage()[..., 0], 4)
    trimap[46:50, 50:56] = 0.5
    said: Any = {"trimap": mattes(trimap[..., None])}
    mixture = Matte(Pictures(shot()), **said, method="mixture")[3].alpha[46:50, 50:56]
    mended = Matte(Pictures(shot()), **said, **_net(mending(studio, "hole", Empty())))[3].alpha
    assert np.abs(mended[46:50, 50:56] - mixture).max() < 0.02 and mixture.max() > 0.5
    assert set(np.unique(mended[:40])) <= {0, 1}


def test_a_net_that_mends_needs_something_known(studio: Path) -> None:
    net = mending(studio, "starved", First())
    unknown, solid = (mattes(np.full((*SIZE, 1), value, np.float32)) for value in (0.5, 1.0))
    with pytest.raises(FrameError, match="frame 3: all of it is unknown"):
        Matte(Pictures(shot()), trimap=unknown, **_net(net))[3]
    assert (Matte(Pictures(shot()), trimap=solid, **_net(net))[3].alpha == 1).all()


@pytest.mark.parametrize(("guide", "net"), [("trimap", "matte-trimap"), ("rough", "matte-coarse")])
def test_by_itself_it_takes_the_net_for_a_trimap_and_for_a_rough_mask(guide: str, net: str) -> None:
    told = trimap_of(coverage()[..., 0], 5) if guide == "trimap" else coverage()[..., 0]
    said: Any = {guide: mattes(told[..., None])}
    made = {method: Matte(Pictures(shot()), **said, method=method) for method in ("auto", "net", "mixture")}
    assert made["auto"].nets == made["net"].nets and not made["mixture"].nets
    assert [entry.name for entry in made["auto"].nets.values()] == [net]
    auto, named, mixture = (matte[3].alpha for matte in made.values())
    assert np.array_equal(auto, named) and not np.array_equal(auto, mixture)
    assert np.abs(auto - coverage()).mean() < 2 * np.abs(mixture - coverage()).mean()


def test_without_the_net_it_says_that_mixture_works_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registry, "nets", dict)
    trimap = mattes(trimap_of(coverage()[..., 0], 5)[..., None])
    assert not Matte(Pictures(shot()), trimap=trimap).nets
    said = "matte: the unknown is solved by mixture alone: the net matte-trimap is not installed"
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [said]


def test_by_itself_it_takes_no_net_for_keyframes() -> None:
    assert not keyed(method="auto").nets


def test_nets_that_make_no_matte_are_refused(studio: Path) -> None:
    with pytest.raises(RequestError, match="net 'upscale-x2' is for upscale"):
        cut(method="net", net="upscale-x2")
    with pytest.raises(RequestError, match=r"takes R G B depth and gives A; matte runs nets"):
        cut(method="net", net=net(studio, "deep", "R G B depth"))
    with pytest.raises(RequestError, match="method = net without a net = NAME needs a trimap or a rough mask"):
        Matte(Pictures(shot()), method="net")
    with pytest.raises(RequestError, match="with keyframes leave method out"):
        keyed(method="net")
    with pytest.raises(RequestError, match=r"net = upscale-x2 is given, but method = mixture"):
        cut(method="mixture", net="upscale-x2")
    with pytest.raises(RequestError, match="net 'upscale-x2' is for upscale"):
        cut(method="auto", net="upscale-x2")
