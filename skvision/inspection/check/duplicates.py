"""Checks of copies: exact, near, under two labels, in both data sets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .findings import Finding, NotApplicable, Subject, listed_names

__all__ = ["exact_duplicates", "leaks", "near_duplicates", "two_labels"]

_NO_IMAGES = NotApplicable("No image can be read.")
_NO_LABELS = NotApplicable("There are no labels. Pass y.")
_ONE_CLASS = NotApplicable("All images have one label.")


def exact_duplicates(subject: Subject) -> list[Finding] | NotApplicable:
    """Find images of X with equal pixels."""
    n = len(subject.images)
    keys = subject.keys[:n]
    if not (keys >= 0).any():
        return _NO_IMAGES
    return [
        Finding(
            "exact-duplicate",
            f"{len(places)} images have the same pixels{_across_groups(subject, places)}.",
            1.0,
            tuple(places),
        )
        for places in _sets(np.where(keys >= 0, keys, -1))
    ]


def near_duplicates(subject: Subject) -> list[Finding] | NotApplicable:
    """Find images of X that show one photo, although their pixels differ."""
    n = len(subject.images)
    if not (subject.keys[:n] >= 0).any():
        return _NO_IMAGES
    found = []
    # one image for each set of equal pixels
    shown = np.full(n, -1)
    once = subject.firsts[subject.firsts < n]
    shown[once] = subject.photos[once]
    for places in _sets(shown):
        score, how = _changes(subject, places)
        found.append(
            Finding(
                "near-duplicate",
                f"{len(places)} images show one photo{how}{_across_groups(subject, places)}.",
                score,
                tuple(places),
            )
        )
    return found


def two_labels(subject: Subject) -> list[Finding] | NotApplicable:
    """Find photos whose copies have different labels."""
    y = subject.images.y
    if y is None:
        return _NO_LABELS
    if len(np.unique(y)) < 2:
        return _ONE_CLASS
    n = len(subject.images)
    photos = np.where(subject.keys[:n] >= 0, subject.photos[:n], -1)
    found = []
    for places in _sets(photos):
        labels = sorted({str(label) for label in y[places]})
        if len(labels) > 1:
            score, how = _changes(subject, places)
            message = f"One photo has the labels {listed_names(labels)}{how}."
            found.append(Finding("two-labels", message, score, tuple(places)))
    return found


def leaks(subject: Subject) -> list[Finding] | NotApplicable:
    """Find photos that are in X and in `against`."""
    if subject.against is None:
        return NotApplicable("There is nothing to compare with. Pass against=.")
    n = len(subject.images)
    if not ((subject.keys[:n] >= 0).any() and (subject.keys[n:] >= 0).any()):
        return _NO_IMAGES
    found = []
    for places in _sets(np.where(subject.keys >= 0, subject.photos, -1)):
        inside, outside = subject.split(places)
        if not (inside and outside):
            continue
        score, how = _changes(subject, places)
        labels = _labels_of(subject, inside, outside)
        message = (
            f"One photo is in both data sets, {_times(len(inside))} here and "
            f"{_times(len(outside))} there{how}{labels}."
        )
        found.append(Finding("leak", message, score, inside, outside))
    return found


def _sets(numbers: np.ndarray) -> Iterator[list[int]]:
    """Yield the places of each number that occurs twice or more; -1 is no number."""
    order = np.argsort(numbers, kind="stable")
    order = order[numbers[order] >= 0]
    ends = np.flatnonzero(np.diff(numbers[order])) + 1
    every = [part.tolist() for part in np.split(order, ends) if len(part) > 1]
    yield from sorted(every)


def _changes(subject: Subject, places: list[int]) -> tuple[float, str]:
    """Return the lowest score of the pairs between images, and how they differ, as words."""
    inside = np.zeros(len(subject.keys), bool)
    inside[subject.firsts_of()[places]] = True
    pairs = subject.similar
    chosen = inside[pairs.first] & inside[pairs.second]
    if not chosen.any():
        return 1.0, " (equal pixels)"
    words = []
    if pairs.mirrored[chosen].any():
        words.append("mirrored")
    if pairs.cropped[chosen].any():
        words.append("cropped")
    elif len(np.unique(_sizes(subject)[np.flatnonzero(inside)], axis=0)) > 1:
        words.append("resized")
    how = ", ".join(words) or "re-encoded, or brighter or darker"
    return float(pairs.score[chosen].min()), f" ({how})"


def _sizes(subject: Subject) -> np.ndarray:
    sets = [subject.images, *([subject.against] if subject.against else [])]
    figures = np.concatenate([each.survey.figures[["width", "height"]] for each in sets])
    return np.stack([figures["width"], figures["height"]], axis=1)


def _across_groups(subject: Subject, places: list[int]) -> str:
    if subject.images.groups is None:
        return ""
    groups = sorted({str(group) for group in subject.images.groups[places]})
    if len(groups) < 2:
        return ""
    return f"; they are in the groups {listed_names(groups)}, which a split by groups separates"


def _labels_of(subject: Subject, inside: tuple[int, ...], outside: tuple[int, ...]) -> str:
    against = subject.against
    if subject.images.y is None or against is None or against.y is None:
        return ""
    here = {str(label) for label in subject.images.y[list(inside)]}
    there = {str(label) for label in against.y[list(outside)]}
    if here == there:
        return ""
    return f"; labelled {listed_names(sorted(here))} here and {listed_names(sorted(there))} there"


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"
