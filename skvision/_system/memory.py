"""Memory that was freed, given back to the system.

glibc keeps what was freed between what is still in use, hundreds of megabytes after a network's
conversion. They are lost to other programs, and where psutil is installed (Jupyter and Dask
bring it), joblib takes them for a leak and starts its worker process anew.
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["give_back_memory"]


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
