"""A fitted network: predictions, and access to it for the other packages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from .._sklearn.compat import RepresentedByState
from .._sklearn.labels import labels_like
from .._sklearn.network_estimator import NetworkInput
from .._system.forks import refuse_after_fork
from .._system.progress import progress
from ..feature_extraction.engines import Engine, KerasEngine
from ..images import ImageBatch, ImageReader, validate_images
from ..networks import (
    PREDICT_BATCH,
    CompiledNetwork,
    NetworkRecipe,
    View,
    digest_of_weights,
    network_pool,
    views,
)

__all__ = ["FittedNetwork"]


class FittedNetwork(RepresentedByState):
    """A classifier whose fitted state is a network's recipe and its weights as arrays.

    The Keras networks themselves belong to the pool. The class implements
    `NetworkEstimator` and `PartedNetwork` of `skvision._sklearn.network_estimator`.
    """

    classes_: np.ndarray
    history_: dict[str, list[Any]]
    n_epochs_: int
    _recipe: NetworkRecipe
    _weights: list[np.ndarray]
    _versions: dict[str, str]

    predict_crops: Any
    predict_mirrored: bool
    resize: str
    value_range: Any
    verbose: int

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that fit takes; an array must have the same value range as in fit.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
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
        seen = self.network_views()
        images = validate_images(self, X, reset=False)
        steps = [
            np.arange(start, min(start + PREDICT_BATCH, len(images)))
            for start in range(0, len(images), PREDICT_BATCH)
        ]
        reads = self.network_input()
        with (
            ImageReader(images, (reads.height, reads.width), self.resize, keep_bytes=0) as reader,
            network_pool.borrow(self._recipe) as network,
        ):
            network.set_weights(self._weights)
            probabilities: np.ndarray = np.concatenate(
                [
                    network.predict_mean(seen, batch)
                    for _, batch in zip(
                        progress(steps, "predicting", int(self.verbose)),
                        reader.read_ahead(steps),
                        strict=True,
                    )
                ],
                dtype=np.float64,
            )
        # sums of 32-bit floats differ from 1 by more than scikit-learn's metrics allow
        shares: np.ndarray = probabilities / probabilities.sum(axis=1, keepdims=True)
        return shares

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that fit takes; an array must have the same value range as in fit.

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
        labels: np.ndarray = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy on the given images and labels.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that fit takes; an array must have the same value range as in fit.
        y : array-like of shape (n_samples,)
            The true labels. A label that fit didn't see counts as wrong.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
            Accuracy, from 0 to 1.

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        ValueError
            If X or y is not as described, or y holds text and ``classes_`` numbers.
        ImageDecodeError
            If a file can't be read.
        """
        check_is_fitted(self, "classes_")
        refuse_after_fork()
        y = labels_like(self.classes_, y)
        labels = self.predict(X)
        check_consistent_length(labels, y)
        return float(accuracy_score(y, labels, sample_weight=sample_weight))

    @property
    def model_(self) -> keras.Model:
        """The fitted network, a copy: changing it doesn't change the estimator."""
        check_is_fitted(self, "classes_")
        if "_model" not in vars(self):
            self._model = self.build_network()
        return self._model

    def build_network(self) -> keras.Model:
        """Return the fitted network, a new `keras.Model`.

        Returns
        -------
        keras.Model
            Maps 8-bit RGB images (n, height, width, 3) to probabilities (n, n_classes).
        """
        check_is_fitted(self, "classes_")
        network = CompiledNetwork(self._recipe)
        network.set_weights(self._weights)
        return network.model

    def network_classes(self) -> np.ndarray:
        """Return the labels in the order of the network's outputs.

        Returns
        -------
        ndarray of shape (n_classes,)
            ``classes_``.
        """
        check_is_fitted(self, "classes_")
        return self.classes_

    def network_digest(self) -> str:
        """Return the identity of the fitted network.

        Returns
        -------
        str
            Equal for equal layers and weights.
        """
        check_is_fitted(self, "classes_")
        return digest_of_weights(repr(self._recipe.architecture), self._weights)

    def network_input(self) -> NetworkInput:
        """Return the input that the fitted network expects.

        Returns
        -------
        NetworkInput
            Its size, channels and resize policy.
        """
        check_is_fitted(self, "classes_")
        height, width, n_channels = self._recipe.architecture.input_shape
        is_image = self.value_range is not None
        return NetworkInput(height, width, n_channels, self.resize, is_image)

    def network_views(self) -> list[View]:
        """Return the views of an image that predictions are averaged over.

        Returns
        -------
        list of skvision.networks.View
            Crops and mirror images, as the parameters say.
        """
        return views(self.predict_crops, self.predict_mirrored)

    def validated_images(self, X: Any) -> ImageBatch:
        """Check images as predict does.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that predict takes.

        Returns
        -------
        ImageBatch
            The images, not yet decoded.
        """
        check_is_fitted(self, "classes_")
        return validate_images(self, X, reset=False)

    def network_engine(self, build: Callable[[], Any], batch_size: int) -> Engine:
        """Return what runs a part of the network: Keras, as for predictions.

        Parameters
        ----------
        build : callable
            Makes the part, a `keras.Model` from images to vectors.
        batch_size : int
            Maximum number of images per batch.

        Returns
        -------
        Engine
            Its ``run`` maps batches of images to vectors.
        """
        return KerasEngine(build, "float32", batch_size)

    def network_facts(self) -> dict[str, Any]:
        """Return facts about the fitted network that don't need building it.

        Returns
        -------
        dict of str to JSON value
            ``input_size``, ``weights``, ``epochs``, ``last_epoch``, ``trained_with``.
        """
        return {
            "input_size": self.network_input().size,
            "weights": int(sum(array.size for array in self._weights)),
            "epochs": int(self.n_epochs_),
            "last_epoch": {
                name: values[-1] if isinstance(values[-1], str) else float(values[-1])
                for name, values in self.history_.items()
            },
            "trained_with": self._versions,
        }

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the weights once, as arrays, without the cached network."""
        state: dict[str, Any] = dict(super().__getstate__())  # type: ignore[call-overload]
        state.pop("_model", None)
        return state

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_weights")
