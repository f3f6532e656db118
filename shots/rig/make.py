"""Render the sample shot of a rig removal: a lane with wires, a lamp stand and a crew member, and what is behind them.

    .venv-bpy/bin/python -m shots.rig.make --frames 1001-1024

Needs bpy 5.0.1, OpenImageIO, opencv-python-headless and numpy; all geometry is made here. Cycles renders on the CPU,
half a CPU-minute a frame. Frames that exist are skipped: a broken run goes on where it stopped.

The plate is not rendered but composed, then film grain (`film.FILM`, its seed in the header) is added:

    plate = rig, premultiplied + (1 - mask) * scenery + grain

The scenery keeps the shadows of the rig. Grain depends on a pixel's light alone, so plate and clean plate carry
the same, and plates are stored with a small loss. `truth/` holds what the plate does not show:

    mask        coverage of the rig, antialiased and motion-blurred
    clean       a patch, A = 1 where the mask is above 0, else empty: the scenery with its grain, as it would have been
                stored. The patch over the plate is the clean plate, the plate's own bits wherever the mask is 0.
    grainless   the same patch without grain or loss
    flow        of every second pixel of every second line: where its point of the scenery is seen in the middle of the
                next exposure (forward.u, forward.v) and of the previous one (backward.u, backward.v), relative, in
                pixels of the plate, x to the right and y down
"""

from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from shots.rig.scene import FOCUS, FSTOP, LENS, Pass, build_shot, show
from shots.stage import film
from shots.stage.cycles import render_to
from shots.stage.film import FILM, Image
from shots.stage.frames import SIZE, attributes, command_line, passes_folder

SEED = 2001
SAMPLES: dict[Pass, int] = {"clean": 5, "rig": 20, "flow": 1}
"""Clean is denoised."""
PLATE_COMPRESSION = "dwaa:200"
"""Leaves an error of 0.6 of the grain."""
CLEAN_STEP, GRAINLESS_STEP = 1.0, 1.5
"""Patches are rounded to steps of at most this many deviations of the grain."""
FLOW_STEP = 1 / 8
"""Flow is rounded to this step, in pixels."""


def render(scene: Any, which: Pass, passes: Path) -> Path:
    """One pass of the current frame, rendered if its file is missing."""
    path = passes / f"{which}.{scene.frame_current:04d}.exr"
    if not path.exists():
        show(scene, which, SAMPLES[which])
        render_to(scene, path)
    return path


def read_flow(path: Path) -> Image:
    """Forward u, v and backward u, v of Cycles' vector pass, (H, W, 4), in pixels, y down."""
    parts = 0
    while True:
        part = oiio.ImageBuf(str(path), parts, 0)
        if part.has_error or not part.initialized:
            raise OSError(f"{path}: no vector pass")
        names = [name.split(".")[-2:] for name in part.spec().channelnames]
        if ["Vector", "X"] in names:
            pixels = part.get_pixels(oiio.FLOAT)
            x, y, z, w = (pixels[..., names.index(["Vector", axis])] for axis in "XYZW")
            return np.round(np.stack([-z, w, x, -y], axis=-1) / FLOW_STEP) * FLOW_STEP
        parts += 1


def make_frame(scene: Any, folder: Path, frame: int, passes: Path) -> None:
    """Render, compose and publish one frame; the plate comes last, so that a frame with a plate is complete."""
    scene.frame_set(frame)
    scene.cycles.seed = SEED + frame
    rig = film.read(render(scene, "rig", passes))
    mask = film.coverage(rig[..., 3:])
    premultiplied = np.where(mask > 0, np.maximum(rig[..., :3], 0), 0)
    scenery = np.maximum(film.read(render(scene, "clean", passes))[..., :3], 0)
    plate = premultiplied + (1 - mask) * scenery
    seed = SEED + frame
    header = attributes(frame, LENS, FSTOP, FOCUS) | {film.GRAIN_SEED: seed}

    def grainy(light: Image) -> Image:
        return light + film.noise(light, seed, FILM)

    def publish(name: str, image: Image, channels: list[str], compression: str = "zip") -> None:
        film.write(folder / f"{name}.{frame:04d}.exr", image, channels, compression, header)

    def publish_patch(name: str, image: Image, step: float) -> None:
        image = film.rounded(image, step * film.noise_deviation(scenery, FILM))
        covered = (mask > 0).astype(np.float32)
        publish(name, np.concatenate([image, np.ones_like(mask)], axis=-1) * covered, [*"RGBA"])

    publish("truth/mask", mask, ["A"])
    publish_patch("truth/clean", film.coded(grainy(scenery), "RGB", PLATE_COMPRESSION), CLEAN_STEP)
    publish_patch("truth/grainless", scenery, GRAINLESS_STEP)
    flow = read_flow(render(scene, "flow", passes))[::2, ::2]
    publish("truth/flow", flow, ["forward.u", "forward.v", "backward.u", "backward.v"])
    publish("plate/rig", grainy(plate), [*"RGB"], PLATE_COMPRESSION)


def main() -> None:
    parser = command_line(__doc__, Path(__file__).parent)
    options = parser.parse_args()
    scene = build_shot(SIZE, options.threads, SEED)
    with passes_folder(options.passes) as passes:
        for frame in options.frames:
            if not (options.out / f"plate/rig.{frame:04d}.exr").exists():
                make_frame(scene, options.out, frame, passes)


if __name__ == "__main__":
    main()
