"""Quality and speed, measured: `python -m benchmarks` runs all, `python -m benchmarks.key_quality` one."""
