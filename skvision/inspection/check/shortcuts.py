"""Check of shortcuts: whether classes can be told without looking at what the images show."""

from __future__ import annotations

from typing import Any

import numpy as np

from .findings import Finding, NotApplicable, Subject

__all__ = ["advantage", "shortcuts"]

# images of each class, drawn at random; classes with fewer than the fewest are left out
_MOST, _FEWEST = 300, 20
_FOLDS = 5
# smallest share of the way from chance to perfection that counts, and of chance's own luck
_ADVANTAGE, _LUCK = 0.2, 1e-4
_SEED = 0


def shortcuts(subject: Subject) -> list[Finding] | NotApplicable:
    """Find properties of files, and of brightness, that tell the classes apart."""
    y = subject.images.y
    if y is None:
        return NotApplicable("There are no labels. Pass y.")
    rows = _drawn(y, subject.images.survey.readable)
    names, encoded = np.unique(y[rows], return_inverse=True)
    if len(names) < 2:
        return NotApplicable(f"Fewer than two classes have {_FEWEST} images that can be read.")
    groups = subject.images.groups
    columns = _columns(subject.images.survey.figures[rows])
    found = []
    for what, table in columns.items():
        if (table == table[0]).all():
            continue
        right = _n_correct(table, encoded, None if groups is None else groups[rows])
        share, is_sure = advantage(right, len(rows), len(names))
        if share >= _ADVANTAGE and is_sure:
            message = (
                f"{what[0].upper()}{what[1:]} alone tells the class of {right / len(rows):.0%} of "
                f"the images right, where chance is {1 / len(names):.0%}."
            )
            found.append(Finding("shortcut", message, share))
    return sorted(found, key=lambda each: -each.score)


def advantage(n_correct: int, n: int, n_classes: int) -> tuple[float, bool]:
    """Compare a number of right answers with chance.

    Parameters
    ----------
    n_correct, n : int
        Numbers of right answers and of all answers.
    n_classes : int
        Number of classes, all of one size.

    Returns
    -------
    share : float
        How far the accuracy lies on the way from chance, 0, to 1.
    is_sure : bool
        Whether chance alone would give as many right answers in at most one of 10,000 cases, by
        the binomial distribution.

    Examples
    --------
    >>> from skvision.inspection.check.shortcuts import advantage
    >>> advantage(75, 100, 2), advantage(52, 100, 2)
    ((0.5, True), (0.04, False))
    """
    from scipy.stats import binom

    chance = 1 / n_classes
    share = (n_correct / n - chance) / (1 - chance)
    return max(0.0, round(share, 6)), bool(binom.sf(n_correct - 1, n, chance) <= _LUCK)


def _drawn(y: np.ndarray, readable: np.ndarray) -> np.ndarray:
    """Return places of the same number of images of each class, so that chance is known."""
    names, counts = np.unique(y[readable], return_counts=True)
    names, counts = names[counts >= _FEWEST], counts[counts >= _FEWEST]
    if len(names) == 0:
        return np.empty(0, int)
    n = min(_MOST, int(counts.min()))
    draw = np.random.default_rng(_SEED)
    parts = [
        draw.choice(np.flatnonzero((y == name) & readable), n, replace=False) for name in names
    ]
    return np.sort(np.concatenate(parts))


def _columns(figures: np.ndarray) -> dict[str, np.ndarray]:
    """Return the table of each property."""
    width, height = (np.maximum(figures[name], 1).astype(float) for name in ("width", "height"))
    tables: dict[str, Any] = {
        "the size in pixels": [width, height, width * height, width / height],
        "the brightness": [
            figures[name] for name in ("brightness", "dark_part", "bright_part", "contrast")
        ],
        "the file format": [_numbers(figures["format"]), _numbers(figures["mode"])],
        "the camera": [_numbers(figures["camera"])],
    }
    if (figures["n_bytes"] > 0).all():
        tables["the compression (bytes per pixel)"] = [figures["n_bytes"] / (width * height)]
    return {name: np.stack(table, axis=1).astype(float) for name, table in tables.items()}


def _numbers(texts: np.ndarray) -> np.ndarray:
    """Return a number for each text, frequent ones first, so that a tree splits them."""
    _, inverse, counts = np.unique(texts, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts))
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    numbers: np.ndarray = rank[inverse]
    return numbers


def _n_correct(table: np.ndarray, encoded: np.ndarray, groups: np.ndarray | None) -> int:
    """Return how many labels a tree predicts right, each from the other folds."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    splitter: Any = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
    if groups is not None and len(np.unique(groups)) >= _FOLDS:
        splitter = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=_SEED)
    tree = DecisionTreeClassifier(min_samples_leaf=max(5, len(table) // 60), random_state=_SEED)
    predicted = cross_val_predict(tree, table, encoded, groups=groups, cv=splitter)
    return int((predicted == encoded).sum())
