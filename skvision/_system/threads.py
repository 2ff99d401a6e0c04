"""How many threads this process may use.

joblib's worker processes are given a share of the cores through
``OMP_NUM_THREADS``. OpenMP obeys it by itself; TensorFlow and our own thread
pools have to be told.
"""

from __future__ import annotations

import os

import joblib

__all__ = ["thread_limit"]


def thread_limit() -> int:
    """Return the number of threads that this process should use at most.

    Returns
    -------
    int
        ``OMP_NUM_THREADS`` where it is set to a positive number, else the
        number of cores that the process may run on.

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
