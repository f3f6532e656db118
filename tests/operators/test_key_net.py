"""The key operator's net: it mends the key, depends on no exposure, and stays out of what it never learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import vfxgen
from vfxgen import color
from vfxgen.architectures.unet import UNet
from vfxgen.errors import LicenceError, RequestError
from vfxgen.frame import Pixels
from vfxgen.image.undecided import CHANNELS
from vfxgen.testing import Pictures
from vfxgen.training.keying import Keying
from vfxgen.training.publish import publish_net

FREE = {"name": "CC0-1.0", "use": "commercial"}
GREEN = (0.09, 0.42, 0.12)


def plate(noise: float = 0.002) -> Pixels:
    """A skin-coloured disc with a soft rim in front of a grainy green screen."""
    y, x = np.mgrid[:48, :64]
    alpha = np.clip((14 - np.hypot(y - 26, x - 32)) / 4 + 0.5, 0, 1)[..., None]
    light = alpha * (0.42, 0.24, 0.16) + (1 - alpha) * GREEN
    grain = np.random.default_rng(1).normal(0, noise, light.shape)
    return np.asarray(light + grain, np.float32)


def net(folder: Path, shaken: float = 0.0, use: str = "commercial", channels: str = CHANNELS) -> str:
    """A net for keys in `folder`, as it is before it learns, or with its last weights moved."""
    torch.manual_seed(1)
    module = UNet(len(channels.split()), 4, [4, 6], residual=True)
    with torch.no_grad():
        module.out.weight.add_(shaken * torch.randn_like(module.out.weight))
    licences = {"code": FREE, "weights": {**FREE, "use": use}, "data": FREE}
    inputs = [{**Keying.inputs[0], "channels": channels}]
    facts = {"name": folder.name, "task": "key", "inputs": inputs, "outputs": Keying.outputs, "licences": licences}
    publish_net(module, facts, folder)
    return f"{folder}/"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nets")


@pytest.fixture(scope="module")
def moved(folder: Path) -> str:
    return net(folder / "moved", 0.02)


def keyed(light: Pixels, **words: object) -> Pixels:
    channels = ("R", "G", "B", "A", "fg.R", "fg.G", "fg.B")
    pixels: Pixels = vfxgen.Key(Pictures(light), foreground=True, **words)[1].pixels(*channels)
    return pixels


def test_a_net_that_has_learned_nothing_leaves_the_key(folder: Path) -> None:
    made = keyed(plate(), method="net", net=net(folder / "new"))
    assert np.abs(made - keyed(plate(), method="mixture")).max() < 1e-5


def test_by_itself_the_shipped_net_mends_the_key_unless_settings_of_mixture_are_given() -> None:
    source = Pictures(plate())
    assert vfxgen.Key(source).key(1) != vfxgen.Key(source, method="mixture").key(1)
    assert np.array_equal(keyed(plate()), keyed(plate(), method="net"))
    assert np.array_equal(keyed(plate(), despill=0.5), keyed(plate(), despill=0.5, method="mixture"))
    assert [entry.name for entry in vfxgen.Key(source).nets.values()] == ["key-unmix"]
    assert not vfxgen.Key(source, smooth=2.0).nets


def test_a_net_changes_coverage_and_colour_and_coverage_stays_one(moved: str) -> None:
    made, before = keyed(plate(), method="net", net=moved), keyed(plate(), method="mixture")
    assert np.abs(made - before)[..., 3].max() > 0.01 and np.abs(made - before)[..., 4:].max() > 0.01
    assert made[..., 3].min() >= 0 and made[..., 3].max() <= 1
    assert np.allclose(made[..., :3], made[..., 4:] * made[..., 3:4], atol=1e-6)


def test_what_was_solid_or_empty_is_not_touched(moved: str) -> None:
    made, before = keyed(plate(0), method="net", net=moved), keyed(plate(0), method="mixture")
    y, x = np.mgrid[:48, :64]
    away = np.abs(np.hypot(y - 26, x - 32) - 14)
    assert np.array_equal(made[away > 13.5], before[away > 13.5]) and np.ptp(before[away > 13.5][:, 3]) == 1


@pytest.mark.parametrize("stops", [-4, 4])
def test_exposure_changes_light_and_nothing_else(moved: str, stops: int) -> None:
    gain = np.float32(2.0**stops)
    as_is, other = (keyed(light, method="net", net=moved) for light in (plate(), plate() * gain))
    assert np.abs(other[..., 3] - as_is[..., 3]).max() < 1e-4
    assert np.abs(other[..., :3] / gain - as_is[..., :3]).max() < 1e-4


def test_a_lamp_is_as_the_key_has_it(moved: str) -> None:
    light = plate()
    light[26, 32] = 2000
    made = keyed(light, method="net", net=moved)
    assert made[26, 32].tolist() == keyed(light, method="mixture")[26, 32].tolist()
    assert made[26, 32, :4].tolist() == pytest.approx([2000, 2000, 2000, 1])


def test_a_lamp_leaves_the_solid_subject_about_it_solid() -> None:
    """The net saw none so bright, and sees it from where it is believed too."""
    light = plate(0.005)
    light[26, 40] = 20000
    made, before = (keyed(light, method=method)[24:29, 38:43] for method in ("net", "mixture"))
    assert made[..., 3].min() > 0.99 and np.abs(made - before)[..., :3].max() < 1e-3


@pytest.mark.parametrize("red", [0.05, -0.06, -0.2])
def test_a_screen_outside_rec709_is_keyed_as_well_as_one_inside(red: float) -> None:
    y, x = np.mgrid[:96, :128]
    alpha = np.clip((28 - np.hypot(y - 48, x - 64)) / 4 + 0.5, 0, 1)[..., None]
    light = alpha * (0.46, 0.41, 0.36) + (1 - alpha) * (red, 0.5, 0.1)
    light += np.random.default_rng(1).normal(0, 0.005, light.shape)
    wide = color.convert(np.asarray(light, np.float32), "lin_rec709_scene", color.working_space())
    for method in ("net", "mixture"):
        made = vfxgen.Key(Pictures(wide), method=method)[1].alpha
        assert np.abs(made - alpha).mean() < 0.01 and made[alpha == 0].max() < 0.1


def test_what_is_no_number_stays_where_it_is(moved: str) -> None:
    light = plate()
    light[26, 32] = np.nan
    made = keyed(light, method="net", net=moved)
    bad = ~np.isfinite(made).all(-1)
    assert np.argwhere(bad).tolist() == [[26, 32]]


def test_holdout_and_garbage_are_kept(moved: str) -> None:
    mattes = {name: np.zeros((48, 64, 1), np.float32) for name in ("holdout", "garbage")}
    mattes["holdout"][:8], mattes["garbage"][40:] = 1, 1
    made = vfxgen.Key(Pictures(plate()), method="net", net=moved, **{n: Pictures(m, "A") for n, m in mattes.items()})[1]
    assert (made.alpha[:8] == 1).all() and (made.alpha[40:] == 0).all()
    assert np.array_equal(made.rgb[:8], plate()[:8])


def test_the_net_is_in_the_keys_and_what_does_not_fit_is_refused(folder: Path, moved: str) -> None:
    source = Pictures(plate())
    assert vfxgen.Key(source, method="net", net=moved).key(1) != vfxgen.Key(source).key(1)
    with pytest.raises(RequestError, match=r"net = .*moved/ is given, but method = mixture"):
        vfxgen.Key(source, method="mixture", net=moved)
    with pytest.raises(RequestError, match="despill, limit: for method = mixture alone"):
        vfxgen.Key(source, method="net", net=moved, despill=0.5, limit="average")
    with pytest.raises(RequestError, match="net 'upscale-x2' is for upscale"):
        vfxgen.Key(source, method="net", net="upscale-x2")
    with pytest.raises(RequestError, match=r"takes R G B A and gives R G B A; key runs nets"):
        vfxgen.Key(source, method="net", net=net(folder / "four", channels="R G B A"))
    with pytest.raises(LicenceError, match="research"):
        vfxgen.Key(source, method="net", net=net(folder / "bound", use="research"))
