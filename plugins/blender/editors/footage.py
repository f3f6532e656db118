"""What an image or a clip editor shows, numbered as its files: what an operator can take in."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .. import frames, plain, versions
from ..problem import Problem
from . import numbered_files

Key = tuple[str, str | None]
"""A datablock by name and library, which outlive an undo."""


@dataclass(frozen=True)
class Footage:
    """Pictures by number. `start` is the frame of the scene that shows the first one."""

    label: str
    key: Key
    numbers: list[int]
    size: tuple[int, int]
    is_data: bool
    start: int

    @property
    def is_still(self) -> bool:
        """Whether it is one picture for every frame."""
        return False

    def time(self, number: int) -> int:
        """The frame of the scene that shows a picture."""
        return self.start + number - self.numbers[0]

    def add(self, tree: bpy.types.NodeTree, number: int, time: int) -> bpy.types.NodeSocket:
        """A socket that gives one of the pictures when the scene's frame is `time`."""
        raise NotImplementedError

    def file(self, number: int) -> Path | None:
        """The file that holds just what the socket gives; None where there is none."""
        return None


@dataclass(frozen=True)
class ImageFootage(Footage):
    """An image: a still, a sequence or a movie.

    `content` tells one from another of the same name: its file, and its pixels where they are in no file.
    """

    source: str
    content: str

    @property
    def is_still(self) -> bool:
        return self.source not in ("SEQUENCE", "MOVIE")

    def add(self, tree: bpy.types.NodeTree, number: int, time: int) -> bpy.types.NodeSocket:
        node = tree.nodes.new("CompositorNodeImage")
        node.image = found(bpy.data.images, self.key)
        if not self.is_still:
            node.frame_start, node.frame_duration, node.frame_offset = time, 1, number - 1
        return node.outputs[0]

    def file(self, number: int) -> Path | None:
        image = found(bpy.data.images, self.key)
        if not plain.is_as_in_the_file(image):
            return None
        path = bpy.path.abspath(image.filepath, library=image.library)
        return Path(path) if self.is_still else numbered_files.of_number(path, number)


@dataclass(frozen=True)
class ClipFootage(Footage):
    """A movie clip; `content` is its file."""

    content: str

    def add(self, tree: bpy.types.NodeTree, number: int, time: int) -> bpy.types.NodeSocket:
        node = tree.nodes.new("CompositorNodeMovieClip")
        node.clip = found(bpy.data.movieclips, self.key)
        return node.outputs[0]

    def file(self, number: int) -> Path | None:
        clip = found(bpy.data.movieclips, self.key)
        is_as_in_the_file = clip.source == "SEQUENCE" and plain.is_linear(clip.colorspace_settings)
        path = bpy.path.abspath(clip.filepath, library=clip.library)
        return numbered_files.of_number(path, number) if is_as_in_the_file else None


@dataclass(frozen=True)
class MaskFootage(Footage):
    """A mask, as large as a plate and for each of its pictures; `shutter`: motion blur in frames, 0: none."""

    shutter: float

    def add(self, tree: bpy.types.NodeTree, number: int, time: int) -> bpy.types.NodeSocket:
        node = tree.nodes.new("CompositorNodeMask")
        node.mask = found(bpy.data.masks, self.key)
        if self.shutter:
            versions.blur_mask(node, self.shutter)
        return node.outputs[0]


def of_image(image: bpy.types.Image, user: bpy.types.ImageUser | None, frame: int) -> ImageFootage:
    """An image as footage.

    Parameters
    ----------
    image
        A still, a sequence or a movie.
    user
        When the scene shows which of its pictures; none: its first in frame 1.
    frame
        The frame of the scene in which a still is seen.

    Raises
    ------
    Problem
        There is nothing in it that a compositor shows.
    """
    for is_so, why in (
        (image.source == "VIEWER", "is what Blender rendered: save it as a file and open that, or add a node"),
        (image.source == "TILED", "has tiles (UDIM), which vfxgen does not read"),
        (image.type == "MULTILAYER", "has layers: open it in the compositor, where each has a socket"),
    ):
        if is_so:
            raise Problem(f"{image.name} {why}")
    path, numbers, start = bpy.path.abspath(image.filepath, library=image.library), [1], frame
    if image.source == "SEQUENCE":
        numbers = numbered_files.on_disk(path)
    elif image.source == "MOVIE":
        numbers = list(range(1, image.frame_duration + 1))
    if image.source in ("SEQUENCE", "MOVIE"):
        # At frame f it shows the picture f - frame_start + 1 + frame_offset.
        start = numbers[0] + user.frame_start - 1 - user.frame_offset if user else 1
        size = numbered_files.size_of_file(path)
    else:
        size = tuple(image.size)
    if not all(size):
        raise Problem(f"{image.name}: there is no picture in {path or 'it'}")
    return ImageFootage(
        label=image.name,
        key=key_of(image),
        numbers=numbers,
        size=size,
        is_data=image.colorspace_settings.is_data,
        start=start,
        source=image.source,
        content=image.filepath if not _is_in_no_file(image) else f"{image.filepath} {_pixels(image)}",
    )


def _is_in_no_file(image: bpy.types.Image) -> bool:
    """Whether its pixels are Blender's alone: generated, painted or packed."""
    return image.source == "GENERATED" or image.is_dirty or image.packed_file is not None


def _pixels(image: bpy.types.Image) -> str:
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return hashlib.sha256(pixels).hexdigest()


def of_clip(clip: bpy.types.MovieClip) -> ClipFootage:
    """A movie clip as footage.

    Raises
    ------
    Problem
        Its files are not there.
    """
    path = bpy.path.abspath(clip.filepath, library=clip.library)
    if not all(clip.size):
        raise Problem(f"{clip.name}: there is no picture in {path}")
    if clip.source == "MOVIE":
        numbers = list(range(1 + clip.frame_offset, clip.frame_duration + 1))
    else:
        first = numbered_files.number_of(path) + clip.frame_offset
        numbers = [number for number in numbered_files.on_disk(path) if number >= first]
        if first not in numbers:
            raise Problem(f"{clip.name}: there is no frame {first}, at which it begins")
    return ClipFootage(
        label=clip.name,
        key=key_of(clip),
        numbers=numbers,
        size=tuple(clip.size),
        is_data=clip.colorspace_settings.is_data,
        start=clip.frame_start,
        content=clip.filepath,
    )


def of_mask(mask: bpy.types.Mask, plate: Footage, shutter: float) -> MaskFootage:
    """A mask as footage, for a plate."""
    return MaskFootage(mask.name, key_of(mask), plate.numbers, plate.size, True, plate.start, shutter)


def without_gaps(footage: Footage) -> None:
    """Make sure that no picture is missing, where Blender would show black.

    Raises
    ------
    Problem
        Some are.
    """
    missing = set(range(footage.numbers[0], footage.numbers[-1] + 1)) - set(footage.numbers)
    if missing:
        raise Problem(f"{footage.label}: there are no files of frames {frames.text(missing)}")


def key_of(block: bpy.types.ID) -> Key:
    """How to find a datablock again."""
    return block.name, block.library.filepath if block.library else None


def found(blocks: Any, key: Key) -> Any:
    """A datablock by its key.

    Raises
    ------
    Problem
        It was deleted or renamed.
    """
    block = blocks.get(key)
    if block is None:
        raise Problem(f"{key[0]} is not there any more")
    return block
