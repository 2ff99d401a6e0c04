"""`find_learning_rate`: suggest a learning rate by one short training."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from .._sklearn.network_estimator import RangeTestable
from .frames import as_frame
from .plotting import COLOURS, import_matplotlib, new_axes, style

__all__ = ["LearningRateDisplay", "find_learning_rate"]

# share of the curve over which losses are averaged
SMOOTHING = 0.04


def find_learning_rate(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    phase: str | None = None,
    lowest: float = 1e-5,
    highest: float = 10.0,
    n_steps: int = 100,
) -> LearningRateDisplay:
    """Try a range of learning rates in one short training, and suggest one.

    A clone of the estimator is trained for one step at each rate, from the lowest to the
    highest. Rates at which the loss falls are good; rates at which it rises again are too
    large. The estimator itself isn't changed. A grid search around the suggestion (a third
    of it, three times it) is more reliable.

    Parameters
    ----------
    estimator : MiniVGGClassifier or FineTunedClassifier, or a Pipeline that ends in one
        The classifier, fitted or not. Its own learning rate and schedules are ignored.
    X : array, sequence, Series or frame of n_samples images
        In any form that its fit takes.
    y : array-like of shape (n_samples,)
        Labels.
    sample_weight : array-like of shape (n_samples,), default=None
        As in fit.
    phase : {"warmup", "fine_tune"}, default=None
        Phase of a FineTunedClassifier whose rate to find; for ``"fine_tune"`` the head is
        warmed up first. None for a classifier that trains in one phase.
    lowest : float, default=1e-5
        Lowest rate, above 0.
    highest : float, default=10.0
        Highest rate; the rates between are spaced evenly on a logarithmic scale.
    n_steps : int, default=100
        Number of rates, at least 20. Each rate trains one batch.

    Returns
    -------
    LearningRateDisplay
        The curve, its ``suggestion`` and ``plot()``.

    Raises
    ------
    ValueError
        If a parameter, X or y is not as described, or the loss never falls.

    References
    ----------
    L. N. Smith, Cyclical Learning Rates for Training Neural Networks, 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skvision import MiniVGGClassifier, find_learning_rate
    >>> digits = load_digits(n_class=3)
    >>> net = MiniVGGClassifier(image_size=8, filters=(8,), random_state=0)
    >>> found = find_learning_rate(net, digits.images / 16, digits.target)
    >>> 1e-3 < found.suggestion < 1
    True
    >>> net = net.set_params(learning_rate=found.suggestion)
    """
    if not (isinstance(lowest, Real) and isinstance(highest, Real) and 0 < lowest < highest):
        raise ValueError(
            "lowest and highest must be numbers with 0 < lowest < highest. "
            f"Received: {lowest!r} and {highest!r}"
        )
    if not isinstance(n_steps, int) or n_steps < 20:
        raise ValueError(f"n_steps must be a whole number of at least 20. Received: {n_steps!r}")
    estimator = clone(estimator)
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps[:-1]:
            if hasattr(step, "fit_resample"):  # imbalanced-learn's Pipeline has such steps
                X, y = step.fit_resample(X, y)
            elif step not in (None, "passthrough"):
                X = step.fit_transform(X, y)
        estimator = estimator[-1]
    if not isinstance(estimator, RangeTestable):
        raise ValueError(
            "find_learning_rate takes a classifier of skvision that trains a network, or a "
            f"Pipeline that ends in one. Received: {type(estimator).__name__}"
        )
    rates = np.geomspace(lowest, highest, n_steps)
    losses = estimator.losses_at_rates(X, y, rates, sample_weight=sample_weight, phase=phase)
    return LearningRateDisplay(learning_rates=rates[: len(losses)], losses=losses)


class LearningRateDisplay:
    """The curve of a learning-rate range test, and the rate that it suggests.

    Create it by `find_learning_rate`.

    Parameters
    ----------
    learning_rates : ndarray of shape (n_steps,), float
        Learning rates in ascending order.
    losses : ndarray of shape (n_steps,), float
        The loss of one batch at each rate.

    Attributes
    ----------
    smoothed_losses : ndarray of shape (n_steps,), float
        The losses, averaged with their neighbours.
    suggestion : float
        The midpoint, on the logarithmic scale, between the rate at which the smoothed loss
        falls fastest and the rate at which it is lowest.
    ax_ : matplotlib.axes.Axes
        The axes, after `plot`.
    figure_ : matplotlib.figure.Figure
        The figure, after `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision import LearningRateDisplay
    >>> rates = np.geomspace(1e-4, 1, 100)
    >>> losses = np.where(rates < 0.1, 1 / (1 + 100 * rates), 10 * rates)
    >>> 0.01 < LearningRateDisplay(rates, losses).suggestion < 0.1
    True
    """

    def __init__(self, learning_rates: np.ndarray, losses: np.ndarray) -> None:
        self.learning_rates = np.asarray(learning_rates, float)
        self.losses = np.asarray(losses, float)
        self.smoothed_losses = _smoothed(self.losses)
        self.suggestion = _suggested(self.learning_rates, self.smoothed_losses)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        phase: str | None = None,
        lowest: float = 1e-5,
        highest: float = 10.0,
        n_steps: int = 100,
        ax: Any = None,
    ) -> LearningRateDisplay:
        """Run `find_learning_rate`, and plot its result.

        Parameters
        ----------
        estimator : MiniVGGClassifier or FineTunedClassifier, or a Pipeline that ends in one
            The classifier, fitted or not; it isn't changed.
        X : array, sequence, Series or frame of n_samples images
            In any form that its fit takes.
        y : array-like of shape (n_samples,)
            Labels.
        phase : {"warmup", "fine_tune"}, default=None
            Phase of a FineTunedClassifier whose rate to find.
        lowest : float, default=1e-5
            Lowest rate, above 0.
        highest : float, default=10.0
            Highest rate.
        n_steps : int, default=100
            Number of rates, at least 20.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

        Returns
        -------
        LearningRateDisplay

        Raises
        ------
        ValueError
            If a parameter, X or y is not as described, or the loss never falls.
        ImportError
            If matplotlib is not installed.
        """
        import_matplotlib()  # before the training
        found = find_learning_rate(
            estimator, X, y, phase=phase, lowest=lowest, highest=highest, n_steps=n_steps
        )
        return found.plot(ax)

    def frame(self) -> Any:
        """Return the curve as a table, without a plot.

        Returns
        -------
        pandas.DataFrame or dict of str to ndarray
            One row per rate: ``learning_rate``, ``loss`` and ``smoothed_loss``. A dict if pandas
            is not installed.
        """
        return as_frame(
            {
                "learning_rate": self.learning_rates,
                "loss": self.losses,
                "smoothed_loss": self.smoothed_losses,
            }
        )

    def plot(self, ax: Any = None) -> LearningRateDisplay:
        """Plot the losses over the learning rates, and mark the suggestion.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

        Returns
        -------
        self : LearningRateDisplay
            The display, with ``ax_`` and ``figure_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        with style():
            ax = new_axes(ax)
            ax.plot(self.learning_rates, self.losses, ".", color="0.6", label="loss of one batch")
            ax.plot(self.learning_rates, self.smoothed_losses, color=COLOURS[0], label="smoothed")
            ax.axvline(
                self.suggestion,
                color=COLOURS[1],
                linestyle="--",
                label=f"suggestion {self.suggestion:.2g}",
            )
            ax.set(xscale="log", xlabel="learning rate", ylabel="loss")
            ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}(suggestion={self.suggestion:.2g})"


def _smoothed(losses: np.ndarray) -> np.ndarray:
    if not len(losses):
        return losses
    smoothed: np.ndarray = gaussian_filter1d(losses, SMOOTHING * len(losses), mode="nearest")
    return smoothed


def _suggested(rates: np.ndarray, losses: np.ndarray) -> float:
    """Return the midpoint between the steepest and the lowest point of the loss.

    The rate of the steepest point is too low: with two data sets and three optimisers, a
    rate three times as large was better in five cases of six.
    """
    lowest = int(np.argmin(losses)) if len(losses) else 0
    if lowest < 2:
        raise ValueError(
            f"The loss fell at none of the learning rates in {len(rates)} steps, so no rate can "
            "be suggested. Try a smaller lowest, more steps, or look at the data."
        )
    slopes = np.gradient(losses[: lowest + 1], np.log(rates[: lowest + 1]))
    return float(np.sqrt(rates[np.argmin(slopes)] * rates[lowest]))
