"""What an operator takes beside its plate in the editors: a mask of Blender's, or an image."""

from typing import Any

import bpy

from ..problem import Problem
from . import footage
from .footage import Footage


def property_group(declared: dict[str, Any]) -> type[bpy.types.PropertyGroup]:
    """A class with an image for each input after the first, and a mask for those that are mattes."""
    annotations: dict[str, Any] = {}
    for source in declared["inputs"][1:]:
        said = {"description": source["help"].rstrip(".")}
        if source["kind"] == "matte":
            annotations[_mask(source)] = bpy.props.PointerProperty(name=source["label"], type=bpy.types.Mask, **said)
        annotations[source["name"]] = bpy.props.PointerProperty(name=source["label"], type=bpy.types.Image, **said)
    annotations["use_motion_blur"] = bpy.props.BoolProperty(
        name="Motion blur", description="Blur masks that move, with the shutter of the scene's render"
    )
    name = f"VFXGEN_PG_{declared['name']}_inputs"
    return type(name, (bpy.types.PropertyGroup,), {"__annotations__": annotations})


def draw(layout: bpy.types.UILayout, declared: dict[str, Any], group: bpy.types.PropertyGroup) -> None:
    """A chooser for each; motion blur where a mask is chosen."""
    mattes = [source for source in declared["inputs"][1:] if source["kind"] == "matte"]
    for source in declared["inputs"][1:]:
        if source in mattes:
            layout.prop(group, _mask(source))
        layout.prop(group, source["name"], text="or its image" if source in mattes else None)
    if any(getattr(group, _mask(source)) for source in mattes):
        layout.prop(group, "use_motion_blur")


def suggest(declared: dict[str, Any], group: bpy.types.PropertyGroup, mask: bpy.types.Mask | None) -> None:
    """Choose the mask that an editor shows, where an operator needs one and none is chosen."""
    for source in declared["inputs"][1:]:
        needs = source["kind"] == "matte" and not source["optional"]
        if needs and mask and not (getattr(group, _mask(source)) or getattr(group, source["name"])):
            setattr(group, _mask(source), mask)


def sources(
    declared: dict[str, Any], group: bpy.types.PropertyGroup, plate: Footage, scene: bpy.types.Scene
) -> dict[str, Footage]:
    """Input -> what is given to it, the plate first.

    Raises
    ------
    Problem
        One that the operator needs has nothing, two have been chosen, or pictures are missing.
    """
    first, *others = declared["inputs"]
    found = {first["name"]: plate}
    for source in others:
        given = _given(source, group, plate, scene)
        if given is None and not source["optional"]:
            raise Problem(f"{declared['label']} needs a {source['label'].lower()}: choose a mask or an image")
        if given is not None:
            found[source["name"]] = given
    for source in declared["inputs"]:
        if source["name"] in found and not source.get("sparse"):
            _covers(found[source["name"]], plate)
    return found


def _given(
    source: dict[str, Any], group: bpy.types.PropertyGroup, plate: Footage, scene: bpy.types.Scene
) -> Footage | None:
    mask, image = getattr(group, _mask(source), None), getattr(group, source["name"])
    if mask and image:
        raise Problem(f"{source['label']}: choose the mask {mask.name} or the image {image.name}, not both")
    if mask:
        return footage.of_mask(mask, plate, scene.render.motion_blur_shutter if group.use_motion_blur else 0.0)
    return footage.of_image(image, None, plate.start) if image else None


def _covers(given: Footage, plate: Footage) -> None:
    """Whether there is a picture for each of the plate's: the one of the same number, as on the command line."""
    if given.is_still:
        return
    footage.without_gaps(given)
    has, wanted = given.numbers, plate.numbers
    if has[0] > wanted[0] or has[-1] < wanted[-1]:
        raise Problem(
            f"{given.label} has frames {has[0]}-{has[-1]}, {plate.label} {wanted[0]}-{wanted[-1]}: "
            "number its files like the plate's"
        )


def _mask(source: dict[str, Any]) -> str:
    return f"{source['name']}_mask"
