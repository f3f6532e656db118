"""FSRCNN (Dong et al. 2016) as OpenCV's `dnn_superres` ships and runs it, without the contrib modules."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FOLDER = "weights/sr_fsrcnn_tf"


class Fsrcnn:
    """An 8-bit R G B picture (H, W, 3) to (scale H, scale W, 3): Y by the net, Cb and Cr by bilinear `resize`.

    The files are frozen TensorFlow graphs. OpenCV's importer reads them, but for their last layer, which
    `dnn_superres` brings itself: here it lets the channels through and numpy puts the pixels in their places.

    They learned from pictures made small by OpenCV's bicubic, which does not filter before it drops pixels: on
    MATLAB's, which are softer, they stay below the figures of the paper.
    """

    def __init__(self, data: Path, scale: int) -> None:
        _register_last_layer()
        self.net = cv2.dnn.readNetFromTensorflow(str(data / FOLDER / f"FSRCNN_x{scale}.pb"))
        self.scale = scale

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        code = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb).astype(np.float32) / 255
        height, width = code.shape[:2]
        self.net.setInput(np.ascontiguousarray(code[None, None, ..., 0]))
        phases = self.net.forward()[0].reshape(self.scale, self.scale, height, width)
        luma = phases.transpose(2, 0, 3, 1).reshape(self.scale * height, self.scale * width)
        colour = (cv2.resize(code[..., i], None, fx=self.scale, fy=self.scale) for i in (1, 2))
        large = np.rint(np.dstack([luma, *colour]) * 255).clip(0, 255).astype(np.uint8)
        return np.asarray(cv2.cvtColor(large, cv2.COLOR_YCrCb2RGB))


@cache
def _register_last_layer() -> None:
    # OpenCV ends the process where a layer is registered twice.
    cv2.dnn_registerLayer("DepthToSpace", _Unchanged)


class _Unchanged:
    """A layer for OpenCV's importer that gives what it gets."""

    def __init__(self, parameters: Any, weights: Any) -> None:
        pass

    def getMemoryShapes(self, inputs: Any) -> Any:
        return inputs

    def forward(self, inputs: Any) -> Any:
        return inputs
