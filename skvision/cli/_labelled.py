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

    def fit(self, estimator: Any) -> Any:
        """Fit an estimator; its validation split gets the groups, if it has one."""
        from sklearn.utils.validation import has_fit_parameter

        takes_groups = self.groups is not None and has_fit_parameter(estimator, "groups")
        words = {"groups": self.groups} if takes_groups else {}
        return estimator.fit(self.X, self.y, **words)
