"""What becomes of a picture on its way: soft, small, noisy, compressed; each a function of the generator given.

Torch-free. It runs where a cache is made: H.264 is x264's own, by PyAV.
"""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.image.bicubic import smaller

Codes = NDArray[np.uint8]
Random = np.random.Generator

SHARES = {"none": 0.2, "jpeg": 0.4, "h264": 0.4}
"""How often which compression is chosen."""


def degraded(photo: Codes, scale: int, random: Random) -> Codes:
    """A photograph (H, W, 3), 8-bit display code, as a poor small one (H / scale, W / scale, 3).

    In the order of a camera (Wang et al., Real-ESRGAN, 2021; Zhang et al., BSRGAN, 2021): in light a blur that is
    wider along one axis, reduction, shot and read noise; then display code and compression.

    Parameters
    ----------
    photo
        Sides are multiples of `scale`.
    random
        All that is drawn comes from it.

    Examples
    --------
    >>> photo = np.full((64, 64, 3), 100, np.uint8)
    >>> degraded(photo, 4, np.random.default_rng(0)).shape
    (16, 16, 3)
    """
    light = _blurred(_to_light(photo), random.uniform(0.2, 0.7, 2) * scale, random.uniform(0, 180))
    noise = random.choice((0.0, 0.003, 0.01)) * random.uniform(0.3, 1.0)
    small = _noisy(_reduced(light, scale, random), noise, random)
    code = np.round(_to_code(small) * 255).astype(np.uint8)
    way = str(random.choice(list(SHARES), p=list(SHARES.values())))
    if way == "jpeg":
        return jpeg(code, int(random.integers(40, 96)))
    return h264(code, int(random.integers(18, 33))) if way == "h264" else code


def jpeg(code: Codes, quality: int) -> Codes:
    """(H, W, 3) through a JPEG file."""
    _, data = cv2.imencode(".jpg", code[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def h264(code: Codes, quality: int) -> Codes:
    """(H, W, 3) as the last of four frames of an H.264 film, 4:2:0, that pans by a pixel a frame: predicted, not alone.

    `quality` is x264's rate factor: 18 hardly shows, 32 is coarse.
    """
    import av

    height, width = code.shape[:2]
    even = np.pad(code, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as film:
        stream: Any = film.add_stream("libx264", rate=24, options={"crf": str(quality), "threads": "1"})
        stream.height, stream.width, stream.pix_fmt = *even.shape[:2], "yuv420p"
        for shift in (3, 2, 1, 0):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.roll(even, shift, axis=1)), format="rgb24")
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    file.seek(0)
    with av.open(file) as film:
        last = list(film.decode(video=0))[-1].to_ndarray(format="rgb24")
    return np.ascontiguousarray(last[:height, :width])


def _blurred(light: NDArray[np.float32], sigmas: NDArray[np.float64], degrees: float) -> NDArray[np.float32]:
    """Through a Gaussian of two widths, in pixels, turned."""
    radius = int(np.ceil(3 * sigmas.max()))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    along, across = (x * cosine + y * sine) / sigmas[0], (y * cosine - x * sine) / sigmas[1]
    kernel = np.exp(-0.5 * (along**2 + across**2))
    return np.asarray(cv2.filter2D(light, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT), np.float32)


def _reduced(light: NDArray[np.float32], scale: int, random: Random) -> NDArray[np.float32]:
    way = int(random.integers(3))
    if way == 0:
        return np.asarray(smaller(light, scale), np.float32)
    size = (light.shape[1] // scale, light.shape[0] // scale)
    filters = (cv2.INTER_AREA, cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(light, size, interpolation=filters[way - 1]), np.float32)


def _noisy(light: NDArray[np.float32], deviation: float, random: Random) -> NDArray[np.float32]:
    """Shot noise and a floor of a tenth of its variance; `deviation` is that at a light of 0.18 (Foi et al. 2008)."""
    variance = deviation**2 * (0.9 * np.maximum(light, 0) / 0.18 + 0.1)
    drawn = random.standard_normal(light.shape, np.float32)
    return np.asarray(light + drawn * np.sqrt(variance), np.float32)


def _to_light(code: Codes) -> NDArray[np.float32]:
    value = code.astype(np.float32) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _to_code(light: NDArray[np.float32]) -> NDArray[np.float32]:
    held = light.clip(0, 1)
    return np.where(held <= 0.0031308, held * 12.92, 1.055 * held ** (1 / 2.4) - 0.055).astype(np.float32)
