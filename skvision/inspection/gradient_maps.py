"""Heat maps from the gradients of a network, with their controls, in as few passes as possible.

An image goes through the network three times: once for its map and its probability, once with
the hottest tenth hidden, and once with a random tenth hidden. Networks with a random last layer
share the first pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np

from .._system.progress import progress
from ..images import ImageBatch, ImageReader
from ..networks import PREDICT_BATCH
from .class_network import ClassNetwork
from .controls import blurred, hidden, hottest, likeness, moved

__all__ = ["Maps", "gradient_maps", "resized", "shown_maps"]

# images per round; their feature maps wait in memory, at most 1.6 MB each (VGG16 at 224x224)
ROUND = 8 * PREDICT_BATCH


@dataclass(frozen=True)
class Maps:
    """Heat maps of images with their controls; each array has one entry per image.

    Parameters
    ----------
    maps : ndarray of shape (n, height, width), float32
        Heat maps from 0 to 1.
    images : ndarray of shape (n, height, width, 3), uint8
        The images at the size of the maps.
    targets : ndarray of shape (n,), int
        Index of the class that a map explains.
    numbers : ndarray of shape (n,), float64
        The class's probability (or score).
    without_hottest, without_random : ndarray of shape (n,), float64
        The same with the hottest tenth hidden, and with a random tenth hidden.
    alike : ndarray of shape (n,), float64
        Likeness of the map to those of networks with a random last layer; NaN if unknown.
    """

    maps: np.ndarray
    images: np.ndarray
    targets: np.ndarray
    numbers: np.ndarray
    without_hottest: np.ndarray
    without_random: np.ndarray
    alike: np.ndarray


def gradient_maps(
    network: ClassNetwork, images: ImageBatch, targets: np.ndarray | None, verbose: int = 0
) -> Maps:
    """Make heat maps of images, and their controls.

    Parameters
    ----------
    network : ClassNetwork
        The network.
    images : ImageBatch
        The images.
    targets : ndarray of shape (n,), int
        Index of a class per image; None for the predicted ones.
    verbose : int, default=0
        Whether to show a progress bar.

    Returns
    -------
    Maps
    """
    how = network.estimator.reads_images_as()
    rounds = [
        np.arange(start, min(start + ROUND, len(images))) for start in range(0, len(images), ROUND)
    ]
    with ImageReader(images, how.size, how.resize, keep_bytes=0) as reader:
        pixels = reader.read_ahead(rounds)
        found = [
            _of_round(network, batch, None if targets is None else targets[which], int(which[0]))
            for which, batch in zip(progress(rounds, "explaining", verbose), pixels, strict=True)
        ]
    return Maps(*map(np.concatenate, zip(*map(_arrays, found), strict=True)))


def _arrays(maps: Maps) -> list[np.ndarray]:
    return [getattr(maps, field.name) for field in fields(maps)]


def _of_round(
    network: ClassNetwork, images: np.ndarray, targets: np.ndarray | None, seed: int
) -> Maps:
    size = network.batch_size
    parts = _batches(images, size)
    of_parts = list(network.feature_maps(parts))
    answers = np.concatenate([network.answers(each) for each in of_parts])
    targets = answers.argmax(axis=1) if targets is None else targets
    values, alike = [], []
    for of_views, some in zip(of_parts, _batches(targets, size), strict=True):
        found = network.evidence(of_views, some)
        values.append(_in_place(network, [of_class for of_class, _ in found], images.shape[1:3]))
        of_each = [
            np.mean([likeness(of_class, other) for other in of_random], axis=0)
            for of_class, of_random in found
        ]
        alike.append(np.mean(of_each, axis=0))
    del of_parts
    whole = np.concatenate(values)
    marked = hottest(whole)
    neutral = blurred(images)
    # a round's own seed: the same images have the same controls
    random = moved(marked, np.random.default_rng(seed))
    # made while the network runs
    changed = (
        hidden(*some)
        for where in (marked, random)
        for some in zip(*(_batches(each, size) for each in (images, where, neutral)), strict=True)
    )
    without = np.concatenate([network.answers(each) for each in network.feature_maps(changed)])
    rows = np.arange(len(images))
    return Maps(
        shown_maps(whole),
        images,
        targets,
        answers[rows, targets],
        without[rows, targets],
        without[len(images) + rows, targets],
        np.concatenate(alike),
    )


def _batches(array: np.ndarray, size: int) -> Sequence[np.ndarray]:
    return [array[start : start + size] for start in range(0, len(array), size)]


def _in_place(
    network: ClassNetwork, of_views: list[np.ndarray], size: tuple[int, int]
) -> np.ndarray:
    """Return the mean over the views of evidence (n, rows, columns), at the size of the images."""
    placed = [
        view.placed(resized(evidence, size))
        for view, evidence in zip(network.views, of_views, strict=True)
    ]
    return placed[0] if len(placed) == 1 else np.mean(placed, axis=0)


def resized(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return maps (n, rows, columns) at another size, interpolated bilinearly.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.gradient_maps import resized
    >>> resized(np.array([[[0.0, 1.0]]], np.float32), (1, 4)).tolist()
    [[[0.0, 0.25, 0.75, 1.0]]]
    """
    height, width = size
    return np.stack(
        [
            cv2.resize(each.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
            for each in maps
        ]
    )


def shown_maps(values: np.ndarray) -> np.ndarray:
    """Return evidence as a heat map from 0 to 1: 1 is the most, 0 is none or against the class.

    Parameters
    ----------
    values : ndarray of shape (n, height, width), float
        Evidence for a class.

    Returns
    -------
    ndarray of the same shape, float32
        All zero for an image without evidence for the class.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.gradient_maps import shown_maps
    >>> shown_maps(np.array([[[-1.0, 2.0], [4.0, 0.0]]])).tolist()
    [[[0.0, 0.5], [1.0, 0.0]]]
    """
    positive: np.ndarray = np.maximum(values, 0, dtype=np.float32)
    largest = positive.max(axis=(1, 2), keepdims=True)
    positive /= np.where(largest > 0, largest, 1)
    return positive
