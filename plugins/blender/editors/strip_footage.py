"""A strip of the sequencer as footage: which picture it shows in which frame of the scene."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import plain, versions
from ..problem import Problem
from . import numbered_files
from .footage import Footage


@dataclass(frozen=True)
class StripFootage(Footage):
    """An image or movie strip. `shown` has the picture of each frame of the scene, `files` each picture's file."""

    files: dict[int, str]
    shown: dict[int, int]
    colorspace: str
    alpha_mode: str
    is_linear: bool
    is_movie: bool

    def time(self, number: int) -> int:
        return next((time for time, seen in self.shown.items() if seen == number), super().time(number))

    def add(self, tree: bpy.types.NodeTree, number: int, time: int) -> bpy.types.NodeSocket:
        node = tree.nodes.new("CompositorNodeImage")
        node.image = self._image(self.files[number])
        if self.is_movie:
            node.frame_start, node.frame_duration, node.frame_offset = time, 1, number - 1
        return node.outputs[0]

    def file(self, number: int) -> Path | None:
        return (
            Path(self.files[number]) if self.is_linear and self.alpha_mode == "PREMUL" and not self.is_movie else None
        )

    def close(self) -> None:
        """Remove the image that the files were read through."""
        image = bpy.data.images.get((self._name, None))
        if image:
            bpy.data.images.remove(image)

    @property
    def _name(self) -> str:
        # Short, whatever the strip is called: Blender cuts names.
        return f"vfxgen {hashlib.sha256(repr(self.key).encode()).hexdigest()[:16]}"

    def _image(self, file: str) -> bpy.types.Image:
        """One image for all files, which stays open: a movie is slow to open. Without users, it is never saved."""
        image = bpy.data.images.get((self._name, None))
        if image is None:
            image = bpy.data.images.load(file, check_existing=False)
            image.name = self._name
        elif image.filepath != file:
            image.filepath = file
        image.colorspace_settings.name, image.alpha_mode = self.colorspace, self.alpha_mode
        return image


def of_strip(strip: versions.Strip, scene: bpy.types.Scene) -> StripFootage:
    """An image or movie strip as footage.

    Raises
    ------
    Problem
        It is of another type, plays at a speed of its own, or has no files.
    """
    if strip.type == "IMAGE":
        files = _element_files(strip)
        numbers_of = {Path(file).name: number for number, file in reversed(files.items())}
        shown = {time: numbers_of[strip.strip_elem_from_frame(time).filename] for time in _times(strip)}
    elif strip.type == "MOVIE":
        files, shown = _movie_frames(strip)
    else:
        raise Problem(f"{strip.name} is a {strip.type.lower()} strip: select an image or a movie strip")
    missing = [file for file in files.values() if not Path(file).is_file()]
    size = (0, 0) if missing else numbered_files.size_of_file(next(iter(files.values())))
    if not all(size):
        raise Problem(f"{strip.name}: there is no picture in {missing[0] if missing else next(iter(files.values()))}")
    return StripFootage(
        label=strip.name,
        key=(strip.name, scene.name),
        numbers=list(files),
        size=size,
        is_data=strip.colorspace_settings.is_data,
        start=int(strip.frame_start),
        files=files,
        shown=shown,
        colorspace=strip.colorspace_settings.name,
        alpha_mode=strip.alpha_mode,
        is_linear=plain.is_linear(strip.colorspace_settings),
        is_movie=strip.type == "MOVIE",
    )


def _times(strip: versions.Strip) -> range:
    return range(int(strip.frame_final_start), int(strip.frame_final_end))


def _element_files(strip: versions.Strip) -> dict[int, str]:
    """The files of an image strip, by the numbers in their names where these go up by one; else counted from 1."""
    folder = Path(bpy.path.abspath(strip.directory))
    files = [str(folder / element.filename) for element in strip.elements]
    parts = [plain.numbered(Path(file).name) for file in files]
    numbers = [int(digits or 1) for _, digits, _ in parts]
    if len({(before, after) for before, _, after in parts}) > 1 or numbers != list(
        range(numbers[0], numbers[0] + len(numbers))
    ):
        numbers = list(range(1, len(files) + 1))
    return dict(zip(numbers, files, strict=True))


def _movie_frames(strip: versions.Strip) -> tuple[dict[int, str], dict[int, int]]:
    """The file of each picture, counted from 1, and the picture of each frame of the scene."""
    count, skipped = strip.frame_duration, int(strip.animation_offset_start)
    file = bpy.path.abspath(strip.filepath)
    length = numbered_files.length_of_movie(file)
    left = length - skipped - int(strip.animation_offset_end)
    # Counted in frames of the scene, which at another frame rate than the movie's are not its pictures.
    plays = strip.frame_final_duration + strip.frame_offset_start + strip.frame_offset_end
    if length and (count != left or plays != left or len(strip.retiming_keys)):
        raise Problem(
            f"{strip.name} plays at another speed than its file: reset its retiming, "
            "or set the scene's frame rate to the movie's"
        )
    shown = {}
    for time in _times(strip):
        index = min(max(time - int(strip.frame_start), 0), count - 1)
        index = count - 1 - index if strip.use_reverse_frames else index
        index -= index % max(int(strip.strobe), 1)
        shown[time] = 1 + skipped + index
    return dict.fromkeys(range(1 + skipped, 1 + skipped + count), file), shown
