"""`SelectiveDisplay`: accuracy if only confident predictions are answered."""

from __future__ import annotations

from typing import Any

import numpy as np

from .frames import as_frame
from .measures import proportion_interval, selective_curve
from .plotting import COLOURS, import_matplotlib, new_axes, style
from .predictions import as_predictions, predict_for_display

__all__ = ["SelectiveDisplay"]

#: confidences that the plot marks
_MARKED = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


class SelectiveDisplay:
    """Accuracy against the share of images that are answered.

    Create it by `from_estimator` or `from_predictions`. The display shows what you gain if a
    person decides the images of low confidence.

    Parameters
    ----------
    confidence : ndarray of shape (n_samples,), float
        Probability of the predicted class, from 0 to 1.
    correct : ndarray of shape (n_samples,), bool
        Whether the prediction is correct.

    Attributes
    ----------
    curve : SelectiveCurve
        ``share``, ``accuracy`` and ``threshold``, ndarrays of one length: one entry per
        confidence that occurs.
    ax_ : matplotlib.axes.Axes
        The axes, after `plot`.
    figure_ : matplotlib.figure.Figure
        The figure, after `plot`.

    References
    ----------
    Y. Geifman, R. El-Yaniv, Selective Classification for Deep Neural Networks, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision import SelectiveDisplay
    >>> display = SelectiveDisplay(np.array([0.9, 0.6, 0.8]), np.array([True, False, True]))
    >>> display.curve.accuracy.round(2).tolist()
    [1.0, 1.0, 0.67]
    """

    def __init__(self, confidence: np.ndarray, correct: np.ndarray) -> None:
        self.confidence = np.asarray(confidence, float)
        self.correct = np.asarray(correct, bool)
        self.curve = selective_curve(self.confidence, self.correct)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, *, ax: Any = None) -> SelectiveDisplay:
        """Predict, and plot accuracy against the share of images that are answered.

        Parameters
        ----------
        estimator : object
            A fitted classifier with ``predict_proba``, a Pipeline or a search that ends in one.
        X : array, sequence, Series or frame of n_samples images
            Images that the classifier has not seen in fit.
        y : array-like of shape (n_samples,)
            True labels.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

        Returns
        -------
        SelectiveDisplay

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        ValueError
            If the estimator has no probabilities, or X or y is not as described.
        ImportError
            If matplotlib is not installed.
        """
        import_matplotlib()  # before predictions are computed
        found = predict_for_display(estimator, X, y)
        return cls(found.confidence, found.correct).plot(ax)

    @classmethod
    def from_predictions(
        cls, y_true: Any, y_prob: Any, *, classes: Any = None, ax: Any = None
    ) -> SelectiveDisplay:
        """Plot the curve of probabilities, for example those of cross_val_predict.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels.
        y_prob : array-like of shape (n_samples, n_classes)
            Probabilities.
        classes : array-like of shape (n_classes,), default=None
            Labels in the order of the columns; None for the sorted labels in y_true.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

        Returns
        -------
        SelectiveDisplay

        Raises
        ------
        ValueError
            If a parameter is not as described.
        ImportError
            If matplotlib is not installed.
        """
        found = as_predictions(y_true, y_prob, classes=classes)
        return cls(found.confidence, found.correct).plot(ax)

    def _accuracy_interval(self) -> tuple[np.ndarray, np.ndarray]:
        answered = np.rint(self.curve.share * len(self.confidence))
        return proportion_interval(self.curve.accuracy * answered, answered)

    def frame(self) -> Any:
        """Return the curve as a table, without a plot.

        Returns
        -------
        pandas.DataFrame or dict of str to ndarray
            One row per confidence that occurs: ``share``, ``accuracy``, ``threshold``, and the
            ends of the accuracy's interval of 95 %, ``accuracy_low`` and ``accuracy_high``. A
            dict if pandas is not installed.
        """
        low, high = self._accuracy_interval()
        return as_frame({**self.curve._asdict(), "accuracy_low": low, "accuracy_high": high})

    def plot(self, ax: Any = None) -> SelectiveDisplay:
        """Plot the curve with its interval of 95 %, and mark some confidences.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

        Returns
        -------
        self : SelectiveDisplay
            The display, with ``ax_`` and ``figure_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        share, accuracy, threshold = self.curve
        low, high = self._accuracy_interval()
        with style() as matplotlib:
            ax = new_axes(ax)
            ax.fill_between(
                share, low, high, color=COLOURS[0], alpha=0.18, linewidth=0, label="95% interval"
            )
            ax.plot(share, accuracy, color=COLOURS[0], label="accuracy on the answered images")
            _mark_thresholds(ax, share, accuracy, threshold)
            ax.set(
                xlabel="share of the images that are answered",
                ylabel="accuracy",
                xlim=(0, 1.05),
            )
            bottom = min(0.98, float(low[share >= min(0.1, share[-1])].min()))
            ax.set_ylim(max(0.0, bottom - 0.05), 1.02)
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))
            ax.legend(loc="lower left")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _mark_thresholds(
    ax: Any, share: np.ndarray, accuracy: np.ndarray, threshold: np.ndarray
) -> None:
    """Mark the points at which a confidence is required, unless labels would overlap."""
    label = "answered from this confidence on"
    last = np.inf
    for wanted in _MARKED:
        answered = np.flatnonzero(threshold >= wanted)
        if not len(answered):
            continue
        place = answered[-1]
        if last - share[place] < 0.07:
            continue
        last = share[place]
        ax.plot(
            share[place],
            accuracy[place],
            "o",
            color=COLOURS[1],
            markersize=6,
            label=label,
            zorder=3,
        )
        label = "_"
        ax.annotate(
            f"{wanted:g}",
            (share[place], accuracy[place]),
            # the curve falls, so the room above and at the right is free
            (4, 4),
            textcoords="offset points",
            fontsize=9,
            color=COLOURS[1],
        )
