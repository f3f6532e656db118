"""The Blender extension in the image, clip and sequence editors and behind a camera, in real Blenders."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from blender_runs import Blender
from blender_shot import LINEAR, MADE, command_line, frames, same, write

from vfxgen.frame import Pixels

MOVIE_LENGTH = 6


@pytest.fixture
def footage(shot: Path) -> Path:
    """The shot, a lossless movie, and a plate of which frame 1003 is missing."""
    with av.open(str(shot / "movie.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 48, 36, "bgr0"
        for number in range(MOVIE_LENGTH):
            picture = np.full((36, 48, 3), 40 + 20 * number, np.uint8)
            picture[:, : 8 * number, 1] = 200
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="bgr0")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    (shot / "gap").mkdir()
    for number in (1001, 1002, 1004):
        shutil.copy(shot / "plate" / f"plate.{number}.exr", shot / "gap")
    return shot


def test_editors_give_what_the_command_line_gives(blender: Blender, footage: Path) -> None:
    facts = blender.facts("editors", footage)
    assert not facts["left"]
    assert facts["exports"] == 0
    assert facts["kept"] == [True, True], "a source and a result that nothing shows stay in the file"
    image_and_sequence(facts, footage)
    clip_and_camera(facts, footage)
    movie_and_strips(facts, footage)


def image_and_sequence(facts: dict[str, Any], footage: Path) -> None:
    still = facts["still"]
    assert still["source"] == ["GENERATED", True], "the source is neither saved nor replaced"
    assert still["result"] == ["FILE", True, "Linear Rec.709", 4]
    write(footage / "painted" / "painted.0001.exr", painted(), "RGBA")
    graded(footage / "painted" / "painted.####.exr", footage / "cli_painted")
    expected = frames(footage / "cli_painted")
    assert same([np.load(footage / "painted.npy")], expected)
    assert same(frames(folder(facts["still"]["path"], footage)), expected)
    sequence = facts["sequence"]
    assert sequence["name"] == "plate.1001.exr grade"
    assert str(sequence["path"]).startswith("//vfxgen/Projekt Ärger 夜/grade_")
    assert str(sequence["path"]).endswith("/grade.1001.exr"), "a frame has the number of its file"
    assert sequence["user"] == [11, 4, 1000], "and is seen when the source was"
    assert sequence["source"] == [False, True]
    graded(footage / "plate" / "plate.####.exr", footage / "cli")
    assert same(frames(folder(sequence["path"], footage)), frames(footage / "cli"))


def clip_and_camera(facts: dict[str, Any], footage: Path) -> None:
    clip, camera = facts["clip"], facts["camera"]
    assert clip["name"] == "plate.1001.exr cleanplate"
    assert clip["seen"] == [11, 4, 0.125], "it begins when the source does, and has its lens"
    assert clip["kept"]
    assert clip["editor"][0] == clip["editor"][1], "the editor shows the frame it showed"
    masks = [mask[..., :1] for mask in frames(footage / "mask")]
    for number, mask in zip(MADE, masks, strict=True):
        write(footage / "roto" / f"roto.{number}.exr", mask, "Y")
    assert not np.array_equal(masks[0], masks[3]), "the mask moves"
    assert any(0 < value < 1 for value in np.unique(masks[1]))
    command_line(
        "cleanplate", "--plate", footage / "plate" / "plate.####.exr", *LINEAR,
        "--mask", footage / "roto" / "roto.####.exr", "--set", "mask.colorspace=Raw",
        "--method", "smooth", "--reach", "2", "--out", footage / "cli_clean" / "clean.####.exr",
    )  # fmt: skip
    expected = frames(footage / "cli_clean")
    assert not same(expected, frames(footage / "plate"))
    assert same(frames(Path(str(clip["files"])).parent), expected)
    assert same(frames(Path(str(camera["files"])).parent), expected)
    assert camera["old"] == [True, False], "the old background is there, and hidden"
    assert camera["new"] == [True, 0.75, "CROP"]
    assert camera["user"] == [11, 1000, 4]
    assert camera["clip"] == ["plate.1001.exr", "plate.1001.exr cleanplate.001"]
    assert camera["again"] == clip["written"], "the same again makes nothing anew"
    assert camera["undone"] == [["plate.1001.exr", True]]


def movie_and_strips(facts: dict[str, Any], footage: Path) -> None:
    movie, strip = facts["movie"], facts["strip"]
    assert movie["seen"] == ["SEQUENCE", MOVIE_LENGTH]
    ramp = np.broadcast_to(np.arange(48, dtype=np.float32)[None, :, None] * 5 * np.float32(1 / 255), (36, 48, 1))
    write(footage / "ramp" / "ramp.exr", ramp, "Y")
    mask = ("--mask", footage / "ramp" / "ramp.exr", "--set", "mask.colorspace=Raw")
    graded(footage / "decoded" / "out.####.exr", footage / "cli_movie", *mask)
    expected = frames(footage / "cli_movie")
    assert same(frames(Path(str(movie["files"])).parent), expected)
    assert not same(expected, frames(footage / "decoded"))
    assert strip["channel"] == 4, "above it, where there is room"
    assert strip["seen"] == [21, 26]
    seen = [1003, 1002, 1001, 1001, 1001]
    assert strip["source"] == [f"plate.{number}.exr" for number in seen]
    assert strip["result"] == strip["elements"] == [f"grade.{number}.exr" for number in seen]
    assert strip["look"] == [5.0, 0.5, 4, "Linear Rec.709"]
    assert same(frames(Path(str(strip["folder"]))), frames(footage / "cli")[:3]), "only what is seen is rendered"
    assert len(strip["slow"]) > 4, "played at half its speed"
    assert strip["slow result"] == [name.replace("plate", "grade") for name in strip["slow"]]
    assert strip["movie"] == [3, 7]
    assert strip["movie elements"] == [f"grade.{number:04d}.exr" for number in (3, 4, 5, 6)]
    assert same(frames(Path(str(strip["movie folder"]))), expected[2:])


def test_editors_say_what_they_cannot_do_and_leave_nothing(blender: Blender, footage: Path) -> None:
    facts = blender.facts("editors_trouble", footage)
    scenes, running, exports = 1, 0, 0
    assert facts["stopped"] == [scenes, running, exports]
    assert facts["undone"] == [4, scenes, running, exports], "an undo of something else does not stop it"
    assert facts["said"] == {
        "unsaved": "save the .blend first: frames are kept in a folder beside it",
        "no mask": "Cleanplate needs a mask: choose a mask or an image",
        "unknown": facts["said"]["unknown"],
        "no image": "nobody is not there any more",
        "nothing open": "no image is open in the editor",
        "no clip": "no clip is open in the editor",
        "no strip": "no strip is active: select one",
        "no camera": "the scene has no active camera",
        "gap": "plate.1001.exr.001: there are no files of frames 1003",
        "render": "Render Result is what Blender rendered: save it as a file and open that, or add a node",
        "other numbers": "matte.1001.exr has frames 1001-1004, movie.mkv 1-6: number its files like the plate's",
        "two masks": "Mask: choose the mask Rig or the image matte.1001.exr, not both",
        "no background": facts["said"]["no background"],
        "colour strip": "Red is a color strip: select an image or a movie strip",
        "other rate": "Movie plays at another speed than its file: reset its retiming, "
        "or set the scene's frame rate to the movie's",
        "no file": f"Nowhere: there is no picture in {footage}/nowhere.exr",
    }
    assert facts["said"]["unknown"].startswith("there is no operator 'shine'; there are ")
    assert facts["said"]["no background"].endswith("shows no background: add one in its properties")


def painted() -> Pixels:
    """What editors.py paints."""
    picture = np.random.default_rng(11).random((36, 48, 4), dtype=np.float32)
    picture[..., :3] *= 3 * picture[..., 3:]
    return picture[::-1]


def graded(plate: Path, out: Path, *more: str | Path) -> None:
    command_line("grade", "--plate", plate, *LINEAR, "--saturation", "0.25", *more, "--out", out / "out.####.exr")


def folder(path: object, footage: Path) -> Path:
    """The folder of a file whose path begins at the .blend."""
    return footage / str(path).removeprefix("//").rpartition("/")[0]
