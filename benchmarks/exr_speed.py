"""EXR read and write beside plain OpenImageIO calls, the OpenEXR library and OpenCV: what our frames cost on top."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable

os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"

import cv2
import numpy as np
import OpenEXR
import OpenImageIO as oiio

from benchmarks.results import paired, publish
from vfxgen.frame import RGBA, Frame, Plane
from vfxgen.media.image import read_image, write_image
from vfxgen.media.publish import published

WIDTH, HEIGHT = 1920, 1080
HAS_OPENCV_EXR = cv2.haveImageWriter("x.exr")


def main() -> None:
    """Measure 1080p half RGBA, ZIP and PIZ."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for compression in ("zip", "piz"):
            rows += _rows(folder, compression)
    notes = [
        "ratio: ours / peer, median of pairs run in turns; below 1.05 is the target against OpenImageIO.",
        "publish: the same write, with fsync and rename (what makes a frame whole or absent).",
    ]
    if not HAS_OPENCV_EXR:
        notes.append(f"OpenCV {cv2.__version__} as installed here has no EXR codec: not measured.")
    publish("exr_speed", f"EXR {WIDTH}x{HEIGHT} half RGBA, seconds", rows, notes)


def _picture() -> Plane:
    """A picture that compresses like a photograph: smooth light with grain."""
    random = np.random.default_rng(1)
    coarse = cv2.resize(random.random((27, 48, 4)).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    grain = random.normal(0, 0.01, coarse.shape)
    return np.asarray(coarse + grain, np.float16)


def _rows(folder: str, compression: str) -> list[dict[str, object]]:
    pixels = _picture()
    frame = Frame.from_pixels(pixels, RGBA, colorspace="", type="half", source="benchmark")
    plain, ours, theirs = (os.path.join(folder, f"{name}.exr") for name in ("plain", "ours", "cv"))
    as_float = np.ascontiguousarray(pixels.astype(np.float32))
    flag = {"zip": cv2.IMWRITE_EXR_COMPRESSION_ZIP, "piz": cv2.IMWRITE_EXR_COMPRESSION_PIZ}[compression]
    options = [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_HALF, cv2.IMWRITE_EXR_COMPRESSION, flag]
    exr_compression = {"zip": OpenEXR.ZIP_COMPRESSION, "piz": OpenEXR.PIZ_COMPRESSION}[compression]

    def write_plain() -> None:
        spec = oiio.ImageSpec(WIDTH, HEIGHT, 4, oiio.HALF)
        spec.attribute("compression", compression)
        file = oiio.ImageOutput.create("exr")
        assert file is not None
        file.open(plain, spec)
        file.write_image(pixels)
        file.close()

    def read_plain() -> None:
        file = oiio.ImageInput.open(plain)
        assert file is not None
        file.read_image(0, 0, 0, 4, oiio.HALF)
        file.close()

    def write_ours() -> None:
        write_image(frame, ours, format="exr", compression=compression)

    def publish_ours() -> None:
        with published(ours) as temporary:
            write_image(frame, temporary, format="exr", compression=compression)

    def write_openexr() -> None:
        header = {"compression": exr_compression, "type": OpenEXR.scanlineimage}
        OpenEXR.File(header, {"RGBA": pixels}).write(theirs)

    def read_openexr() -> None:
        with OpenEXR.File(plain) as file:
            _ = file.channels()["RGBA"].pixels

    pairs: dict[tuple[str, str], tuple[Callable[[], object], Callable[[], object]]] = {
        ("write", "OpenImageIO"): (write_ours, write_plain),
        ("publish", "OpenImageIO"): (publish_ours, write_plain),
        ("read", "OpenImageIO"): (lambda: read_image(ours, 1), read_plain),
        ("write", "OpenEXR"): (write_ours, write_openexr),
        ("read", "OpenEXR"): (lambda: read_image(ours, 1), read_openexr),
    }
    if HAS_OPENCV_EXR:
        pairs |= {
            ("write", "OpenCV"): (write_ours, lambda: cv2.imwrite(theirs, as_float, options)),
            ("read", "OpenCV"): (lambda: read_image(ours, 1), lambda: cv2.imread(theirs, cv2.IMREAD_UNCHANGED)),
        }
    rows: list[dict[str, object]] = []
    for (what, peer), (mine, other) in pairs.items():
        seconds, peer_seconds, ratio = paired(mine, other)
        rows.append(
            {"compression": compression, "what": what, "peer": peer}
            | {"ours": seconds, "peer's": peer_seconds, "ratio": ratio}
        )
    return rows


if __name__ == "__main__":
    main()
