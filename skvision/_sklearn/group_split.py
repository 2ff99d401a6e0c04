"""`split_by_group`: hold out whole groups, with the classes in equal shares on both sides.

`sklearn.model_selection.StratifiedGroupKFold` chooses a fold for one group after the other, such
that classes are spread as evenly as possible. Its folds are of equal size, so a tenth of the images
is one of ten folds, and a share such as 0.15 is none. This module chooses in the same way between
two sides of any size.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .labels import listed

__all__ = ["split_by_group", "warn_of_lone_classes"]

# a held-out share is as asked if it differs by at most this factor
_NEAR = 2


def split_by_group(
    targets: np.ndarray,
    groups: np.ndarray,
    fraction: float,
    classes: np.ndarray,
    *,
    seed: Any,
    option: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Split samples into two parts that share no group.

    Each class is in the first part. It is in the second part too, if it is in several groups and
    these don't hold all images of another class.

    Parameters
    ----------
    targets : ndarray of shape (n,), int
        Class indices.
    groups : ndarray of shape (n,), int
        Group numbers from 0, by `group_codes`.
    fraction : float
        Share of the samples to hold out, above 0 and below 1.
    classes : ndarray of shape (n_classes,)
        The labels of the class indices, for messages.
    seed : int
        Seed of the order in which groups are assigned.
    option : str
        The setting that asks for the split, for messages.

    Returns
    -------
    kept, held_out : ndarray of int
        Sample indices, sorted.

    Raises
    ------
    ValueError
        If no group can be held out.

    Warns
    -----
    UserWarning
        If a class has no held-out images, or if the groups are so large that the held-out share
        is less than half or more than twice `fraction`.

    Examples
    --------
    Six animals in four photos each; the photos of one animal stay together:

    >>> from skvision._sklearn.group_split import split_by_group
    >>> targets, groups = np.repeat([0, 1], 12), np.repeat(np.arange(6), 4)
    >>> kept, held_out = split_by_group(
    ...     targets, groups, 1 / 3, np.array(["cat", "dog"]), seed=0, option="test_size")
    >>> np.unique(groups[kept]).tolist(), np.unique(groups[held_out]).tolist()
    ([1, 2, 3, 4], [0, 5])
    """
    counts = np.zeros((groups.max() + 1, len(classes)), int)
    np.add.at(counts, (groups, targets), 1)
    chosen = _chosen(counts, fraction, np.random.default_rng(seed))
    if not chosen.any():
        n_groups = len(np.unique(groups))
        why = (
            "groups holds one group only"
            if n_groups == 1
            else f"each of the {n_groups} groups holds all images of a class"
        )
        raise ValueError(
            f"{option} holds out whole groups, but {why}, so none can be held out. Pass finer "
            "groups, add images of other groups, or hold out none."
        )
    held_out = chosen[groups]
    _warn(counts, chosen, fraction, classes, option)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _chosen(counts: np.ndarray, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Choose the groups to hold out, from the number of images per group and class."""
    counts = counts[:, counts.any(axis=0)]
    sizes = np.outer([1 - fraction, fraction], counts.sum(axis=0))
    # the last groups even out the shares, so they are the small ones of mixed classes
    order = rng.permutation(np.flatnonzero(counts.any(axis=1)))
    order = order[np.lexsort((-counts[order].sum(axis=1), -counts[order].std(axis=1)))]
    sides = np.zeros((2, counts.shape[1]))
    left = counts.sum(axis=0)
    chosen = np.zeros(len(counts), bool)
    for group in order:
        left = left - counts[group]
        # classes whose last images these are
        last = (counts[group] > 0) & (left == 0)
        if (last & (sides[0] == 0)).any():
            side = 0
        elif (last & (sides[1] == 0)).any():
            side = 1
        else:
            side = _more_even_side(sides, sizes, counts[group])
        sides[side] += counts[group]
        chosen[group] = side == 1
    return chosen


def _more_even_side(sides: np.ndarray, sizes: np.ndarray, group: np.ndarray) -> int:
    """Return the side of a group for which the shares of each class are most alike."""
    spreads = []
    for side in range(2):
        with_group = sides.copy()
        with_group[side] += group
        spreads.append((with_group / sizes).std(axis=0).mean())
    if np.isclose(*spreads):
        return int(np.argmin(sides.sum(axis=1) / sizes.sum(axis=1)))
    return int(np.argmin(spreads))


def _warn(
    counts: np.ndarray, chosen: np.ndarray, fraction: float, classes: np.ndarray, option: str
) -> None:
    here = counts.any(axis=0)
    lost = here & ~counts[chosen].any(axis=0)
    if lost.any():
        whole = warn_of_lone_classes(counts, classes, option)
        others = lost & ~whole
        if others.any():
            warnings.warn(
                f"{option} holds out no images of {listed(classes[others])}: their groups hold all "
                "images of another class. Add images of these classes in other groups."
            )
    share = counts[chosen].sum() / counts.sum()
    if not fraction / _NEAR <= share <= fraction * _NEAR:
        warnings.warn(
            f"{option} holds out {share:.0%} of the images, since groups aren't cut. More and "
            "smaller groups come nearer to it."
        )


def warn_of_lone_classes(counts: np.ndarray, classes: np.ndarray, option: str) -> np.ndarray:
    """Warn of classes that lie entirely in one group.

    Parameters
    ----------
    counts : ndarray of shape (n_groups, n_classes), int
        Numbers of images.
    classes : ndarray of shape (n_classes,)
        The labels.
    option : str
        The setting that asks for a split.

    Returns
    -------
    ndarray of shape (n_classes,), bool
        Which classes these are.

    Warns
    -----
    UserWarning
        If there are any.
    """
    lone: np.ndarray = (counts > 0).sum(axis=0) == 1
    if lone.any():
        warnings.warn(
            f"All images of {listed(classes[lone])} are in one group, so {option} can't have them "
            "on both sides of a split: their accuracy isn't measured. Add images of these classes "
            "in other groups."
        )
    return lone
