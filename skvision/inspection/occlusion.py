"""Heat maps by occlusion: hide one part of an image after another, and ask the classifier.

They need nothing of a classifier but its probabilities.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .controls import blurred, hidden, hottest, moved
from .gradient_maps import Maps, shown_maps

__all__ = ["MOST_IMAGES", "N_PREDICTIONS", "occlusion_maps", "windows"]

#: parts per side of an image; a window is two parts wide
N_STEPS = 8

#: random tenths that are hidden
N_RANDOM = 4

#: predictions per image: itself, all windows, the hottest tenth and random ones
N_PREDICTIONS = 1 + N_STEPS**2 + 1 + N_RANDOM

#: images per call
MOST_IMAGES = 1000


def windows(height: int, width: int) -> np.ndarray:
    """Return the windows that are hidden one after another.

    Parameters
    ----------
    height, width : int
        Size of an image in pixels.

    Returns
    -------
    ndarray of shape (n_windows, height, width), bool
        At most eight windows a row and eight rows. They overlap by half, and together cover
        each pixel.

    Examples
    --------
    >>> from skvision.inspection.occlusion import windows
    >>> windows(2, 4).shape, windows(224, 224).shape
    ((8, 2, 4), (64, 224, 224))
    """
    rows, columns = _spans(height), _spans(width)
    covers: np.ndarray = rows[:, None, :, None] & columns[None, :, None, :]
    return covers.reshape(-1, height, width)


def _spans(side: int) -> np.ndarray:
    """Return spans of one side, (n, side) bool."""
    n = min(N_STEPS, side)
    edges = np.linspace(0, side, n + 1)
    middles, half = (edges[:-1] + edges[1:]) / 2, side / n
    places = np.arange(side) + 0.5
    spans: np.ndarray = np.abs(places - middles[:, None]) < half
    return spans


def occlusion_maps(
    probabilities: Callable[[np.ndarray], np.ndarray],
    arrays: np.ndarray,
    images: np.ndarray,
    targets: np.ndarray | None,
) -> Maps:
    """Make heat maps of images, and their controls.

    Parameters
    ----------
    probabilities : callable
        Maps images in the form of `arrays` to probabilities (n, n_classes).
    arrays : ndarray of shape (n, height, width) or (n, height, width, n_channels)
        Images as the classifier takes them.
    images : ndarray of shape (n, height, width, 3), uint8
        The same images, to show.
    targets : ndarray of shape (n,), int
        Index of a class per image; None for the predicted ones.

    Returns
    -------
    Maps
        The values are mean drops of the class's probability over the windows with a pixel.
    """
    covers = windows(*arrays.shape[1:3])
    n_covers = covers.sum(axis=0)
    found = []
    for place in range(len(arrays)):
        image = arrays[place : place + 1]
        pixels = image if image.ndim == 4 else image[..., np.newaxis]
        neutral = _neutral(pixels)

        def without(
            marked: np.ndarray,
            pixels: np.ndarray = pixels,
            neutral: np.ndarray = neutral,
            shape: tuple[int, ...] = image.shape[1:],
        ) -> np.ndarray:
            return hidden(pixels, marked, neutral).reshape(len(marked), *shape)

        answers = probabilities(np.concatenate([image, without(covers)]))
        target = int(answers[0].argmax()) if targets is None else int(targets[place])
        number = answers[0, target]
        drops = number - answers[1:, target]
        values = (np.tensordot(drops, covers, axes=1) / n_covers)[np.newaxis]
        marked = hottest(values)
        random = np.random.default_rng(place)
        places = [marked, *(moved(marked, random) for _ in range(N_RANDOM))]
        controls = probabilities(without(np.concatenate(places)))[:, target]
        found.append((shown_maps(values)[0], target, number, controls[0], controls[1:].mean()))
    maps, chosen, numbers, hot, randoms = map(np.array, zip(*found, strict=True))
    return Maps(maps, images, chosen, numbers, hot, randoms, np.full(len(arrays), np.nan))


def _neutral(pixels: np.ndarray) -> np.ndarray:
    """Return a blurred copy, of the same number type."""
    floats = blurred(pixels.astype(np.float32))
    if pixels.dtype.kind == "f":
        return np.asarray(floats, pixels.dtype)
    rounded: np.ndarray = np.rint(floats).astype(pixels.dtype)
    return rounded
