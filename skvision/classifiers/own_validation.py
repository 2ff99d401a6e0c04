"""Read ``validation_data`` of fit: images of the user's choice, in place of a split."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .._sklearn.compat import check_sample_weight
from .._sklearn.labels import labels_like, listed, validate_labels
from ..exceptions import ImageDecodeError, shown
from ..images import validate_images
from ..training import TrainingData

__all__ = ["own_validation"]


def own_validation(estimator: Any, given: Any, of_classes: np.ndarray) -> TrainingData:
    """Validate images and labels to validate with, after those to train on.

    Parameters
    ----------
    estimator : object
        It knows the classes, the scale and the form of the training images.
    given : tuple
        (X, y) or (X, y, sample_weight).
    of_classes : ndarray of shape (n_classes,)
        The weight of each class in the training.

    Returns
    -------
    TrainingData
        The images, with indices of the estimator's classes.

    Raises
    ------
    ValueError
        If they are not as described, or have another form or other classes than the training
        images.
    """
    if not isinstance(given, tuple | list) or len(given) not in (2, 3):
        what = f"{len(given)} items" if isinstance(given, tuple | list) else shown(given)
        raise ValueError(
            f"validation_data must be a tuple (X, y) or (X, y, sample_weight). Received: {what}."
        )
    X, y, *rest = given
    classes = estimator.classes_
    with _named():
        images = validate_images(estimator, X, reset=False)
        labels = labels_like(classes, validate_labels(estimator, y, len(images)))
        places = {label: place for place, label in enumerate(classes.tolist())}
        unknown = sorted(set(labels.tolist()) - places.keys())
        if unknown:
            raise ValueError(
                f"y holds labels that the training images don't have: {listed(unknown)}. They "
                f"have: {listed(classes)}. Leave these images out, or add some of these classes to "
                "the training."
            )
        weights = np.ones(len(images))
        if rest and rest[0] is not None:
            weights = check_sample_weight(rest[0], images, ensure_non_negative=True)
        targets = np.array([places[label] for label in labels.tolist()])
        weights = weights * of_classes[targets]
        if not weights.any():
            raise ValueError("All sample weights are 0: there is nothing to validate with.")
    return TrainingData(images, targets, weights, classes)


@contextmanager
def _named() -> Iterator[None]:
    """Say in errors that they are about validation_data."""
    try:
        yield
    except ImageDecodeError:  # it names the file
        raise
    except ValueError as error:
        raise ValueError(f"validation_data: {error}") from None
