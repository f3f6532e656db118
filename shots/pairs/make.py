"""Render random subjects with exact coverage, for nets to learn mattes and keys from.

    .venv-bpy/bin/python -m shots.pairs.make --out DIR --samples 1500

Each sample is `DIR/SEED/NUMBER.exr`, 384 px: A, coverage of 64 samples and more; R G B, the straight foreground under
neutral light; bounce.R bounce.G bounce.B, what a screen of reflectance 1 behind it adds, for a screen's colour to be
multiplied with. Sample n of a seed is the same whatever else is rendered. Files that exist are skipped: a broken run
goes on where it stopped, and a longer one adds to it. ``--jobs 8`` shares the samples among eight processes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from shots.pairs.bodies import clear
from shots.pairs.scene import KINDS, Pass, build, show
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


def sample(scene: Any, random: np.random.Generator, scratch: Path, wanted: str | None = None) -> tuple[Image, str]:
    """A subject, (SIZE, SIZE, 7), and what it is; drawn again until there is something to see."""
    while True:
        clear()
        kind = build(scene, random, wanted)
        scene.frame_set(1)
        alpha = film.coverage(render(scene, "alpha", scratch)[..., 3:])
        if LEAST < alpha.mean() < MOST:
            break
    lit, bounce = (film.straight(render(scene, which, scratch)[..., :3], alpha) for which in ("lit", "bounce"))
    return np.concatenate([lit, alpha, bounce], axis=2), kind


def render_all(folder: Path, seed: int, numbers: Iterable[int], threads: int, kind: str | None) -> None:
    """Render the samples of these numbers that `folder` does not have yet."""
    folder.mkdir(parents=True, exist_ok=True)
    scene = new_scene((SIZE, SIZE), threads)
    scene.render.use_persistent_data = False
    with tempfile.TemporaryDirectory() as scratch:
        for number in numbers:
            path = folder / f"{number:05d}.exr"
            if path.exists():
                continue
            begun = time.process_time()
            scene.cycles.seed = number
            image, made = sample(scene, np.random.default_rng((seed, number)), Path(scratch), kind)
            film.write(path, image, CHANNELS, "zip", {"ImageDescription": made})
            print(f"{path.name}: {made}, {time.process_time() - begun:.1f} CPU s", flush=True)


def share_out(jobs: int) -> int:
    """Start this command once for each job, wait for all, and return how many failed.

    Each job of one thread is held to one core where the system can: a thread of Cycles that only waits would keep
    another core busy.
    """
    words = [sys.executable, "-m", "shots.pairs.make", *sys.argv[1:]]
    running = [subprocess.Popen([*words, "--job", str(job)]) for job in range(jobs)]
    return sum(process.wait() != 0 for process in running)


def main() -> None:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("--out", type=Path, required=True, help="folder of all seeds; not in the repository")
    parser.add_argument("--samples", type=int, default=1500, help="how many there shall be in the end")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=KINDS, help="render this alone, under a seed of its own; else all kinds")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the samples")
    parser.add_argument("--job", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.jobs < 1:
        parser.error("--jobs must be 1 or more")
    if options.jobs > 1 and options.job is None:
        if failed := share_out(options.jobs):
            parser.exit(1, f"{failed} of {options.jobs} processes failed; start again to render what is missing\n")
        return
    if options.job is not None and options.threads == 1 and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[options.job % len(cores)]})
    numbers = range(options.job or 0, options.samples, options.jobs)
    render_all(options.out / str(options.seed), options.seed, numbers, options.threads, options.kind)


if __name__ == "__main__":
    main()
