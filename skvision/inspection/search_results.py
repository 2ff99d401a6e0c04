"""`SearchDisplay`: the scores of a search over one or two parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from .._sklearn.labels import listed
from ..exceptions import shown
from .frames import as_frame
from .plotting import COLOURS, DASHES, MARKERS, new_axes, set_labels, short_text, style

__all__ = ["SearchDisplay", "is_logarithmic"]

#: more values of the second parameter are shown by colours instead of lines
_MOST_LINES = 6
#: points of more values, as of a randomized search, aren't joined
_MOST_JOINED = 12
#: more values have ticks at round numbers
_MOST_TICKS = 8
#: value of a parameter that a setting doesn't have, as in a list of grids
_UNSET = "unset"


class SearchDisplay:
    """The scores of a search over one or two of its parameters.

    Create it by `from_estimator`. A best value at the edge of the grid asks for a wider grid.
    Settings whose intervals overlap widely can't be told apart by these data.

    Parameters
    ----------
    cv_results : dict of str to array-like
        The attribute ``cv_results_`` of a search.
    parameters : str or list of str, default=None
        One parameter or two: the first one on the horizontal axis. None for those with several
        values, if they are at most two.
    metric : str, default="score"
        Name of the metric, as in ``mean_test_METRIC``.
    score_name : str, default=None
        Label of the scores; None for `metric`.

    Attributes
    ----------
    parameters : list of str
        The parameters that are shown.
    scores : ndarray of shape (n_settings, n_folds), float
        Scores of the folds; NaN where a fit failed.
    n_failed : int
        Number of settings without a mean score.
    best_index : int
        Place of the best setting in `cv_results`.
    ax_ : matplotlib.axes.Axes
        The axes, after `plot`.
    figure_ : matplotlib.figure.Figure
        The figure, after `plot`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skvision import SearchDisplay
    >>> search = GridSearchCV(LogisticRegression(max_iter=200), {"C": [0.01, 0.1, 1]})
    >>> search = search.fit(*load_iris(return_X_y=True))
    >>> SearchDisplay(search.cv_results_).scores.shape
    (3, 5)
    """

    def __init__(
        self,
        cv_results: Mapping[str, Any],
        parameters: str | Sequence[str] | None = None,
        metric: str = "score",
        score_name: str | None = None,
    ) -> None:
        self.cv_results = dict(cv_results)
        self.metric = metric
        self.score_name = metric if score_name is None else score_name
        if f"mean_test_{metric}" not in self.cv_results:
            known = [each[10:] for each in self.cv_results if each.startswith("mean_test_")]
            raise ValueError(
                f"The search has no metric {metric!r}. It has: {listed(known)}. Pass metric=."
            )
        self._mean = np.asarray(self.cv_results[f"mean_test_{metric}"], float)
        self.scores = _fold_scores(self.cv_results, metric)
        failed = np.isnan(self._mean)
        self.n_failed = int(failed.sum())
        if failed.all():
            raise ValueError(
                f"All {len(failed)} settings of the search failed, so there is no score to show. "
                "Set error_score='raise' in the search to see the error."
            )
        self._values = _values_of(self.cv_results["params"])
        if "n_resources" in self.cv_results:
            # a halving search sets its resource, such as the epochs, as a parameter
            given = list(self.cv_results["n_resources"])
            self._values = {name: each for name, each in self._values.items() if each != given}
        self.parameters = _chosen_parameters(self._values, parameters)
        # a halving search compares settings of one iteration only
        self._iterations = np.asarray(self.cv_results.get("iter", np.zeros(len(failed))))
        last = ~failed & (self._iterations == self._iterations[~failed].max())
        self.best_index = int(np.argmax(np.where(last, self._mean, -np.inf)))

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        parameters: str | Sequence[str] | None = None,
        metric: str | None = None,
        ax: Any = None,
    ) -> SearchDisplay:
        """Plot the scores of a fitted search.

        Parameters
        ----------
        estimator : object
            A fitted search with ``cv_results_``, for example a GridSearchCV, a
            RandomizedSearchCV or a HalvingGridSearchCV.
        parameters : str or list of str, default=None
            One parameter or two: the first one on the horizontal axis. None for those with
            several values, if they are at most two. Of settings that differ in other parameters
            only, the best one is shown.
        metric : str, default=None
            Name of the metric; None for the one that the search refits by.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

        Returns
        -------
        SearchDisplay

        Raises
        ------
        NotFittedError
            If the search has not been fitted.
        ValueError
            If the estimator isn't a search, all fits failed, or a parameter is not as described.
        ImportError
            If matplotlib is not installed.
        """
        is_search = hasattr(estimator, "cv_results_") or (
            hasattr(estimator, "fit") and {"estimator", "cv", "refit"} <= set(vars(estimator))
        )
        if not is_search:
            raise ValueError(
                "SearchDisplay takes a fitted search of scikit-learn, for example GridSearchCV. "
                f"Received: {shown(estimator)}"
            )
        check_is_fitted(estimator, "cv_results_")
        name = metric
        if getattr(estimator, "multimetric_", False):
            if metric is None and not isinstance(estimator.refit, str):
                known = [each[10:] for each in estimator.cv_results_ if "mean_test_" in each]
                raise ValueError(f"Pass metric=, one of the search's metrics: {listed(known)}.")
            metric = name = estimator.refit if metric is None else metric
        elif metric is None:
            metric = "score"
            scoring = getattr(estimator, "scoring", None)
            if isinstance(scoring, str):
                name = scoring
            elif scoring is None and is_classifier(estimator.estimator):
                name = "accuracy"
        return cls(estimator.cv_results_, parameters, metric, name).plot(ax)

    def frame(self) -> Any:
        """Return the scores as a table, without a plot.

        Returns
        -------
        pandas.DataFrame or dict of str to ndarray
            One row per setting: its parameters, ``mean`` and ``standard_error`` of the score,
            ``fold_0``, ``fold_1`` and so on; of a halving search ``iter`` and ``n_resources``.
            NaN where a fit failed. A dict if pandas is not installed.
        """
        columns: dict[str, Any] = {name: _objects(each) for name, each in self._values.items()}
        for name in ("iter", "n_resources"):
            if name in self.cv_results:
                columns[name] = np.asarray(self.cv_results[name])
        columns["mean"] = self._mean
        columns["standard_error"] = self._standard_errors()
        columns.update({f"fold_{k}": each for k, each in enumerate(self.scores.T)})
        return as_frame(columns)

    def _standard_errors(self) -> np.ndarray:
        """Return the standard error of each mean; NaN for a single fold."""
        n = self.scores.shape[1]
        if n < 2:
            return np.full(len(self._mean), np.nan)
        errors: np.ndarray = self.scores.std(axis=1, ddof=1) / np.sqrt(n)
        return errors

    def plot(self, ax: Any = None) -> SearchDisplay:
        """Plot the mean scores with their standard errors over the folds, and mark the best.

        Values that are spread evenly on a logarithmic scale get a logarithmic axis, learning
        rates always. Values that aren't numbers are categories. If both parameters have many
        values, colours show the score.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

        Returns
        -------
        self : SearchDisplay
            The display, with ``ax_`` and ``figure_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        places = self._settings_to_show()
        x = _Axis(self.parameters[0], [self._values[self.parameters[0]][k] for k in places])
        with style():
            ax = new_axes(ax, (7.2, 4.6))
            if len(self.parameters) == 1:
                groups, legend = self._groups_by_iteration(places), "n_resources"
            else:
                second = _Axis(
                    self.parameters[1], [self._values[self.parameters[1]][k] for k in places]
                )
                groups, legend = second.groups(), second.name
            is_map = len(self.parameters) == 2 and len(groups) > _MOST_LINES
            if is_map:
                self._plot_map(ax, x, second, places)
            else:
                self._plot_lines(ax, x, places, groups, legend)
            x.set_up(ax.xaxis, ax)
            ax.set_title(self._title(), loc="left")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _settings_to_show(self) -> np.ndarray:
        """Return one setting for each point: the best of those with the same shown values."""
        found: dict[Any, int] = {}
        by_iteration = len(self.parameters) == 1
        order = np.lexsort((self._mean, self._iterations))  # later ones replace earlier ones
        for k in order:
            if np.isnan(self._mean[k]):
                continue
            key = tuple(_text(self._values[name][k]) for name in self.parameters)
            found[(*key, self._iterations[k]) if by_iteration else key] = int(k)
        return np.array(sorted(found.values()))

    def _groups_by_iteration(self, places: np.ndarray) -> dict[str, np.ndarray]:
        resources = self.cv_results.get("n_resources")
        if resources is None:
            return {"": np.arange(len(places))}
        of_each = np.asarray(resources)[places]
        return {str(n): np.flatnonzero(of_each == n) for n in np.unique(of_each)}

    def _plot_lines(
        self, ax: Any, x: _Axis, places: np.ndarray, groups: dict[str, np.ndarray], legend: str
    ) -> None:
        mean, errors = self._mean[places], self._standard_errors()[places]
        n_folds = self.scores.shape[1]
        shown_at = np.empty(len(places))
        for number, (name, members) in enumerate(groups.items()):
            members = members[np.argsort(x.positions[members], kind="stable")]
            aside = (number - (len(groups) - 1) / 2) * 0.012
            shown_at[members] = x.beside(aside)[members]
            if len(groups) == 1 and n_folds > 1:
                dots = np.repeat(shown_at[members], n_folds)
                ax.plot(
                    dots, self.scores[places[members]].ravel(), ".", color="0.6", label="one fold"
                )
            ax.errorbar(
                shown_at[members],
                mean[members],
                yerr=None if n_folds < 2 else errors[members],
                color=COLOURS[number % len(COLOURS)],
                linestyle=DASHES[number] if len(members) <= _MOST_JOINED and x.is_ordered else "",
                marker=MARKERS[number % len(MARKERS)],
                capsize=3,
                elinewidth=1.2,
                label=short_text(name) or ("score" if n_folds < 2 else "mean of the folds"),
            )
        best = int(np.flatnonzero(places == self.best_index)[0])
        ax.plot(
            shown_at[best],
            mean[best],
            "*",
            markersize=15,
            color=COLOURS[4],
            markeredgecolor="black",
            label="best",
            zorder=4,
        )
        bars = "" if n_folds < 2 else f", mean of {n_folds} folds ± standard error"
        ax.set_ylabel(f"{self.score_name}{bars}")
        handles, labels = ax.get_legend_handles_labels()
        order = sorted(range(len(labels)), key=lambda k: labels[k] == "best")
        ax.legend(
            [handles[k] for k in order],
            [labels[k] for k in order],
            title=legend if len(groups) > 1 or next(iter(groups)) else None,
        )

    def _plot_map(self, ax: Any, x: _Axis, y: _Axis, places: np.ndarray) -> None:
        mean = self._mean[places]
        points = ax.scatter(
            x.positions, y.positions, c=mean, cmap="cividis", s=70, edgecolor="0.3", linewidth=0.6
        )
        best = int(np.flatnonzero(places == self.best_index)[0])
        ax.scatter(
            x.positions[best],
            y.positions[best],
            s=260,
            facecolor="none",
            edgecolor=COLOURS[1],
            linewidth=2.2,
            label="best",
        )
        ax.figure.colorbar(points, ax=ax, label=f"{self.score_name}, mean of the folds")
        y.set_up(ax.yaxis, ax)
        ax.legend(loc="best")

    def _title(self) -> str:
        best = ", ".join(
            f"{short_text(name, 30)}={_text(self._values[name][self.best_index])}"
            for name in self.parameters
        )
        lines = [f"best: {best} ({self._mean[self.best_index]:.3f})"]
        others = [
            name
            for name, values in self._values.items()
            if name not in self.parameters and len({_text(each) for each in values}) > 1
        ]
        if others:
            lines.append(
                f"each point: the best of {', '.join(short_text(each) for each in others)}"
            )
        if self.n_failed:
            lines.append(f"{self.n_failed} of {len(self._mean)} settings failed and are not shown")
        return "\n".join(lines)


