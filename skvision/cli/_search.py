"""``skvision train --search``: a grid search that keeps why a combination failed.

`GridSearchCV` only warns of it, in the text of a traceback.
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
from sklearn.model_selection import ParameterGrid, StratifiedKFold
from sklearn.utils.parallel import Parallel, delayed

from ..exceptions import first_line
from ._interruption import when_interrupted
from ._output import aligned
from ._start import start_quietly

__all__ = ["search", "table"]


@dataclass(frozen=True)
class Search:
    """What came of each combination of a grid.

    Parameters
    ----------
    candidates : list of dict
        The estimator's parameters of each.
    accuracies : ndarray of shape (n_candidates, n_folds)
        NaN where it failed.
    failures : list of str or None
        Why the first of its folds that failed did.
    """

    candidates: list[dict[str, Any]]
    accuracies: np.ndarray
    failures: list[str | None]

    @property
    def means(self) -> np.ndarray:
        """The accuracy of each combination, NaN where a fold failed."""
        return np.asarray(self.accuracies.mean(axis=1))

    @property
    def best_params_(self) -> dict[str, Any]:
        """The parameters of the highest accuracy, the first of several."""
        return self.candidates[int(np.nanargmax(self.means))]


def search(
    estimator: Any,
    grid: Mapping[str, Sequence[Any]],
    X: Any,
    y: Any,
    *,
    folds: int,
    jobs: int | None,
    seed: Any,
    path: Callable[[str], str] = str,
) -> Search:
    """Cross-validate each combination; a combination that fails costs no other.

    `path` gives the estimator's parameter that an argument's name stands for. Ctrl-C ends
    the search. Nothing is refitted.
    """
    names, counts = np.unique(y, return_counts=True)
    if counts.min() < folds:
        raise ValueError(
            f"--cv {folds} needs at least {folds} images of each class to train on, but "
            f"{names[counts.argmin()]} has {counts.min()}. Lower --cv or add images."
        )
    paths = {name: path(name) for name in grid}
    candidates = list(ParameterGrid({paths[name]: values for name, values in grid.items()}))
    splits = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(X, y))
    # worker processes start TensorFlow too, and would each say so
    with parallel_config("loky", initializer=start_quietly), when_interrupted(_interrupt):
        outcomes = Parallel(n_jobs=jobs)(
            delayed(_outcome)(
                clone(estimator).set_params(**clone(params, safe=False)), X, y, *split, paths
            )
            for params, split in product(candidates, splits)
        )
    by_candidate = [outcomes[start : start + folds] for start in range(0, len(outcomes), folds)]
    failures = [next((f for _, f in each if f is not None), None) for each in by_candidate]
    if all(failures):
        raise ValueError(f"Every combination of the search failed, the first so: {failures[0]}")
    accuracies = np.array([[accuracy for accuracy, _ in each] for each in by_candidate])
    return Search(candidates, accuracies, failures)


def _interrupt(warning: Any) -> None:
    # the fit that was interrupted counts as one that ended well; the search must end
    raise KeyboardInterrupt


def _outcome(
    estimator: Any, X: Any, y: Any, seen: np.ndarray, kept: np.ndarray, paths: Mapping[str, str]
) -> tuple[float, str | None]:
    """The accuracy of one combination on one fold, or why there is none."""
    try:
        estimator.fit(X[seen], y[seen])
        accuracy = float(estimator.score(X[kept], y[kept]))
    except Exception as error:
        return np.nan, first_line(error)
    # a sign of life on a terminal, from the worker processes too
    if sys.stderr.isatty():
        params = estimator.get_params()
        setting = ", ".join(f"{name}={_text(params[path])}" for name, path in paths.items())
        print(f"accuracy {accuracy:.4f} of one fold with {setting}", file=sys.stderr)
    return accuracy, None


def table(
    found: Search, grid: Mapping[str, Sequence[Any]], path: Callable[[str], str] = str
) -> str:
    """The combinations, best first; in place of a failed one's figures, why it failed."""
    rows: list[list[Any]] = [["rank", *grid, "accuracy", "std"]]
    notes = [""]
    # failed ones last: NaN is sorted to the end
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
