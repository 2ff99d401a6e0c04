"""The base class of all augmenters, which differ only in their draws."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._sklearn.callbacks import CallbackSupportMixin, fit_as_task, training_data
from .._sklearn.estimator import DocumentationLink, all_or_nothing
from .._sklearn.output import in_set_form
from ..images import validate_images
from .applying import as_given, augmented_batch, augmented_pixels
from .parameters import whole_number

__all__ = ["BaseAugmenter", "check_augmenter"]


class BaseAugmenter(  # type: ignore[call-arg]
    CallbackSupportMixin,
    DocumentationLink,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    """A transformer that augments images at random, each by its own draw.

    A subclass defines its parameters, among them ``fill_mode``, ``cval``, ``row_shape``,
    ``value_range`` and ``random_state``, and the method `draw`.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"random_state": ["random_state"]}

    @abstractmethod
    def draw(self, seed: Sequence[int], indices: np.ndarray) -> np.ndarray:
        """Draw the augmentation of images, without applying it.

        Parameters
        ----------
        seed : sequence of int
            Seed of the draws, not negative.
        indices : ndarray of shape (n,), int
            Numbers of the images, not negative.

        Returns
        -------
        ndarray of shape (n,)
            Rows of `skvision.augmentation.operations.DRAW`. Each depends only on the seed
            and the image's number, not on the other images.

        Raises
        ------
        ValueError
            If a parameter is not as described.
        """

    def fit(self, X: Any, y: Any = None) -> BaseAugmenter:
        """Check the parameters and the form of X; learn nothing.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            Arrays of images, file names, or 2-D rows with ``row_shape``.
        y : object, default=None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If a parameter or X is not as described.
        """
        self._validate_params()
        self.draw([0], np.arange(0))  # checks the parameters
        with all_or_nothing(self):
            fit_as_task(
                self, lambda task: validate_images(self, X, reset=True), training_data(X, y)
            )
        return self

    def transform(self, X: Any) -> Any:
        """Return the images unchanged.

        .. note::
            ``fit(X).transform(X)`` does not equal ``fit_transform(X)``: `fit_transform` augments
            each image once, and `transform` returns images unchanged, for prediction or
            validation.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that fit takes; an array must have the same value range as in fit.

        Returns
        -------
        ndarray or DataFrame
            X as an array: of X's shape if X is numbers, else an object array of shape
            (n_samples,). A DataFrame if X is a table (rows, or a frame of one column) and
            scikit-learn is configured to return DataFrames.

        Raises
        ------
        NotFittedError
            If the transformer has not been fitted.
        ValueError
            If X is not as described.
        """
        check_is_fitted(self)
        return in_set_form(self, as_given(validate_images(self, X, reset=False), X), X)

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Augment each image once.

        .. note::
            ``fit(X).transform(X)`` does not equal ``fit_transform(X)``: `fit_transform` augments
            each image once, and `transform` returns images unchanged, for prediction or
            validation.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            As in fit.
        y : object, default=None
            Ignored.

        Returns
        -------
        ndarray or DataFrame
            If X is numbers, an array of X's shape, type and scale. Else an array of
            `AugmentedImage` objects of shape (n_samples,), which are decoded and augmented
            when they are read, so that memory stays small. A DataFrame as in `transform`.

        Raises
        ------
        ValueError
            If a parameter or X is not as described.
        """
        self.fit(X, y)
        images = validate_images(self, X, reset=False)
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        everything = np.arange(len(images))
        draws = self.draw([seed], everything)
        return in_set_form(
            self, augmented_batch(images, everything, draws, X=X, **self.draw_options), X
        )

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
        if hasattr(self, "n_features_in_"):
            return np.asarray(super().get_feature_names_out(input_features))
        return np.array(["image"], dtype=object)

    def augment_batch(
        self, images: np.ndarray, seed: Sequence[int], indices: np.ndarray
    ) -> np.ndarray:
        """Augment a batch in training.

        Parameters
        ----------
        images : ndarray of shape (n, height, width, n_channels), uint8 or float32
            8-bit images, or numbers that aren't images.
        seed : sequence of int
            The training's seed and the epoch.
        indices : ndarray of shape (n,), int
            Positions of the images in X.

        Returns
        -------
        ndarray of the same shape and type
            A new array.
        """
        own = []
        if not (self.random_state is None or isinstance(self.random_state, np.random.RandomState)):
            own = [whole_number("random_state", self.random_state, np.iinfo(np.uint32).max)]
        pixel_range = (0.0, 255.0) if images.dtype == np.uint8 else None
        draws = self.draw([*seed, *own], indices)
        return augmented_pixels(images, draws, pixel_range=pixel_range, **self.fill_options)

    @property
    def fill_options(self) -> dict[str, Any]:
        """Options for filling pixels beyond the edges."""
        return {"fill_mode": self.fill_mode, "cval": float(self.cval)}

    @property
    def draw_options(self) -> dict[str, Any]:
        """Options for `draws_of`."""
        return {**self.fill_options, "has_scale": self.value_range is not None}


def check_augmenter(value: Any) -> None:
    """Raise ValueError if a value isn't an augmenter of skvision."""
    if not isinstance(value, BaseAugmenter):
        raise ValueError(
            f"augmenter must be an ImageAugmenter or a RandAugmenter. Received: {value!r}"
        )
