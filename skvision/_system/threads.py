"""The number of threads that this process may use.

joblib passes its worker processes their share of the cores in ``OMP_NUM_THREADS``. OpenMP reads
it itself; TensorFlow and our own thread pools don't.
"""

from __future__ import annotations

import os

import joblib

__all__ = ["thread_limit"]


def thread_limit() -> int:
    """Return the maximum number of threads for this process.

    Returns
    -------
    int
        ``OMP_NUM_THREADS`` if it is set to a positive number, else the number of cores that
        the process may use.

    Examples
    --------
    >>> from skvision._system.threads import thread_limit
    >>> thread_limit() >= 1
    True
    """
    share = os.environ.get("OMP_NUM_THREADS", "")
    if share.isdigit() and int(share) > 0:
        return int(share)
    return int(joblib.cpu_count())