class _Axis:
    """The values of a parameter on an axis: numbers, or categories in the order of their texts."""

    def __init__(self, name: str, values: list[Any]) -> None:
        self.name = name
        self.values = values
        self.is_numeric = all(_is_number(each) for each in values)
        if self.is_numeric:
            self.positions = np.asarray(values, float)
            self.categories: list[str] = []
        else:
            self.categories = _ordered(values)
            self.positions = np.array(
                [self.categories.index(_text(each)) for each in values], float
            )
        self.is_log = self.is_numeric and is_logarithmic(values, name)
        # a line between categories would mean nothing, unless they are numbers with a None
        self.is_ordered = self.is_numeric

    def groups(self) -> dict[str, np.ndarray]:
        """Return the places of each value, by its text."""
        texts = np.array([_text(each) for each in self.values])
        return {name: np.flatnonzero(texts == name) for name in _ordered(self.values)}

    def beside(self, share: float) -> np.ndarray:
        """Return the positions, moved by a share of the axis, so that error bars lie apart."""
        if not self.is_numeric:
            return self.positions + share * max(len(self.categories), 2)
        if not self.is_log:
            return self.positions + share * float(np.ptp(self.positions))
        moved: np.ndarray = self.positions * (self.positions.max() / self.positions.min()) ** share
        return moved

    def set_up(self, axis: Any, ax: Any) -> None:
        """Set scale, ticks and label of an axis."""
        which = axis.axis_name
        ax.set(**{f"{which}label": short_text(self.name, 50)})
        if self.is_log:
            ax.set(**{f"{which}scale": "log"})
        if (ticks := self._ticks()) is not None:
            axis.set_ticks(ticks, [_text(each) for each in ticks])
            axis.set_ticks([], minor=True)
        if self.categories:
            n = len(self.categories)
            ax.set(**{f"{which}lim": (-0.5, n - 0.5)})
            if which == "x":
                set_labels(axis, range(n), self.categories, 5.5)
            else:
                axis.set_ticks(range(n), [short_text(each) for each in self.categories])

    def _ticks(self) -> np.ndarray | None:
        """Return the values themselves if their labels have room; else None."""
        ticks = np.unique(self.positions)
        if not self.is_numeric or not 1 < len(ticks) <= _MOST_TICKS:
            return None
        scaled = np.log(ticks) if self.is_log else ticks
        return ticks if np.diff(scaled).min() >= 0.08 * np.ptp(scaled) else None


