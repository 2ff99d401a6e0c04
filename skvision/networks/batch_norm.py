"""Averages for batch normalisation that match the current weights.

In training, batch normalisation uses the mean and the variance of the batch. For
prediction Keras keeps moving averages of both. They start at 0 and 1, lag behind the
weights, and are measured with dropout on, so after few steps they are far from the true
moments. They don't affect training, so they can be replaced at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

__all__ = ["BatchNormAverages"]


class BatchNormAverages:
    """The averages of a network's trainable batch normalisation layers.

    Parameters
    ----------
    network : keras.Model
        A Functional network without nested ones.

    References
    ----------
    Y. Wu, J. Johnson, Rethinking "Batch" in BatchNorm, 2021, section 3 ("PreciseBN").

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from skvision.networks.batch_norm import BatchNormAverages
    >>> norm = keras.layers.BatchNormalization()
    >>> inputs = keras.Input((1,))
    >>> averages = BatchNormAverages(keras.Model(inputs, norm(inputs)))
    >>> averages.renew([np.array([[1.0], [5.0]])])
    >>> float(norm.moving_mean[0]), float(norm.moving_variance[0])
    (3.0, 4.0)
    """

    def __init__(self, network: keras.Model) -> None:
        self._network = network
        self._norms = [each for each in network.layers if _learns(each)]
        self._observer: keras.Model | None = None

    def __len__(self) -> int:
        return len(self._norms)

    def renew(self, batches: Iterable[np.ndarray], share: float = 1.0) -> None:
        """Compute the averages on these batches, by the current weights, without dropout.

        Parameters
        ----------
        batches : iterable of ndarray
            Inputs of the network; at least one batch.
        share : float, default=1.0
            Share of the new averages, above 0 and at most 1: 1 replaces the old averages,
            less moves them by this share.
        """
        if self._observer is None:
            self._observer = _observer(self._network)
        sums: Any = 0.0
        n_inputs = 0
        for batch in batches:
            moments = self._observer.predict_on_batch(batch)
            # weight by the number of inputs; batches in training are even
            sums = sums + len(batch) * np.concatenate(moments).astype(np.float64)
            n_inputs += len(batch)
        averages = [v for norm in self._norms for v in (norm.moving_mean, norm.moving_variance)]
        ends = np.cumsum([variable.shape[0] for variable in averages])
        # the values of a diverging network exceed 32 bits
        with np.errstate(over="ignore", invalid="ignore"):
            for variable, new in zip(averages, np.split(sums / n_inputs, ends[:-1]), strict=True):
                if share < 1:  # at 1, rounding would keep a trace of the old averages
                    old = ops.convert_to_numpy(variable)
                    new = old + share * (new - old)
                variable.assign(new.astype(np.float32))


def _learns(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, layers.BatchNormalization) and bool(layer.trainable)


def _observer(network: keras.Model) -> keras.Model:
    """Return a network with the same weights whose outputs are the moments of each norm's input.

    It runs in inference mode, so dropout is off; only the trainable normalisations run in
    training mode.
    """
    moments: list[keras.KerasTensor] = []

    def call(layer: keras.layers.Layer, *args: Any, **kwargs: Any) -> Any:
        if not _learns(layer):
            return layer(*args, **kwargs)
        x, *seen = _ByBatch(layer)(args[0])
        moments.extend(seen)
        return x

    # a new model, since a clone would also get the compile settings
    plain = keras.Model(network.inputs, network.outputs)
    clone = keras.models.clone_model(plain, clone_function=lambda it: it, call_function=call)
    return keras.Model(clone.inputs, moments)


class _ByBatch(layers.Layer):
    """A batch normalisation in training mode that returns the moments too."""

    def __init__(self, norm: layers.BatchNormalization) -> None:
        super().__init__(dtype=norm.dtype_policy)
        self.norm = norm

    def call(self, inputs: Any) -> tuple[Any, Any, Any]:
        norm = self.norm
        x = ops.cast(inputs, "float32")
        axes = [axis for axis in range(len(x.shape)) if axis != norm.axis % len(x.shape)]
        mean, variance = ops.moments(x, axes)
        x = ops.batch_normalization(
            x, mean, variance, norm.axis, norm.beta, norm.gamma, norm.epsilon
        )
        return ops.cast(x, self.compute_dtype), mean, variance
