"""`ImageOverSampler`: add augmented copies until each class has its target size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import InputTags, Tags, check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d

from .._sklearn.estimator import DocumentationLink, all_or_nothing
from .._sklearn.labels import validate_labels
from ..images import ImageBatch, validate_images
from .applying import as_given, augmented_batch
from .base import check_augmenter

__all__ = ["ImageOverSampler", "chosen_sources", "numbers_to_add"]


def numbers_to_add(counts: Mapping[Any, int], sampling_strategy: Any) -> dict[Any, int]:
    """Return the number of images that each class lacks.

    Parameters
    ----------
    counts : mapping of label to int
        Number of images of each class.
    sampling_strategy : int, dict or "auto"
        As in `ImageOverSampler`.

    Returns
    -------
    dict of label to int
        Numbers in the order of `counts`; 0 for complete classes.

    Raises
    ------
    ValueError
        If a target isn't a positive whole number, is below the current count, or belongs to
        a class without images.

    Examples
    --------
    >>> from skvision.augmentation import numbers_to_add
    >>> numbers_to_add({"cat": 10, "dog": 8}, "auto")
    {'cat': 0, 'dog': 2}
    """
    if isinstance(sampling_strategy, Mapping):
        targets = {**counts, **sampling_strategy}
    elif isinstance(sampling_strategy, str) and sampling_strategy == "auto":
        targets = dict.fromkeys(counts, max(counts.values()))
    elif isinstance(sampling_strategy, Integral) and not isinstance(sampling_strategy, bool):
        targets = dict.fromkeys(counts, int(sampling_strategy))
    else:
        raise ValueError(
            "sampling_strategy must be a whole number (images of each class), a dictionary of "
            "label to number, or 'auto' (as many as the largest class has). Received: "
            f"{sampling_strategy!r}"
        )
    for label, target in targets.items():
        if not isinstance(target, Integral) or isinstance(target, bool) or target < 1:
            raise ValueError(
                f"The target of class {_shown(label)} must be a whole number of at least 1. "
                f"Received: {target!r}"
            )
        if label not in counts:
            raise ValueError(
                f"Class {_shown(label)} has a target of {target:,} images but no images to "
                f"augment. Classes with images: {', '.join(map(_shown, counts))}."
            )
        if target < counts[label]:
            raise ValueError(
                f"Class {_shown(label)} has {counts[label]:,} images, more than its target of "
                f"{target:,}. Images are only added, never removed: set the target to at least "
                f"{counts[label]:,}."
            )
    return {label: int(targets[label]) - count for label, count in counts.items()}


def _shown(label: Any) -> str:
    """Return a label as in source code, where 1 and '1' differ."""
    return repr(label.item() if isinstance(label, np.generic) else label)


def chosen_sources(n_images: int, n_copies: int, rng: np.random.Generator) -> np.ndarray:
    """Choose the images of a class to copy; their numbers of copies differ by at most one.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.augmentation import chosen_sources
    >>> chosen = chosen_sources(3, 7, np.random.default_rng(0))
    >>> sorted(np.bincount(chosen).tolist())
    [2, 2, 3]
    """
    rounds = -(-n_copies // n_images)
    orders = [rng.permutation(n_images) for _ in range(rounds)]
    return np.concatenate([np.empty(0, int), *orders])[:n_copies]


# imbalanced-learn reads tags that scikit-learn's tags lack; these have its names


@dataclass
class _SamplerTags:
    sample_indices: bool = True


@dataclass
class _SamplerInputTags(InputTags):
    # frames are accepted, but the tag would also promise frames of sparse columns
    dataframe: bool = False


@dataclass
class _TagsOfSampler(Tags):
    sampler_tags: _SamplerTags | None = None


class ImageOverSampler(DocumentationLink, BaseEstimator):
    """Add augmented copies of images until each class has its target size.

    Use it to balance classes, or to get more training images. It has the interface of
    imbalanced-learn's samplers: as a step of an ``imblearn.pipeline.Pipeline`` it acts only
    in ``fit``, so that in cross-validation the validation images are neither changed nor
    copied into the training part. `fit_resample` doesn't need imbalanced-learn.

    Parameters
    ----------
    augmenter : ImageAugmenter or RandAugmenter
        The augmentation of the copies. Its ``row_shape`` and ``value_range`` apply to X.
    sampling_strategy : int, dict or "auto", default="auto"
        Target size of the classes: one number for all classes, a dictionary of label to
        number (other classes stay unchanged), or ``"auto"`` for the size of the largest of
        at least two classes. Not below a class' current size.
    random_state : int, RandomState instance or None, default=None
        Controls which images are copied, and their augmentation.

    Attributes
    ----------
    sampling_strategy_ : dict of label to int
        Number of copies that are added to each class.
    sample_indices_ : ndarray of shape (n_samples_new,), int
        Index in X of each image of the result, or of its source. The groups of the result are
        ``groups[sampler.sample_indices_]``.
    augmenter_ : ImageAugmenter
        The fitted augmenter.
    n_features_in_ : int
        Length of a row. Only defined if X was 2-D rows.
    feature_names_in_ : ndarray of shape (n_features_in_,), object
        Names of the numbers of a row. Only defined if X was a frame of rows.

    See Also
    --------
    ImageAugmenter : The operations on images.

    Notes
    -----
    The images of X come first, in their order; then the copies, class by class. The numbers
    of copies of the images of a class differ by at most one.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision import ImageAugmenter, ImageOverSampler
    >>> X, y = np.zeros((5, 8, 8), np.uint8), ["cat", "cat", "dog", "cat", "dog"]
    >>> sampler = ImageOverSampler(ImageAugmenter(rotation_range=40), random_state=0)
    >>> X_more, y_more = sampler.fit_resample(X, y)
    >>> X_more.shape, y_more
    ((6, 8, 8), ['cat', 'cat', 'dog', 'cat', 'dog', 'dog'])
    """

    _estimator_type = "sampler"
    _sampling_type = "over-sampling"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"random_state": ["random_state"]}

    def __init__(
        self, augmenter: Any, sampling_strategy: Any = "auto", *, random_state: Any = None
    ) -> None:
        self.augmenter = augmenter
        self.sampling_strategy = sampling_strategy
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> ImageOverSampler:
        """Check X and y, and count the missing images.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that `ImageAugmenter` takes.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Labels of any type, or one-hot rows.

        Returns
        -------
        self : object
            The fitted sampler.

        Raises
        ------
        ValueError
            If a parameter, X or y is not as described.
        """
        with all_or_nothing(self):
            self._plan(X, y)
        return self

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Add copies to the images.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that `ImageAugmenter` takes.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Labels of any type, or one-hot rows.

        Returns
        -------
        X_resampled : ndarray of n_samples_new images
            If X is numbers, an array of X's type and scale; else an array of shape
            (n_samples_new,) with X's items and, for the copies, `AugmentedImage` objects.
            A list, or a pandas Series or DataFrame, if X was one.
        y_resampled : ndarray of shape (n_samples_new,) or (n_samples_new, n_classes)
            Their labels, in y's form; a list or a pandas Series if y was one.

        Raises
        ------
        ValueError
            If a parameter, X or y is not as described.
        """
        with all_or_nothing(self):
            images, copies, seed = self._plan(X, y)
            draws = self.augmenter_.draw([seed], np.arange(len(copies)))
            new = augmented_batch(images, copies, draws, X=X, **self.augmenter_.draw_options)
            self.sample_indices_ = np.concatenate([np.arange(len(images)), copies])
        X_resampled = np.concatenate([as_given(images, X), new])
        return _framed_as(X, X_resampled), _taken(y, self.sample_indices_)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Get the names of the columns: those of rows, else ``image``.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the numbers of a row, if X wasn't a frame.

        Returns
        -------
        ndarray of shape (n_columns,), object
            One name per column.
        """
        check_is_fitted(self)
        return np.asarray(self.augmenter_.get_feature_names_out(input_features))

    def _plan(self, X: Any, y: Any) -> tuple[ImageBatch, np.ndarray, int]:
        """Return the images, the sources of the copies and the seed; set fitted attributes."""
        self._validate_params()
        check_augmenter(self.augmenter)
        self.augmenter_ = clone(self.augmenter).fit(X)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.augmenter_, name):
                setattr(self, name, getattr(self.augmenter_, name))
            elif hasattr(self, name):  # from another fit
                delattr(self, name)
        images = validate_images(self.augmenter_, X, reset=False)
        labels = validate_labels(self, _as_labels(y), len(images))
        classes, codes = np.unique(labels, return_inverse=True)
        if len(classes) == 1 and self.sampling_strategy == "auto":
            raise ValueError(
                f"y holds only one class, {_shown(classes[0])}, so 'auto' has no classes to "
                "balance. Set sampling_strategy to a number of images."
            )
        counts = dict(zip(classes.tolist(), np.bincount(codes).tolist(), strict=True))
        self.sampling_strategy_ = numbers_to_add(counts, self.sampling_strategy)
        words = check_random_state(self.random_state).randint(np.iinfo(np.int32).max, size=2)
        rng = np.random.default_rng(int(words[0]))
        copies = [
            np.flatnonzero(codes == code)[chosen_sources(counts[label], n_new, rng)]
            for code, (label, n_new) in enumerate(self.sampling_strategy_.items())
        ]
        return images, np.concatenate(copies), int(words[1])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "sampler"
        tags.target_tags.required = True
        tags.input_tags = _SamplerInputTags(**_values(tags.input_tags))
        return _TagsOfSampler(**_values(tags), sampler_tags=_SamplerTags())


def _values(tags: Any) -> dict[str, Any]:
    return {field.name: getattr(tags, field.name) for field in fields(tags)}


def _as_labels(y: Any) -> Any:
    """Return the class index of one-hot rows; return anything else unchanged."""
    try:
        rows = np.asarray(y)
    except ValueError:  # rows of unequal lengths
        return y
    if rows.ndim != 2 or type_of_target(y) != "multilabel-indicator":
        return y
    if (rows.sum(axis=1) != 1).any():
        raise ValueError(
            "y holds several columns, but its rows aren't one-hot. Pass one label per image."
        )
    return rows.argmax(axis=1)


def _taken(y: Any, indices: np.ndarray) -> Any:
    if hasattr(y, "iloc"):
        return y.iloc[indices].reset_index(drop=True)
    if isinstance(y, list):
        return [y[index] for index in indices]
    labels = np.asarray(y)
    if not (labels.ndim == 2 and labels.shape[1] > 1):
        labels = column_or_1d(y)
    return labels[indices]


def _framed_as(X: Any, values: np.ndarray) -> Any:
    """Return the values as a list, or as a pandas Series or DataFrame, if X is one."""
    if isinstance(X, list):
        return list(values)
    if not hasattr(X, "iloc"):
        return values
    return type(X)(values, **({"columns": X.columns} if X.ndim == 2 else {"name": X.name}))
