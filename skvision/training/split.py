"""The internal validation split: shuffled, and stratified by class."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit

__all__ = ["split_validation"]


def split_validation(
    targets: np.ndarray, fraction: float, classes: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split samples into training and validation.

    Every class is in both parts. Keras' ``validation_split`` takes the last rows instead,
    which are one class if a folder is sorted.

    Parameters
    ----------
    targets : ndarray of shape (n,), int
        Class indices.
    fraction : float
        Share of the validation samples, above 0 and below 1.
    classes : ndarray of shape (n_classes,)
        The labels, for the error.
    seed : int
        Seed of the shuffle.

    Returns
    -------
    training, validation : ndarray of int
        Sample indices, sorted.

    Raises
    ------
    ValueError
        If a class has too few images to be in both parts.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.training import split_validation
    >>> training, validation = split_validation(
    ...     np.repeat([0, 1], 10), 0.2, np.array(["cat", "dog"]), seed=0)
    >>> len(training), len(validation)
    (16, 4)
    """
    counts = np.bincount(targets, minlength=len(classes))
    n_validation = int(np.ceil(fraction * len(targets)))
    n_training = len(targets) - n_validation
    smallest = int(np.argmin(counts))
    advice = (
        "Add images, change validation_fraction, or hold out none: validation_fraction=None and "
        "early_stopping=False."
    )
    if counts[smallest] < 2:
        raise ValueError(
            f"Class {str(classes[smallest])!r} has {counts[smallest]} image, but "
            f"validation_fraction={fraction} needs at least 2 of each class: one to train on, one "
            f"to validate with. {advice}"
        )
    if min(n_validation, n_training) < len(classes):
        raise ValueError(
            f"validation_fraction={fraction} of {len(targets)} images leaves {n_training} to train "
            f"on and {n_validation} to validate with, but each part needs at least one of each of "
            f"the {len(classes)} classes. {advice}"
        )
    splitter = StratifiedShuffleSplit(1, test_size=n_validation, random_state=seed)
    training, validation = next(splitter.split(targets, targets))
    return np.sort(training), np.sort(validation)
