"""Check of bursts: photos that one camera took within seconds."""

from __future__ import annotations

import numpy as np

from .findings import Finding, NotApplicable, Subject, listed_names

__all__ = ["bursts", "series_of"]

#: longest time between two photos of a series, in seconds
APART = 3.0


def bursts(subject: Subject) -> list[Finding] | NotApplicable:
    """Find series of photos; with groups only those that lie in several groups."""
    figures = subject.images.survey.figures
    timed = np.isfinite(figures["taken"]) & (figures["camera"] != b"")
    if not timed.any():
        return NotApplicable("No image names its camera and the time when it was taken.")
    series = np.full(len(figures), -1)
    series[timed] = series_of(figures["taken"][timed], figures["camera"][timed])
    groups = subject.images.groups
    found = []
    for number in range(series.max() + 1):
        places = np.flatnonzero(series == number)
        across = ""
        if groups is not None:
            names = sorted({str(group) for group in groups[places]})
            if len(names) < 2:
                continue
            across = f", in the groups {listed_names(names)}"
        times = figures["taken"][places]
        camera = figures["camera"][places[0]].decode("utf-8", "replace")
        message = (
            f"{len(places)} photos were taken within {np.ptp(times):.0f} s by one camera "
            f"({camera}){across}."
        )
        found.append(Finding("burst", message, 1.0, tuple(places.tolist())))
    return found


def series_of(taken: np.ndarray, cameras: np.ndarray, apart: float = APART) -> np.ndarray:
    """Number the series of photos.

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
        The series of each photo, from 0; -1 for a photo that is in none.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.check.bursts import series_of
    >>> series_of(np.array([0, 1, 60, 2]), np.array(["a", "a", "a", "b"])).tolist()
    [0, 0, -1, -1]
    """
    order = np.lexsort((taken, cameras))
    is_new = np.ones(len(order), bool)
    close = np.diff(taken[order]) <= apart
    is_new[1:] = ~close | (cameras[order][1:] != cameras[order][:-1])
    runs = np.cumsum(is_new) - 1
    counts = np.bincount(runs)
    numbers = np.where(counts > 1, np.cumsum(counts > 1) - 1, -1)
    series = np.empty(len(order), int)
    series[order] = numbers[runs]
    return series
