"""Train the upscalers with torch, numpy and OpenCV alone, so that any bare machine will do, with a GPU or without.

    python nets/upscale_training.py prepare --data ../shared/data/sr_train --cache /tmp/photos.npz
    python nets/upscale_training.py train --cache /tmp/photos.npz --scale 4 --minutes 30 --checkpoint /tmp/x4.pt
    python nets/upscale_training.py export --checkpoint /tmp/x4.pt --to nets/upscale-x4

`train` goes on where its checkpoint stands. Of every batch one part is the published benchmarks' task (display code
values, MATLAB's bicubic), `--light` patches are scene-linear light made smaller as light, exposed at random and
encoded (`srgb`: a power, then a logarithm; exposure is a gain in one and an offset in the other, and the net is blind
to both).
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from vfxgen.architectures.upscaler import Upscaler
from vfxgen.encoding import Encoding

SOURCES = ("cid22", "clic2025", "gb82")
SCALES = (2, 3, 4)
EXPOSURE_STOPS = 3.0
ENCODING = Encoding("srgb")


def read_rgb(path: Path) -> np.ndarray:
    """An 8-bit picture, (H, W, 3) RGB."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise SystemExit(f"{path}: not a picture that OpenCV reads; take it away or mend it")
    return np.ascontiguousarray(image[..., ::-1])


def smaller(image: np.ndarray, scale: int) -> np.ndarray:
    """`imresize(image, 1 / scale, 'bicubic')` of MATLAB as the published test sets used it: bit for bit on Set5.

    Keys' kernel (1981, a = -0.5) widened by `scale` against aliasing, rows first, the border repeated; (H, W, C) to
    (H / scale, W / scale, C). 8-bit pictures are rounded after each axis, as there; float stays float.
    """
    centre = (scale - 1) / 2
    first, last = math.ceil(centre - 2 * scale), math.floor(centre + 2 * scale)
    distance = np.abs(np.arange(first, last + 1) - centre) / scale
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    taps = np.where(distance <= 1, near, -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2)
    taps /= taps.sum()
    for axis in (0, 1):
        rows = np.moveaxis(image, axis, 0)
        count = rows.shape[0] // scale
        padded = np.pad(rows, [(-first, last)] + [(0, 0)] * (rows.ndim - 1), "edge")
        out = np.zeros((count, *rows.shape[1:]), np.float32)
        for start, tap in enumerate(taps.astype(np.float32)):
            out += tap * padded[start : start + scale * count : scale][:count]
        rows = np.floor(out + 0.5).clip(0, 255).astype(np.uint8) if image.dtype == np.uint8 else out
        image = np.moveaxis(rows, 0, axis)
    return image


def to_light(code: Any) -> Any:
    """sRGB display code (IEC 61966-2-1), 0 .. 1, to light; array or tensor."""
    where, maximum = (torch.where, torch.clamp) if isinstance(code, Tensor) else (np.where, np.maximum)
    return where(code <= 0.04045, code / 12.92, ((maximum(code, 0.04045) + 0.055) / 1.055) ** 2.4)


