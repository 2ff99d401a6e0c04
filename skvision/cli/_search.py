"""``skvision train --search``: a grid search that records why a combination failed.

`GridSearchCV` only warns of failures, with a traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from joblib import parallel_config
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, StratifiedGroupKFold, StratifiedKFold
from sklearn.utils.parallel import Parallel, delayed

from .._sklearn.group_split import warn_of_lone_classes
from .._sklearn.groups import group_codes
from ..exceptions import first_line
from ._interruption import when_interrupted
from ._labelled import Labelled
from ._output import aligned
from ._start import start_quietly

__all__ = ["search", "table"]


@dataclass(frozen=True)
class Search:
    """The results of the combinations of a grid.

    Parameters
    ----------
    candidates : list of dict
        Parameters of the estimator, for each combination.
    accuracies : ndarray of shape (n_candidates, n_folds)
        Accuracy of each fold; NaN if it failed.
    failures : list of str or None
        The error of the first failed fold of each combination.
    """

    candidates: list[dict[str, Any]]
    accuracies: np.ndarray
    failures: list[str | None]

    @property
    def means(self) -> np.ndarray:
        """The mean accuracy of each combination, NaN if a fold failed."""
        return np.asarray(self.accuracies.mean(axis=1))

    @property
    def best_params_(self) -> dict[str, Any]:
        """The first parameters with the highest accuracy."""
        return self.candidates[int(np.nanargmax(self.means))]


def search(
    estimator: Any,
    grid: Mapping[str, Sequence[Any]],
    images: Labelled,
    *,
    folds: int,
    jobs: int | None,
    seed: Any,
    path: Callable[[str], str] = str,
) -> Search:
    """Cross-validate each combination; a failed combination doesn't affect the others.

    `path` maps the name of an argument to a parameter of the estimator. Ctrl-C ends the
    search. The best combination isn't refitted. Images of one group are in one fold.
    """
    names, counts = np.unique(images.y, return_counts=True)
    if counts.min() < folds:
        raise ValueError(
            f"--cv {folds} needs at least {folds} images of each class to train on, but "
            f"{names[counts.argmin()]} has {counts.min()}. Lower --cv or add images."
        )
    paths = {name: path(name) for name in grid}
    candidates = list(ParameterGrid({paths[name]: values for name, values in grid.items()}))
    splits = _splits(images, folds, seed)
    # worker processes start TensorFlow too, and would each print its messages
    with parallel_config("loky", initializer=start_quietly), when_interrupted(_interrupt):
        outcomes = Parallel(n_jobs=jobs)(
            delayed(_outcome)(
                clone(estimator).set_params(**clone(params, safe=False)), images, *split, paths
            )
            for params, split in product(candidates, splits)
        )
    by_candidate = [outcomes[start : start + folds] for start in range(0, len(outcomes), folds)]
    failures = [next((f for _, f in each if f is not None), None) for each in by_candidate]
    if all(failures):
        raise ValueError(f"All combinations of the search failed, the first with: {failures[0]}")
    accuracies = np.array([[accuracy for accuracy, _ in each] for each in by_candidate])
    return Search(candidates, accuracies, failures)


def _splits(images: Labelled, folds: int, seed: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the indices of each fold's training and validation images."""
    if images.groups is None:
        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        return list(splitter.split(images.X, images.y))
    codes = group_codes(images.groups, len(images))
    n_groups = codes.max() + 1
    if n_groups < folds:
        raise ValueError(
            f"--cv {folds} needs at least {folds} groups to train on, but there are {n_groups}. "
            "Lower --cv, or change --group-by."
        )
    classes, targets = np.unique(images.y, return_inverse=True)
    counts = np.zeros((n_groups, len(classes)), int)
    np.add.at(counts, (codes, targets), 1)
    warn_of_lone_classes(counts, classes, f"--cv {folds}")
    by_group = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return list(by_group.split(images.X, images.y, codes))


def _interrupt(warning: Any) -> None:
    # an interrupted fit ends normally, but the search must end
    raise KeyboardInterrupt


def _outcome(
    estimator: Any, images: Labelled, seen: np.ndarray, kept: np.ndarray, paths: Mapping[str, str]
) -> tuple[float, str | None]:
    """Return the accuracy of one combination on one fold, or the error."""
    try:
        images.taken(seen).fit(estimator)
        accuracy = float(estimator.score(images.X[kept], images.y[kept]))
    except Exception as error:
        return np.nan, first_line(error)
    # show progress on a terminal, from worker processes too
    if sys.stderr.isatty():
        params = estimator.get_params()
        setting = ", ".join(f"{name}={_text(params[path])}" for name, path in paths.items())
        print(f"accuracy {accuracy:.4f} of one fold with {setting}", file=sys.stderr)
    return accuracy, None


def table(
    found: Search, grid: Mapping[str, Sequence[Any]], path: Callable[[str], str] = str
) -> str:
    """Return the combinations as a table, best first, with errors for failed ones."""
    rows: list[list[Any]] = [["rank", *grid, "accuracy", "std"]]
    notes = [""]
    # failed ones come last, since NaN is sorted to the end
    for k in np.argsort(-found.means, kind="stable"):
        failure, mean = found.failures[k], found.means[k]
        figures = ["-", "-"] if failure else [f"{mean:.4f}", f"{found.accuracies[k].std():.4f}"]
        rows.append(
            [
                "-" if failure else 1 + int((found.means > mean).sum()),
                *(_text(found.candidates[k][path(name)]) for name in grid),
                *figures,
            ]
        )
        notes.append(f"  failed: {failure}" if failure else "")
    lines = aligned(rows).splitlines()
    return "\n".join(line + note for line, note in zip(lines, notes, strict=True))


def _text(value: Any) -> str:
    return "none" if value is None else str(value)
