"""Check of labels: images that look more like another class."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np

from ..._system.quiet import hidden_remarks
from ..._system.threads import thread_limit
from ...exceptions import ImageDecodeError
from ...feature_extraction.cache import Batches, FeatureCache
from ...feature_extraction.network_key import network_key
from ...images import image_key
from ...images.image_key import digest
from ..label_issues import doubts
from .findings import Finding, NotApplicable, Subject

__all__ = ["doubtful_labels"]

# fewest images, and groups, of each class whose labels can be judged, and folds
_FEWEST, _FOLDS = 20, 5
# a doubt above it means that another class is more probable
_DOUBTFUL = 0.5


def doubtful_labels(subject: Subject) -> list[Finding] | NotApplicable:
    """Find images that a classifier on the bundled network's features gives another label."""
    images = subject.images
    if images.y is None:
        return NotApplicable("There are no labels. Pass y.")
    places = np.flatnonzero(images.survey.readable)
    classes, encoded = np.unique(images.y[places], return_inverse=True)
    groups = None if images.groups is None else images.groups[places]
    if len(classes) < 2 or np.bincount(encoded).min() < _FEWEST:
        return NotApplicable(
            f"It takes two classes, and {_FEWEST} images of each class that can be read."
        )
    if groups is not None and any(
        len(np.unique(groups[encoded == number])) < _FOLDS for number in range(len(classes))
    ):
        return NotApplicable(f"It takes {_FOLDS} groups of each class.")
    if images.survey.images.dtype != np.uint8:
        return NotApplicable("The arrays have no scale, so the network can't read them.")
    try:
        scores, best = _judged(subject, places, encoded, groups)
    except ImageDecodeError as error:
        return NotApplicable(f"The network can't read an image: {error}")
    return [
        Finding(
            "label",
            f"It is labelled {str(classes[encoded[k]])!r}, and looks more like "
            f"{str(classes[best[k]])!r}.",
            float(scores[k]),
            (int(places[k]),),
        )
        for k in np.flatnonzero(scores > _DOUBTFUL)
    ]


def _judged(
    subject: Subject, places: np.ndarray, encoded: np.ndarray, groups: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return doubts and the most probable classes, from the cache if they are known."""

    def computed() -> np.ndarray:
        features = _features(subject, places)
        return np.stack(doubts(features, encoded, groups, _FOLDS)).astype(np.float32)

    if subject.cache is None or subject.cache is False:
        scores, best = computed()
        return scores, best.astype(int)
    batch = subject.images.survey.images
    with ThreadPoolExecutor(thread_limit()) as pool:
        keys = list(pool.map(lambda place: image_key(batch.item(int(place))), places))
    numbers = [encoded] if groups is None else [encoded, np.unique(groups, return_inverse=True)[1]]
    key = digest("labels", [*keys, *(np.ascontiguousarray(each).tobytes() for each in numbers)])

    def compute(batches: Batches) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for positions in batches:
            yield positions, computed().reshape(1, -1)

    # the row of one data set, which is known without the network
    row = FeatureCache(subject.cache).fetch_or_compute(
        network_key(name="label-check", libraries=_versions()), [key], compute, 2 * len(places)
    )
    scores, best = row.reshape(2, -1)
    return scores, best.astype(int)


def _versions() -> dict[str, str]:
    found = {}
    for package in ("skvision", "keras", "openvino", "scikit-learn"):
        with suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def _features(subject: Subject, places: np.ndarray) -> np.ndarray:
    with hidden_remarks():
        from ...feature_extraction.transformer import PretrainedFeatureTransformer
    batch = subject.images.survey.images
    items: Any = [batch.item(int(place)) for place in places]
    if isinstance(items[0], np.ndarray):
        items = np.stack(items)
    transformer = PretrainedFeatureTransformer(cache=subject.cache, verbose=subject.verbose)
    return np.asarray(transformer.fit(items).transform(items))
