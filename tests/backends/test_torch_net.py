"""Nets that torch runs: our own weights, TorchScript, half precision, and files that are not what they seem."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
import safetensors.torch
import torch
from small_nets import built, entry
from torch import Tensor, nn

from vfxgen import doctor
from vfxgen.backends.net import load
from vfxgen.backends.torch_net import LiveTensors, OneKernel, TorchNet
from vfxgen.errors import NetError, RequestError


def tensor(made: Tensor | tuple[Tensor, ...]) -> Tensor:
    assert isinstance(made, Tensor)
    return made


def test_branches_run_collapsed(tmp_path: Path) -> None:
    net = cast(TorchNet, load(built(tmp_path, scale=2, channels=8, blocks=2), device="cpu"))
    assert not [name for name, _ in net.module.named_parameters() if "expand" in name]


def test_a_compiled_net_is_another_backend_and_the_plain_one_stays(tmp_path: Path) -> None:
    ours = built(tmp_path, scale=2, channels=4, blocks=1)
    plain, compiled = load(ours, device="cpu"), load(ours, device="cpu", backend="torch-compiled")
    assert compiled is not plain and compiled is load(ours, device="cpu", backend="torch-compiled")
    frame = torch.rand(1, 3, 24, 24)
    assert torch.allclose(tensor(compiled.run(frame)), tensor(plain.run(frame)), atol=1e-5)


def test_without_a_compiler_a_compiled_net_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(NetError, match=r"no C\+\+ compiler: install g\+\+, or name one in \$CXX .*--backend torch"):
        load(built(tmp_path, scale=2, channels=4, blocks=1, seed=3), device="cpu", backend="torch-compiled")
    assert "torch-compiled on cpu: no: there is no C++ compiler" in doctor.text(doctor.examine())


def test_truncated_weights_are_named(tmp_path: Path) -> None:
    file = tmp_path / "cut.safetensors"
    built(tmp_path, scale=2, channels=8, blocks=2)
    file.write_bytes((tmp_path / "net.safetensors").read_bytes()[:900])
    hyperparameters = {"scale": 2, "channels": 8, "blocks": 2}
    with pytest.raises(NetError, match=r"net 'small': .*cut.safetensors is no readable safetensors file"):
        load(entry(tmp_path, file, hyperparameters=hyperparameters), device="cpu")


def test_weights_of_another_net_are_named(tmp_path: Path) -> None:
    built(tmp_path, scale=2, channels=8, blocks=2)
    file = tmp_path / "net.safetensors"
    with pytest.raises(NetError, match=r"does not hold the weights of upscaler .* is .* should be"):
        load(entry(tmp_path, file, hyperparameters={"scale": 2, "channels": 12, "blocks": 2}), device="cpu")
    safetensors.torch.save_file({"some.weight": torch.zeros(3)}, file)
    with pytest.raises(NetError, match=r"missing .* and \d+ more; unknown some.weight"):
        load(entry(tmp_path, file, hyperparameters={"scale": 2, "channels": 8, "blocks": 2}), device="cpu")


def test_a_card_that_says_less_than_the_net_reaches_is_refused(tmp_path: Path) -> None:
    plain = built(tmp_path, "unet", widths=[8, 12])
    fields = plain.card.model_dump(by_alias=True, exclude={"weights"})
    reach = plain.card.receptive_field
    assert reach is not None and plain.card.size_multiple == 2
    for less in ({"receptive_field": reach - 1}, {"size_multiple": 1}, {"size_multiple": 3}):
        wrong = entry(tmp_path, tmp_path / "net.safetensors", **{**fields, **less})
        with pytest.raises(
            NetError, match=rf"unet .* has receptive_field = {reach} and size_multiple = 2: write these"
        ):
            load(wrong, device="cpu")
    for more in ({"receptive_field": None}, {"receptive_field": reach + 5, "size_multiple": 4}):
        load(entry(tmp_path, tmp_path / "net.safetensors", **{**fields, **more}), device="cpu")


def test_an_architecture_nobody_knows_is_refused(tmp_path: Path) -> None:
    built(tmp_path, scale=2, channels=8, blocks=2)
    with pytest.raises(RequestError, match="architecture 'esrgan' is not known"):
        load(entry(tmp_path, tmp_path / "net.safetensors", architecture="esrgan"), device="cpu")


def test_a_file_that_is_no_torchscript_is_named(tmp_path: Path) -> None:
    file = tmp_path / "net.pt"
    file.write_bytes(b"PK\x03\x04 and then nothing of the kind")
    with pytest.raises(NetError, match=r"net.pt is no TorchScript file that torch can read"):
        load(entry(tmp_path, file, format="torchscript"), device="cpu")


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_keeps_the_skip_in_float32(tmp_path: Path, precision: str) -> None:
    """Where the body gives nothing, what comes out is the float32 skip, not a rounded one."""
    net = built(tmp_path, scale=2, channels=8, blocks=1)
    half, full = load(net, device="cpu", precision=precision), load(net, device="cpu", precision="fp32")
    flat = torch.full((1, 3, 16, 16), 0.12345678)
    assert torch.allclose(tensor(half.run(flat)), flat.new_full((1, 3, 32, 32), 0.12345678), atol=1e-7)
    frame = torch.rand(1, 3, 16, 16)
    difference = (tensor(half.run(frame)) - tensor(full.run(frame))).abs().max()
    assert 0 < difference < 0.05


def test_small_and_large_convolutions_go_through_one_kernel() -> None:
    """torch takes another algorithm below 20480 values: without the mode the last bits differ."""
    torch.manual_seed(0)
    convolution, frame = nn.Conv2d(8, 8, 3, padding=1), torch.randn(1, 8, 90, 90)
    with torch.inference_mode(), OneKernel():
        assert torch.equal(convolution(frame)[..., 1:19, 1:19], convolution(frame[..., :20, :20])[..., 1:19, 1:19])


def test_convolutions_of_every_kind_are_what_torch_makes_of_them() -> None:
    frame = torch.randn(2, 8, 21, 30)
    for convolution in (
        nn.Conv2d(8, 4, 3, padding=(1, 2), bias=False),
        nn.Conv2d(8, 8, 3, groups=8, padding="same"),
        nn.Conv2d(8, 8, 5, 2, 2),
        nn.Conv2d(8, 4, 3, dilation=2, groups=2),
        nn.Conv2d(8, 4, 3, padding=1, padding_mode="reflect"),
    ):
        with torch.inference_mode():
            expected = convolution(frame)
            with OneKernel():
                assert torch.allclose(convolution(frame), expected, atol=1e-5)


def test_live_tensors_counts_what_is_alive_together() -> None:
    with LiveTensors() as live:
        first = torch.zeros(1000)
        second = first + 1
        del first
        third = second * 2
        view = third[10:]
    assert live.peak == 8000 and view.numel() == 990
