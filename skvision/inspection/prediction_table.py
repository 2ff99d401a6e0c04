"""`PredictionTable`: a classifier's answers beside their images, for a notebook."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._sklearn.labels import label_column
from .._system.templates import filled
from ..exceptions import ImageDecodeError
from ..images import ImageBatch
from .frames import as_frame
from .html_report.gallery import short_names
from .html_report.one_pass import small_images
from .measures import proportion_interval
from .predictions import checked_images, known_classes

__all__ = ["PredictionTable"]

# rows and classes of a row that a notebook shows
_N_ROWS, _N_TOP = 20, 3
_LONGEST = 112


class PredictionTable:
    """A classifier's answers beside their images: a table with small images in a notebook.

    Create it by `from_estimator`. With true labels it also shows the accuracy, and puts
    mistakes first. For a whole evaluation use `report`.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels that the classifier knows.
    y_pred : ndarray of shape (n_samples,)
        Predicted labels.
    probabilities : ndarray of shape (n_samples, n_classes), float, default=None
        Probabilities in the order of `classes`.
    y_true : ndarray of shape (n_samples,), default=None
        True labels.
    images : ImageBatch, default=None
        The images, decoded when they are shown.
    names : list of str, default=None
        Names of the images; None for numbers.

    See Also
    --------
    report : Everything on one page.
    PredictionDisplay : A plot of the worst, best or most uncertain predictions.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skvision import MiniVGGClassifier, PredictionTable
    >>> digits = load_digits(n_class=3)
    >>> X, y = digits.images / 16, digits.target
    >>> net = MiniVGGClassifier(image_size=8, filters=(8,), epochs=5, random_state=0)
    >>> net = net.fit(X[:300], y[:300])
    >>> table = PredictionTable.from_estimator(net, X[300:], y=y[300:])
    >>> len(table)
    237
    >>> list(table.frame())
    ['image', 'true', 'predicted', 'probability']
    """

    def __init__(
        self,
        classes: np.ndarray,
        y_pred: np.ndarray,
        probabilities: np.ndarray | None = None,
        y_true: np.ndarray | None = None,
        images: ImageBatch | None = None,
        names: list[str] | None = None,
    ) -> None:
        self.classes = classes
        self.y_pred = y_pred
        self.probabilities = probabilities
        self.y_true = y_true
        self.images = images
        self.names = names

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, y: Any = None) -> PredictionTable:
        """Predict images.

        Parameters
        ----------
        estimator : fitted classifier or Pipeline
            Any classifier that takes these images.
        X : array, sequence, Series or frame of n_samples images
            In any form that the estimator takes.
        y : array-like of shape (n_samples,), default=None
            True labels; one that the estimator doesn't know counts as wrong.

        Returns
        -------
        PredictionTable

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        ValueError
            If the estimator isn't a classifier, or X or y is not as described.
        ImageDecodeError
            If a file can't be read.
        """
        classes = known_classes(estimator)
        images, names = checked_images(estimator, X)
        y_true = None if y is None else label_column(y)
        if hasattr(estimator, "predict_proba"):
            probabilities = np.asarray(estimator.predict_proba(X), float)
            y_pred = classes[probabilities.argmax(axis=1)]
        else:
            probabilities, y_pred = None, np.asarray(estimator.predict(X))
        if y_true is not None and len(y_true) != len(y_pred):
            raise ValueError(
                f"X holds {len(y_pred)} images, and y holds {len(y_true)} labels. Pass one each."
            )
        return cls(classes, y_pred, probabilities, y_true, images, names)

    def frame(self) -> Any:
        """Return the answers as a table, without images.

        Returns
        -------
        pandas.DataFrame or dict of str to ndarray
            One row per image: ``image`` (file name, or number from 0), ``true`` if labels are
            known, ``predicted``, and ``probability`` of the predicted class if the classifier
            has it. A dict if pandas is not installed.
        """
        columns: dict[str, Any] = {
            "image": np.arange(len(self)) if self.names is None else self.names
        }
        if self.y_true is not None:
            columns["true"] = self.y_true
        columns["predicted"] = self.y_pred
        if self.probabilities is not None:
            columns["probability"] = self.probabilities.max(axis=1)
        return as_frame(columns)

    def __len__(self) -> int:
        return len(self.y_pred)

    def __repr__(self) -> str:
        right = "" if self.y_true is None else f", correct={int(self._correct.sum())}"
        return f"{type(self).__name__}(n={len(self)}{right})"

    @property
    def _correct(self) -> np.ndarray:
        same: np.ndarray = np.asarray(self.y_pred == self.y_true)
        return same

    def _repr_html_(self) -> str:
        places = np.arange(len(self))
        summary = f"{len(self):,} images."
        if self.y_true is not None:
            correct = self._correct
            # mistakes first, in the order of X
            places = np.argsort(correct, kind="stable")
            low, high = proportion_interval(int(correct.sum()), len(self))
            summary = (
                f"Accuracy {correct.mean():.1%} (95% interval {float(low):.1%} to "
                f"{float(high):.1%}) on {len(self):,} images, {int((~correct).sum()):,} of them "
                "wrong."
            )
        places = places[:_N_ROWS]
        if len(places) < len(self):
            first = "the first" if self.y_true is None else "mistakes first"
            summary += f" The table has {len(places)} of them, {first}."
        names = short_names(self.names, len(self))
        return filled(
            "skvision.inspection",
            "prediction_table.html",
            summary=summary,
            has_true=self.y_true is not None,
            rows=[self._row(int(place), names) for place in places],
        )

    def _row(self, place: int, names: list[str]) -> dict[str, Any]:
        top = []
        if self.probabilities is not None:
            row = self.probabilities[place]
            order = np.argsort(-row, kind="stable")[:_N_TOP]
            top = [(str(self.classes[k]), float(row[k])) for k in order]
        true = None if self.y_true is None else str(self.y_true[place])
        return {
            "name": names[place],
            "image": self._image(place),
            "true": true,
            "predicted": str(self.y_pred[place]),
            "is_wrong": true is not None and not self._correct[place],
            "top": top,
        }

    def _image(self, place: int) -> str | None:
        if self.images is None:
            return None
        try:
            return small_images(self.images, [place], _LONGEST)[0]
        except ImageDecodeError:  # the file is gone since it was predicted
            return None
