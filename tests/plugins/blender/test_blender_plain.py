"""Inputs that the worker takes from their files: only where these hold, bit for bit, what Blender would export."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from blender_runs import REPOSITORY, Blender
from blender_shot import MADE, frames, plate
from sample_shots import pixels

from vfxgen.frame import Box, Frame, Pixels
from vfxgen.media.image import write_image
from vfxgen.operator import Operator
from vfxgen.operators import operators
from vfxgen.testing import Pictures

sys.path.insert(0, str(REPOSITORY / "plugins" / "blender"))
from exr_header import Header, read  # type: ignore[import-not-found]

PLATES = [f"plate/plate.{number}.exr" for number in MADE]
PLAIN = {
    "plate": PLATES,
    "rgba": [f"rgba/rgba.{number}.exr" for number in MADE],
    "half": [f"half/half.{number}.exr" for number in MADE],
    "reroute": PLATES,
    "earlier": PLATES,
    "still": PLATES[:1] * 4,
    "data": PLATES,
    "node before": [f"rgba/rgba.{number}.exr" for number in MADE],
}


def write(path: Path, picture: Pixels, channels: str, compression: str = "piz", **fields: object) -> None:
    path.parent.mkdir(exist_ok=True)
    frame = Frame.from_pixels(picture, channels.split(), colorspace="", **{"type": "float", **fields})  # type: ignore[arg-type]
    write_image(frame, str(path), format="exr", compression=compression)


@pytest.fixture
def sequences(shot: Path) -> Path:
    """The shot, with sequences beside it that are plain, and such that are not."""
    random = np.random.default_rng(5)
    for number in MADE:
        light = plate(number, random)
        alpha = np.linspace(0, 1, 48, dtype=np.float32)[None, :, None].repeat(36, axis=0)
        odd = np.concatenate([light * alpha, alpha], axis=-1)
        odd[5, 5:9, 0] = np.nan, np.inf, -np.inf, 1e-42
        end = f".{number}.exr"
        write(shot / "rgba" / f"rgba{end}", odd, "R G B A")
        write(shot / "half" / f"half{end}", light.astype(np.float16).astype(np.float32), "R G B", "zip", type="half")
        write(shot / "dwaa" / f"dwaa{end}", light, "R G B", "dwaa:45", type="half")
        write(shot / "layered" / f"layered{end}", odd, "R G B depth.Z")
        inner, outer = Box(4, 2, 48, 36), Box(0, 0, 60, 40)
        write(shot / "window" / f"window{end}", light, "R G B", data_window=inner, display_window=outer)
    return shot


def test_what_is_taken_as_it_stands_has_the_bits_that_blender_exports(blender: Blender, sequences: Path) -> None:
    facts = blender.facts("plain", sequences)
    taken = {name: files for name, files in facts["files"].items() if files}
    assert taken == PLAIN
    assert facts["matte"] == 0
    for name, files in taken.items():
        exported = frames(sequences / "exports" / name)
        for ours, file in zip(exported, files, strict=True):
            stored = pixels(sequences / file)
            count = stored.shape[2]
            assert ours[..., :count].tobytes() == stored.tobytes(), name
            assert count == 4 or (ours[..., 3] == 1).all(), "no alpha: Blender takes it for opaque"


@pytest.mark.parametrize("name", [name for name, operator in operators().items() if operator.declared_inputs])
def test_no_alpha_and_an_alpha_of_one_give_the_same(name: str) -> None:
    operator = operators()[name]
    light = plate(1001, np.random.default_rng(1))
    opaque = np.concatenate([light, np.ones_like(light[..., :1])], axis=-1)
    without, with_alpha = (made(operator, Pictures(*given)) for given in ((light, "RGB"), (opaque, "RGBA")))
    assert without.rgb.tobytes() == with_alpha.rgb.tobytes()
    assert without.alpha.tobytes() == with_alpha.alpha.tobytes()


def made(operator: type[Operator], picture: Pictures) -> Frame:
    mask = np.zeros((36, 48, 1), np.float32)
    mask[10:20, 12:24] = 1
    given: dict[str, object] = {}
    for declared in operator.declared_inputs.values():
        if not declared.optional:
            given[declared.name] = picture if declared.kind == "image" else Pictures(mask, "A")
    special: dict[str, dict[str, object]] = {
        "matte": {"rough": Pictures(mask, "A"), "width": 3.0},
        "upscale": {"scale": 2},
        "reformat": {"format": "60x30"},
    }
    if operator.name == "apply":
        pytest.skip("needs a net of its own; it writes the channels that the net does")
    return operator(**given, **special.get(operator.name, {}))[1]


@pytest.mark.parametrize("compression", ["none", "rle", "zips", "zip", "piz"])
def test_a_header_is_read(tmp_path: Path, compression: str) -> None:
    write(tmp_path / "a" / "plate.0001.exr", plate(1, np.random.default_rng(1)), "R G B", compression)
    assert read(tmp_path / "a" / "plate.0001.exr") == Header(("B", "G", "R"), (0, 0, 47, 35), (0, 0, 47, 35))


@pytest.mark.parametrize("compression", ["pxr24", "dwaa", "dwab", "b44"])
def test_a_file_that_lost_something_is_not_plain(tmp_path: Path, compression: str) -> None:
    light = plate(1, np.random.default_rng(1))
    write(tmp_path / "a" / "plate.0001.exr", light, "R G B", compression, type="half")
    assert read(tmp_path / "a" / "plate.0001.exr") is None


def test_what_is_no_exr_is_not_plain(tmp_path: Path) -> None:
    file = tmp_path / "plate.0001.exr"
    assert read(file) is None
    whole = tmp_path / "a" / "plate.0001.exr"
    write(whole, plate(1, np.random.default_rng(1)), "R G B")
    content = whole.read_bytes()
    for damaged in (b"", b"PNG", content[:9], content[:60], content[:200], b"\0" + content[1:]):
        file.write_bytes(damaged)
        assert read(file) is None
