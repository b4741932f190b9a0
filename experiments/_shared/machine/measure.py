"""Measuring what a piece of work needs: time and memory, alone in a process of its own."""

import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Generic, TypeVar

R = TypeVar("R")

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Measured(Generic[R]):
    """What a function gave, and the most memory that its process held while it ran.

    Args:
        result: Its return value.
        peak_mb: Largest resident memory in MB (10^6 bytes), the Python interpreter and all imports included.
    """

    result: R
    peak_mb: float


def in_fresh_process(work: Callable[[], R]) -> Measured[R]:
    """Call `work`, a function of a module or a `partial` of one, in a new process; errors come back as they are."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measured, work).result()


def peak_memory_mb() -> float:
    """Largest resident memory so far, in MB (10^6 bytes), of this process or of the largest one it has waited for."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB on Linux (getrusage(2) of each)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    if _STATUS.exists():  # unlike getrusage, it does not count what the parent held before this program was loaded
        own = next(int(line.split()[1]) * 1024 for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    else:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return max(own, children) / 1e6


def _measured(work: Callable[[], R]) -> Measured[R]:
    result = work()
    return Measured(result, peak_memory_mb())
