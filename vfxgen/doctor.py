"""What works here and what does not: versions, processor, GPU, colour configuration, formats."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
from typing import Any

import OpenImageIO as oiio

from vfxgen import color
from vfxgen.errors import ColorError
from vfxgen.media import image, movie
from vfxgen.version import __version__

_PACKAGES = (
    ("numpy", "arrays"),
    ("torch", "operators that filter, and nets"),
    ("kornia", "filters and warps"),
    ("opencv-python-headless", "resampling, flow"),
    ("OpenImageIO", "image files"),
    ("OpenEXR", "luminance-chroma EXR"),
    ("opencolorio", "colour"),
    ("av", "movies"),
    ("fileseq", "frame patterns"),
    ("pydantic", "declarations and documents"),
    ("typer", "the command line"),
    ("rich", "progress"),
    ("jinja2", "the review page"),
    ("tomli-w", "documents"),
    ("safetensors", "nets"),
)


def examine() -> dict[str, Any]:
    """Everything `vfxgen doctor` says, as plain data."""
    return {
        "vfxgen": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": {name: _version(name) for name, _ in _PACKAGES},
        "cpu": {"cores": os.cpu_count(), "oiio_simd": oiio.get_string_attribute("hw:simd")},
        "gpu": _gpu(),
        "nets": _nets(),
        "color": _color(),
        "images_read": str(oiio.get_string_attribute("input_format_list")).split(","),
        "movies_read": list(movie.EXTENSIONS),
        "images_written": list(image.WRITABLE),
        "movies": _movies(),
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _movies() -> dict[str, bool]:
    import av

    from vfxgen.media.movie_writer import CODECS, encoder_of

    able: dict[str, bool] = {}
    for container, codecs in CODECS.items():
        able |= {f"write {codec} in .{container}": encoder_of(codec) in av.codecs_available for codec in codecs}
    return able


def _gpu() -> dict[str, Any]:
    import torch

    if not torch.cuda.is_available():
        why = "this torch is built without CUDA" if torch.version.cuda is None else "no usable CUDA device"
        return {"available": False, "why": why, "cpu_capability": torch.backends.cpu.get_cpu_capability()}
    devices = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    return {
        "available": True,
        "cuda": torch.version.cuda,
        "devices": [f"{d.name}, {d.total_memory / 2**30:.0f} GiB" for d in devices],
    }


_EXTRAS = (
    ("onnxruntime", "ONNX nets", "pip install 'vfxgen[onnx]'"),
    ("onnxscript", "export to ONNX", "pip install 'vfxgen[onnx]'"),
    ("spandrel", "foreign nets", "pip install 'vfxgen[nets]'"),
)


def _nets() -> dict[str, Any]:
    import torch

    from vfxgen.backends.memory import keep_freed
    from vfxgen.backends.torch_net import compiler_missing

    missing = {device: compiler_missing(device) for device in ("cpu", *["cuda"] * torch.cuda.is_available())}
    there = {name: importlib.util.find_spec(name) is not None for name, _, _ in _EXTRAS}
    providers: list[str] = []
    if there["onnxruntime"]:
        providers = importlib.import_module("onnxruntime").get_available_providers()
    return {
        "extras": there,
        "onnx_providers": providers,
        "compiler_missing": missing,
        "freed_memory_kept": keep_freed(),
    }


def _color() -> dict[str, Any]:
    source = os.environ.get("OCIO") or f"built in ({color.BUILTIN_CONFIG})"
    try:
        config = color.config()
        return {
            "config": source,
            "working_space": color.working_space(),
            "colorspaces": [str(name) for name in config.getColorSpaceNames()],
            "display": str(config.getDefaultDisplay()),
            "views": [str(view) for view in config.getViews(config.getDefaultDisplay())],
        }
    except ColorError as error:
        return {"config": source, "error": str(error)}


def text(found: dict[str, Any]) -> str:
    """`examine`, for a person: what works, and what to do about what does not."""
    lines = [f"vfxgen {found['vfxgen']}, Python {found['python']}, {found['platform']}", ""]
    for name, purpose in _PACKAGES:
        version = found["packages"][name]
        state = f"ok       {name} {version}" if version else f"missing  {name}: pip install {name}"
        lines.append(f"  {state:48} {purpose}")
    gpu = found["gpu"]
    lines += ["", f"  processor  {found['cpu']['cores']} cores, {found['cpu']['oiio_simd']}"]
    lines.append(
        f"  gpu        {', '.join(gpu['devices'])}" if gpu["available"] else f"  gpu        none: {gpu['why']}"
    )
    lines += _nets_text(found["nets"])
    colour = found["color"]
    lines.append(f"  colour     {colour['config']}")
    if "error" in colour:
        lines.append(f"             {colour['error']}")
    else:
        lines.append(
            f"             working space {colour['working_space']}, {colour['display']}: {', '.join(colour['views'])}"
        )
        lines.append(f"             spaces: {', '.join(colour['colorspaces'])}")
    lines.append(f"  images     read {' '.join(found['images_read'])}; write {' '.join(found['images_written'])}")
    lines += [f"  movies     {name}: {'yes' if able else 'no'}" for name, able in found["movies"].items()]
    return "\n".join(lines)


def _nets_text(nets: dict[str, Any]) -> list[str]:
    lines = [
        f"  nets       {purpose}: {'yes' if nets['extras'][name] else f'no: {remedy}'}"
        for name, purpose, remedy in _EXTRAS
    ]
    if nets["onnx_providers"]:
        lines.append(f"  nets       ONNX on {', '.join(nets['onnx_providers'])}")
    lines += [
        f"  nets       --backend torch-compiled on {device}: {f'no: {missing}' if missing else 'yes'}"
        for device, missing in nets["compiler_missing"].items()
    ]
    if not nets["freed_memory_kept"]:
        lines.append(
            "  nets       a third slower on the processor: freed memory goes back to the system after every layer. "
            "That wants glibc, and MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ unset"
        )
    return lines
