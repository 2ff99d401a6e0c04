"""Check of classes: too few images, very uneven, empty."""

from __future__ import annotations

import numpy as np

from .findings import Finding, NotApplicable, Subject

__all__ = ["uneven_classes"]

# fewest images of a class, and the largest class over the smallest
_FEWEST, _RATIO = 5, 10


def uneven_classes(subject: Subject) -> list[Finding] | NotApplicable:
    """Find classes with few images or none, and classes of very different sizes."""
    y = subject.images.y
    if y is None:
        return NotApplicable("There are no labels. Pass y.")
    names, counts = np.unique(y[subject.images.survey.readable], return_counts=True)
    found = [
        Finding("uneven", f"The class folder {folder} holds no images.", 1.0)
        for folder in subject.images.empty
    ]
    lost = sorted({str(name) for name in np.unique(y)} - {str(name) for name in names})
    found += [
        Finding("uneven", f"No image of the class {name!r} can be read.", 1.0) for name in lost
    ]
    if len(names) == 1:
        found.append(Finding("uneven", f"There is only one class, {str(names[0])!r}.", 1.0))
    for name, count in zip(names, counts, strict=True):
        if count < _FEWEST:
            some = "1 image" if count == 1 else f"{count} images"
            message = f"The class {str(name)!r} has {some}; {_FEWEST} are the fewest for 5 folds."
            places = tuple(np.flatnonzero(y == name).tolist())
            found.append(Finding("uneven", message, float(1 - count / _FEWEST), places))
    if len(names) > 1 and counts.max() > _RATIO * counts.min():
        most, least = names[counts.argmax()], names[counts.argmin()]
        times = counts.max() / counts.min()
        message = (
            f"The class {str(most)!r} has {counts.max():,} images, {times:.0f} times as many as "
            f"{str(least)!r} with {counts.min():,}."
        )
        found.append(Finding("uneven", message, float(1 - _RATIO / times / 2)))
    return found
