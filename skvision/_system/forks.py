"""Refuse to compute in a forked process if a backend ran before the fork, since it would hang.

TensorFlow, JAX, PyTorch and OpenVINO start threads when they first compute. A fork doesn't copy
these threads, but copies the locks that they hold, so the child waits for threads that it lacks.
"""

from __future__ import annotations

import os

__all__ = ["backend_runs", "refuse_after_fork"]

_runs = False
_forked = False


def backend_runs() -> None:
    """Record that a backend computes in this process from now on.

    Raises
    ------
    RuntimeError
        If a backend ran before this process was forked.
    """
    global _runs
    refuse_after_fork()
    _runs = True


def refuse_after_fork() -> None:
    """Raise RuntimeError if this process was forked from one in which a backend had run.

    Examples
    --------
    >>> from skvision._system.forks import refuse_after_fork
    >>> refuse_after_fork()
    """
    if _forked:
        raise RuntimeError(
            "This process was forked from one that had already fitted or predicted, so computing "
            "would hang. Load the model in each worker and don't predict in the parent, or start "
            "workers by spawn or forkserver: "
            "multiprocessing.get_context('spawn'), gunicorn without --preload."
        )


def _after_fork() -> None:
    global _forked
    _forked = _forked or _runs


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
