"""Hide a backend's messages on standard error while it starts.

TensorFlow writes a dozen lines about instruction sets and absent graphics cards, from C++ and
partly before any setting of its own takes effect, so only a closed standard error hides them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["hidden_remarks"]

#: TensorFlow reads it once, when it starts: 0 shows all lines, 3 none
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


@contextmanager
def hidden_remarks() -> Iterator[None]:
    """Close standard error during the block, unless ``TF_CPP_MIN_LOG_LEVEL=0``.

    Python's exceptions pass through. The environment is restored afterwards.

    Examples
    --------
    >>> from skvision._system.quiet import hidden_remarks
    >>> with hidden_remarks():
    ...     import numpy
    """
    asked = os.environ.get(_LEVEL)
    if asked == "0" or not _is_open(2):
        yield
        return
    kept = os.dup(2)
    os.environ.setdefault(_LEVEL, "3")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
        if asked is None:
            del os.environ[_LEVEL]


def _is_open(descriptor: int) -> bool:
    """Return whether a descriptor is open; Windows programs without a console lack some."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
