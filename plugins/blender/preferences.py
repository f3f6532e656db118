"""The extension's preferences: where vfxgen is, on what it computes, where exports go, what frames are for."""

import os
from pathlib import Path
from typing import Any

import bpy

ENVIRONMENT = "VFXGEN_ENVIRONMENT"
"""Environment variable with the path of vfxgen's virtual environment: for farms, where nobody sets preferences."""


class VFXGEN_preferences(bpy.types.AddonPreferences):
    """What is the machine's or the studio's rather than a node's."""

    bl_idname = __package__

    environment: bpy.props.StringProperty(name="vfxgen", subtype="DIR_PATH")
    device: bpy.props.StringProperty(name="Device", default="auto")
    precision: bpy.props.EnumProperty(
        name="Precision", items=[(name, name, "") for name in ("auto", "fp32", "fp16", "bf16")]
    )
    use: bpy.props.EnumProperty(name="Use", items=[(name, name, "") for name in ("commercial", "research")])
    cache: bpy.props.StringProperty(name="Cache", subtype="DIR_PATH")
    doctor: bpy.props.StringProperty(options={"SKIP_SAVE"})

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        row = layout.row()
        row.prop(self, "environment")
        row.operator("vfxgen.test")
        for line in self.doctor.splitlines():
            layout.label(text=line)
        for name in ("device", "precision", "use"):
            layout.prop(self, name)
        row = layout.row()
        row.prop(self, "cache", placeholder=str(_default_cache()))
        row.operator("vfxgen.clean_cache")


def current() -> VFXGEN_preferences:
    """The preferences."""
    return bpy.context.preferences.addons[__package__].preferences


def environment() -> str:
    """Where vfxgen is: the preferences, else the environment variable; empty when neither says."""
    return bpy.path.abspath(current().environment) or os.environ.get(ENVIRONMENT, "")


def cache() -> Path:
    """The folder for exports."""
    return Path(bpy.path.abspath(current().cache) or _default_cache())


def machine_parameters(declared: dict[str, Any]) -> dict[str, str]:
    """Those parameters of an operator that the preferences decide."""
    has = {parameter["name"] for parameter in declared["parameters"]}
    return {name: getattr(current(), name) for name in ("device", "precision", "use") if name in has}


def _default_cache() -> Path:
    return Path(bpy.utils.extension_path_user(__package__)) / "exports"


def register() -> None:
    """Called when the extension is turned on."""
    bpy.utils.register_class(VFXGEN_preferences)


def unregister() -> None:
    """Called when it is turned off."""
    bpy.utils.unregister_class(VFXGEN_preferences)
