"""Render random subjects with exact coverage, for nets to learn mattes and keys from.

    .venv-bpy/bin/python -m shots.pairs.make --out DIR --samples 1500

Each sample is `DIR/SEED/NUMBER.exr`, 384 px: A, coverage of 64 samples and more; R G B, the straight foreground under
neutral light; bounce.R bounce.G bounce.B, what a screen of reflectance 1 behind it adds, for a screen's colour to be
multiplied with. Sample n of a seed is the same whatever else is rendered. Files that exist are skipped: a broken run
goes on where it stopped, and a longer one adds to it.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from shots.pairs.bodies import clear
from shots.pairs.scene import Pass, build, show
from shots.stage import film
from shots.stage.cycles import new_scene, render_to
from shots.stage.film import Image

SIZE = 384
SAMPLES: dict[Pass, int] = {"lit": 4, "bounce": 2, "alpha": 64}
"""All but alpha are denoised; alpha is adaptive, and this is its maximum."""
CHANNELS = ("R", "G", "B", "A", "bounce.R", "bounce.G", "bounce.B")
LEAST, MOST = 0.02, 0.98
"""Of the frame that a subject covers: less or more teaches nothing."""


def render(scene: Any, which: Pass, scratch: Path) -> Image:
    """One pass, (H, W, 4)."""
    path = scratch / f"{which}.exr"
    show(scene, which, SAMPLES[which])
    render_to(scene, path)
    return film.read(path)


def sample(scene: Any, random: np.random.Generator, scratch: Path) -> tuple[Image, str]:
    """A subject, (SIZE, SIZE, 7), and what it is; drawn again until there is something to see."""
    while True:
        clear()
        kind = build(scene, random)
        scene.frame_set(1)
        alpha = film.coverage(render(scene, "alpha", scratch)[..., 3:])
        if LEAST < alpha.mean() < MOST:
            break
    lit, bounce = (film.straight(render(scene, which, scratch)[..., :3], alpha) for which in ("lit", "bounce"))
    return np.concatenate([lit, alpha, bounce], axis=2), kind


def main() -> None:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("--out", type=Path, required=True, help="folder of all seeds; not in the repository")
    parser.add_argument("--samples", type=int, default=1500, help="how many there shall be in the end")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    folder = options.out / str(options.seed)
    folder.mkdir(parents=True, exist_ok=True)
    scene = new_scene((SIZE, SIZE), options.threads)
    scene.render.use_persistent_data = False
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(options.samples):
            path = folder / f"{number:05d}.exr"
            if path.exists():
                continue
            begun = time.process_time()
            scene.cycles.seed = number
            image, kind = sample(scene, np.random.default_rng((options.seed, number)), Path(scratch))
            film.write(path, image, CHANNELS, "zip", {"ImageDescription": kind})
            print(f"{path.name}: {kind}, {time.process_time() - begun:.1f} CPU s", flush=True)


if __name__ == "__main__":
    main()
