"""Image and clip editors go on showing the frame they show: Blender moves them to that of any scene it renders."""

from collections.abc import Iterator
from contextlib import contextmanager

import bpy


@contextmanager
def kept() -> Iterator[None]:
    """Set the editors back afterwards."""
    before = [(user, user.frame_current) for user in _users()]
    try:
        yield
    finally:
        for user, frame in before:
            user.frame_current = frame


def _users() -> Iterator[bpy.types.ImageUser | bpy.types.MovieClipUser]:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            space = area.spaces.active
            if space.type == "IMAGE_EDITOR":
                yield space.image_user
            elif space.type == "CLIP_EDITOR":
                yield space.clip_user