def is_logarithmic(values: Sequence[float], name: str = "") -> bool:
    """Return whether numbers belong on a logarithmic axis.

    Learning rates do. Other numbers do if the largest is at least ten times the smallest, and
    their logarithms are spread more evenly than they are.

    Parameters
    ----------
    values : sequence of float
        The numbers.
    name : str, default=""
        Name of the parameter.

    Returns
    -------
    bool

    Examples
    --------
    >>> from skvision.inspection.search_results import is_logarithmic
    >>> is_logarithmic([0.01, 0.1, 1]), is_logarithmic([1, 5, 10])
    (True, False)
    """
    numbers = np.unique(np.asarray(values, float))
    if len(numbers) < 2 or numbers[0] <= 0 or not np.isfinite(numbers).all():
        return False
    if "learning_rate" in name:
        return True
    if numbers[-1] < 10 * numbers[0]:
        return False
    gaps, log_gaps = np.diff(numbers), np.diff(np.log(numbers))
    return bool(log_gaps.std() / log_gaps.mean() < gaps.std() / gaps.mean() or len(numbers) == 2)


def _fold_scores(cv_results: Mapping[str, Any], metric: str) -> np.ndarray:
    matches = (re.fullmatch(rf"split(\d+)_test_{re.escape(metric)}", each) for each in cv_results)
    splits = sorted((int(match[1]), match[0]) for match in matches if match)
    return np.stack([np.asarray(cv_results[name], float) for _, name in splits], axis=1)