def prepare(data: Path, cache: Path) -> None:
    """Decode the photographs once: per photo the 8-bit original, and for each scale both small versions."""
    arrays: dict[str, np.ndarray] = {}
    for number, path in enumerate(sorted(p for s in SOURCES for p in (data / s).glob("*.*"))):
        photo = read_rgb(path)
        photo = photo[: photo.shape[0] // 12 * 12, : photo.shape[1] // 12 * 12]
        arrays[f"{number}/1"] = photo
        light = to_light(photo.astype(np.float32) / 255)
        for scale in SCALES:
            arrays[f"{number}/{scale}/code"] = smaller(photo, scale)
            arrays[f"{number}/{scale}/light"] = smaller(light, scale).clip(0).astype(np.float16)
    np.savez(cache, **arrays)  # type: ignore[arg-type]
    print(f"{cache}: {number + 1} photographs")


class Photos:
    """Random patches of the cached photographs; the batch of iteration n depends on the seed and n alone."""

    def __init__(self, cache: Path, scale: int, patch: int, batch: int, light: int, seed: int) -> None:
        stored = np.load(cache)
        count = sum(name.endswith("/1") for name in stored.files)
        self.large = [stored[f"{n}/1"] for n in range(count)]
        self.code = [stored[f"{n}/{scale}/code"] for n in range(count)]
        self.light = [stored[f"{n}/{scale}/light"] for n in range(count)]
        self.scale, self.patch, self.batch, self.displayed, self.seed = scale, patch, batch, batch - light, seed
        area = np.array([image.size for image in self.large], np.float64)
        self.chance = area / area.sum()

    def draw(self, iteration: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Large uint8 (B, 3, sP, sP); small uint8 codes and float16 light (.., 3, P, P); exposures in stops."""
        random = np.random.default_rng((self.seed, iteration))
        large: list[np.ndarray] = []
        small: list[np.ndarray] = []
        for position, n in enumerate(random.choice(len(self.large), self.batch, p=self.chance)):
            source = (self.code if position < self.displayed else self.light)[n]
            y, x = (int(random.integers(0, side - self.patch + 1)) for side in source.shape[:2])
            turn, flip = int(random.integers(4)), bool(random.integers(2))
            for image, scale, out in ((source, 1, small), (self.large[n], self.scale, large)):
                cut = image[y * scale : (y + self.patch) * scale, x * scale : (x + self.patch) * scale]
                cut = np.rot90(cut[:, ::-1] if flip else cut, turn)
                out.append(cut.transpose(2, 0, 1))
        stops = random.uniform(-EXPOSURE_STOPS, EXPOSURE_STOPS, self.batch - self.displayed).astype(np.float32)
        return np.stack(large), np.stack(small[: self.displayed]), np.stack(small[self.displayed :]), stops


def encoded(drawn: tuple[np.ndarray, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """What the net is given and what it should give: display code first, then exposed light, encoded."""
    large, code, light, stops = (torch.from_numpy(a).to(device, non_blocking=True) for a in drawn)
    displayed, exposure = len(code), stops.exp2()[:, None, None, None]
    truth = large.float() / 255
    given = torch.cat([code.float() / 255, ENCODING.encode(light.float() * exposure)])
    truth = torch.cat([truth[:displayed], ENCODING.encode(to_light(truth[displayed:]) * exposure)])
    return given.contiguous(memory_format=torch.channels_last), truth


def luma_psnr(picture: np.ndarray, truth: np.ndarray, border: int) -> float:
    """The published protocol: 8-bit, Y of BT.601 studio range, `border` pixels off each side; (H, W, 3) in dB."""
    weights = np.array([65.481, 128.553, 24.966]) / 255
    error = (picture.round().clip(0, 255).astype(np.float64) - truth) @ weights
    return float(10 * np.log10(255**2 / (error[border:-border, border:-border] ** 2).mean()))


@torch.inference_mode()
def evaluate(net: Upscaler, folder: Path) -> float:
    """Mean luma PSNR on a folder of `HR/` and `LR_x2/ ...`: to watch, never to learn from."""
    device, figures = next(net.parameters()).device, []
    for large, small in zip(*(sorted((folder / d).glob("*.png")) for d in ("HR", f"LR_x{net.scale}")), strict=True):
        given = torch.from_numpy(read_rgb(small)).to(device).permute(2, 0, 1)[None].float() / 255
        picture = (net(given)[0].permute(1, 2, 0) * 255).cpu().numpy()
        truth = read_rgb(large)[: picture.shape[0], : picture.shape[1]]
        figures.append(luma_psnr(picture, truth, net.scale))
    return sum(figures) / len(figures)


def publish(net: Upscaler, folder: Path, about: dict[str, Any]) -> None:
    """The collapsed net as `weights.safetensors`, whole or not at all."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    plain = net.collapsed()
    metadata = {"architecture": "upscaler", "hyperparameters": json.dumps(plain.hyperparameters)}
    temporary = folder / f".weights.{os.getpid()}"
    state = {name: tensor.cpu().contiguous() for name, tensor in plain.state_dict().items()}
    save_file(state, temporary, metadata | {k: str(v) for k, v in about.items()})
    temporary.chmod(0o644)
    os.replace(temporary, folder / "weights.safetensors")


def load(path: Path) -> tuple[Upscaler, dict[str, Any]]:
    """The averaged net of a checkpoint, and the checkpoint."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    net = Upscaler(**state["hyperparameters"])
    net.load_state_dict(state["average"])
    return net, state


def train(options: argparse.Namespace) -> None:
    """Learn until `minutes` or `iterations` are spent, counted over all runs that shared the checkpoint."""
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = Upscaler(options.scale, options.channels, options.blocks, collapsed=not options.branches)
    if options.body_from and not options.checkpoint.exists():
        body = {n: p for n, p in load(options.body_from)[0].state_dict().items() if not n.startswith("tail")}
        net.load_state_dict(body, strict=False)
    net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(net).requires_grad_(False)
    optimizer = torch.optim.Adam(net.parameters(), options.rate, betas=(0.9, 0.99), fused=True)
    iteration, spent = 0, 0.0
    if options.checkpoint.exists():
        state = torch.load(options.checkpoint, map_location=device, weights_only=True)
        net.load_state_dict(state["net"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        iteration, spent = state["iteration"], state["seconds"]
    photos = Photos(options.cache, options.scale, options.patch, options.batch, options.light, options.seed)

    def save() -> None:
        temporary = options.checkpoint.with_suffix(".part")
        state = {"net": net.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict()}
        facts = {"iteration": iteration, "seconds": spent, "hyperparameters": net.hyperparameters}
        torch.save(state | facts, temporary)
        os.replace(temporary, options.checkpoint)
        figure = evaluate(average, options.validation) if options.validation else math.nan
        print(f"{iteration:7d} {spent / 60:6.1f} min  loss {loss_mean:.5f}  validation {figure:.3f} dB", flush=True)
        if options.to:
            publish(average, options.to, {"iterations": iteration, "minutes": round(spent / 60)})

    loss_mean, saved, clock, begun = math.nan, spent, time.monotonic() - spent, iteration
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(photos.draw, iteration)
        while (progress := iteration / options.iterations if options.iterations else spent / 60 / options.minutes) < 1:
            if options.stop_after and iteration - begun >= options.stop_after:
                break
            drawn, coming = coming.result(), reader.submit(photos.draw, iteration + 1)
            given, truth = encoded(drawn, device)
            for group in optimizer.param_groups:
                cosine = 0.505 + 0.495 * math.cos(math.pi * progress)
                group["lr"] = options.rate * min(1, (iteration + 1) / 300) * cosine
            with torch.autocast(device.type, torch.bfloat16, enabled=not options.fp32):
                error = net(given) - truth
            loss = (error.square() + options.epsilon**2).sqrt().mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), options.clip)
            optimizer.step()
            iteration += 1
            decay = min(options.decay, (iteration + 1) / (iteration + 10))
            torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - decay)
            loss_mean = loss.item() if math.isnan(loss_mean) else 0.99 * loss_mean + 0.01 * loss.item()
            spent = time.monotonic() - clock
            if spent - saved > 60 * options.every:
                save()
                saved, clock = spent, time.monotonic() - spent
    save()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("prepare")
    command.add_argument("--data", type=Path, required=True)
    command.add_argument("--cache", type=Path, required=True)
    command = commands.add_parser("train")
    for name in ("cache", "checkpoint"):
        command.add_argument(f"--{name}", type=Path, required=True)
    for name in ("validation", "to", "body-from"):
        command.add_argument(f"--{name}", type=Path)
    sizes = {"scale": 4, "channels": 32, "blocks": 12, "patch": 48, "batch": 6, "light": 2}
    lengths = {"iterations": 0, "stop-after": 0, "seed": 0}
    reals = {"minutes": 30.0, "every": 3.0, "rate": 4e-3, "decay": 0.999, "clip": 0.5, "epsilon": 1e-3}
    for name, default in (sizes | lengths | reals).items():
        command.add_argument(f"--{name}", type=type(default), default=default)
    for name in ("branches", "fp32"):
        command.add_argument(f"--{name}", action="store_true")
    command = commands.add_parser("export")
    command.add_argument("--checkpoint", type=Path, required=True)
    command.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    if options.command == "prepare":
        prepare(options.data, options.cache)
    elif options.command == "train":
        train(options)
    else:
        net, state = load(options.checkpoint)
        publish(net, options.to, {"iterations": state["iteration"], "minutes": round(state["seconds"] / 60)})


if __name__ == "__main__":
    main()
