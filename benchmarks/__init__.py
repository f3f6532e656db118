"""Quality and speed, measured: `python -m benchmarks` runs all, `python -m benchmarks.key_quality` one."""

import vfxgen.image as _  # noqa: F401  before torch: it sets how torch's threads wait, as the commands do
