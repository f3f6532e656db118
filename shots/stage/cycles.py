"""An empty scene for Cycles, the same for every shot."""

import time
from pathlib import Path
from typing import Any

import bpy

from shots.stage.frames import RATE, SHUTTER


def new_scene(size: tuple[int, int], threads: int) -> Any:
    """An empty scene with deterministic Cycles settings, linear in and out."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.threads_mode, render.threads = "FIXED", threads
    render.resolution_x, render.resolution_y = size
    render.resolution_percentage = 100
    render.fps = RATE
    render.motion_blur_shutter = SHUTTER
    render.use_compositing = False
    cycles.device = "CPU"
    cycles.use_adaptive_sampling = False
    cycles.denoiser, cycles.denoising_prefilter = "OPENIMAGEDENOISE", "FAST"
    cycles.diffuse_bounces, cycles.glossy_bounces, cycles.transmission_bounces = 3, 3, 6
    cycles.transparent_max_bounces = 24
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_direct, cycles.sample_clamp_indirect = 0.0, 6.0
    scene.view_settings.view_transform = "Raw"
    settings = render.image_settings
    settings.media_type = "IMAGE"
    settings.file_format, settings.color_mode, settings.color_depth = "OPEN_EXR", "RGBA", "32"
    render.use_persistent_data = True
    scene.world = bpy.data.worlds.new("world")
    return scene


def set_sampling(scene: Any, which: str, samples: int, bounces: int, least: int, threshold: float) -> None:
    """Set up how a pass is sampled: ``alpha`` adaptively, without bounces, undenoised; the others in full, denoised.

    `samples` are the most, `least` and `threshold` say when a pixel of ``alpha`` has enough.
    """
    is_alpha, cycles = which == "alpha", scene.cycles
    cycles.samples = samples
    cycles.use_denoising = not is_alpha
    cycles.use_adaptive_sampling = is_alpha
    cycles.adaptive_min_samples, cycles.adaptive_threshold = least, threshold
    cycles.max_bounces = 0 if is_alpha else bounces


def render_to(scene: Any, path: Path) -> None:
    """Render the current frame; the file appears under its name only when it is complete."""
    part = path.with_suffix(".part.exr")
    scene.render.filepath = str(part)
    wall, cpu = time.perf_counter(), time.process_time()
    bpy.ops.render.render(write_still=True)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    part.rename(path)
    print(f"{path.name}: {wall:.1f} s, {cpu:.1f} CPU s", flush=True)
