"""Keras draws the seeds of layers by Python's own generator; whose it is should not notice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["python_random_kept"]


@contextmanager
def python_random_kept() -> Iterator[None]:
    """Put Python's own generator back where it was before the block.

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
