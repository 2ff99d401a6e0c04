"""Find unreadable images."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from .._system.threads import thread_limit
from ..exceptions import ImageDecodeError
from ..images import (
    KeptFile,
    Levels,
    decode_resized,
    examine_file,
    read_levels,
    warn_of_range,
)

__all__ = ["answered", "find_unreadable"]

# A JPEG is decoded at reduced size, yet all of it is read.
_SIZE = (224, 224)


def find_unreadable(
    files: Sequence[str | os.PathLike[str]],
    *,
    value_range: Any = None,
    warn: bool = False,
    meanwhile: Callable[[], object] | None = None,
) -> list[ImageDecodeError]:
    """Decode every file; return the errors of those that can't be decoded.

    Parameters
    ----------
    files : sequence of str or path-like
        Files to decode, in threads. Those that `skvision.images.keep_files` named keep what is
        decoded.
    value_range : "auto", (low, high) or None, default=None
        Range of images of more than 8 bits. None accepts numbers on any scale, or without a
        scale, such as floats.
    warn : bool, default=False
        Whether to warn if all images together use a small part of their scale.
    meanwhile : callable, default=None
        Called in this thread while the others decode, for work that uses one core. An error
        that it raises ends the decoding.

    Returns
    -------
    list of ImageDecodeError
        Errors in the order of `files`, each with ``source`` and ``reason``.

    Warns
    -----
    PixelRangeWarning
        If ``warn=True``.

    Examples
    --------
    >>> from skvision.datasets import find_unreadable
    >>> [error.reason for error in find_unreadable(["/nowhere.jpg"])]
    ['no such file']
    """

    def examined(file: str | os.PathLike[str]) -> Levels | ImageDecodeError | None:
        try:
            if isinstance(file, KeptFile):
                return examine_file(file)
            if value_range is None:
                return read_levels(file, _SIZE)
            decode_resized(file, _SIZE, "stretch", value_range)
        except ImageDecodeError as error:
            return error
        return None

    with ThreadPoolExecutor(thread_limit()) as pool:
        try:
            ahead = pool.map(examined, files)
            if meanwhile is not None:
                with _locked_briefly():
                    meanwhile()
            results = list(ahead)
        except BaseException:  # Ctrl-C too
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if warn:
        warn_of_range(each for each in results if isinstance(each, Levels))
    return [each for each in results if isinstance(each, ImageDecodeError)]


@contextmanager
def _locked_briefly() -> Iterator[None]:
    """Let threads wait 0.1 ms for Python's lock instead of 5 ms.

    Decoding an image needs the lock a dozen times, and the caller holds it nearly all the time.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def answered(ask: Callable[[Any], Any], files: Any) -> list[Any]:
    """Ask a model of files; of each that it can't read the answer is the error.

    A file may be readable and not be on the scale that the model was trained with.

    Parameters
    ----------
    ask : callable
        Takes files and returns one answer per file.
    files : sequence
        The files.

    Returns
    -------
    list
        Answers, and an ImageDecodeError in the place of each that has none.

    Examples
    --------
    >>> from skvision.datasets import answered
    >>> from skvision.exceptions import ImageDecodeError
    >>> def lengths(files):
    ...     if "odd" in files:
    ...         raise ImageDecodeError("odd", "it is odd")
    ...     return [len(file) for file in files]
    >>> answered(lengths, ["cat", "odd"])
    [3, ImageDecodeError('odd', 'it is odd')]
    """
    if len(files) == 0:
        return []
    try:
        return list(ask(files))
    except ImageDecodeError as error:
        if len(files) == 1:
            return [error]
        half = len(files) // 2
        return [*answered(ask, files[:half]), *answered(ask, files[half:])]
