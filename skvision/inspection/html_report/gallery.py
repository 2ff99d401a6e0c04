"""Choose the images that a page shows, and describe the data."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ...images import Look
from .page_contents import Answers, DataSummary, Gallery, Shown

__all__ = ["MOST", "chosen", "data_summary", "gallery", "short_names"]

#: maximum number of images in a page: about 10 MB
MOST = 1200
_N_TOP = 3
_SEED = 0


def chosen(y_true: np.ndarray, y_pred: np.ndarray, most: int = MOST) -> np.ndarray:
    """Choose images: all of them, or the same number for each pair of true and predicted class.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n,), int
        True and predicted classes.
    most : int, default=1200
        Maximum number of images.

    Returns
    -------
    ndarray of shape (at most `most`,), int
        Places of the chosen images, ascending. Pairs with few images, which are mostly mistakes,
        are complete; from the others images are drawn at random.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.html_report.gallery import chosen
    >>> true, predicted = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 0, 0, 1])
    >>> len(chosen(true, predicted, most=4)), 4 in chosen(true, predicted, most=4)
    (4, True)
    """
    n = len(y_true)
    if n <= most:
        return np.arange(n)
    order = np.random.default_rng(_SEED).permutation(n)
    _, pair = np.unique(np.stack([y_true, y_pred])[:, order], axis=1, return_inverse=True)
    pair = pair.ravel()
    # the place of each image within its pair: the first ones of all pairs are taken first
    by_pair = np.argsort(pair, kind="stable")
    starts = np.flatnonzero(np.diff(pair[by_pair], prepend=-1))
    within = np.empty(n, int)
    within[by_pair] = np.arange(n) - np.repeat(starts, np.diff(starts, append=n))
    return np.sort(order[np.argsort(within, kind="stable")[:most]])


def gallery(
    answers: Answers,
    places: np.ndarray,
    thumbnails: Sequence[str],
    names: Sequence[str],
) -> Gallery:
    """Return the images of a page; `thumbnails` are those of `places`, `names` those of all."""
    confidence = answers.confidence
    shown = []
    for place, image in zip(places.tolist(), thumbnails, strict=True):
        top: list[tuple[str, float]] = []
        if answers.probabilities is not None:
            row = answers.probabilities[place]
            best = np.argsort(-row, kind="stable")[:_N_TOP]
            top = [(answers.names[k], float(row[k])) for k in best]
        shown.append(
            Shown(
                names[place],
                int(answers.y_true[place]),
                int(answers.y_pred[place]),
                None if confidence is None else float(confidence[place]),
                image,
                top,
            )
        )
    wrong = ~answers.correct
    return Gallery(shown, len(answers), int(wrong.sum()), int(wrong[places].sum()))


def short_names(names: Sequence[str] | None, n: int) -> list[str]:
    """Return names for people: without the folder that all files share.

    Examples
    --------
    >>> from skvision.inspection.html_report.gallery import short_names
    >>> short_names(["/data/cat/1.jpg", "/data/dog/1.jpg"], 2), short_names(None, 2)
    (['cat/1.jpg', 'dog/1.jpg'], ['image 1', 'image 2'])
    """
    if names is None:
        return [f"image {place + 1}" for place in range(n)]
    folders = {os.path.dirname(os.path.abspath(name)) for name in names}
    # a single class folder keeps its name
    shared = os.path.commonpath(folders) if len(folders) > 1 else os.path.dirname(min(folders))
    return [os.path.relpath(os.path.abspath(name), shared) for name in names]


def data_summary(
    kind: str,
    looks: Sequence[Look] | None,
    labels: Sequence[str],
    keys: Sequence[bytes | None],
) -> DataSummary:
    """Describe images: formats, sizes, counts per class, copies.

    Parameters
    ----------
    kind : str
        What X holds, ``"120 files"`` for example.
    looks : sequence of Look or None
        How each image looks; None if X holds numbers that aren't images.
    labels : sequence of str
        The true class of each.
    keys : sequence of bytes or None
        The key of each.

    Returns
    -------
    DataSummary
    """
    counts = sorted(Counter(labels).items(), key=lambda pair: (-pair[1], pair[0]))
    known = [key for key in keys if key is not None]
    n_copies = len(known) - len(set(known))
    if not looks:
        return DataSummary(kind, [], [], counts, n_copies)
    formats = Counter(look.kind for look in looks if look.kind).most_common()
    sizes = np.array([(look.width, look.height) for look in looks])
    areas = sizes.prod(axis=1)
    few, several = np.unique(sizes, axis=0, return_counts=True)
    width, height = few[several.argmax()]
    said = [("Size of all images", f"{width} x {height} pixels")]
    if len(few) > 1:
        smallest, largest = sizes[areas.argmin()], sizes[areas.argmax()]
        middle = np.median(sizes, axis=0)
        said = [
            ("Smallest image", f"{smallest[0]} x {smallest[1]} pixels"),
            ("Median width and height", f"{middle[0]:g} x {middle[1]:g} pixels"),
            ("Largest image", f"{largest[0]} x {largest[1]} pixels"),
            ("Most frequent size", f"{width} x {height} pixels, {several.max()} images"),
            ("Different sizes", f"{len(few)}"),
        ]
    return DataSummary(kind, formats, said, counts, n_copies)
