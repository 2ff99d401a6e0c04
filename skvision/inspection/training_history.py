"""`TrainingHistoryDisplay`: loss and accuracy of each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..exceptions import shown
from .frames import as_frame
from .plotting import COLOURS, MARKERS, new_panels, short_text, style
from .unwrapping import final_estimator, unwrapped

__all__ = ["TrainingHistoryDisplay", "history_of"]

_PHASE = "phase"
#: entries of a history that are no curves
_NO_CURVES = {_PHASE, "learning_rate"}
#: points of longer histories have no markers
_MOST_MARKERS = 40


class TrainingHistoryDisplay:
    """Loss and accuracy of each epoch, for training and validation.

    Create it by `from_estimator`. If the validation loss rises while the training loss falls, the
    network overfits. If both still fall at the end, more epochs help.

    Parameters
    ----------
    histories : dict of str to dict of str to list
        The attribute ``history_`` of one fit or several, by a name that the legend shows.

    Attributes
    ----------
    ax_ : ndarray of shape (n_panels,), object
        The axes, one per curve such as the loss, after `plot`.
    figure_ : matplotlib.figure.Figure
        The figure, after `plot`.

    See Also
    --------
    skvision.find_learning_rate : Suggest a learning rate.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_digits
    >>> from skvision import MiniVGGClassifier, TrainingHistoryDisplay
    >>> digits = load_digits(n_class=3)
    >>> net = MiniVGGClassifier(image_size=8, filters=(8,), epochs=2, validation_fraction=0.2)
    >>> net = net.fit(digits.images / 16, digits.target)
    >>> display = TrainingHistoryDisplay.from_estimator(net)
    >>> [ax.get_ylabel() for ax in display.ax_]
    ['loss', 'accuracy']
    """

    def __init__(self, histories: Mapping[str, Mapping[str, Sequence[Any]]]) -> None:
        if not histories or not all(len(each.get("loss", ())) for each in histories.values()):
            raise ValueError(
                "histories must hold at least one history with a loss per epoch. "
                f"Received: {shown(histories)}"
            )
        self.histories = {str(name): dict(each) for name, each in histories.items()}

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> TrainingHistoryDisplay:
        """Plot the training of one fitted classifier, or of several over each other.

        Parameters
        ----------
        estimator : estimator, list of estimators or dict of str to estimator
            Fitted MiniVGGClassifiers or FineTunedClassifiers; Pipelines and searches that end in
            one. The keys of a dict are the names in the legend.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure. Axes are divided into the panels.

        Returns
        -------
        TrainingHistoryDisplay

        Raises
        ------
        NotFittedError
            If a classifier has not been fitted.
        ValueError
            If an estimator has no training history.
        ImportError
            If matplotlib is not installed.
        """
        if isinstance(estimator, Mapping):
            runs = dict(estimator)
        elif isinstance(estimator, list | tuple):
            runs = {f"run {number}": each for number, each in enumerate(estimator, start=1)}
        else:
            runs = {type(final_estimator(estimator)).__name__: estimator}
        if not runs:
            raise ValueError("Pass at least one fitted classifier. Received: none")
        return cls({name: history_of(each) for name, each in runs.items()}).plot(ax)

    def frame(self) -> Any:
        """Return the histories as a table, without a plot.

        Returns
        -------
        pandas.DataFrame or dict of str to ndarray
            One row per run and epoch: ``run``, ``epoch`` (from 1) and the entries of the
            histories; NaN or "" where a run lacks one. A dict if pandas is not installed.
        """
        names = dict.fromkeys(name for each in self.histories.values() for name in each)
        columns: dict[str, list[Any]] = {"run": [], "epoch": []}
        columns.update({name: [] for name in names})
        for run, history in self.histories.items():
            n = len(history["loss"])
            columns["run"] += [run] * n
            columns["epoch"] += range(1, n + 1)
            for name in names:
                missing = [""] * n if name == _PHASE else [float("nan")] * n
                columns[name] += list(history.get(name, missing))
        return as_frame(columns)

    def plot(self, ax: Any = None) -> TrainingHistoryDisplay:
        """Plot one panel per curve: training solid, validation dashed.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure. Axes are divided into the panels.

        Returns
        -------
        self : TrainingHistoryDisplay
            The display, with ``ax_`` and ``figure_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        curves = self._curves()
        with style() as matplotlib:
            room = 0.0 if len(self.histories) == 1 else 1.4
            size = (max(5.0, 4.6 * len(curves)) + room, 3.9)
            axes = new_panels(ax, (1, len(curves)), size)[0]
            for panel, curve in zip(axes, curves, strict=True):
                for number, (run, history) in enumerate(self.histories.items()):
                    self._plot_run(panel, curve, number, run, history)
                self._mark_phases(panel, with_names=panel is axes[0])
                panel.set(xlabel="epoch", ylabel=curve.replace("_", " "))
                # epochs are whole numbers
                locator = matplotlib.ticker.MaxNLocator(integer=True, min_n_ticks=1)
                panel.xaxis.set_major_locator(locator)
            if len(self.histories) == 1:
                axes[-1].legend()
            else:  # too long to leave the curves free
                axes[-1].legend(loc="upper left", bbox_to_anchor=(1.02, 1))
        self.ax_, self.figure_ = axes, axes[0].figure
        return self

    def _curves(self) -> list[str]:
        found = dict.fromkeys(
            name.removeprefix("val_") for each in self.histories.values() for name in each
        )
        names = [name for name in found if name not in _NO_CURVES]
        return sorted(names, key=lambda each: each != "loss")

    def _plot_run(
        self, panel: Any, curve: str, number: int, run: str, history: Mapping[str, Sequence[Any]]
    ) -> None:
        is_alone = len(self.histories) == 1
        for place, (prefix, what) in enumerate([("", "training"), ("val_", "validation")]):
            values = history.get(prefix + curve)
            if values is None:
                continue
            look = place if is_alone else number
            panel.plot(
                np.arange(1, len(values) + 1),
                np.asarray(values, float),
                color=COLOURS[look % len(COLOURS)],
                linestyle="-" if not prefix else "--",
                marker=MARKERS[look % len(MARKERS)] if len(values) <= _MOST_MARKERS else None,
                markerfacecolor=None if not prefix else "white",
                label=what if is_alone else f"{short_text(run)}, {what}",
            )

    def _mark_phases(self, panel: Any, *, with_names: bool) -> None:
        """Draw a line between two epochs of different phases, and name the phases once."""
        for number, history in enumerate(self.histories.values()):
            phases = list(history.get(_PHASE, ()))
            starts = [0, *(k for k, (one, other) in enumerate(pairwise(phases), 1) if one != other)]
            if len(starts) < 2:
                continue
            colour = "0.35" if len(self.histories) == 1 else COLOURS[number % len(COLOURS)]
            for start in starts:
                if start:
                    panel.axvline(start + 0.5, color=colour, ls=":", linewidth=1.5, zorder=1)
                if with_names:
                    panel.annotate(
                        str(phases[start]).replace("_", "-"),
                        (start + 0.5 if start else 1, 1),
                        (3, 2),
                        xycoords=("data", "axes fraction"),
                        textcoords="offset points",
                        fontsize=9,
                        color=colour,
                    )


