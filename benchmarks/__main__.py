"""Run every benchmark, one after the other, or those that are named: ``python -m benchmarks upscale_quality``."""

import sys

from benchmarks import (
    backends,
    blender_overhead,
    cleanplate,
    exr_speed,
    flicker,
    host_overhead,
    inpaint_quality,
    key_quality,
    matte_quality,
    memory,
    pipeline_speed,
    removal_speed,
    restore_quality,
    shot_training,
    tiles,
    training_speed,
    upscale_quality,
    upscale_speed,
)

BENCHMARKS = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        key_quality,
        matte_quality,
        upscale_quality,
        restore_quality,
        inpaint_quality,
        flicker,
        cleanplate,
        backends,
        tiles,
        upscale_speed,
        exr_speed,
        pipeline_speed,
        removal_speed,
        host_overhead,
        blender_overhead,
        memory,
        shot_training,
        training_speed,
    )
}

if unknown := set(sys.argv[1:]) - set(BENCHMARKS):
    sys.exit(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
for name in sys.argv[1:] or BENCHMARKS:
    BENCHMARKS[name].main()
