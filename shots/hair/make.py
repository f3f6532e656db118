"""Render the sample shot of a matte without a screen: a woman's windblown hair before a busy garden, and the truth.

    .venv-bpy/bin/python -m shots.hair.make --assets DIR --frames 1001-1024

Needs bpy 5.0.1, OpenImageIO, opencv-python-headless and numpy. Cycles renders on the CPU, about a CPU-minute a frame.
Frames that exist are skipped: a broken run goes on where it stopped.

The plate is not rendered but composed of what is stored, then film grain is added (`film.FILM`, seed in the header):

    plate = alpha * foreground + (1 - alpha) * background + grain

and stored with a small loss. `truth/` holds `alpha`, `foreground` (straight, black where alpha is 0) and `background`
(the garden without her, as the moving camera sees it), all without grain.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from shots.hair.scene import FOCUS, FSTOP, LENS, Pass, build_shot, show
from shots.stage import film
from shots.stage.cycles import render_to
from shots.stage.film import FILM, Image
from shots.stage.frames import SIZE, attributes, command_line, passes_folder
from shots.stage.makehuman import ASSETS_HELP

SEED = 3001
SAMPLES: dict[Pass, int] = {"subject": 6, "alpha": 64, "background": 16}
"""All but alpha are denoised; alpha is adaptive, and this is its maximum."""
PLATE_COMPRESSION, BACKGROUND_COMPRESSION = "dwaa:110", "dwaa:140"
"""Leaves an error of a third of the grain in the plate, half in hair; it is composed with the background as stored."""
FOREGROUND_STEP = 3.0
"""The foreground is rounded to steps of at most this many deviations of the grain, as seen in the plate."""
SMOOTHING = 1.0
"""Deviation in pixels of the half-size background: a third of its least blur."""
THIN = 0.15
"""Coverage below which the foreground's rounding grows no further."""


def render(scene: Any, which: Pass, passes: Path) -> Image:
    """One pass of the current frame, (H, W, 4), in the size of the shot; rendered if its file is missing."""
    path = passes / f"{which}.{scene.frame_current:04d}.exr"
    if not path.exists():
        show(scene, which, SAMPLES[which])
        render_to(scene, path)
    return film.read(path)


def enlarged(image: Image) -> Image:
    """A picture out of focus, rendered at half size, in the size of the shot; rid of what noise the denoiser left."""
    smooth = cv2.GaussianBlur(np.maximum(image, 0), (0, 0), SMOOTHING)
    return np.asarray(np.maximum(cv2.resize(smooth, SIZE, interpolation=cv2.INTER_CUBIC), 0))


def make_frame(scene: Any, folder: Path, frame: int, passes: Path) -> None:
    """Render, compose and publish one frame; the plate comes last, so that a frame with a plate is complete."""
    scene.frame_set(frame)
    seed = scene.cycles.seed = SEED + frame
    alpha = film.coverage(render(scene, "alpha", passes)[..., 3:])
    foreground = film.straight(render(scene, "subject", passes)[..., :3], alpha)
    visible = film.noise_deviation(foreground, FILM) / np.maximum(alpha, THIN)
    foreground = film.rounded(foreground, FOREGROUND_STEP * visible)
    background = enlarged(render(scene, "background", passes)[..., :3])
    plate = alpha * foreground + (1 - alpha) * film.coded(background, "RGB", BACKGROUND_COMPRESSION)
    header = attributes(frame, LENS, FSTOP, FOCUS) | {film.GRAIN_SEED: seed}

    def publish(name: str, image: Image, channels: str, compression: str) -> None:
        film.write(folder / f"{name}.{frame:04d}.exr", image, channels, compression, header)

    publish("truth/alpha", alpha, "A", "zip")
    publish("truth/foreground", foreground, "RGB", "zip")
    publish("truth/background", background, "RGB", BACKGROUND_COMPRESSION)
    publish("plate/hair", plate + film.noise(plate, seed, FILM), "RGB", PLATE_COMPRESSION)


def main() -> None:
    parser = command_line(__doc__, Path(__file__).parent)
    parser.add_argument("--assets", type=Path, required=True, help=ASSETS_HELP)
    options = parser.parse_args()
    scene = build_shot(options.assets, SIZE, options.threads, SEED)
    with passes_folder(options.passes) as passes:
        for frame in options.frames:
            if not (options.out / f"plate/hair.{frame:04d}.exr").exists():
                make_frame(scene, options.out, frame, passes)


if __name__ == "__main__":
    main()