def _values_of(settings: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for setting in settings for name in setting)
    return {name: [setting.get(name, _UNSET) for setting in settings] for name in names}


def _chosen_parameters(
    values: Mapping[str, list[Any]], parameters: str | Sequence[str] | None
) -> list[str]:
    counts = {name: len({_text(value) for value in each}) for name, each in values.items()}
    if parameters is None:
        varied = [name for name, n in counts.items() if n > 1] or list(counts)[:1]
        if not varied:
            raise ValueError("The search has no parameters, so there is nothing to show.")
        if len(varied) > 2:
            raise ValueError(
                f"The search varies {len(varied)} parameters, and the display shows one or two. "
                f"Pass parameters=[...] with one or two of: {listed(varied)}."
            )
        # numbers and many values belong on the horizontal axis
        return sorted(varied, key=lambda each: (not _all_numbers(values[each]), -counts[each]))
    chosen = [parameters] if isinstance(parameters, str) else list(parameters)
    unknown = [each for each in chosen if each not in values]
    if unknown or not 1 <= len(chosen) <= 2 or len(set(chosen)) < len(chosen):
        raise ValueError(
            "parameters must be one or two different parameters of the search: "
            f"{listed(list(values))}. Received: {parameters!r}"
        )
    return chosen


def _all_numbers(values: Sequence[Any]) -> bool:
    return all(_is_number(each) for each in values)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _text(value: Any) -> str:
    if _is_number(value):
        return f"{value:.4g}"
    if hasattr(value, "get_params"):
        return type(value).__name__
    return getattr(value, "__name__", None) or str(value)


def _ordered(values: Sequence[Any]) -> list[str]:
    """Return the texts of the values: numbers in order, then others in order of appearance."""
    numbers = sorted({float(each) for each in values if _is_number(each)})
    others = [_text(each) for each in values if not _is_number(each)]
    return list(dict.fromkeys([*(_text(each) for each in numbers), *others]))


def _objects(values: Sequence[Any]) -> np.ndarray:
    """Return values as an array: of numbers if all are, of objects else."""
    if _all_numbers(values) or all(isinstance(each, str) for each in values):
        return np.asarray(values)
    array = np.empty(len(values), object)
    array[:] = values
    return array
