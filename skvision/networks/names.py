"""Keras' activations and optimisers by name."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["ACTIVATIONS", "OPTIMIZERS"]

# not element-wise functions
_NOT_ELEMENTWISE = {"deserialize", "get", "serialize", "glu"}
# base classes and wrappers around other optimisers
_NOT_BY_NAME = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap"}

#: all activations of Keras by name
ACTIVATIONS: dict[str, Any] = {
    name: getattr(keras.activations, name)
    for name in dir(keras.activations)
    if not name.startswith("_") and name not in _NOT_ELEMENTWISE
}

#: all optimiser classes of Keras by name
OPTIMIZERS: dict[str, type[keras.optimizers.Optimizer]] = {
    name: value
    for name, value in vars(keras.optimizers).items()
    if isinstance(value, type)
    and issubclass(value, keras.optimizers.Optimizer)
    and name not in _NOT_BY_NAME
}
