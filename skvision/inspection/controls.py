"""Controls of heat maps: hide what a map marks, and compare it with a map without learning.

Pure functions on arrays. A map that passes them may still mislead; a map that fails one says
nothing about the network.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.stats import rankdata

__all__ = ["HIDDEN_SHARE", "blurred", "hidden", "hottest", "likeness", "moved"]

#: share of the pixels that are hidden
HIDDEN_SHARE = 0.1

# points per side that are left of a blurred image: too few to recognise a part of an object
_N_POINTS = 3


def hottest(maps: np.ndarray, share: float = HIDDEN_SHARE) -> np.ndarray:
    """Mark the pixels with the largest values.

    Parameters
    ----------
    maps : ndarray of shape (n, height, width), float
        Values of the pixels.
    share : float, default=0.1
        Share of the pixels to mark, in (0, 1); at least one pixel is marked.

    Returns
    -------
    ndarray of shape (n, height, width), bool
        The same number of pixels in each map; of equal values, the first ones.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.controls import hottest
    >>> hottest(np.array([[[0.1, 0.9], [0.3, 0.9]]]), share=0.25).astype(int).tolist()
    [[[0, 1], [0, 0]]]
    """
    flat = maps.reshape(len(maps), -1)
    n_marked = max(1, round(share * flat.shape[1]))
    place = flat.shape[1] - n_marked
    least = np.partition(flat, place, axis=1)[:, place, np.newaxis]
    marked = flat > least
    n_missing = n_marked - marked.sum(axis=1)
    for row in np.flatnonzero(n_missing):
        ties = np.flatnonzero(flat[row] == least[row])
        marked[row, ties[: n_missing[row]]] = True
    return marked.reshape(maps.shape)


def moved(marked: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Move the marked pixels of each image to a random place; what leaves one side enters another.

    The result is as large and as jagged as the original, so that hiding it differs from hiding
    the original in its place only.

    Parameters
    ----------
    marked : ndarray of shape (n, height, width), bool
        Marked pixels.
    random : numpy.random.Generator
        Draws the places.

    Returns
    -------
    ndarray of shape (n, height, width), bool

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.controls import moved
    >>> marked = np.zeros((1, 4, 4), bool)
    >>> marked[0, 0, :2] = True
    >>> int(moved(marked, np.random.default_rng(0)).sum())
    2
    """
    n, height, width = marked.shape
    shifts = np.stack([random.integers(0, height, n), random.integers(0, width, n)], axis=1)
    return np.stack(
        [
            np.roll(each, tuple(shift), axis=(0, 1))
            for each, shift in zip(marked, shifts, strict=True)
        ]
    )


def blurred(images: np.ndarray) -> np.ndarray:
    """Blur images so far that no part of an object can be recognised.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, n_channels), uint8 or float32
        Images.

    Returns
    -------
    ndarray of the same shape and dtype
        The image, reduced to 3x3 points and enlarged again.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.controls import blurred
    >>> blurred(np.full((1, 9, 9, 3), 7, np.uint8)).max()
    np.uint8(7)
    """
    height, width = images.shape[1:3]
    few = min(_N_POINTS, width), min(_N_POINTS, height)
    out = np.empty_like(images)
    for image, result in zip(images, out, strict=True):
        points = cv2.resize(image, few, interpolation=cv2.INTER_AREA)
        smooth = cv2.resize(points, (width, height), interpolation=cv2.INTER_LINEAR)
        result[...] = smooth.reshape(image.shape)
    return out


def hidden(images: np.ndarray, marked: np.ndarray, neutral: np.ndarray) -> np.ndarray:
    """Return images whose marked pixels have the values of `neutral`.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.controls import hidden
    >>> images = np.arange(4).reshape(1, 2, 2, 1)
    >>> marked = np.array([[[True, False], [False, False]]])
    >>> hidden(images, marked, np.full_like(images, 9)).ravel().tolist()
    [9, 1, 2, 3]
    """
    changed = np.broadcast_to(images, (len(marked), *images.shape[1:])).copy()
    values = np.broadcast_to(neutral, changed.shape)
    # one by one, which is ten times as fast as numpy.where
    for image, where, value in zip(changed, marked, values, strict=True):
        image[where] = value[where]
    return changed


def likeness(maps: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how alike two maps rank their points, whatever the direction.

    Parameters
    ----------
    maps, others : ndarray of shape (n, rows, columns), float
        Pairs of maps.

    Returns
    -------
    ndarray of shape (n,), float64
        The absolute value of Spearman's rank correlation: 1 if one map has the order of the
        other or its reverse, 0 if there is no relation or a map is constant.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.controls import likeness
    >>> a = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    >>> likeness(a, a**2).tolist(), likeness(a, -a).tolist(), likeness(a, 0 * a).tolist()
    ([1.0], [1.0], [0.0])
    """
    ranks = [rankdata(each.reshape(len(each), -1), axis=1) for each in (maps, others)]
    one, two = (each - each.mean(axis=1, keepdims=True) for each in ranks)
    spread = np.sqrt((one**2).sum(axis=1) * (two**2).sum(axis=1))
    alike = np.abs((one * two).sum(axis=1))
    shares: np.ndarray = alike / np.where(spread > 0, spread, 1)
    return shares
