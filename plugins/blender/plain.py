"""Inputs that are files as they stand: vfxgen reads the same pixels there that Blender would export."""

from pathlib import Path
from typing import Any

import bpy

from . import exr_header, versions
from . import node as nodes
from .places import Place, links_to

_CHANNELS = ({"R", "G", "B"}, {"R", "G", "B", "A"})


def files(place: Place, source: dict[str, Any], numbers: list[int]) -> dict[int, Path]:
    """Frame -> the file that holds what is linked to an input of a node; empty where Blender has to render it.

    Only what is bit for bit the same: an image or an image sequence of plain EXR, in the compositor's own colour
    space, straight from its Image node; or the frames of another vfxgen node.
    """
    tree = place.trees()[-1]
    link = next(link for link in links_to(place.node()) if link.to_socket.name == source["label"])
    if source["kind"] != "image" or tree.animation_data is not None:
        return {}
    shown = _image_node(link)
    if shown is None or not is_as_in_the_file(shown.image):
        return {}
    found = {number: _file(shown, number) for number in numbers}
    return {number: file for number, file in found.items() if file} if are_plain(list(found.values())) else {}


def _image_node(link: bpy.types.NodeLink) -> bpy.types.Node | None:
    """The Image node that a link comes from, by reroutes and out of a vfxgen node; its image is one picture a frame."""
    node, socket = link.from_node, link.from_socket
    while node.bl_idname == "NodeReroute":
        before = list(links_to(node))
        if not before:
            return None
        node, socket = before[0].from_node, before[0].from_socket
    if nodes.is_ours(node) and not node.mute and socket.name == "Image":
        node = node.node_tree.nodes.get(nodes.RESULT)
        socket = node.outputs[0] if node is not None else None
    is_picture = node is not None and node.bl_idname == "CompositorNodeImage" and node.image is not None
    return node if is_picture and not node.mute and socket == node.outputs[0] else None


def is_as_in_the_file(image: bpy.types.Image) -> bool:
    """Whether an image shows the pixels of its files as they are."""
    return (
        image.source in ("FILE", "SEQUENCE")
        and image.type == "IMAGE"
        and image.alpha_mode == "PREMUL"
        and is_linear(image.colorspace_settings)
        and not (image.is_dirty or image.packed_file)
    )


def is_linear(space: bpy.types.ColorManagedInputColorspaceSettings) -> bool:
    """Whether pixels of a colour space are taken as they are."""
    return space.is_data or space.name in versions.scene_linear_names()


def _file(node: bpy.types.Node, number: int) -> Path | None:
    """The file that an Image node shows at a frame; None outside its range."""
    path = Path(bpy.path.abspath(node.image.filepath, library=node.image.library))
    if node.image.source == "FILE":
        return path
    at = number - node.frame_start
    if node.use_cyclic or not 0 <= at < node.frame_duration:
        return None
    before, digits, after = numbered(path.name)
    shown = at + 1 + node.frame_offset
    return path.with_name(f"{before}{shown:0{len(digits)}d}{after}") if digits and shown >= 0 else None


def numbered(name: str) -> tuple[str, str, str]:
    """A file's name around its frame number: the last digits before the extension."""
    stem, dot, extension = name.rpartition(".")
    end = len(stem)
    while end and not stem[end - 1].isdigit():
        end -= 1
    start = end
    while start and stem[start - 1].isdigit():
        start -= 1
    return stem[:start], stem[start:end], stem[end:] + dot + extension


def are_plain(found: list[Path | None]) -> bool:
    """Whether files are EXR with the channels of a picture alone, and alike."""
    headers = [exr_header.read(file) if file is not None else None for file in found]
    first = headers[0]
    return (
        first is not None
        and all(header == first for header in headers)
        and set(first.channels) in _CHANNELS
        and first.window == first.display
        and first.display[:2] == (0, 0)
    )