def history_of(estimator: Any) -> dict[str, list[Any]]:
    """Return the training history of a fitted classifier, or of the one that a Pipeline ends in.

    Parameters
    ----------
    estimator : object
        A fitted estimator.

    Returns
    -------
    dict of str to list
        Its ``history_``.

    Raises
    ------
    NotFittedError
        If the estimator has not been fitted.
    ValueError
        If it has no history; the message says why.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skvision.inspection.training_history import history_of
    >>> try:
    ...     history_of(DummyClassifier().fit([[0]], [0]))
    ... except ValueError as error:
    ...     print(str(error)[:60])
    The model is a DummyClassifier, which has no training histor
    """
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise ValueError(
            "Pass a fitted classifier that trains a network, a Pipeline or a search that ends in "
            f"one, or a list or dict of them. Received: {shown(estimator)}"
        )
    check_is_fitted(estimator)
    history = getattr(final_estimator(estimator), "history_", None)
    if not isinstance(history, dict) or not len(history.get("loss", ())):
        raise ValueError(
            f"The model is a {_described(unwrapped(estimator))}, which has no training history. "
            "MiniVGGClassifier and FineTunedClassifier have one: they train in epochs."
        )
    return history


def _described(model: Any) -> str:
    if not isinstance(model, Pipeline):
        return type(model).__name__
    steps = [type(step).__name__ for _, step in model.steps if step not in (None, "passthrough")]
    return f"Pipeline of {', '.join(steps)}"
