"""Memory that nobody needs any more, given back to the system.

A network refers to itself, so that it goes only when Python looks for such rings; and glibc keeps
what was freed between what is still in use. A network's conversion leaves hundreds of megabytes
in both ways. They are lost to other programs, and where psutil is installed (Jupyter and Dask
bring it), joblib takes them for a leak and starts its worker process anew.
"""

from __future__ import annotations

import ctypes
import gc
import sys

__all__ = ["give_back_memory"]


def give_back_memory() -> None:
    """Free what nobody refers to; give it back to the system where the C library can.

    Examples
    --------
    >>> from skvision.memory import give_back_memory
    >>> give_back_memory()
    """
    gc.collect()
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is not None:
        trim(0)
