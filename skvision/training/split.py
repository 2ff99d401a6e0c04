"""The internal validation split: shuffled, stratified by class, with whole groups."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit

from .._sklearn.group_split import split_by_group

__all__ = ["split_validation"]


def split_validation(
    targets: np.ndarray,
    fraction: float,
    classes: np.ndarray,
    seed: int,
    groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Split samples into training and validation.

    Every class is in both parts. Keras' ``validation_split`` takes the last rows instead,
    which are one class if a folder is sorted. With groups, no group is in both parts, and a class
    in a single group is in the training part only.

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
    groups : ndarray of shape (n,), int, default=None
        Group numbers from 0 of related images; None for none.

    Returns
    -------
    training, validation : ndarray of int
        Sample indices, sorted.

    Raises
    ------
    ValueError
        If a class has too few images to be in both parts, or if no group can be held out.

    Warns
    -----
    UserWarning
        If groups leave a class out of the validation, or make it much larger or smaller.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.training import split_validation
    >>> training, validation = split_validation(
    ...     np.repeat([0, 1], 10), 0.2, np.array(["cat", "dog"]), seed=0)
    >>> len(training), len(validation)
    (16, 4)
    """
    if groups is not None:
        return split_by_group(
            targets, groups, fraction, classes, seed=seed, option=f"validation_fraction={fraction}"
        )
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
