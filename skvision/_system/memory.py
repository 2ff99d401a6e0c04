"""Return freed memory to the system, and measure the available memory.

glibc keeps freed memory that lies between used blocks, hundreds of megabytes after a network's
conversion. Other programs can't use it, and if psutil is installed (Jupyter and Dask install it),
joblib mistakes it for a leak and restarts its worker process.
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["available_memory", "give_back_memory"]


def give_back_memory() -> None:
    """Return freed memory to the system, if the C library supports it.

    Examples
    --------
    >>> from skvision._system.memory import give_back_memory
    >>> give_back_memory()
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is not None:
        trim(0)


def available_memory() -> int | None:
    """Return the number of bytes that a process can allocate now; None if it is unknown.

    Examples
    --------
    >>> from skvision._system.memory import available_memory
    >>> (available_memory() or 1) > 0
    True
    """
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return 1024 * int(lines["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        return None
