"""Contact sheet: pictures in rows and columns with their names, as one PNG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import OpenImageIO as oiio

from vfxgen.errors import MediaError
from vfxgen.frame import Pixels
from vfxgen.media.publish import published

GAP, CAPTION = 6, 26
_BACKGROUND, _INK = 0.09, (0.85, 0.85, 0.85)


def write_sheet(rows: Sequence[Sequence[tuple[str, Pixels]]], path: str, width: int = 480) -> None:
    """Lay captioned pictures out in rows and write them to a PNG.

    Parameters
    ----------
    rows
        Each a list of (caption, display-referred pixels (H, W, 3) 0..1).
    path
        Of the PNG.
    width
        Every picture is brought to this width, in pixels.

    Raises
    ------
    MediaError
        The file cannot be written.
    """
    scaled = [[(caption, _scaled(pixels, width)) for caption, pixels in row] for row in rows]
    heights = [max(pixels.shape[0] for _, pixels in row) + CAPTION for row in scaled]
    columns = max(len(row) for row in scaled)
    size = (sum(heights) + GAP * (len(rows) + 1), columns * width + GAP * (columns + 1))
    sheet = oiio.ImageBuf(np.full((*size, 3), _BACKGROUND, np.float32))
    top = GAP
    for row, height in zip(scaled, heights, strict=True):
        for column, (caption, pixels) in enumerate(row):
            left = GAP + column * (width + GAP)
            oiio.ImageBufAlgo.paste(sheet, left, top + CAPTION, 0, 0, oiio.ImageBuf(pixels))
            oiio.ImageBufAlgo.render_text(sheet, left, top + CAPTION - 8, caption, 15, "", _INK)
        top += height + GAP
    write_picture(np.asarray(sheet.get_pixels(oiio.FLOAT), np.float32), path)


def write_picture(pixels: Pixels, path: str) -> None:
    """Display-referred `pixels` (H, W, 3) 0..1 to an 8-bit PNG or JPEG.

    Raises
    ------
    MediaError
        The file cannot be written.
    """
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], 3, oiio.UINT8)
    spec.attribute("CompressionQuality", 92)
    with published(path) as temporary:
        file = oiio.ImageOutput.create(path)
        if file is None or not (file.open(temporary, spec) and file.write_image(np.ascontiguousarray(pixels))):
            raise MediaError(f"{path}: cannot be written ({oiio.geterror() or (file and file.geterror())})")
        file.close()


def _scaled(pixels: Pixels, width: int) -> Pixels:
    if pixels.shape[1] == width:
        return np.ascontiguousarray(pixels, np.float32)
    height = max(1, round(pixels.shape[0] * width / pixels.shape[1]))
    roi = oiio.ROI(0, width, 0, height, 0, 1, 0, 3)
    resized = oiio.ImageBufAlgo.resize(oiio.ImageBuf(np.ascontiguousarray(pixels, np.float32)), "lanczos3", roi=roi)
    return np.clip(np.asarray(resized.get_pixels(oiio.FLOAT), np.float32), 0, 1)
