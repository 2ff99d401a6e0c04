"""Which of many files are no pictures that can be read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from .._system.threads import thread_limit
from ..exceptions import ImageDecodeError
from ..images import decode

__all__ = ["find_unreadable"]


def find_unreadable(files: Sequence[str | os.PathLike[str]]) -> list[ImageDecodeError]:
    """Decode every file; return the errors of those that can't be.

    Parameters
    ----------
    files : sequence of str or path-like
        What to decode, in threads.

    Returns
    -------
    list of ImageDecodeError
        In the order of `files`; each with ``source`` and ``reason``.

    Examples
    --------
    >>> from skvision.datasets import find_unreadable
    >>> [error.reason for error in find_unreadable(["/nowhere.jpg"])]
    ['no such file']
    """
    with ThreadPoolExecutor(thread_limit()) as pool:
        return [error for error in pool.map(_decode_error, files) if error is not None]


def _decode_error(file: str | os.PathLike[str]) -> ImageDecodeError | None:
    try:
        decode(file)
    except ImageDecodeError as error:
        return error
    return None
