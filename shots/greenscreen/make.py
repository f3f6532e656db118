"""Render the sample green-screen shot: a woman who turns, and the exact truth about her.

    .venv-bpy/bin/python -m shots.greenscreen.make --assets DIR --frames 1001-1024
    .venv-bpy/bin/python -m shots.greenscreen.make --assets DIR --stills

Needs bpy 5.0.1, OpenImageIO, opencv-python-headless and numpy. Cycles renders on the CPU, 1.5 CPU-minutes a
frame. Frames that exist are skipped: a broken run goes on where it stopped.

The plate is not rendered but composed of what is stored, then sensor noise is added:

    plate = alpha * foreground under the green bounce + (1 - alpha) * screen with her shadow + noise

`truth/foreground` is the same foreground under a grey screen of equal luminance: what a despill should find.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from shots.greenscreen.background import render_background
from shots.greenscreen.scene import FOCUS, FSTOP, LENS, Pass, build_studio, show
from shots.stage import film
from shots.stage.cycles import render_to
from shots.stage.film import Image
from shots.stage.frames import FIRST, SIZE, attributes, command_line, passes_folder
from shots.stage.makehuman import ASSETS_HELP

SEED = 1001
SAMPLES: dict[Pass, int] = {"green": 6, "grey": 6, "alpha": 64, "shadow": 6, "clean": 128}
"""All but alpha are denoised; alpha is adaptive, and this is its maximum."""
BACKGROUND_SAMPLES = 12
PLATE_COMPRESSION, BACKGROUND_COMPRESSION = "dwaa:90", "dwaa:40"
"""90 leaves an error of 0.4 of the sensor noise in even areas."""
FOREGROUND_STEP, SCREEN_STEP = 2.0, 1.0
"""Truth is rounded to steps of at most this many deviations of the sensor noise, as seen in the plate."""
THIN = 0.15
"""Coverage below which the foreground's rounding grows no further."""


@dataclass(frozen=True)
class Names:
    """Where the files of one frame go."""

    folder: Path
    frame: int

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.{self.frame:04d}.exr"

    @property
    def alpha(self) -> Path:
        return self.path("truth/alpha")

    @property
    def foreground(self) -> Path:
        return self.path("truth/foreground")

    @property
    def screen(self) -> Path:
        return self.path("truth/screen")

    @property
    def plate(self) -> Path:
        """Written last: where it exists, the frame is complete."""
        return self.path("plate/greenscreen")


def render(scene: Any, which: Pass, passes: Path) -> Image:
    """One pass of the current frame, (H, W, 4), in the size of the shot; rendered if its file is missing."""
    path = passes / f"{which}.{scene.frame_current:04d}.exr"
    if not path.exists():
        show(scene, which, SAMPLES[which])
        render_to(scene, path)
    image = film.read(path)
    if image.shape[1::-1] != SIZE:
        image = cv2.resize(film.without_fringe(image), SIZE, interpolation=cv2.INTER_CUBIC)
    return image


def empty_screen(scene: Any, passes: Path) -> Image:
    """The screen without her, (H, W, 3), the same for all frames."""
    scene.frame_set(FIRST)
    scene.cycles.seed = SEED
    return render(scene, "clean", passes)[..., :3]


def make_frame(scene: Any, names: Names, passes: Path) -> None:
    """Render, compose and publish one frame."""
    empty = empty_screen(scene, passes)
    scene.frame_set(names.frame)
    scene.cycles.seed = SEED + names.frame
    alpha = film.coverage(render(scene, "alpha", passes)[..., 3:])
    under_green = film.straight(render(scene, "green", passes)[..., :3], alpha)
    under_grey = film.straight(render(scene, "grey", passes)[..., :3], alpha)
    foreground_step = FOREGROUND_STEP * film.noise_deviation(under_grey) / np.maximum(alpha, THIN)
    shaded = film.shaded(empty, render(scene, "shadow", passes)[..., :3])
    screen = film.rounded(shaded, SCREEN_STEP * film.noise_deviation(shaded))
    plate = alpha * under_green + (1 - alpha) * screen
    noise = film.noise(plate, SEED + names.frame)
    header = attributes(names.frame, LENS, FSTOP, FOCUS)
    film.write(names.alpha, alpha, "A", "zip", header)
    film.write(names.foreground, film.rounded(under_grey, foreground_step), "RGB", "zip", header)
    film.write(names.screen, screen, "RGB", "zip", header)
    film.write(names.plate, plate + noise, "RGB", PLATE_COMPRESSION, header)


def make_stills(folder: Path, scene: Any, passes: Path, threads: int) -> None:
    """The clean plate of the empty screen, then the background plate."""
    header = attributes(FIRST, LENS, FSTOP, FOCUS)
    screen = empty_screen(scene, passes)
    noisy = screen + film.noise(screen, SEED)
    film.write(folder / "clean/screen.exr", noisy, "RGB", PLATE_COMPRESSION, header)
    street = render_background(passes, threads, BACKGROUND_SAMPLES, SEED)
    film.write(folder / "background/background.exr", street, "RGB", BACKGROUND_COMPRESSION, header)


def main() -> None:
    parser = command_line(__doc__, Path(__file__).parent)
    parser.add_argument("--assets", type=Path, required=True, help=ASSETS_HELP)
    parser.add_argument("--stills", action="store_true", help="make the clean plate and the background")
    options = parser.parse_args()
    scene = build_studio(options.assets, SIZE, options.threads, SEED)
    with passes_folder(options.passes) as passes:
        for frame in options.frames:
            names = Names(options.out, frame)
            if not names.plate.exists():
                make_frame(scene, names, passes)
        if options.stills:
            make_stills(options.out, scene, passes, options.threads)


if __name__ == "__main__":
    main()
