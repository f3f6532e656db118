"""Foreign weights: recognised by spandrel, opened without running anything, HDR in and out."""

from __future__ import annotations

import importlib
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from small_nets import entry
from torch import Tensor

from vfxgen.backends.net import Net, load
from vfxgen.backends.spandrel_net import _normalize, _rotate, import_spandrel
from vfxgen.backends.tiles import run
from vfxgen.errors import NetError, RequestError

pytest.importorskip("einops")
if importlib.util.find_spec("spandrel") is None:
    pytest.skip("spandrel is not installed", allow_module_level=True)

MASK = {"name": "mask", "channels": "A"}


def compact(tmp_path: Path, suffix: str = ".pth", scale: int = 2) -> Path:
    """RealESRGAN-compact with random weights, as its author would save it."""
    import_spandrel()
    torch.manual_seed(0)
    architecture = importlib.import_module("spandrel.architectures.Compact")
    weights = architecture.Compact(num_feat=8, num_conv=2, upscale=scale).state_dict()
    file = tmp_path / f"foreign{suffix}"
    if suffix == ".safetensors":
        safetensors.torch.save_file(weights, file)
    else:
        torch.save({"params_ema": weights}, file)
    return file


def foreign(tmp_path: Path, file: Path, **fields: Any) -> Net:
    return load(entry(tmp_path, file, **{"format": "spandrel", "architecture": "", **fields}), device="cpu")


def tensor(made: Any) -> Tensor:
    assert isinstance(made, Tensor)
    return made


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_an_upscaler_is_recognised_and_keeps_highlights(tmp_path: Path, suffix: str) -> None:
    net = foreign(tmp_path, compact(tmp_path, suffix))
    frame = torch.rand(1, 3, 24, 30)
    frame[..., 10:14, 10:14] = 40.0
    made = tensor(net.run(frame))
    assert made.shape == (1, 3, 48, 60) and made.max() > 20
    assert tensor(net.run(frame - 3)).min() < -1


def test_a_net_that_takes_its_mean_off_keeps_highlights(tmp_path: Path) -> None:
    """SPAN takes a mean off and multiplies by 255 inside, which spandrel's clamp would cut at 1."""
    import_spandrel()
    torch.manual_seed(0)
    span = importlib.import_module("spandrel.architectures.SPAN").SPAN(
        num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2
    )
    file = tmp_path / "span.safetensors"
    safetensors.torch.save_file({name: value.contiguous().clone() for name, value in span.state_dict().items()}, file)
    net = foreign(tmp_path, file)
    frame = torch.rand(1, 3, 24, 30)
    frame[..., 10:14, 10:14] = 40.0
    made = tensor(net.run(frame))
    assert made.shape == (1, 3, 48, 60) and made.max() > 1 and made.min() < 0
    with torch.inference_mode():
        assert torch.allclose(made, span.eval()(frame), rtol=1e-4, atol=1e-4)


def test_it_runs_in_tiles_with_the_bits_of_the_whole_frame(tmp_path: Path) -> None:
    net, frame = foreign(tmp_path, compact(tmp_path), receptive_field=4), torch.rand(1, 3, 120, 200) * 4
    assert torch.equal(tensor(run(net, frame, tile=80)), tensor(net.run(frame)))


def test_an_inpainter_leaves_what_is_not_masked(tmp_path: Path) -> None:
    import_spandrel()
    architecture = importlib.import_module("spandrel.architectures.LaMa")
    torch.manual_seed(0)
    weights = architecture.LaMa(in_nc=4, out_nc=3).state_dict()
    file = tmp_path / "lama.safetensors"
    safetensors.torch.save_file({name: value.contiguous().clone() for name, value in weights.items()}, file)
    picture = {"name": "picture", "channels": "R G B", "encoding": "srgb"}
    net = foreign(tmp_path, file, task="inpaint", scale=1, size_multiple=16, inputs=[picture, MASK])
    frame, mask = torch.rand(1, 3, 64, 64) * 30, torch.zeros(1, 1, 64, 64)
    mask[..., 20:30, 20:30] = 1
    made = tensor(net.run(frame, mask))
    outside = (mask == 0).expand_as(frame)
    assert torch.equal(made[outside], frame[outside]) and made.max() > 20


