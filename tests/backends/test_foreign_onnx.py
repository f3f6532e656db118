"""Foreign ONNX nets through cards: a real face where it is, points on it, people told from a green screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from small_nets import entry
from torch import Tensor

from vfxgen.backends.light import through
from vfxgen.backends.net import Net, load
from vfxgen.encoding import Encoding

pytest.importorskip("onnxruntime")

RGB = "R G B"
SIDE = 640
STRIDES = (8, 16, 32)
DETECTIONS = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES]
# Of the face mesh: corners of both eyes, tip of the nose, corners of the mouth, as YuNet's five points come.
MESH_POINTS = ((33, 133), (362, 263), (1,), (61,), (291,))
Picture = npt.NDArray[np.uint8]


def net(shared_data: Path, tmp_path: Path, file: str, task: str, given: Any, made: list[Any]) -> Net:
    path = shared_data / "weights" / file
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    card = {"format": "onnx", "task": task, "architecture": "", "scale": 1, "inputs": [given], "outputs": made}
    return load(entry(tmp_path, copy, **card), device="cpu")


def detector(shared_data: Path, tmp_path: Path) -> Net:
    given = {"name": "input", "channels": "B G R", "encoding": "srgb-clipped", "size": [SIDE] * 2, "std": [1 / 255] * 3}
    made = [{"name": name} for name in DETECTIONS]
    return net(shared_data, tmp_path, "yunet/yunet_n_640_640.onnx", "detect-face", given, made)


def picture_of(path: Path) -> Picture:
    """B G R, 8 bits."""
    picture: Any = cv2.imread(str(path))
    assert picture is not None, path
    return np.asarray(picture, np.uint8)


def portrait(shared_data: Path) -> Picture:
    """The upper square of a portrait."""
    picture = picture_of(shared_data / "faces/portraits/astronaut_nasa.png")
    side = min(picture.shape[:2])
    made: Picture = cv2.resize(picture[:side, :side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return made


def code(picture: Picture) -> Tensor:
    return torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]


def face(outputs: Any) -> tuple[float, npt.NDArray[Any], npt.NDArray[Any]]:
    """Score, box (x, y, width, height) and five points of the surest face, as YuNet codes them."""
    found = dict(zip(DETECTIONS, outputs, strict=True))
    best = None
    for stride in STRIDES:
        scores = (found[f"cls_{stride}"].clamp(0, 1) * found[f"obj_{stride}"].clamp(0, 1)).sqrt()[0, :, 0]
        place = int(scores.argmax())
        if best is None or scores[place] > best[0]:
            corner = np.array(divmod(place, SIDE // stride)[::-1])
            box = found[f"bbox_{stride}"][0, place].numpy()
            size = np.exp(box[2:]) * stride
            points = (found[f"kps_{stride}"][0, place].numpy().reshape(5, 2) + corner) * stride
            best = (float(scores[place]), np.hstack([(corner + box[:2]) * stride - size / 2, size]), points)
    assert best is not None
    return best


def test_a_face_is_where_opencv_finds_it(shared_data: Path, tmp_path: Path) -> None:
    picture = portrait(shared_data)
    score, box, points = face(detector(shared_data, tmp_path).run(code(picture)))
    peer = cv2.FaceDetectorYN.create(str(shared_data / "weights/yunet/yunet_n_640_640.onnx"), "", (SIDE, SIDE))
    (expected,) = peer.detect(picture)[1]
    assert score == pytest.approx(expected[14], abs=1e-3) and score > 0.9
    assert np.abs(box - expected[:4]).max() < 0.5
    assert np.abs(points.ravel() - expected[4:14]).max() < 0.5


def test_a_face_beside_a_lamp_is_found_in_scene_linear_light(shared_data: Path, tmp_path: Path) -> None:
    picture = portrait(shared_data)
    light = Encoding("srgb").decode(code(picture))
    light[..., 20:60, 500:560] = 5000.0
    detecting = detector(shared_data, tmp_path)
    (_, before, _), (score, after, _) = (
        face(made) for made in (detecting.run(code(picture)), through(detecting, light))
    )
    assert score > 0.9 and np.abs(before - after).max() < 8


def test_points_lie_on_the_eyes_the_nose_and_the_mouth(shared_data: Path, tmp_path: Path) -> None:
    picture = portrait(shared_data)
    _, (x, y, width, height), points = face(detector(shared_data, tmp_path).run(code(picture)))
    side = 1.5 * max(width, height)
    left, top = x + width / 2 - side / 2, y + height / 2 - side / 2
    into = np.array([[192 / side, 0, -left * 192 / side], [0, 192 / side, -top * 192 / side]])
    crop: Picture = cv2.warpAffine(picture, into, (192, 192), flags=cv2.INTER_AREA)
    given = {"name": "image", "channels": RGB, "encoding": "srgb-clipped", "size": [192, 192]}
    outputs = [{"name": "score"}, {"name": "points"}]
    mesh = net(shared_data, tmp_path, "facemesh/facemesh468_192.onnx", "face-mesh", given, outputs)
    score, found = mesh.run(code(crop).flip(1))
    assert float(score) > 0.9 and found.shape == (1, 468, 3)
    there = found[0, :, :2].numpy() * (side / 192 if found.max() > 2 else side) + [left, top]
    between_eyes = np.linalg.norm(points[0] - points[1])
    for indices, point in zip(MESH_POINTS, points, strict=True):
        assert np.linalg.norm(there[list(indices)].mean(0) - point) < 0.25 * between_eyes


def people(shared_data: Path) -> tuple[Picture, npt.NDArray[np.bool_]]:
    """Two people before a green screen, and where it is not green."""
    picture = picture_of(shared_data / "matting/greenscreen_cc0/skimage_greenscreen.jpg")
    blue, green, red = np.moveaxis(picture.astype(np.int16), -1, 0)
    return picture, np.asarray(green - np.maximum(blue, red) < 25)


def prisma(shared_data: Path, tmp_path: Path) -> Net:
    given = {"name": "input_3", "channels": RGB, "encoding": "srgb-clipped", "size": [256, 256]}
    made = [{"name": "permute_2", "channels": "A", "size": [256, 256]}]
    return net(shared_data, tmp_path, "portrait_seg/prisma_nchw.onnx", "segment", given, made)


def sinet(shared_data: Path, tmp_path: Path) -> Net:
    mean, std = [102.890434, 111.25247, 126.91212], [62.93292, 62.82138, 66.355705]
    given = {
        "name": "data", "channels": "B G R", "encoding": "srgb-clipped", "size": [320, 320],
        "mean": [value / 255 for value in mean], "std": std,
    }  # fmt: skip
    made = [{"name": "Softmax/1", "channels": "background A", "size": [320, 320]}]
    return net(shared_data, tmp_path, "portrait_seg/SINet_Softmax.onnx", "segment", given, made)


@pytest.mark.parametrize("segmenter", [prisma, sinet])
def test_people_are_told_from_a_green_screen(shared_data: Path, tmp_path: Path, segmenter: Any) -> None:
    picture, truth = people(shared_data)
    segmenting = segmenter(shared_data, tmp_path)
    (port,) = segmenting.card.inputs
    small = cv2.resize(picture, port.size, interpolation=cv2.INTER_AREA)
    given = code(small) if port.channels == "B G R" else code(small).flip(1)
    alpha = segmenting.run(given)[0, -1].numpy()
    person = cv2.resize(alpha, picture.shape[1::-1]) > 0.5
    assert (person & truth).sum() / (person | truth).sum() > 0.93
