"""How papers measure super-resolution: Y of 8-bit pictures, a border left out, MATLAB's bicubic; and known figures.

A figure of ours means something when the same code gives what others published. `check_anchors` proves that first.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

import vfxgen
from benchmarks.fsrcnn import Fsrcnn
from vfxgen import color
from vfxgen.frame import Pixels
from vfxgen.image.bicubic import smaller
from vfxgen.testing import Pictures

Codes = NDArray[np.uint8]
Luma = NDArray[np.float64]

# BT.601 studio range, as MATLAB's rgb2ycbcr: 16 .. 235 for 8-bit R G B.
_LUMA = np.array([65.481, 128.553, 24.966]) / 255
LINEAR, DISPLAY = "lin_rec709_scene", "srgb_rec709_scene"
_FOLDERS = {"Set5": "Set5/HR", "Kodak": "Kodak12"}

# Set5, MATLAB's bicubic both ways: PSNR and SSIM as papers since VDSR (Kim et al. 2016) print them.
BICUBIC = {2: (33.66, 0.9299), 3: (30.39, 0.8682), 4: (28.42, 0.8104)}
# opencv_contrib, dnn_superres/tutorials/benchmark: these very files on Set5's butterfly, x2, PSNR of RGB.
FSRCNN_BUTTERFLY = 29.0077
TOLERANCE_PSNR, TOLERANCE_SSIM = 0.02, 0.001


class AnchorError(Exception):
    """A published figure does not come out: no other figure of this run can be believed."""


class Pair(NamedTuple):
    """A picture and the small one made of it, 8-bit sRGB code (H, W, 3) and (H / scale, W / scale, 3)."""

    name: str
    truth: Codes
    small: Codes


class Score(NamedTuple):
    """PSNR in dB and mean SSIM."""

    psnr: float
    ssim: float


def check_anchors(data: Path) -> list[str]:
    """What was reproduced, in words.

    Raises
    ------
    AnchorError
        A figure is off by more than 0.02 dB or 0.001: all that are, with what they should be.
    """
    said: list[str] = []
    wrong: list[str] = []
    for scale, published in BICUBIC.items():
        set5 = pairs(data, "Set5", scale)
        ways = {
            "bicubic of Y, Y made small": mean_score([_bicubic_of_luma(p.truth, scale) for p in set5]),
            "bicubic of R G B, small files": mean_score([score(bicubic(p.small, scale), p.truth, scale) for p in set5]),
        }
        for way, got in ways.items():
            right = abs(got.psnr - published[0]) <= TOLERANCE_PSNR and abs(got.ssim - published[1]) <= TOLERANCE_SSIM
            line = f"Set5 x{scale}, {way}: {got.psnr:.3f} dB, SSIM {got.ssim:.4f}"
            (said if right else wrong).append(f"{line}; published {published[0]:.2f} dB, {published[1]:.4f}")
    butterfly = fsrcnn_on_butterfly(data)
    line = f"Set5's butterfly x2, FSRCNN by OpenCV's protocol: {butterfly:.4f} dB; published {FSRCNN_BUTTERFLY} dB"
    (said if abs(butterfly - FSRCNN_BUTTERFLY) <= TOLERANCE_PSNR else wrong).append(line)
    if wrong:
        raise AnchorError("published figures do not come out, so nothing was measured:\n" + "\n".join(wrong))
    return said


def _bicubic_of_luma(truth: Codes, scale: int) -> Score:
    """The way of SRCNN and VDSR, whose figures all later papers repeat: 8-bit Y alone, made small without rounding."""
    code = np.round(luma(truth)).astype(np.float32)
    source = Pictures(smaller(code, scale)[..., None].repeat(3, axis=-1))
    large = vfxgen.Resize(source, scale=scale, filter="bicubic", ringing=True)[1].rgb[..., 0]
    inside = (slice(scale, -scale), slice(scale, -scale))
    ours, theirs = np.round(large.astype(np.float64))[inside], code.astype(np.float64)[inside]
    return Score(psnr(ours, theirs, 255), ssim(ours, theirs))


def fsrcnn_on_butterfly(data: Path) -> float:
    """PSNR over R G B of Set5's butterfly, halved by OpenCV's bilinear `resize`: what OpenCV's own benchmark does."""
    truth = read_picture(data / "sr_test/Set5/HR/butterfly.png")
    small = cv2.resize(truth, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_LINEAR)
    return float(cv2.PSNR(Fsrcnn(data, 2)(small), truth))


