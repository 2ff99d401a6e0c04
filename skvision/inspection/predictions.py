"""`Predictions`: what all displays and the report show of an estimator's answers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from .._sklearn.labels import label_column, labels_like, listed
from ..exceptions import shown
from ..images import ImageBatch, SourceBatch, as_image_batch, known_range
from .unwrapping import image_taker

__all__ = [
    "PredictedLabels",
    "Predictions",
    "as_predictions",
    "checked_images",
    "checked_labels",
    "file_names",
    "known_classes",
    "n_images_of",
    "predict_for_display",
    "predict_labels",
]


@dataclass(frozen=True)
class Predictions:
    """A classifier's predictions for images whose labels are known.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels that the classifier knows.
    y_true : ndarray of shape (n,)
        True labels, all of them in `classes`.
    probabilities : ndarray of shape (n, n_classes), float
        Probabilities in the order of `classes`.
    images : ImageBatch, default=None
        The images, decoded when they are read; None if X can't be shown.
    names : list of str, default=None
        File names; None if X doesn't hold files.
    """

    classes: np.ndarray
    y_true: np.ndarray
    probabilities: np.ndarray
    images: ImageBatch | None = None
    names: list[str] | None = None

    def __len__(self) -> int:
        return len(self.y_true)

    @property
    def y_pred(self) -> np.ndarray:
        """The most probable labels, (n,)."""
        labels: np.ndarray = self.classes[self.probabilities.argmax(axis=1)]
        return labels

    @property
    def confidence(self) -> np.ndarray:
        """The probabilities of the predicted labels, (n,)."""
        highest: np.ndarray = self.probabilities.max(axis=1)
        return highest

    @property
    def correct(self) -> np.ndarray:
        """Whether the predicted labels are the true ones, (n,) bool."""
        same: np.ndarray = self.y_pred == self.y_true
        return same

    @property
    def probability_of_true(self) -> np.ndarray:
        """The probabilities of the true labels, (n,)."""
        place = {label: index for index, label in enumerate(self.classes.tolist())}
        columns = [place[label] for label in self.y_true.tolist()]
        of_true: np.ndarray = self.probabilities[np.arange(len(self)), columns]
        return of_true


def predict_for_display(estimator: Any, X: Any, y: Any) -> Predictions:
    """Predict probabilities once, for displays.

    Parameters
    ----------
    estimator : object
        A fitted classifier with ``predict_proba``, a Pipeline or a search that ends in one.
    X : array, sequence, Series or frame of n_samples images
        In any form that the estimator takes.
    y : array-like of shape (n_samples,)
        True labels.

    Returns
    -------
    Predictions
        With images and file names where X has them.

    Raises
    ------
    NotFittedError
        If the estimator has not been fitted.
    ValueError
        If the estimator has no probabilities, lengths differ, y holds labels that the estimator
        doesn't know, or X is not as described.
    ImageDecodeError
        If a file can't be read.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skvision.inspection.predictions import predict_for_display
    >>> X, y = load_digits(return_X_y=True)
    >>> model = GaussianNB().fit(X, y)
    >>> len(predict_for_display(model, X[:5], y[:5]))
    5
    """
    classes = known_classes(estimator)
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"{type(estimator).__name__} has no predict_proba, and this display shows "
            "probabilities. Wrap a classifier without probabilities, for example LinearSVC, in "
            "sklearn.calibration.CalibratedClassifierCV, and fit it again."
        )
    images, names = checked_images(estimator, X)
    y_true = checked_labels(classes, y, n_images_of(X))
    probabilities = np.asarray(estimator.predict_proba(X), float)
    return Predictions(classes, y_true, probabilities, images, names)


@dataclass(frozen=True)
class PredictedLabels:
    """A classifier's predicted labels; probabilities only if it has them.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels that the classifier knows.
    y_true : ndarray of shape (n,)
        True labels.
    y_pred : ndarray of shape (n,)
        Predicted labels.
    probabilities : ndarray of shape (n, n_classes), float, or None
        Probabilities in the order of `classes`.
    images : ImageBatch or None
        The images; None if X can't be shown.
    names : list of str or None
        File names; None if X doesn't hold files.
    """

    classes: np.ndarray
    y_true: np.ndarray
    y_pred: np.ndarray
    probabilities: np.ndarray | None
    images: ImageBatch | None
    names: list[str] | None


def predict_labels(estimator: Any, X: Any, y: Any) -> PredictedLabels:
    """Predict once, for displays that can do without probabilities.

    Parameters
    ----------
    estimator : object
        A fitted classifier, a Pipeline or a search that ends in one.
    X : array, sequence, Series or frame of n_samples images
        In any form that the estimator takes.
    y : array-like of shape (n_samples,)
        True labels.

    Returns
    -------
    PredictedLabels

    Raises
    ------
    NotFittedError
        If the estimator has not been fitted.
    ValueError
        As `predict_for_display` raises it, except for missing probabilities.
    ImageDecodeError
        If a file can't be read.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import LinearSVC
    >>> from skvision.inspection.predictions import predict_labels
    >>> X, y = load_iris(return_X_y=True)
    >>> predict_labels(LinearSVC().fit(X, y), X, y).probabilities is None
    True
    """
    if hasattr(estimator, "predict_proba"):
        found = predict_for_display(estimator, X, y)
        return PredictedLabels(
            found.classes,
            found.y_true,
            found.y_pred,
            found.probabilities,
            found.images,
            found.names,
        )
    classes = known_classes(estimator)
    images, names = checked_images(estimator, X)
    y_true = checked_labels(classes, y, n_images_of(X))
    return PredictedLabels(classes, y_true, np.asarray(estimator.predict(X)), None, images, names)


def known_classes(estimator: Any) -> np.ndarray:
    """Return the classes of a fitted classifier.

    Raises
    ------
    NotFittedError
        If it has not been fitted.
    ValueError
        If it isn't a classifier, or has several outputs.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skvision.inspection.predictions import known_classes
    >>> known_classes(DummyClassifier().fit([[0], [0]], ["dog", "cat"])).tolist()
    ['cat', 'dog']
    """
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise ValueError(f"Pass a fitted classifier. Received: {shown(estimator)}")
    if not is_classifier(estimator):
        raise ValueError(
            f"Pass a classifier, or a Pipeline or search that ends in one. Received: "
            f"{type(estimator).__name__}"
        )
    check_is_fitted(estimator)
    classes = estimator.classes_
    if isinstance(classes, list):
        raise ValueError(
            f"{type(estimator).__name__} predicts several labels per image. Displays show one: "
            "pass one of its estimators_."
        )
    return np.asarray(classes)


def checked_images(estimator: Any, X: Any) -> tuple[ImageBatch | None, list[str] | None]:
    """Return the images and file names in X, without decoding.

    Parameters
    ----------
    estimator : object
        The estimator that takes X.
    X : object
        Images in any form that it takes.

    Returns
    -------
    images : ImageBatch or None
        None if X holds numbers that aren't images, for a classifier of scikit-learn.
    names : list of str or None
        None if X doesn't hold files.

    Raises
    ------
    ValueError
        If X is empty, or not as an estimator of skvision takes it.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skvision.inspection.predictions import checked_images
    >>> checked_images(LogisticRegression(), [[0.0, 1.0]])
    (None, None)
    """
    taker = image_taker(estimator)
    if taker is not None and taker.value_range is None:
        return None, None
    try:
        images = as_image_batch(
            X,
            row_shape=getattr(taker, "row_shape", None),
            value_range="auto" if taker is None else known_range(taker),
        )
    except ValueError:
        if taker is not None or n_images_of(X) == 0:
            raise
        return None, None  # scikit-learn's own classifiers take any numbers
    return images, file_names(images)


def checked_labels(classes: np.ndarray, y: Any, n: int) -> np.ndarray:
    """Return y as an array of n labels that a classifier knows.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels that the classifier knows.
    y : array-like of shape (n,)
        True labels.
    n : int
        Required number of labels.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError
        If y is None, has another length, or holds other labels.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.predictions import checked_labels
    >>> checked_labels(np.array(["cat", "dog"]), ["dog"], 1).tolist()
    ['dog']
    """
    if y is None:
        raise ValueError("y must hold the true labels, one per image. Received: None")
    labels = labels_like(classes, y)
    if len(labels) != n:
        raise ValueError(f"X holds {n} images, and y holds {len(labels)} labels. Pass one each.")
    unknown = np.unique(labels[~np.isin(labels, classes)])
    if len(unknown):
        raise ValueError(
            f"y holds labels that the model doesn't know: {listed(unknown[:10])}"
            f"{', ...' if len(unknown) > 10 else ''}. It knows: {listed(classes[:20])}"
            f"{', ...' if len(classes) > 20 else ''}. Leave those images out: "
            "known = np.isin(y, estimator.classes_), then X[known] and y[known]."
        )
    return labels


def as_predictions(y_true: Any, y_prob: Any, *, classes: Any = None, X: Any = None) -> Predictions:
    """Return probabilities that are known already as `Predictions`.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_prob : array-like of shape (n, n_classes)
        Probabilities.
    classes : array-like of shape (n_classes,), default=None
        Labels in the order of the columns; None for the sorted labels in `y_true`.
    X : object, default=None
        The images, in any form that an estimator of skvision takes.

    Returns
    -------
    Predictions

    Raises
    ------
    ValueError
        If shapes don't fit together, or numbers aren't probabilities.

    Examples
    --------
    >>> from skvision.inspection.predictions import as_predictions
    >>> as_predictions(["cat", "dog"], [[0.8, 0.2], [0.7, 0.3]]).correct.tolist()
    [True, False]
    """
    y_true = label_column(y_true)
    known = np.unique(y_true) if classes is None else np.asarray(classes)
    probabilities = np.asarray(y_prob, float)
    if probabilities.shape != (len(y_true), len(known)):
        cure = " Pass classes=, the labels of the columns." if classes is None else ""
        raise ValueError(
            f"y_prob must have one row per label in y_true, {len(y_true)}, and one column per "
            f"class, {len(known)} ({listed(known[:10])}{', ...' if len(known) > 10 else ''})."
            f"{cure} Received an array of shape {probabilities.shape}."
        )
    if not ((probabilities >= 0) & (probabilities <= 1 + 1e-6)).all():
        raise ValueError(
            "y_prob must hold probabilities from 0 to 1. Received numbers from "
            f"{probabilities.min():g} to {probabilities.max():g}; scores of decision_function "
            "are none."
        )
    labels = checked_labels(known, y_true, len(probabilities))
    if X is None:
        return Predictions(known, labels, probabilities)
    images = as_image_batch(X)
    if len(images) != len(labels):
        raise ValueError(f"X holds {len(images)} images, and y_true holds {len(labels)} labels.")
    return Predictions(known, labels, probabilities, images, file_names(images))


def file_names(images: ImageBatch) -> list[str] | None:
    """Return the file names of images; None if they aren't files.

    Examples
    --------
    >>> from skvision.images import as_image_batch
    >>> from skvision.inspection.predictions import file_names
    >>> file_names(as_image_batch(["cat.jpg"]))
    ['cat.jpg']
    """
    if not isinstance(images, SourceBatch):
        return None
    names = [
        os.fspath(source) for source in images.sources if isinstance(source, str | os.PathLike)
    ]
    return names if len(names) == len(images) else None


def n_images_of(X: Any) -> int:
    """Return the number of images in X, in any form that estimators take."""
    return int(X.shape[0]) if getattr(X, "shape", ()) else len(X)
