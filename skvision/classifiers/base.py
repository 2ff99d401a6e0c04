"""What all classifiers share: fit, predict, and what becomes of a fitted network."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, ClassVar

import keras
import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
)

from ..images import RESIZE_POLICIES, ImageBatch, ImageReader, validate_images
from ..networks import (
    PREDICT_BATCH,
    Architecture,
    CompiledNetwork,
    NetworkRecipe,
    network_pool,
    optimizer_recipe,
)
from ..training import BatchStream, Seeds, augment_function, split_validation, train
from ..training.progress import progress
from ._scikeras import KerasClassifierBridge, sample_weights

__all__ = ["BaseImageClassifier", "as_positive_ints"]

# As MLPClassifier sets aside where early stopping is asked for and no share is named.
DEFAULT_VALIDATION_FRACTION = 0.1


class BaseImageClassifier(KerasClassifierBridge):
    """Base of the classifiers that train a Keras network on pictures.

    A subclass names its parameters and says in `_architecture` what network they
    make. Fitted state is two private values, the network's recipe and its weights
    as arrays; networks themselves belong to the pool.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "optimizer": [
            str,
            keras.optimizers.Optimizer,
            type,
        ],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "early_stopping": ["boolean"],
        "patience": [Interval(Integral, 0, None, closed="left")],
        "resize": [StrOptions(set(RESIZE_POLICIES))],
        "random_state": ["random_state"],
        "verbose": [Options(Integral, {0, 1, 2}), "boolean"],
    }

    @abstractmethod
    def _architecture(self, n_channels: int, n_classes: int, *, pictures: bool) -> Architecture:
        """Make the table of numbers of the network that the parameters describe."""

    @property
    @abstractmethod
    def _input_size(self) -> tuple[int, int]:
        """(height, width) that the network reads."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BaseImageClassifier:
        """Train the network from its first state.

        If anything goes wrong, an estimator that was fitted before is still the
        one it was.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples pictures
            Arrays of pictures, file names (decoded batch by batch), or 2-D rows
            with ``row_shape``.
        y : array-like of shape (n_samples,)
            Labels: str, int or bool, of at least two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, relative to each other: they are divided by
            their mean, so that the learning rate keeps its meaning. Samples of
            weight 0 are left out.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, X or y is not as described, or they don't fit
            together.
        ImageDecodeError
            If a file can't be read.
        TrainingDivergedError
            If the loss becomes infinite or NaN.
        """
        self._validate_params()
        with self._all_or_nothing():
            images = validate_images(self, X, reset=True)
            y = self._checked_labels(y, images)
            targets = self._fit_label_encoder(y)
            if len(self.classes_) < 2:
                raise ValueError(
                    f"y holds only one class, {str(self.classes_[0])!r}; a classifier needs at "
                    "least two classes."
                )
            if sample_weight is not None:
                sample_weight = _check_sample_weight(
                    sample_weight, images, ensure_non_negative=True
                )
            weights = sample_weights(sample_weight, self.class_weight, y)
            self._train(images, targets, weights)
        return self

    def _train(self, images: ImageBatch, targets: np.ndarray, weights: np.ndarray) -> None:
        seeds = Seeds.draw(self.random_state)
        recipe, learning_rate = self._network_recipe(images)
        augment = augment_function(self.augmentation)
        indices = np.flatnonzero(weights)
        if not len(indices):
            raise ValueError("All sample weights are 0: there is nothing to train on.")
        weights = (weights / weights[indices].mean()).astype(np.float32)
        training, validation = self._split(indices, targets, seeds.split)
        with (
            ImageReader(images, self._input_size, self.resize) as reader,
            network_pool.borrow(recipe) as network,
        ):
            network.reset(seeds.weights, learning_rate)

            def stream(chosen: np.ndarray, **how: Any) -> BatchStream:
                return BatchStream(
                    reader,
                    chosen,
                    targets[chosen],
                    weights[chosen],
                    batch_size=int(self.batch_size),
                    **how,
                )

            history = train(
                network,
                stream(
                    training,
                    order_seed=seeds.order,
                    augment=augment,
                    augment_seed=seeds.augmentation,
                ),
                stream(validation, order_seed=None) if validation is not None else None,
                epochs=int(self.epochs),
                callbacks=self._fresh_callbacks(),
                patience=int(self.patience) if self.early_stopping else None,
                verbose=int(self.verbose),
            )
            self._set_network(recipe, network.get_weights())
        self.history_ = history
        self.n_epochs_ = len(history["loss"])

    def _network_recipe(self, images: ImageBatch) -> tuple[NetworkRecipe, float | None]:
        architecture = self._architecture(
            images.n_channels, len(self.classes_), pictures=self.value_range is not None
        )
        optimizer, learning_rate = optimizer_recipe(
            self.optimizer, self.learning_rate, self._routed_to("optimizer")
        )
        return NetworkRecipe(architecture, optimizer), learning_rate

    def _split(
        self, indices: np.ndarray, targets: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        fraction = self.validation_fraction
        if fraction is None and self.early_stopping:
            fraction = DEFAULT_VALIDATION_FRACTION
        if fraction is None:
            return indices, None
        training, validation = split_validation(targets[indices], fraction, self.classes_, seed)
        return indices[training], indices[validation]

    def _fresh_callbacks(self) -> list[keras.callbacks.Callback]:
        """Copies, so that fits and clones share no callback's state."""
        callbacks = self.keras_callbacks
        if callbacks is None:
            return []
        if isinstance(callbacks, keras.callbacks.Callback):
            callbacks = [callbacks]
        for callback in callbacks:
            if not isinstance(callback, keras.callbacks.Callback):
                raise ValueError(
                    "keras_callbacks must be None, a keras.callbacks.Callback or a list of them. "
                    f"Received: {callback!r}"
                )
        return [copy.deepcopy(callback) for callback in callbacks]

    def _checked_labels(self, y: Any, images: ImageBatch) -> np.ndarray:
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        y = column_or_1d(y, warn=True)
        check_consistent_length(images, y)
        if y.dtype == object:
            kinds = {type(label).__name__ for label in y}
            if len(kinds) > 1:
                raise ValueError(
                    f"Labels must all be of one type. Received: {', '.join(sorted(kinds))}. "
                    "Drop the images without a label, or convert: np.array(y, dtype=str)."
                )
        elif y.dtype.kind == "f" and not np.isfinite(y).all():
            raise ValueError("Input y contains NaN or infinity: every image needs a label.")
        check_classification_targets(y)
        return y

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Restore the estimator's attributes if the block fails."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples pictures
            In any form that fit takes; on the scale of fit where it is an array.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float32
            Probabilities, in the order of ``classes_``.

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        ValueError
            If X is not as described.
        ImageDecodeError
            If a file can't be read.
        """
        check_is_fitted(self, "classes_")
        images = validate_images(self, X, reset=False)
        steps = [
            np.arange(start, min(start + PREDICT_BATCH, len(images)))
            for start in range(0, len(images), PREDICT_BATCH)
        ]
        with (
            ImageReader(images, self._fitted_size, self.resize, keep_bytes=0) as reader,
            network_pool.borrow(self._recipe) as network,
        ):
            network.set_weights(self._weights)
            return np.concatenate(
                [
                    network.predict(reader.read(step))
                    for step in progress(steps, "predicting", int(self.verbose))
                ]
            )

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples pictures
            In any form that fit takes; on the scale of fit where it is an array.

        Returns
        -------
        ndarray of shape (n_samples,)
            The most probable class of each, of the type of ``classes_``.

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        ValueError
            If X is not as described.
        ImageDecodeError
            If a file can't be read.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    @property
    def model_(self) -> keras.Model:
        """The fitted network, a copy: changing it doesn't change the estimator."""
        check_is_fitted(self, "classes_")
        if "_model" not in vars(self):
            network = CompiledNetwork(self._recipe)
            network.set_weights(self._weights)
            self._model = network.model
        return self._model

    @property
    def _fitted_size(self) -> tuple[int, int]:
        height, width, _ = self._recipe.architecture.input_shape
        return height, width

    def _set_network(self, recipe: NetworkRecipe, weights: list[np.ndarray]) -> None:
        self._recipe = recipe
        self._weights = weights
        vars(self).pop("_model", None)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the weights once: as arrays, not as a network too."""
        state = dict(super().__getstate__())
        state.pop("_model", None)
        return state

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_weights")


def as_positive_ints(name: str, value: Any, length: int | None = None) -> tuple[int, ...]:
    """Read a parameter that is a sequence of whole numbers above 0.

    Examples
    --------
    >>> from skvision.classifiers.base import as_positive_ints
    >>> as_positive_ints("filters", [32, 64])
    (32, 64)
    """
    try:
        numbers = tuple(value)
    except TypeError:
        numbers = ()
    whole = all(isinstance(n, Integral) and not isinstance(n, bool) and n > 0 for n in numbers)
    if not whole or not hasattr(value, "__len__") or length not in (None, len(numbers)):
        expected = f"{length} whole numbers" if length else "whole numbers"
        raise ValueError(f"{name} must be a tuple of {expected} above 0. Received: {value!r}")
    return tuple(int(n) for n in numbers)
