"""`PredictionDisplay`: images with their true and predicted labels."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from ..images import ImageBatch
from .frames import as_frame
from .plotting import import_matplotlib, short_text, style
from .predictions import as_predictions, predict_labels
from .selection import WHICH, chosen, with_label
from .thumbnails import plot_grid, thumbnail

__all__ = ["PredictionDisplay"]


class PredictionDisplay:
    """Images with true label, predicted label and its probability.

    Create it by `from_estimator` or `from_predictions`. The worst mistakes show wrong labels in the
    data, classes that look alike, and what the network looks at instead of the object. The
    display holds all predictions: ``plot(which="best")`` shows others without new predictions.

    Parameters
    ----------
    images : ImageBatch
        The images, decoded when they are shown.
    y_true : ndarray of shape (n_samples,)
        True labels.
    y_pred : ndarray of shape (n_samples,)
        Predicted labels.
    classes : ndarray of shape (n_classes,)
        All labels.
    probabilities : ndarray of shape (n_samples, n_classes), float, default=None
        Probabilities in the order of `classes`.
    names : list of str, default=None
        File names.

    Attributes
    ----------
    indices_ : ndarray of int
        Places in X of the images that `plot` showed.
    ax_ : ndarray of object
        The axes, one per image, after `plot`.
    figure_ : matplotlib.figure.Figure
        The figure, after `plot`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from skvision import PredictionDisplay
    >>> X = np.zeros((3, 8, 8), np.uint8)
    >>> probabilities = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]
    >>> display = PredictionDisplay.from_predictions(["cat", "cat", "dog"], probabilities, X)
    >>> display.indices_.tolist()
    [1, 2]
    """

    def __init__(
        self,
        images: ImageBatch,
        y_true: np.ndarray,
        y_pred: np.ndarray,
        classes: np.ndarray,
        probabilities: np.ndarray | None = None,
        names: list[str] | None = None,
    ) -> None:
        self.images = images
        self.y_true = np.asarray(y_true)
        self.y_pred = np.asarray(y_pred)
        self.classes = np.asarray(classes)
        self.probabilities = probabilities
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        which: str = "worst",
        label: Any = None,
        n_images: int = 12,
        random_state: Any = None,
        ax: Any = None,
    ) -> PredictionDisplay:
        """Predict, and plot some images.

        Parameters
        ----------
        estimator : object
            A fitted classifier, a Pipeline or a search that ends in one.
        X : array, sequence, Series or frame of n_samples images
            Images that the classifier has not seen in fit.
        y : array-like of shape (n_samples,)
            True labels.
        which : {"worst", "best", "confused", "uncertain", "random"}, default="worst"
            The images to show, as in `plot`.
        label : label or tuple of two labels, default=None
            Show one true class only, or one pair (true, predicted).
        n_images : int, default=12
            Maximum number of images, at least 1.
        random_state : int, RandomState instance or None, default=None
            Random state of ``which="random"``.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure. Axes are divided into the panels.

        Returns
        -------
        PredictionDisplay

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        ValueError
            If a parameter, X or y is not as described, or X can't be shown.
        ImageDecodeError
            If an image can't be read.
        ImportError
            If matplotlib is not installed.
        """
        import_matplotlib()  # before predictions are computed
        check_choice(which, n_images)
        found = predict_labels(estimator, X, y)
        if found.images is None:
            raise ValueError(
                "X holds numbers that aren't images, so there is nothing to show. Pass images: "
                "arrays (n, height, width[, channels]) or files."
            )
        self = cls(
            found.images,
            found.y_true,
            found.y_pred,
            found.classes,
            found.probabilities,
            found.names,
        )
        return self.plot(
            which=which, label=label, n_images=n_images, random_state=random_state, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_prob: Any,
        X: Any,
        *,
        classes: Any = None,
        which: str = "worst",
        label: Any = None,
        n_images: int = 12,
        ax: Any = None,
    ) -> PredictionDisplay:
        """Plot some images with known probabilities, for example those of cross_val_predict.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels.
        y_prob : array-like of shape (n_samples, n_classes)
            Probabilities.
        X : array, sequence, Series or frame of n_samples images
            The images.
        classes : array-like of shape (n_classes,), default=None
            Labels in the order of the columns; None for the sorted labels in y_true.
        which : {"worst", "best", "confused", "uncertain", "random"}, default="worst"
            The images to show, as in `plot`.
        label : label or tuple of two labels, default=None
            Show one true class only, or one pair (true, predicted).
        n_images : int, default=12
            Maximum number of images, at least 1.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure. Axes are divided into the panels.

        Returns
        -------
        PredictionDisplay

        Raises
        ------
        ValueError
            If a parameter is not as described.
        ImageDecodeError
            If an image can't be read.
        ImportError
            If matplotlib is not installed.
        """
        found = as_predictions(y_true, y_prob, classes=classes, X=X)
        assert found.images is not None
        self = cls(
            found.images,
            found.y_true,
            found.y_pred,
            found.classes,
            found.probabilities,
            found.names,
        )
        return self.plot(which=which, label=label, n_images=n_images, ax=ax)

    def frame(self) -> Any:
        """Return all predictions as a table, without a plot.

        Returns
        -------
        pandas.DataFrame or dict of str to ndarray
            One row per image: ``true``, ``predicted``, ``correct``; with probabilities
            ``confidence`` (of the predicted class) and one column ``probability_CLASS`` per
            class; ``file`` if X was files. A dict if pandas is not installed.
        """
        columns: dict[str, Any] = {
            "true": self.y_true,
            "predicted": self.y_pred,
            "correct": self.y_true == self.y_pred,
        }
        if self.probabilities is not None:
            columns["confidence"] = self.probabilities.max(axis=1)
            for name, each in zip(self.classes.tolist(), self.probabilities.T, strict=True):
                columns[f"probability_{name}"] = each
        if self.names is not None:
            columns["file"] = np.asarray(self.names)
        return as_frame(columns)

    def plot(
        self,
        ax: Any = None,
        *,
        which: str = "worst",
        label: Any = None,
        n_images: int = 12,
        random_state: Any = None,
    ) -> PredictionDisplay:
        """Plot some images, wrong predictions in a thick orange frame.

        Above each image are the predicted class, its probability and the true class.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure. Axes are divided into the panels.
        which : {"worst", "best", "confused", "uncertain", "random"}, default="worst"
            The images to show. ``"worst"``: wrong predictions of high confidence;
            ``"best"``: correct predictions of high confidence; ``"confused"``: wrong
            predictions, those of the most frequent pair of classes first; ``"uncertain"``:
            right or wrong predictions whose two highest probabilities are close;
            ``"random"``: a random sample.
        label : label or tuple of two labels, default=None
            Show one true class only, or one pair (true, predicted).
        n_images : int, default=12
            Maximum number of images, at least 1.
        random_state : int, RandomState instance or None, default=None
            Random state of ``which="random"``.

        Returns
        -------
        self : PredictionDisplay
            The display, with ``indices_``, ``ax_`` and ``figure_``.

        Raises
        ------
        ValueError
            If a parameter is not as described.
        ImageDecodeError
            If an image can't be read.
        ImportError
            If matplotlib is not installed.
        """
        check_choice(which, n_images)
        wanted = with_label(self.y_true, self.y_pred, self.classes, label)
        places = chosen(self.y_true, self.y_pred, self.probabilities, which, random_state)
        places = places[wanted[places]]
        shown = places[:n_images]
        title = WHICH[which] + _of_label(label)
        title += f" ({len(shown)} of {len(places)})" if len(shown) < len(places) else ""
        if not len(shown):
            title = f"{WHICH[which].partition(',')[0]}{_of_label(label)}: none"
        with style():
            axes = plot_grid(
                ax,
                [thumbnail(self.images, index) for index in shown],
                [self._caption(index) for index in shown],
                (self.y_true == self.y_pred)[shown],
                title,
            )
        self.indices_, self.ax_, self.figure_ = shown, axes, axes[0].figure
        return self

    def _caption(self, index: int) -> str:
        predicted = short_text(self.y_pred[index], 16)
        if self.probabilities is not None:
            predicted += f" {_percent(float(self.probabilities[index].max()))}"
        return f"{predicted}\ntrue: {short_text(self.y_true[index], 17)}"


def _percent(probability: float) -> str:
    """Return a probability as text, which is 100% only for 1."""
    if probability < 0.995:
        return f"{probability:.0%}"
    return f"{probability:.1%}" if probability < 0.9995 or probability == 1 else ">99.9%"


def _of_label(label: Any) -> str:
    if label is None:
        return ""
    if not isinstance(label, tuple | list) or len(label) == 1:
        return f", true class {short_text(label)}"
    return f", true {short_text(label[0])} and predicted {short_text(label[1])}"


def check_choice(which: Any, n_images: Any) -> None:
    """Refuse a bad choice of images before predictions.

    Parameters
    ----------
    which : object
        The kind of images.
    n_images : object
        Their maximum number.

    Raises
    ------
    ValueError
        If one is not as `PredictionDisplay.plot` describes.
    """
    chosen(np.empty(0), np.empty(0), np.empty((0, 2)), which)
    if not isinstance(n_images, Integral) or isinstance(n_images, bool) or n_images < 1:
        raise ValueError(f"n_images must be a whole number of at least 1. Received: {n_images!r}")
