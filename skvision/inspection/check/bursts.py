"""Check of bursts: photos that one camera took within seconds."""

from __future__ import annotations

import numpy as np

from ...datasets.grouping import series_of
from .findings import Finding, NotApplicable, Subject, listed_names

__all__ = ["bursts"]


def bursts(subject: Subject) -> list[Finding] | NotApplicable:
    """Find series of photos; with groups only those that lie in several groups."""
    figures = subject.images.survey.figures
    timed = np.isfinite(figures["taken"]) & (figures["camera"] != b"")
    if not timed.any():
        return NotApplicable("No image names its camera and the time when it was taken.")
    timed_places = np.flatnonzero(timed)
    series = series_of(figures["taken"][timed], figures["camera"][timed])
    groups = subject.images.groups
    found = []
    for number in np.flatnonzero(np.bincount(series) > 1):
        places = timed_places[series == number]
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
