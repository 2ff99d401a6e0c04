"""Sets of classes by conformal prediction: functions of arrays of scores.

A score says how unusual an image would be as a member of a class. A class is in the set of an
image unless its score is above that of nearly all calibration images of the class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np

__all__ = [
    "as_coverage",
    "every_fourth",
    "images_needed",
    "largest_coverage",
    "numbers_below",
    "sets_of",
]


def as_coverage(value: Any) -> float:
    """Read the parameter ``coverage``: a share between 0 and 1, both excluded.

    Raises
    ------
    ValueError
        If it isn't one.

    Examples
    --------
    >>> from skvision.classifiers.prediction_sets import as_coverage
    >>> as_coverage(0.95)
    0.95
    """
    if not (isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) < 1):
        raise ValueError(
            "coverage must be a number above 0 and below 1: 0.95 asks for sets that hold the true "
            f"class of 95 of 100 images. Received: {value!r}"
        )
    return float(value)


def images_needed(coverage: float) -> int:
    """Return the fewest calibration images for a coverage.

    Examples
    --------
    >>> from skvision.classifiers.prediction_sets import images_needed
    >>> images_needed(0.9), images_needed(0.95), images_needed(0.99)
    (9, 19, 99)
    """
    # as written, since 0.9 / (1 - 0.9) is above 9 in binary
    share = Fraction(repr(float(coverage)))
    return math.ceil(share / (1 - share))


def largest_coverage(n_images: int) -> float:
    """Return the largest coverage for a number of calibration images, in steps of 0.001.

    Examples
    --------
    >>> from skvision.classifiers.prediction_sets import largest_coverage
    >>> largest_coverage(9), largest_coverage(20), largest_coverage(0)
    (0.9, 0.952, 0.0)
    """
    return float(1000 * n_images // (n_images + 1) / 1000)


def every_fourth(codes: np.ndarray) -> np.ndarray:
    """Return whether each image is the first, fifth, ninth and so on of its class.

    Parameters
    ----------
    codes : ndarray of shape (n,), int
        The class of each image.

    Returns
    -------
    ndarray of shape (n,), bool

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.classifiers.prediction_sets import every_fourth
    >>> every_fourth(np.array([0, 0, 1, 0, 0, 0])).astype(int)
    array([1, 0, 1, 0, 0, 1])
    """
    places = np.empty(len(codes), int)
    for code in np.unique(codes):
        places[codes == code] = np.arange((codes == code).sum())
    first: np.ndarray = places % 4 == 0
    return first


def numbers_below(calibration: Sequence[np.ndarray], scores: np.ndarray) -> np.ndarray:
    """Count the calibration scores of each class that are below the scores of images.

    Parameters
    ----------
    calibration : sequence of ndarray of shape (n_calibration,)
        For each class the scores of its calibration images, in ascending order.
    scores : ndarray of shape (n, n_classes)
        For each image its scores as a member of each class.

    Returns
    -------
    ndarray of shape (n, n_classes), int

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.classifiers.prediction_sets import numbers_below
    >>> numbers_below([np.array([0.1, 0.2, 0.2]), np.array([0.3])], np.array([[0.2, 0.4]]))
    array([[1, 1]])
    """
    counts = [
        np.searchsorted(known, asked, side="left")
        for known, asked in zip(calibration, scores.T, strict=True)
    ]
    return np.stack(counts, axis=1)


def sets_of(below: np.ndarray, n_calibration: Sequence[int], coverage: float) -> np.ndarray:
    """Return which classes are in the set of each image.

    A class is in it if fewer than ``(n_calibration + 1) * coverage`` calibration images of the
    class have a lower score. A further image of the class is then in it with at least this
    probability: its place among the others, itself included, is any place with equal chance.

    Parameters
    ----------
    below : ndarray of shape (n, n_classes), int
        Numbers of calibration images with a lower score.
    n_calibration : sequence of int
        Number of calibration images of each class.
    coverage : float
        The probability.

    Returns
    -------
    ndarray of shape (n, n_classes), bool

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.classifiers.prediction_sets import sets_of
    >>> sets_of(np.array([[8, 9]]), [9, 9], coverage=0.9)
    array([[ True, False]])
    """
    share = Fraction(repr(float(coverage)))
    ranks = np.array([math.ceil((n + 1) * share) for n in n_calibration])
    inside: np.ndarray = below < ranks
    return inside
