"""`find_label_issues`: rank images by how doubtful their labels are."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.utils import Bunch

from .._sklearn.labels import label_column

__all__ = ["check_folds", "doubts", "find_label_issues"]

# directions of the features that the classifier sees, and its inverse penalty
_COMPONENTS, _C = 200, 0.01
_SEED = 0


def find_label_issues(X: Any, y: Any, *, groups: Any = None, cv: int = 5) -> Any:
    """Rank images by how doubtful their labels are, and suggest others.

    A classifier on features of the bundled network predicts each image from the other folds. Wrong
    labels mislead it too, so it is trained a second time without the images whose labels it
    doubts, and predicts all images again.

    Parameters
    ----------
    X : array, sequence, Series or frame of n_samples images
        The images in any form that estimators take. Features of files are kept in the user's
        cache folder.
    y : array-like of shape (n_samples,)
        The labels to judge.
    groups : array-like of shape (n_samples,), default=None
        What related images have in common, such as their animal or patient. A group is predicted
        from the other groups, since its own images repeat a wrong label.
    cv : int, default=5
        Number of folds, at least 2. Each class needs as many images, and as many groups.

    Returns
    -------
    sklearn.utils.Bunch
        A Bunch with these entries:

        ranking : ndarray of shape (n_samples,), int
            Places of all images, the most doubtful label first.
        scores : ndarray of shape (n_samples,), float
            Doubt of each label, from 0 to 1; above 0.5 another class is more probable.
        suggested : ndarray of shape (n_samples,)
            The most probable class of each image.

    Raises
    ------
    ValueError
        If lengths differ, there are fewer than two classes, or a class has too few images or
        groups.
    ImageDecodeError
        If a file can't be read; `check_images` finds such files.

    See Also
    --------
    check_images : Find copies, leaks and odd images.

    Notes
    -----
    The score is q / (p + q), with the probability p of the given label and q of the most probable
    other class.

    References
    ----------
    C. G. Northcutt, L. Jiang, I. L. Chuang, Confident Learning: Estimating Uncertainty in Dataset
    Labels, 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skvision import find_label_issues
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> X, y = X[:60].reshape(-1, 8, 8) / 16, y[:60]
    >>> true, y[7] = y[7], 2
    >>> found = find_label_issues(X, y)
    >>> int(found.ranking[0]), bool(found.suggested[7] == true)
    (7, True)
    """
    labels = label_column(y)
    members = None if groups is None else label_column(groups)
    check_folds(labels, members, cv)
    from ..feature_extraction.transformer import PretrainedFeatureTransformer  # loads Keras

    features = PretrainedFeatureTransformer(cache=True).fit_transform(X)
    for name, column in (("y", labels), ("groups", members)):
        if column is not None and len(column) != len(features):
            raise ValueError(
                f"X holds {len(features)} images, and {name} holds {len(column)} values. Pass one "
                "each."
            )
    classes, encoded = np.unique(labels, return_inverse=True)
    scores, best = doubts(np.asarray(features), encoded, members, cv)
    ranking = np.argsort(-scores, kind="stable")
    return Bunch(ranking=ranking, scores=scores, suggested=classes[best])


def check_folds(labels: np.ndarray, groups: np.ndarray | None, cv: Any) -> None:
    """Raise ValueError if labels can't be predicted in so many folds."""
    if not isinstance(cv, Integral) or isinstance(cv, bool) or cv < 2:
        raise ValueError(f"cv must be a whole number from 2. Received: {cv!r}")
    folds = int(cv)
    names, counts = np.unique(labels, return_counts=True)
    if len(names) < 2:
        raise ValueError(f"y holds one class, {names.tolist()}, so no label can be doubted.")
    if counts.min() < folds:
        raise ValueError(
            f"The class {names.tolist()[counts.argmin()]!r} has {counts.min()} images, and "
            f"cv={cv} folds need {cv} of each class. Add images, or pass a smaller cv."
        )
    if groups is None or len(groups) != len(labels):
        return
    for name in names.tolist():
        n = len(np.unique(groups[labels == name]))
        if n < folds:
            raise ValueError(
                f"The class {name!r} has {n} groups, and cv={cv} folds need {cv}. Pass a smaller "
                "cv, or smaller groups."
            )


def doubts(
    features: np.ndarray, encoded: np.ndarray, groups: np.ndarray | None = None, cv: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Return the doubt of each label, and the most probable class.

    Parameters
    ----------
    features : ndarray of shape (n, n_features), float
        Features of the images.
    encoded : ndarray of shape (n,), int
        Labels from 0.
    groups : ndarray of shape (n,), default=None
        Groups that lie in one fold.
    cv : int, default=5
        Number of folds.

    Returns
    -------
    scores : ndarray of shape (n,), float
        From 0 to 1.
    best : ndarray of shape (n,), int
        The most probable class.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.label_issues import doubts
    >>> y = np.arange(40) % 2
    >>> features = y[:, np.newaxis] + np.random.default_rng(0).normal(0, 0.1, (40, 3))
    >>> y[4] = 1
    >>> scores, best = doubts(features, y)
    >>> int(scores.argmax()), int(best[4])
    (4, 0)
    """
    # no label is used here, so that it may see all images
    size = min(_COMPONENTS, *features.shape)
    rows = PCA(size, random_state=_SEED).fit_transform(features)
    # one scale for all: with one for each, the noise of few images counts as much as their content
    rows /= np.sqrt((rows**2).sum(axis=1).mean() / _COMPONENTS) + 1e-12
    splitter = (StratifiedKFold if groups is None else StratifiedGroupKFold)(
        cv, shuffle=True, random_state=_SEED
    )
    folds = list(splitter.split(rows, encoded, groups))
    first, _ = _compared(_probabilities(rows, encoded, folds, np.ones(len(rows), bool)), encoded)
    trusted = first <= 0.5
    return _compared(_probabilities(rows, encoded, folds, trusted), encoded)


def _probabilities(
    rows: np.ndarray, encoded: np.ndarray, folds: list[Any], trusted: np.ndarray
) -> np.ndarray:
    """Return out-of-fold probabilities of models that are trained on trusted labels."""
    n_classes = int(encoded.max()) + 1
    probabilities = np.zeros((len(rows), n_classes))
    for train, test in folds:
        train = _with_each_class(train, encoded, trusted)
        model = LogisticRegression(C=_C, max_iter=300)
        model.fit(rows[train], encoded[train])
        probabilities[np.ix_(test, model.classes_)] = model.predict_proba(rows[test])
    return probabilities


def _with_each_class(train: np.ndarray, encoded: np.ndarray, trusted: np.ndarray) -> np.ndarray:
    """Return the trusted images, and all images of a class that has no trusted ones."""
    kept = trusted[train]
    lost = np.setdiff1d(encoded[train], encoded[train][kept])
    chosen: np.ndarray = train[kept | np.isin(encoded[train], lost)]
    return chosen


def _compared(probabilities: np.ndarray, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the doubt of each label, and the most probable classes."""
    places = np.arange(len(encoded))
    given = probabilities[places, encoded]
    others = probabilities.copy()
    others[places, encoded] = -1
    rival = others.max(axis=1)
    return rival / np.maximum(given + rival, 1e-12), probabilities.argmax(axis=1)
