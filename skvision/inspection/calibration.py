"""`CalibrationDisplay`: whether probabilities are what they say."""

from __future__ import annotations

from typing import Any

import numpy as np

from .frames import as_frame
from .measures import calibration_bins, calibration_error, proportion_interval
from .plotting import COLOURS, import_matplotlib, new_panels, style
from .predictions import as_predictions, predict_for_display

__all__ = ["CalibrationDisplay"]


class CalibrationDisplay:
    """Confidence against accuracy, for all classes together.

    Create it by `from_estimator` or `from_predictions`. Of all images whose class is predicted
    with a probability of 0.8, a calibrated classifier classifies 80 % correctly: its points lie on
    the diagonal. Points below it show overconfidence.

    Parameters
    ----------
    confidence : ndarray of shape (n_samples,), float
        Probability of the predicted class, from 0 to 1.
    correct : ndarray of shape (n_samples,), bool
        Whether the prediction is correct.
    n_bins : int, default=10
        Number of bins of equal width, at least 1.

    Attributes
    ----------
    bins : CalibrationBins
        Counts, mean confidence and accuracy of each bin.
    error : float
        The expected calibration error, from 0 to 1.
    error_interval : tuple of float
        Its bootstrap interval of 95 %.
    ax_ : ndarray of shape (2,), object
        The axes of the curve and of the histogram, after `plot`.
    figure_ : matplotlib.figure.Figure
        The figure, after `plot`.

    See Also
    --------
    sklearn.calibration.CalibratedClassifierCV : Calibrate a classifier.

    Notes
    -----
    `sklearn.calibration.CalibrationDisplay` shows one class of two. This one shows the predicted
    class of any number of classes.

    References
    ----------
    C. Guo et al., On Calibration of Modern Neural Networks, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision import CalibrationDisplay
    >>> display = CalibrationDisplay(np.full(100, 0.9), np.arange(100) < 70)
    >>> round(display.error, 3)
    0.2
    """

    def __init__(self, confidence: np.ndarray, correct: np.ndarray, n_bins: int = 10) -> None:
        self.confidence = np.asarray(confidence, float)
        self.correct = np.asarray(correct, bool)
        self.bins = calibration_bins(self.confidence, self.correct, n_bins)
        self.error, *interval = calibration_error(self.confidence, self.correct, n_bins)
        self.error_interval = tuple(interval)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, n_bins: int = 10, ax: Any = None
    ) -> CalibrationDisplay:
        """Predict, and plot the calibration.

        Parameters
        ----------
        estimator : object
            A fitted classifier with ``predict_proba``, a Pipeline or a search that ends in one.
        X : array, sequence, Series or frame of n_samples images
            Images that the classifier has not seen in fit.
        y : array-like of shape (n_samples,)
            True labels.
        n_bins : int, default=10
            Number of bins of equal width, at least 1.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure. Axes are divided into the panels.

        Returns
        -------
        CalibrationDisplay

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        ValueError
            If the estimator has no probabilities, or a parameter, X or y is not as described.
        ImportError
            If matplotlib is not installed.
        """
        import_matplotlib()  # before predictions are computed
        found = predict_for_display(estimator, X, y)
        return cls(found.confidence, found.correct, n_bins).plot(ax)

    @classmethod
    def from_predictions(
        cls, y_true: Any, y_prob: Any, *, classes: Any = None, n_bins: int = 10, ax: Any = None
    ) -> CalibrationDisplay:
        """Plot the calibration of probabilities, for example those of cross_val_predict.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels.
        y_prob : array-like of shape (n_samples, n_classes)
            Probabilities.
        classes : array-like of shape (n_classes,), default=None
            Labels in the order of the columns; None for the sorted labels in y_true.
        n_bins : int, default=10
            Number of bins of equal width, at least 1.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure. Axes are divided into the panels.

        Returns
        -------
        CalibrationDisplay

        Raises
        ------
        ValueError
            If a parameter is not as described.
        ImportError
            If matplotlib is not installed.
        """
        found = as_predictions(y_true, y_prob, classes=classes)
        return cls(found.confidence, found.correct, n_bins).plot(ax)

    def frame(self) -> Any:
        """Return the bins as a table, without a plot.

        Returns
        -------
        pandas.DataFrame or dict of str to ndarray
            One row per bin: its edges ``above`` and ``up_to``, ``n_images``, ``confidence``,
            ``accuracy``, and the ends of the accuracy's interval of 95 %, ``accuracy_low`` and
            ``accuracy_high``. A dict if pandas is not installed.
        """
        edges, counts, confidence, accuracy = self.bins
        low, high = self._accuracy_interval()
        return as_frame(
            {
                "above": edges[:-1],
                "up_to": edges[1:],
                "n_images": counts,
                "confidence": confidence,
                "accuracy": accuracy,
                "accuracy_low": low,
                "accuracy_high": high,
            }
        )

    def _accuracy_interval(self) -> tuple[np.ndarray, np.ndarray]:
        return proportion_interval(
            np.nan_to_num(self.bins.accuracy * self.bins.counts), self.bins.counts
        )

    def plot(self, ax: Any = None) -> CalibrationDisplay:
        """Plot accuracy over confidence, and a histogram of the confidences.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure. Axes are divided into the panels.

        Returns
        -------
        self : CalibrationDisplay
            The display, with ``ax_`` and ``figure_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        edges, counts, confidence, accuracy = self.bins
        low, high = self._accuracy_interval()
        filled = counts > 0
        with style():
            curve, histogram = new_panels(ax, (2, 1), (5.6, 5.6), ratios=(3.2, 1))[:, 0]
            curve.plot([0, 1], [0, 1], ":", color="0.4", label="perfectly calibrated")
            curve.errorbar(
                confidence[filled],
                accuracy[filled],
                yerr=np.abs([accuracy - low, high - accuracy])[:, filled],
                fmt="o-",
                color=COLOURS[0],
                capsize=3,
                elinewidth=1.2,
                label="classifier, with 95% intervals",
            )
            below, above = self.error_interval
            curve.set_title(f"calibration error {self.error:.3f} (95%: {below:.3f} to {above:.3f})")
            curve.set(ylabel="accuracy", ylim=(-0.03, 1.03))
            curve.legend(loc="upper left")
            histogram.bar(
                edges[:-1],
                counts,
                np.diff(edges),
                align="edge",
                color=COLOURS[0],
                edgecolor="white",
            )
            histogram.set(xlabel="confidence: probability of the predicted class", ylabel="images")
            for panel in (curve, histogram):
                panel.set_xlim(-0.02, 1.02)
            curve.tick_params(labelbottom=False)
        self.ax_, self.figure_ = np.array([curve, histogram]), curve.figure
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}(error={self.error:.3g})"
