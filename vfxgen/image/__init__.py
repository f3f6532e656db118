"""Numerics that operators share: pure functions on pixels."""

import os

# Torch's threads spin while they wait for each other. Where other processes want the cores too, as on a farm node, a
# frame then takes ten times as long and more; waiting passively costs nothing measurable on an idle machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
