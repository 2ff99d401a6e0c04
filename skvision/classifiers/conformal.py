"""`ConformalImageClassifier`: sets of classes that hold the true one as often as asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn import get_config
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, Tags, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted

from .._sklearn.chosen import chosen_estimator
from .._sklearn.compat import StrOptions, taken_rows
from .._sklearn.estimator import DocumentationLink, all_or_nothing
from .._sklearn.labels import listed, validate_labels
from ..exceptions import shown
from ..images import as_image_batch
from ..images.opening import is_image_source
from .neighbourhood import Neighbourhood, chosen_references, neighbourhood_of
from .prediction_sets import (
    as_coverage,
    every_fourth,
    images_needed,
    largest_coverage,
    numbers_below,
    sets_of,
)

__all__ = ["ConformalImageClassifier"]

# weight of a standard deviation of distance beside the logarithm of a probability
_DISTANCE_WEIGHT = 0.5
# a probability that isn't 0, so that its logarithm is finite
_LEAST = 1e-12


class _Fold(NamedTuple):
    """The images of one estimator, by their indices; those that train one may not be known."""

    train: np.ndarray
    references: np.ndarray
    calibration: np.ndarray


class ConformalImageClassifier(
    DocumentationLink, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """Withhold the answers of a classifier that isn't sure enough, by conformal prediction.

    It gives each image a set of classes. For images like those of `fit`, the set holds the
    true class with the probability ``coverage``, however good the classifier is: a bad
    one gets large sets. A set of one class is an answer. A set of several is a doubt between
    them. An empty set says that the image is unlike those of all classes.

    Parameters
    ----------
    estimator : classifier, Pipeline or search
        It needs ``predict_proba``. It is cloned and trained on a part of the images;
        ``FrozenEstimator(fitted)`` is used as it is, and the images of `fit`, which it must
        not have seen, calibrate it; with distances every fourth of them stands for the
        training images, unless `cv` names these.
    coverage : float, default=0.95
        The probability that a set holds the true class, above 0 and below 1. A coverage of
        0.95 needs 19 calibration images of each class, 0.99 needs 99: ``coverage / (1 -
        coverage)``, rounded up. A change of it applies to the next prediction.
    method : {"auto", "probability", "distance"}, default="auto"
        What makes an image unusual as a member of a class. ``"probability"``: a small
        probability of the class. ``"distance"``: the same, and a large distance from the
        training images in the features of a Pipeline, the output of the steps before the
        last. It finds far more of the foreign images. ``"auto"`` is ``"distance"`` for a
        Pipeline whose last step gets a table of numbers, or a search of one; else
        ``"probability"``.
    cv : int, splitter or iterable, default=None
        How the images of `fit` are divided into those that train and those that calibrate.
        None or an int: stratified folds, 5 for None. One estimator is trained per fold, and
        predictions ask all of them (cross-conformal prediction). A splitter with one
        split, such as ``StratifiedShuffleSplit(1, test_size=0.3)``, trains one (split
        conformal prediction). Each image calibrates at most once. For a
        ``FrozenEstimator`` an iterable of one split, ``[(train, calibration)]``, names
        the images of `fit` that it was trained on, so that distances are from these; anything
        else has no effect on it.
    class_conditional : bool, default=True
        Whether each class has the coverage, or only all classes together. False needs
        ``coverage / (1 - coverage)`` calibration images in all; rare or difficult classes may
        then have less coverage, and easy ones more.
    reject_label : "auto", label or None, default="auto"
        What `predict` returns for an image whose set isn't one class. ``"auto"`` is
        ``"withheld"`` for classes that are text, else a number below them: -1, or the
        smallest class less 1 if that is smaller. None withholds no answer: `predict`
        returns the likeliest class. `score` counts a withheld answer as wrong.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes in ascending order.
    estimators_ : list of classifier
        The fitted classifiers, one per split.
    method_ : {"probability", "distance"}
        The method.
    n_calibration_ : ndarray of shape (n_classes,), int
        Number of calibration images of each class.
    calibration_scores_ : list of list of ndarray
        For each estimator and each class the scores of its calibration images, in ascending
        order. A score is large for an unusual image.
    neighbourhoods_ : list
        For each estimator the features of at most 1,000 training images, with
        ``method_="distance"``; else empty.
    n_features_in_ : int
        Length of a row. Only defined if X was 2-D rows.
    feature_names_in_ : ndarray of shape (n_features_in_,), object
        Names of the numbers of a row. Only defined if X was a frame of rows.

    See Also
    --------
    sklearn.calibration.CalibratedClassifierCV : Better probabilities, without a set.

    Notes
    -----
    The promise is an average: over the images to come and over the choice of the calibration
    images, which must be alike. It says nothing about other images. With one split or a
    ``FrozenEstimator`` it is exact; with several folds the sets hold the true class about as
    often in practice, and provably with at least ``1 - 2 * (1 - coverage)``, less a term that
    shrinks with the number of images. A classifier that is right more often than
    ``coverage`` meets it by empty sets for the least typical images.

    With ``method="distance"`` the score of a class is ``-log(probability) + d / 2``. ``d`` is
    the logarithm of the cosine distance from the fifth nearest training image, less its mean
    among training images, in units of its standard deviation. It is a density of the class
    by Bayes' rule: that of the class given the image, times that of the image.

    References
    ----------
    V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", 2005
    (calibration per class: Mondrian conformal predictors).

    V. Vovk, "Cross-conformal predictors", 2015.

    M. Sadinle, J. Lei, L. Wasserman, "Least ambiguous set-valued classifiers with bounded
    error levels", 2019 (``method="probability"``).

    Y. Hechtlinger, B. Poczos, L. Wasserman, "Cautious deep learning", 2018 (a density as the
    score, so that an unknown object gets an empty set).

    Y. Sun, Y. Ming, X. Zhu, Y. Li, "Out-of-distribution detection with deep nearest
    neighbors", 2022 (the distance).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from skvision import ConformalImageClassifier
    >>> X, y = load_digits(n_class=4, return_X_y=True)
    >>> known = y < 3
    >>> classifier = make_pipeline(MinMaxScaler(), LogisticRegression())
    >>> model = ConformalImageClassifier(classifier, coverage=0.9)
    >>> model = model.fit(X[known][:300], y[known][:300])
    >>> model.predict_set(X[known][300:302])
    array([[False,  True, False],
           [False,  True, False]])
    >>> model.predict(X[~known][:3])  # a three is unlike zeros, ones and twos
    array([-1, -1, -1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "method": [StrOptions({"auto", "probability", "distance"})],
        "class_conditional": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any,
        coverage: float = 0.95,
        *,
        method: str = "auto",
        cv: Any = None,
        class_conditional: bool = True,
        reject_label: Any = "auto",
    ) -> None:
        self.estimator = estimator
        self.coverage = coverage
        self.method = method
        self.cv = cv
        self.class_conditional = class_conditional
        self.reject_label = reject_label

    def fit(self, X: Any, y: Any, **params: Any) -> ConformalImageClassifier:
        """Train the classifier on a part of the images, and calibrate it on the others.

        Parameters
        ----------
        X : array, sequence, Series or frame of n images
            In any form that the estimator takes.
        y : array-like of shape (n,)
            Their labels.
        **params : dict
            Metadata, passed on as `sklearn.model_selection.GridSearchCV` does: by metadata
            routing if it is enabled; else ``groups`` to the splitter and the rest, such as
            ``sample_weight``, to the estimator's `fit`. Weights don't apply to the
            calibration.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If a parameter, X or y is not as described, if there is one class only, or if
            there are too few calibration images for the coverage.
        TypeError
            If the estimator isn't a classifier with ``predict_proba``.
        NotFittedError
            If a ``FrozenEstimator`` isn't fitted.
        """
        with all_or_nothing(self):
            self._fit(X, y, params)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of each image, or the reject label where its set isn't one class.

        Parameters
        ----------
        X : array, sequence, Series or frame of n images
            In any form that the estimator takes.

        Returns
        -------
        ndarray of shape (n,)
            Classes and reject labels, in a type that holds both: integers for classes that
            are booleans.

        Raises
        ------
        NotFittedError
            If it has not been fitted.
        ValueError
            If the reject label is a class, or of another kind than the classes.
        """
        check_is_fitted(self)
        rejected = None if self.reject_label is None else self._reject_label()
        sets, probabilities = self.predict_set(X, return_proba=True)
        if rejected is None:
            likeliest: np.ndarray = self.classes_[probabilities.argmax(axis=1)]
            return likeliest
        only = self.classes_[sets.argmax(axis=1)]
        # an array, so that -1 beside bytes isn't 255
        answers: np.ndarray = np.where(sets.sum(axis=1) == 1, only, np.asarray(rejected))
        return answers

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the classes, the mean of those of the estimators.

        Parameters
        ----------
        X : array, sequence, Series or frame of n images
            In any form that the estimator takes.

        Returns
        -------
        ndarray of shape (n, n_classes)
            The probabilities, in the order of ``classes_``.

        Raises
        ------
        NotFittedError
            If it has not been fitted.
        """
        check_is_fitted(self)
        return _mean([each.predict_proba(X) for each in self.estimators_])

    def predict_set(
        self, X: Any, *, coverage: float | None = None, return_proba: bool = False
    ) -> Any:
        """Return the set of classes of each image.

        Parameters
        ----------
        X : array, sequence, Series or frame of n images
            In any form that the estimator takes.
        coverage : float, default=None
            Another coverage than the estimator's; it needs no new fit.
        return_proba : bool, default=False
            Whether to return the probabilities too, which are known anyway.

        Returns
        -------
        sets : ndarray of shape (n, n_classes), bool
            Whether each class is in the set, in the order of ``classes_``. A row without any
            is an image that is unlike those of all classes.
        probabilities : ndarray of shape (n, n_classes)
            What `predict_proba` returns. Only with ``return_proba=True``.

        Raises
        ------
        NotFittedError
            If it has not been fitted.
        ValueError
            If there are too few calibration images for the coverage.
        """
        check_is_fitted(self)
        coverage = as_coverage(self.coverage if coverage is None else coverage)
        self._check_numbers(self.n_calibration_, coverage)
        below, probabilities = [], []
        for place, known in enumerate(self.calibration_scores_):
            asked, scores = self._asked(place, X)
            probabilities.append(asked)
            below.append(numbers_below(self._pooled(known), scores))
        n_images = self._pooled_numbers(self.n_calibration_)
        sets = sets_of(np.sum(below, axis=0), n_images, coverage)
        return (sets, _mean(probabilities)) if return_proba else sets

    def get_metadata_routing(self) -> MetadataRouter:
        """Return where metadata of `fit` go: to the estimator's `fit` and the splitter.

        Returns
        -------
        MetadataRouter
            The routes.
        """
        return (
            MetadataRouter(owner=self)
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
            .add(
                splitter=check_cv(self.cv, classifier=True),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags

    def _fit(self, X: Any, y: Any, params: dict[str, Any]) -> None:
        self._check_parameters()
        X = _indexable(X)
        y = validate_labels(self, y, _length(X) or 0)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds only one class, {self.classes_.tolist()[0]!r}. A classifier needs images "
                "of at least two classes."
            )
        if isinstance(self.estimator, FrozenEstimator):
            codes = self._codes_of_fitted(y)
        self._reject_label()
        routed = self._routed(params)
        folds = list(self._folds(X, y, codes, routed.splitter.split))
        calibrating = np.concatenate([fold.calibration for fold in folds])
        self.n_calibration_ = np.bincount(codes[calibrating], minlength=len(self.classes_))
        # before the training, which may take an hour
        self._check_numbers(self.n_calibration_, self.coverage)
        self.estimators_ = [self._trained(X, y, fold, routed.estimator.fit) for fold in folds]
        self._find_neighbourhoods(X, folds)
        self.calibration_scores_ = []
        for place, fold in enumerate(folds):
            _, scores = self._asked(place, taken_rows(X, fold.calibration))
            own = codes[fold.calibration]
            self.calibration_scores_.append(
                [np.sort(scores[own == code, code]) for code in range(len(self.classes_))]
            )
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimators_[0], name):
                setattr(self, name, getattr(self.estimators_[0], name))
            elif hasattr(self, name):  # from another fit
                delattr(self, name)

    def _check_parameters(self) -> None:
        as_coverage(self.coverage)
        self._validate_params()
        if isinstance(self.cv, str):
            raise ValueError(
                f"cv must be an int, a splitter or an iterable of splits. Received: {self.cv!r}. "
                "Pass a fitted classifier as FrozenEstimator(classifier), from sklearn.frozen."
            )
        _check_estimator(self.estimator)
        inner = self.estimator
        while hasattr(inner, "estimator") and not isinstance(inner, Pipeline):
            inner = inner.estimator
        if self.method == "distance" and not isinstance(inner, Pipeline):
            raise self._lack_of_features()  # before the training

    def _codes_of_fitted(self, y: np.ndarray) -> np.ndarray:
        """Take the classes of an estimator that is fitted; return the index of each label."""
        known = np.asarray(self.estimator.classes_)
        unknown = np.setdiff1d(y, known)
        if len(unknown):
            raise ValueError(
                f"y holds labels that the fitted estimator doesn't know: {listed(unknown[:5])}. It "
                f"knows {listed(known)}. Leave these images out, or train it on them."
            )
        self.classes_ = known
        codes: np.ndarray = np.searchsorted(known, y)
        return codes

    def _routed(self, params: dict[str, Any]) -> Any:
        """Return the metadata for the estimator and for the splitter."""
        if get_config()["enable_metadata_routing"]:
            return process_routing(self, "fit", **params)
        rest = {name: value for name, value in params.items() if name != "groups"}
        split = {"groups": params["groups"]} if params.get("groups") is not None else {}
        return Bunch(estimator=Bunch(fit=rest), splitter=Bunch(split=split))

    def _folds(
        self, X: Any, y: np.ndarray, codes: np.ndarray, params: dict[str, Any]
    ) -> Iterator[_Fold]:
        is_fitted = isinstance(self.estimator, FrozenEstimator)
        if is_fitted and (self.cv is None or isinstance(self.cv, int) or hasattr(self.cv, "split")):
            yield self._fold_of_fitted(X, codes)
            return
        cv = check_cv(self.cv, y, classifier=True)
        _check_folds(cv, self.classes_, codes)
        times = np.zeros(len(y), int)
        for train, calibration in cv.split(X, y, **params):
            # masks are splits too
            train, calibration = (np.arange(len(y))[part] for part in (train, calibration))
            missing = np.setdiff1d(np.arange(len(self.classes_)), codes[train])
            if len(missing):
                raise ValueError(
                    f"A split of cv trains on no image of {listed(self.classes_[missing])}. "
                    "Each class must be in each training part: add images of it, or pass a "
                    "stratified splitter."
                )
            if len(np.intersect1d(train, calibration)):
                raise ValueError(
                    "A split of cv trains and calibrates on the same images. The two parts must "
                    "not overlap."
                )
            times[calibration] += 1
            yield _Fold(train, train[chosen_references(len(train))], calibration)
        if (times > 1).any():
            raise ValueError(
                f"cv calibrates on an image {times.max()} times. Each image may calibrate once: "
                "pass a number of folds, or a splitter with one split."
            )

    def _fold_of_fitted(self, X: Any, codes: np.ndarray) -> _Fold:
        """Set every fourth image of a class apart if distances from images are needed.

        A calibration image must not be compared with itself, and what the estimator was trained
        on isn't known.
        """
        none, images = np.empty(0, int), np.arange(len(codes))
        if self.method == "probability" or _features(self.estimator, taken_rows(X, [0, 1])) is None:
            return _Fold(none, none, images)
        is_apart = every_fourth(codes)
        apart = images[is_apart]
        return _Fold(none, apart[chosen_references(len(apart))], images[~is_apart])

    def _check_numbers(self, numbers: np.ndarray, coverage: float) -> None:
        """Raise ValueError if there are too few calibration images for a coverage."""
        needed = images_needed(coverage)
        if min(self._pooled_numbers(numbers)) >= needed:
            return
        if self.class_conditional:
            each = ", ".join(
                f"{label!r} has {n}"
                for label, n in zip(self.classes_.tolist(), numbers.tolist(), strict=True)
                if n < needed
            )
            what, found = "of each class", each
            other = f", or set class_conditional=False, which needs {needed} in all"
        else:
            what, found, other = "in all", f"there are {numbers.sum()}", ""
        least = largest_coverage(min(self._pooled_numbers(numbers)))
        lower = f", lower coverage to {least:g}" if least else ""
        if isinstance(self.estimator, FrozenEstimator) and self.method != "probability":
            other += ". With distances three of four images of a FrozenEstimator calibrate"
        raise ValueError(
            f"coverage={coverage:g} needs at least {needed} calibration images {what}, but "
            f"{found}. Add images{lower}{other}."
        )

    def _trained(self, X: Any, y: np.ndarray, fold: _Fold, params: dict[str, Any]) -> Any:
        if isinstance(self.estimator, FrozenEstimator):
            return self.estimator
        n_images = len(y)
        return clone(self.estimator).fit(
            taken_rows(X, fold.train),
            y[fold.train],
            **{
                name: taken_rows(value, fold.train) if _length(value) == n_images else value
                for name, value in params.items()
            },
        )

    def _find_neighbourhoods(self, X: Any, folds: list[_Fold]) -> None:
        """Set the method, and for distances the training images that others are compared with."""
        self.neighbourhoods_: list[Neighbourhood] = []
        self.method_ = "probability"
        if self.method == "probability":
            return
        for estimator, fold in zip(self.estimators_, folds, strict=True):
            features = (
                _features(estimator, taken_rows(X, fold.references))
                if len(fold.references)
                else None
            )
            if features is None:
                if self.method == "distance":
                    raise self._lack_of_features()
                return
            self.neighbourhoods_.append(neighbourhood_of(features))
        self.method_ = "distance"

    def _lack_of_features(self) -> ValueError:
        return ValueError(
            "method='distance' needs features: a Pipeline whose steps before the classifier make a "
            f"table of numbers, such as make_feature_classifier(). Received: "
            f"{shown(self.estimator)}. Set method='probability'."
        )

    def _asked(self, place: int, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return an estimator's probabilities for images, and their scores in each class."""
        estimator = self.estimators_[place]
        if self.method_ == "probability":
            probabilities = np.asarray(estimator.predict_proba(X))
            return probabilities, 1 - probabilities.astype(np.float64)
        pipeline = chosen_estimator(estimator)
        features = pipeline[:-1].transform(X)
        probabilities = np.asarray(pipeline[-1].predict_proba(features))
        unlikely = -np.log(np.maximum(probabilities.astype(np.float64), _LEAST))
        far = self.neighbourhoods_[place].distances(np.asarray(features))
        return probabilities, unlikely + _DISTANCE_WEIGHT * far[:, None]

    def _pooled(self, scores: list[np.ndarray]) -> list[np.ndarray]:
        """Return the calibration scores that each class is compared with."""
        if self.class_conditional:
            return scores
        return [np.sort(np.concatenate(scores))] * len(scores)

    def _pooled_numbers(self, numbers: np.ndarray) -> list[int]:
        if self.class_conditional:
            return [int(n) for n in numbers]
        return [int(numbers.sum())] * len(numbers)

    def _reject_label(self) -> Any:
        """Return the reject label; raise ValueError for one that can't stand beside the classes."""
        classes, given = self.classes_, self.reject_label
        is_text = classes.dtype.kind in "OSUT"
        if given is None:
            return None
        if isinstance(given, str) and given == "auto":
            given = "withheld" if is_text else min(classes.min() - 0.0, 0.0) - 1
            given = given if is_text or classes.dtype.kind == "f" else int(given)
        if isinstance(given, str) != is_text:
            raise ValueError(
                f"reject_label must be {'text' if is_text else 'a number'}, as the classes are: "
                f"{listed(classes)}. Received: {given!r}"
            )
        if given in classes.tolist():
            raise ValueError(
                f"reject_label={given!r} is a class too: {listed(classes)}. Pass another label."
            )
        return given


def _check_estimator(estimator: Any) -> None:
    """Raise an error for an estimator that can't be calibrated."""
    name = type(estimator).__name__
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise TypeError(
            "estimator must be a classifier with predict_proba, such as make_feature_classifier(). "
            f"Received: {shown(estimator)}"
        )
    if isinstance(estimator, FrozenEstimator):
        try:
            check_is_fitted(estimator)
        except NotFittedError:
            raise NotFittedError(
                f"The {type(estimator.estimator).__name__} in FrozenEstimator is not fitted yet. "
                "Fit it first, or pass it without FrozenEstimator, and fit trains it."
            ) from None
    if not hasattr(estimator, "predict_proba"):
        kind = ", a regressor" if is_regressor(estimator) else ""
        cure = (
            "Wrap it in sklearn.calibration.CalibratedClassifierCV, which has them."
            if is_classifier(estimator)
            else "Pass a classifier."
        )
        raise TypeError(
            f"estimator must be a classifier with predict_proba. Received a {name}{kind}, which "
            f"has no probabilities. {cure}"
        )


def _indexable(X: Any) -> Any:
    """Return a batch whose rows can be taken; raise an error for what isn't a batch."""
    if is_image_source(X) or X is None:
        as_image_batch(X)  # raises an error that says what X is
    (X,) = indexable(X)
    if not _length(X):
        as_image_batch(X)
    return X


def _length(value: Any) -> int | None:
    """Return the number of rows of a list, an array or a frame; None for anything else."""
    shape = getattr(value, "shape", None)
    if shape is not None:
        return int(shape[0]) if len(shape) else None
    return len(value) if hasattr(value, "__len__") and not isinstance(value, str | dict) else None


def _check_folds(cv: Any, classes: np.ndarray, codes: np.ndarray) -> None:
    """Raise ValueError if a class has fewer images than there are folds."""
    n_folds = getattr(cv, "n_splits", 1)
    counts = np.bincount(codes)
    if type(cv).__name__ == "StratifiedKFold" and counts.min() < n_folds:
        raise ValueError(
            f"cv={n_folds} needs at least {n_folds} images of each class, but "
            f"{classes.tolist()[counts.argmin()]!r} has {counts.min()}. Add images of it, or pass "
            "fewer folds."
        )


def _mean(several: list[Any]) -> np.ndarray:
    if len(several) == 1:
        only: np.ndarray = several[0]
        return only
    mean: np.ndarray = np.mean(several, axis=0)
    return mean


def _features(estimator: Any, X: Any) -> np.ndarray | None:
    """Return what the last step of a fitted Pipeline gets, if it is a table of numbers."""
    pipeline = chosen_estimator(estimator)
    if not isinstance(pipeline, Pipeline) or len(pipeline.steps) < 2:
        return None
    before = pipeline[:-1]
    if not hasattr(before, "transform"):
        return None
    features = before.transform(X)
    if not hasattr(features, "shape") or len(features.shape) != 2 or hasattr(features, "tocsr"):
        return None
    table = np.asarray(features)
    is_table = table.dtype.kind in "fiub" and table.shape[1] > 0 and len(table) > 1
    return table if is_table else None
