"""The loss that all classifiers train with."""

from __future__ import annotations

import keras
from keras import ops

__all__ = ["SmoothedCrossentropy"]


class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy of class indices with label smoothing.

    Keras smooths one-hot targets only; ours are class indices.

    Parameters
    ----------
    label_smoothing : float
        Share that is moved from the true class and spread evenly over all, in [0, 1).
    name : str, default="smoothed_crossentropy"
        Name of the loss in Keras.

    References
    ----------
    C. Szegedy and others, Rethinking the Inception Architecture for Computer
    Vision, 2015, section 7.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.networks.losses import SmoothedCrossentropy
    >>> loss = SmoothedCrossentropy(0.2)(np.array([0]), np.array([[0.75, 0.25]], "float32"))
    >>> round(float(loss), 4), float(round(-0.9 * np.log(0.75) - 0.1 * np.log(0.25), 4))
    (0.3975, 0.3975)
    """

    def __init__(self, label_smoothing: float, name: str = "smoothed_crossentropy") -> None:
        super().__init__(name=name)
        self.label_smoothing = label_smoothing

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """Return the loss of each sample."""
        n_classes = y_pred.shape[-1]
        # Keras converts targets to the network's float type
        one_hot = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), n_classes)
        return keras.losses.categorical_crossentropy(
            one_hot, y_pred, label_smoothing=self.label_smoothing
        )
