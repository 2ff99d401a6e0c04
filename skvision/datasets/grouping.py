"""Groups of related images: by their names, by a function, or by the time when they were taken."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from .._sklearn.groups import group_codes
from .._system.threads import thread_limit
from ..exceptions import ImageDecodeError, shown
from ..images import Capture, capture_of

__all__ = ["APART", "Grouping", "as_grouping", "series_of"]

#: longest time between two photos of a burst, in seconds
APART = 3.0

#: maps file names, and the folders that were listed, to one group each
Grouping = Callable[[Sequence[str], Sequence[str]], np.ndarray]

_EXAMPLE = r"r'([^/]+)_\d+\.jpg$' for files such as 'cat/tom_001.jpg'"


def as_grouping(groups: Any) -> Grouping:
    """Return the function that finds the groups of images.

    Parameters
    ----------
    groups : str, re.Pattern or callable
        As in `skvision.load_image_folder`.

    Returns
    -------
    callable
        Maps file names and the listed folders to an array of groups.

    Raises
    ------
    ValueError
        If it is a text, but no regular expression with one group.
    TypeError
        If it is something else.

    Examples
    --------
    >>> from skvision.datasets.grouping import as_grouping
    >>> find = as_grouping(r"(\\w+)_")
    >>> find(["pets/cat/tom_1.jpg", "pets/cat/tom_2.jpg", "pets/dog/rex_1.jpg"], ["pets"]).tolist()
    ['tom', 'tom', 'rex']
    """
    if isinstance(groups, str) and groups == "burst":
        return lambda files, folders: _bursts(files)
    if isinstance(groups, str | re.Pattern):
        pattern = _compiled(groups)
        return lambda files, folders: _matched(pattern, files, folders)
    if callable(groups):
        return lambda files, folders: _asked(groups, files)
    raise TypeError(
        "groups must be a regular expression with one group, a function of a file name, or "
        f"'burst'. Received: {shown(groups)}"
    )


def _compiled(groups: str | re.Pattern[str]) -> re.Pattern[str]:
    try:
        pattern = re.compile(groups)
    except re.error as error:
        raise ValueError(
            f"The expression {groups!r} for groups isn't a regular one: {error}. An example is "
            f"{_EXAMPLE}."
        ) from None
    if not isinstance(pattern.pattern, str):
        raise TypeError(f"groups must be an expression for text. Received: {pattern.pattern!r}")
    if pattern.groups != 1:
        cure = (
            "Put the part of the name that the images of a group share in parentheses"
            if pattern.groups == 0
            else "Write (?:...) for parentheses that don't name the group"
        )
        raise ValueError(
            f"The expression {pattern.pattern!r} for groups has {pattern.groups or 'no'} groups in "
            f"parentheses, and must have one. {cure}, as in {_EXAMPLE}."
        )
    return pattern


def _matched(pattern: re.Pattern[str], files: Sequence[str], folders: Sequence[str]) -> np.ndarray:
    """Search each name within its folder for the expression."""
    names = [_within(file, folders) for file in files]
    found = [pattern.search(name) for name in names]
    # an empty group would join all images without a name of their own
    groups = [each.group(1) if each else None for each in found]
    lacking = [name for name, group in zip(names, groups, strict=True) if not group]
    if lacking:
        n_found = len(names) - len(lacking)
        which = f"only {n_found} of the {len(names)}" if n_found else f"none of the {len(names)}"
        raise ValueError(
            f"The expression {pattern.pattern!r} finds groups in the names of {which} images. It "
            f"is searched in the name within the folder, for example {lacking[0]!r}. Change it, or "
            "in Python pass a function of the file name."
        )
    return np.array(groups)


def _within(file: str, folders: Sequence[str]) -> str:
    """Return a file's name within the folder that was listed, with slashes."""
    inside = [len(start) for start in folders if file.startswith(start)]
    return file[max(inside, default=0) :].lstrip(os.sep).replace(os.sep, "/")


def _asked(function: Callable[[str], Any], files: Sequence[str]) -> np.ndarray:
    groups = [function(file) for file in files]
    for file, group in zip(files, groups, strict=True):
        if group is None:
            raise ValueError(
                f"The function groups returned None for {file}. It must return a group for each "
                "image; for an image that is related to no other, the file's name will do."
            )
    group_codes(groups, len(files), "What the function groups returns")
    return np.array(groups)


def _bursts(files: Sequence[str]) -> np.ndarray:
    """Number the bursts; a photo without camera or time is a group of its own."""
    with ThreadPoolExecutor(thread_limit()) as pool:
        captures = list(pool.map(_capture, files))
    cameras = np.array([each.camera for each in captures])
    taken = np.array([each.taken for each in captures])
    known = (cameras != "") & np.isfinite(taken)
    groups = np.arange(len(files))
    places = np.flatnonzero(known)
    series = series_of(taken[places], cameras[places])
    # the number of a burst is the place of its first file; then without gaps
    first = np.full(len(files), len(files))
    np.minimum.at(first, series, places)
    groups[places] = first[series]
    numbers: np.ndarray = np.unique(groups, return_inverse=True)[1]
    return numbers


def _capture(file: str) -> Capture:
    try:
        return capture_of(file)
    except ImageDecodeError:  # validation names it, if it is asked to
        return Capture("", np.nan)


def series_of(taken: np.ndarray, cameras: np.ndarray, apart: float = APART) -> np.ndarray:
    """Number the series of photos: each is at most `apart` seconds from the next.

    Parameters
    ----------
    taken : ndarray of shape (n,), float
        Times in seconds.
    cameras : ndarray of shape (n,)
        The camera of each photo.
    apart : float, default=APART
        Longest time between two photos of a series, in seconds.

    Returns
    -------
    ndarray of shape (n,), int
        The series of each photo, from 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.datasets.grouping import series_of
    >>> series_of(np.array([0, 1, 60, 2]), np.array(["a", "a", "a", "b"])).tolist()
    [0, 0, 1, 2]
    """
    order = np.lexsort((taken, cameras))
    is_new = np.ones(len(order), bool)
    far = np.diff(taken[order]) > apart
    is_new[1:] = far | (cameras[order][1:] != cameras[order][:-1])
    series = np.empty(len(order), int)
    series[order] = np.cumsum(is_new) - 1
    return series