class Malicious:
    """What a stranger's pickle can do: run a command."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("suffix", [".pth", ".ckpt", ".pt"])
@pytest.mark.parametrize("old", [False, True])
def test_a_pickle_with_code_in_it_is_named_and_does_not_run(tmp_path: Path, suffix: str, old: bool) -> None:
    mark, file = tmp_path / "it-ran", tmp_path / f"evil{suffix}"
    weights = {"body.0.weight": torch.zeros(8, 3, 3, 3), "x": Malicious(mark)}
    torch.save(weights, file, _use_new_zipfile_serialization=not old)
    with pytest.raises(NetError, match=rf"net 'small': .*evil{suffix} holds more than weights.*safetensors"):
        foreign(tmp_path, file)
    assert not mark.exists()


def test_a_bare_pickle_does_not_run(tmp_path: Path) -> None:
    mark, file = tmp_path / "it-ran", tmp_path / "evil.pth"
    file.write_bytes(pickle.dumps(Malicious(mark)))
    with pytest.raises(NetError, match=r"evil.pth"):
        foreign(tmp_path, file)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"PK\x03\x04 cut", "net.pth", "is cut short or no torch file|holds more than weights"),
        (b"", "net.pth", "net.pth"),
        (b"x", "net.bin", r"spandrel reads .pth, .pt, .ckpt and .safetensors"),
    ],
)
def test_a_file_that_is_no_weights_is_named(tmp_path: Path, content: bytes, name: str, message: str) -> None:
    file = tmp_path / name
    file.write_bytes(content or b"\0")
    with pytest.raises(NetError, match=message):
        foreign(tmp_path, file)


def test_an_architecture_nobody_knows_is_named(tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    safetensors.torch.save_file({"a.weight": torch.zeros(3)}, file)
    with pytest.raises(NetError, match="of no architecture that spandrel knows"):
        foreign(tmp_path, file)


def test_another_scale_than_the_card_says_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NetError, match="is RealESRGAN Compact with scale 4, channels 3; its card says scale 2"):
        foreign(tmp_path, compact(tmp_path, scale=4))


def test_a_net_that_wants_multiples_must_say_so_in_its_card(tmp_path: Path) -> None:
    import_spandrel()
    architecture = importlib.import_module("spandrel.architectures.LaMa")
    file = tmp_path / "lama.safetensors"
    weights = architecture.LaMa(in_nc=4, out_nc=3).state_dict()
    safetensors.torch.save_file({name: value.contiguous().clone() for name, value in weights.items()}, file)
    with pytest.raises(NetError, match="wants at least 16 pixels, in multiples of 8; write size_multiple"):
        foreign(tmp_path, file, task="inpaint", scale=1)
    net = entry(tmp_path, file, format="spandrel", task="inpaint", scale=1, size_multiple=16)
    with pytest.raises(RequestError, match="LaMa does not work at fp16"):
        load(net, device="cpu", precision="fp16")


def test_what_stands_in_for_torchvision_is_gone_after_the_import() -> None:
    import_spandrel()
    stood_in = sys.modules.get("torchvision")
    assert stood_in is None or getattr(stood_in, "__file__", None)


def test_what_stands_in_for_torchvision_does_what_it_does() -> None:
    picture = torch.rand(2, 3, 4, 4)
    assert torch.allclose(_normalize(picture, [0.5] * 3, [0.5] * 3), picture * 2 - 1)
    assert torch.allclose(_normalize(picture.clone(), [0.5] * 3, [0.5] * 3, inplace=True), picture * 2 - 1)
    with pytest.raises(NetError, match="install the torchvision that belongs to this torch"):
        _rotate(picture)
