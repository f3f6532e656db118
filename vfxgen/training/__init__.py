"""Training: one loop for the nets that ship and for the net of a shot.

`vfxgen.training.bare` and all it needs run on a machine with torch, numpy and OpenCV alone.
"""

import os

# As in vfxgen.image: threads that spin while they wait are many times slower on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
