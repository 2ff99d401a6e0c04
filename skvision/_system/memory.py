"""How much memory there is, and memory that was freed, given back to the system.

glibc keeps what was freed between what is still in use, hundreds of megabytes after a network's
conversion. They are lost to other programs, and where psutil is installed (Jupyter and Dask
bring it), joblib takes them for a leak and restarts its worker process.
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["available_memory", "give_back_memory"]


def give_back_memory() -> None:
    """Give memory that was freed back to the system, where the C library can.

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
    """Return the bytes that a process may take now; None where the system doesn't tell.

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