def pairs(data: Path, name: str, scale: int) -> list[Pair]:
    """The pictures of a test set: Set5 with its published small versions, Kodak with those of `smaller`."""
    truths = sorted((data / "sr_test" / _FOLDERS[name]).glob("*.png"))
    published = sorted((data / "sr_test" / name / f"LR_x{scale}").glob("*.png"))
    found = []
    for number, path in enumerate(truths):
        truth = read_picture(path)
        small = read_picture(published[number]) if published else smaller(truth, scale)
        found.append(Pair(path.stem, truth[: small.shape[0] * scale, : small.shape[1] * scale], small))
    if not found:
        raise FileNotFoundError(f"{data / 'sr_test' / _FOLDERS[name]}: no pictures")
    return found


def read_picture(path: Path) -> Codes:
    """An 8-bit file as (H, W, 3), R G B."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise FileNotFoundError(f"{path}: not a picture that OpenCV reads")
    return np.ascontiguousarray(image[..., ::-1])


def as_light(picture: Codes) -> Pixels:
    """8-bit sRGB code to scene-linear light, 0 .. 1."""
    return color.convert(picture.astype(np.float32) / np.float32(255), DISPLAY, LINEAR)


def to_codes(picture: Pixels) -> Codes:
    """0 .. 1 to 8 bit, rounded and held to the range."""
    codes: Codes = np.floor(np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    return codes


def bicubic(small: Codes, scale: int) -> Codes:
    """Enlarged as MATLAB's ``imresize`` does it (Keys, a = -0.5), by `vfxgen.Resize`."""
    return enlarged(small, scale, "bicubic")


def enlarged(small: Codes, scale: int, filter: str) -> Codes:
    """Display code enlarged by a filter, overshoot and all."""
    source = Pictures(small.astype(np.float32) / np.float32(255))
    return to_codes(vfxgen.Resize(source, scale=scale, filter=filter, ringing=True)[1].rgb)


def luma(picture: Codes) -> Luma:
    """Y of BT.601 in studio range, 16 .. 235, not rounded; (H, W, 3) to (H, W)."""
    weighted: Luma = picture @ _LUMA + 16
    return weighted


def score(picture: Codes, truth: Codes, border: int) -> Score:
    """PSNR and SSIM of Y, `border` pixels left out on each side: papers leave out as many as the scale."""
    inside = (slice(border, -border), slice(border, -border))
    ours, theirs = luma(picture)[inside], luma(truth)[inside]
    return Score(psnr(ours, theirs, 255), ssim(ours, theirs))


def mean_score(scores: list[Score]) -> Score:
    """The mean over pictures, as papers print it."""
    return Score(*(float(np.mean(column)) for column in zip(*scores, strict=True)))


def psnr(picture: NDArray[np.floating], truth: NDArray[np.floating], peak: float) -> float:
    """Peak signal over the root mean square of the difference, in dB; infinite where they are equal."""
    error = np.mean((picture.astype(np.float64) - truth) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))


def ssim(picture: Luma, truth: Luma) -> float:
    """Mean structural similarity (Wang et al. 2004) as its authors' MATLAB code has it.

    A Gaussian of 11x11 pixels and sigma 1.5, only where it lies wholly inside; K1 = 0.01, K2 = 0.03, peak 255.
    """
    kernel = cv2.getGaussianKernel(11, 1.5)

    def local(values: Luma) -> Luma:
        return np.asarray(cv2.sepFilter2D(values, cv2.CV_64F, kernel, kernel)[5:-5, 5:-5], np.float64)

    mean_a, mean_b = local(picture), local(truth)
    variance_a, variance_b = local(picture**2) - mean_a**2, local(truth**2) - mean_b**2
    covariance = local(picture * truth) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similar = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float(np.mean(similar / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))))
