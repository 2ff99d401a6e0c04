"""Restore Python's random generator, from which Keras draws the seeds of layers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["python_random_kept"]


@contextmanager
def python_random_kept() -> Iterator[None]:
    """Restore the state of Python's random generator after the block.

    Examples
    --------
    >>> import random
    >>> from skvision.networks.python_random import python_random_kept
    >>> random.seed(3)
    >>> with python_random_kept():
    ...     first = random.random()
    >>> random.random() == first
    True
    """
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
