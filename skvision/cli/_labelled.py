"""`Labelled`: images, their labels and their groups, for the commands that train."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Labelled"]


@dataclass(frozen=True)
class Labelled:
    """Images of classes.

    Parameters
    ----------
    X : ndarray of shape (n,), object
        File names.
    y : ndarray of shape (n,), str
        Labels.
    groups : ndarray of shape (n,), str, default=None
        Groups of related images; None for none.
    """

    X: Any
    y: Any
    groups: Any = None

    def __len__(self) -> int:
        return len(self.y)

    def taken(self, indices: Any) -> Labelled:
        """Return some of them."""
        groups = None if self.groups is None else self.groups[indices]
        return Labelled(self.X[indices], self.y[indices], groups)

    def split(self, fraction: float, seed: Any, option: str) -> tuple[Labelled, Labelled]:
        """Return a share of each class as the second part; no group is in both parts.

        `option` is what errors name.
        """
        import numpy as np
        from sklearn.model_selection import train_test_split

        from .._sklearn.group_split import split_by_group
        from .._sklearn.groups import group_codes

        if self.groups is None:
            first, second = train_test_split(
                np.arange(len(self)), test_size=fraction, stratify=self.y, random_state=seed
            )
        else:
            classes, targets = np.unique(self.y, return_inverse=True)
            codes = group_codes(self.groups, len(self))
            first, second = split_by_group(
                targets, codes, fraction, classes, seed=seed, option=option
            )
        return self.taken(first), self.taken(second)

    def fit(self, estimator: Any) -> Any:
        """Fit an estimator; its validation split gets the groups, if it has one."""
        from sklearn.utils.validation import has_fit_parameter

        takes_groups = self.groups is not None and has_fit_parameter(estimator, "groups")
        words = {"groups": self.groups} if takes_groups else {}
        return estimator.fit(self.X, self.y, **words)
