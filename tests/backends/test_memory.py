"""Memory: what was freed is kept for the next layer, and what libraries say about its end is understood."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest
import torch

from vfxgen.backends.memory import is_exhausted, status_bytes
from vfxgen.errors import NetError

FAULTS = """
import json, resource, torch
from vfxgen.backends.memory import give_back, keep_freed, status_bytes
done = keep_freed()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.ones(4 * 1024**2).add(1)
    touched = 20 * 2 * 16 * 1024**2 / resource.getpagesize()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / touched
faults()
again, held = faults(), status_bytes("VmRSS")
give_back()
print(json.dumps([done, again, held - status_bytes("VmRSS")]))
"""


def measured(environment: Mapping[str, str]) -> tuple[bool, float, int]:
    """Whether memory is kept, page faults a page touched the second time, and the bytes given back."""
    done = subprocess.run([sys.executable, "-c", FAULTS], env=environment, capture_output=True, text=True, check=True)
    kept, faults, given_back = json.loads(done.stdout)
    return kept, faults, given_back


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_freed_memory_is_used_again_without_asking_the_system() -> None:
    kept, faults, given_back = measured(os.environ)
    assert kept and faults < 0.1 and given_back > 16 * 1024**2


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_an_environment_that_rules_memory_itself_is_left_alone() -> None:
    kept, faults, _ = measured({**os.environ, "MALLOC_TRIM_THRESHOLD_": "131072"})
    assert not kept and faults > 0.4


def test_words_of_libraries_about_memory_are_known() -> None:
    said = "[ONNXRuntimeError] : 6 : Failed to allocate memory for requested buffer of size 9"
    assert all(is_exhausted(error) for error in (RuntimeError(said), RuntimeError("std::bad_alloc"), MemoryError()))
    assert is_exhausted(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_exhausted(RuntimeError("memory format is wrong"))


def test_a_size_the_system_does_not_tell_is_an_error() -> None:
    assert status_bytes("VmHWM") >= status_bytes("VmRSS") > 0
    with pytest.raises(NetError, match="has no VmNothing"):
        status_bytes("VmNothing")
