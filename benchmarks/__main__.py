"""Run every benchmark, one after the other."""

from benchmarks import exr_speed, key_quality, memory, pipeline_speed

for benchmark in (key_quality, exr_speed, pipeline_speed, memory):
    benchmark.main()
