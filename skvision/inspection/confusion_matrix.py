"""`ConfusionDisplay`: which classes are taken for which, and the images behind each cell."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay

from .._sklearn.labels import label_column
from ..images import ImageBatch, as_image_batch
from .frames import as_frame
from .measures import confusion
from .plotting import import_matplotlib, new_axes, set_labels, short_text, style
from .prediction_grid import PredictionDisplay
from .predictions import checked_labels, file_names, predict_labels

__all__ = ["ConfusionDisplay"]

#: matrices of more classes show only those that occur
_MOST_CLASSES = 50
#: larger matrices have no room for numbers
_MOST_WITH_NUMBERS = 20
_NORMALIZED = (None, "true", "pred", "all")


class ConfusionDisplay:
    """The confusion matrix, and the images behind its cells.

    Create it by `from_estimator` or `from_predictions`. scikit-learn's
    `~sklearn.metrics.ConfusionMatrixDisplay` plots the matrix.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        True labels.
    y_pred : ndarray of shape (n_samples,)
        Predicted labels.
    classes : ndarray of shape (n_classes,)
        All labels, in the order of rows and columns.
    images : ImageBatch, default=None
        The images, for `pictures`.
    probabilities : ndarray of shape (n_samples, n_classes), float, default=None
        Probabilities, for the captions and the order of `pictures`.
    names : list of str, default=None
        File names.

    Attributes
    ----------
    confusion_matrix : ndarray of shape (n_classes, n_classes), int64
        Numbers of images; rows are true classes, columns predicted ones.
    ax_ : matplotlib.axes.Axes
        The axes, after `plot`.
    figure_ : matplotlib.figure.Figure
        The figure, after `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision import ConfusionDisplay
    >>> y_true, y_pred = np.array(["cat", "cat", "dog"]), np.array(["cat", "dog", "dog"])
    >>> ConfusionDisplay(y_true, y_pred, np.array(["cat", "dog"])).confusion_matrix.tolist()
    [[1, 1], [0, 1]]
    """

    def __init__(
        self,
        y_true: np.ndarray,
        y_pred: np.ndarray,
        classes: np.ndarray,
        images: ImageBatch | None = None,
        probabilities: np.ndarray | None = None,
        names: list[str] | None = None,
    ) -> None:
        self.y_true = np.asarray(y_true)
        self.y_pred = np.asarray(y_pred)
        self.classes = np.asarray(classes)
        self.images = images
        self.probabilities = probabilities
        self.names = names
        self.confusion_matrix = confusion(self.y_true, self.y_pred, self.classes)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, normalize: str | None = None, ax: Any = None
    ) -> ConfusionDisplay:
        """Predict, and plot the confusion matrix.

        Parameters
        ----------
        estimator : object
            A fitted classifier, a Pipeline or a search that ends in one.
        X : array, sequence, Series or frame of n_samples images
            Images that the classifier has not seen in fit.
        y : array-like of shape (n_samples,)
            True labels.
        normalize : {"true", "pred", "all"} or None, default=None
            Show shares of rows, of columns or of all images; None for numbers.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

        Returns
        -------
        ConfusionDisplay

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        ValueError
            If a parameter, X or y is not as described.
        ImportError
            If matplotlib is not installed.
        """
        import_matplotlib()  # before predictions are computed
        _check_normalize(normalize)
        found = predict_labels(estimator, X, y)
        self = cls(
            found.y_true,
            found.y_pred,
            found.classes,
            found.images,
            found.probabilities,
            found.names,
        )
        return self.plot(ax, normalize=normalize)

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        X: Any = None,
        classes: Any = None,
        normalize: str | None = None,
        ax: Any = None,
    ) -> ConfusionDisplay:
        """Plot the confusion matrix of labels, for example those of cross_val_predict.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels.
        y_pred : array-like of shape (n_samples,)
            Predicted labels.
        X : array, sequence, Series or frame of n_samples images, default=None
            The images, for `pictures`.
        classes : array-like of shape (n_classes,), default=None
            All labels; None for the sorted labels in y_true and y_pred.
        normalize : {"true", "pred", "all"} or None, default=None
            Show shares of rows, of columns or of all images; None for numbers.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

        Returns
        -------
        ConfusionDisplay

        Raises
        ------
        ValueError
            If a parameter is not as described.
        ImportError
            If matplotlib is not installed.
        """
        y_true, y_pred = label_column(y_true), label_column(y_pred)
        known = np.union1d(y_true, y_pred) if classes is None else np.asarray(classes)
        images = None if X is None else as_image_batch(X)
        n = len(y_pred) if images is None else len(images)
        self = cls(
            checked_labels(known, y_true, n),
            checked_labels(known, y_pred, n),
            known,
            images,
            names=None if images is None else file_names(images),
        )
        return self.plot(ax, normalize=normalize)

    def frame(self) -> Any:
        """Return the matrix as a table, without a plot.

        Returns
        -------
        pandas.DataFrame or dict of str to ndarray
            One row per cell: ``true``, ``predicted``, ``n_images`` and ``share_of_true`` (NaN
            for a class without images). A dict if pandas is not installed.
        """
        counts = self.confusion_matrix
        k = len(self.classes)
        return as_frame(
            {
                "true": np.repeat(self.classes, k),
                "predicted": np.tile(self.classes, k),
                "n_images": counts.ravel(),
                "share_of_true": _normalized(counts, "true").ravel(),
            }
        )

    def plot(self, ax: Any = None, *, normalize: str | None = None) -> ConfusionDisplay:
        """Plot the matrix: rows are true classes, columns predicted ones.

        With more than 50 classes, only those are shown that occur in the labels or in the
        predictions.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.
        normalize : {"true", "pred", "all"} or None, default=None
            Show shares of rows, of columns or of all images; None for numbers.

        Returns
        -------
        self : ConfusionDisplay
            The display, with ``ax_`` and ``figure_``.

        Raises
        ------
        ValueError
            If `normalize` is something else.
        ImportError
            If matplotlib is not installed.
        """
        _check_normalize(normalize)
        counts, classes = self.confusion_matrix, self.classes
        if len(classes) > _MOST_CLASSES:
            occurs = (counts.sum(axis=0) + counts.sum(axis=1)) > 0
            counts, classes = counts[np.ix_(occurs, occurs)], classes[occurs]
        k = len(classes)
        side = min(max(3.6, 1.8 + 0.62 * k), 8.5)
        matrix = counts if normalize is None else _normalized(counts, normalize)
        with style() as matplotlib:
            ax = new_axes(ax, (side + 0.3, side))
            with_numbers = k <= _MOST_WITH_NUMBERS
            shown = ConfusionMatrixDisplay(np.nan_to_num(matrix), display_labels=classes).plot(
                include_values=with_numbers,
                values_format="d" if normalize is None else ".0%",
                cmap="Blues",
                colorbar=not with_numbers,
                # without numbers, a few confused images must differ visibly from none
                im_kw=None if with_numbers else {"norm": matplotlib.colors.PowerNorm(0.5)},
                ax=ax,
            )
            if with_numbers and k > 12:
                for text in shown.text_.ravel():
                    text.set_fontsize(8)
            ax.grid(False)
            ax.set(xlabel="predicted class", ylabel="true class")
            set_labels(ax.xaxis, range(k), classes.tolist(), min(0.62 * k, 7.0))
            ax.set_yticks(np.arange(k), [short_text(each) for each in classes])
            correct, n = int((self.y_true == self.y_pred).sum()), len(self.y_true)
            ax.set_title(f"{correct} of {n} correct ({correct / n:.1%})")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def pictures(
        self, true: Any, predicted: Any, *, n_images: int = 12, ax: Any = None
    ) -> PredictionDisplay:
        """Plot the images behind a cell, most confident predictions first.

        Parameters
        ----------
        true : label
            The true class: a row.
        predicted : label
            The predicted class: a column.
        n_images : int, default=12
            Maximum number of images, at least 1.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure. Axes are divided into the panels.

        Returns
        -------
        PredictionDisplay
            Its ``indices_`` are the places of the images in X.

        Raises
        ------
        ValueError
            If there are no images, or a class doesn't exist.
        ImageDecodeError
            If an image can't be read.
        ImportError
            If matplotlib is not installed.
        """
        if self.images is None:
            raise ValueError(
                "This display has no images. Pass X= to from_predictions, or use from_estimator "
                "with images."
            )
        display = PredictionDisplay(
            self.images, self.y_true, self.y_pred, self.classes, self.probabilities, self.names
        )
        which = "best" if true == predicted else "worst"
        return display.plot(ax, which=which, label=(true, predicted), n_images=n_images)


def _check_normalize(normalize: Any) -> None:
    if normalize not in _NORMALIZED:
        raise ValueError(
            f'normalize must be "true", "pred", "all" or None. Received: {normalize!r}'
        )


def _normalized(counts: np.ndarray, normalize: str) -> np.ndarray:
    """Return shares; NaN where nothing is divided by nothing."""
    axes: dict[str, tuple[int, ...]] = {"true": (1,), "pred": (0,), "all": (0, 1)}
    with np.errstate(invalid="ignore"):
        shares: np.ndarray = counts / counts.sum(axis=axes[normalize], keepdims=True)
    return shares
