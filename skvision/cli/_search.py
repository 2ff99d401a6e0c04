"""``skvision train --search``: a `GridSearchCV`, its candidates' failures told."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from joblib import parallel_config
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from ._interruption import when_interrupted
from ._output import aligned
from ._start import start_quietly

__all__ = ["search", "table"]


class _TellingSearch(GridSearchCV):
    """A GridSearchCV that keeps why candidates failed; scikit-learn only warns of it."""

    def _format_results(
        self, candidate_params: Any, n_splits: int, out: Any, more_results: Any = None
    ) -> Any:
        errors = [result.get("fit_error") for result in out]
        self.failures_ = [
            next(filter(None, errors[start : start + n_splits]), None)
            for start in range(0, len(errors), n_splits)
        ]
        return super()._format_results(candidate_params, n_splits, out, more_results)


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
) -> _TellingSearch:
    """Cross-validate each combination; a combination that fails costs no other.

    `path` gives the estimator's parameter that an argument's name stands for. Ctrl-C ends
    the search. Nothing is refitted.
    """
    names, counts = np.unique(y, return_counts=True)
    if counts.min() < folds:
        raise ValueError(
            f"--cv {folds} needs at least {folds} pictures of each class to train on, but "
            f"{names[counts.argmin()]} has {counts.min()}. Lower --cv or add pictures."
        )
    found = _TellingSearch(
        estimator,
        {path(name): values for name, values in grid.items()},
        scoring=partial(_score, paths={name: path(name) for name in grid}),
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
        n_jobs=jobs,
        refit=False,
        error_score=np.nan,
    )
    # worker processes start TensorFlow too, and would each say so
    workers = parallel_config("loky", initializer=start_quietly)
    with workers, when_interrupted(_interrupt), warnings.catch_warnings():
        # both are in the table, and both quote tracebacks at length
        warnings.simplefilter("ignore", FitFailedWarning)
        warnings.filterwarnings("ignore", message="One or more of the test scores")
        try:
            found.fit(X, y)
        except ValueError as error:
            reason = _reason(str(error))
            if "fits failed" not in str(error) or reason is None:
                raise
            raise ValueError(
                f"Every combination of the search failed, the first so: {reason}"
            ) from error
    if not np.isfinite(found.cv_results_["mean_test_score"]).any():
        raise ValueError(f"Every combination of the search failed:\n{table(found, grid, path)}")
    return found


def _interrupt(warning: Any) -> None:
    # the fit that was interrupted counts as one that ended well; the search must end
    raise KeyboardInterrupt


def _score(estimator: Any, X: Any, y: Any, paths: Mapping[str, str]) -> float:
    accuracy = float(estimator.score(X, y))
    # a sign of life on a terminal, from the worker processes too
    if sys.stderr.isatty():
        parameters = estimator.get_params()
        setting = ", ".join(f"{name}={_text(parameters[path])}" for name, path in paths.items())
        print(f"accuracy {accuracy:.4f} of one fold with {setting}", file=sys.stderr)
    return accuracy


def table(
    found: _TellingSearch, grid: Mapping[str, Sequence[Any]], path: Callable[[str], str] = str
) -> str:
    """The combinations, best first; in place of a failed one's figures, why it failed."""
    results = found.cv_results_
    rows, notes = [["rank", *grid, "accuracy", "std"]], [""]
    for k in np.argsort(results["rank_test_score"], kind="stable"):
        figures = [results[f"{it}_test_score"][k] for it in ("mean", "std")]
        failed = not np.isfinite(figures).all()
        rows.append(
            [
                "-" if failed else results["rank_test_score"][k],
                *(_text(results["params"][k][path(name)]) for name in grid),
                *("-" if failed else f"{figure:.4f}" for figure in figures),
            ]
        )
        notes.append(f"  failed: {_reason(found.failures_[k])}" if failed else "")
    lines = aligned(rows).splitlines()
    return "\n".join(line + note for line, note in zip(lines, notes, strict=True))


def _text(value: Any) -> str:
    return "none" if value is None else str(value)


def _reason(traceback: str | None) -> str | None:
    """The message of the first error in the text of a traceback."""
    raised = re.search(r"^[\w.]+(?:Error|Exception|Interrupt): (.+)", traceback or "", re.MULTILINE)
    return raised[1] if raised else None
