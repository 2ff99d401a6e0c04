"""An optimiser with a learning rate for each layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from .keras_compat import variable_index
from .optimizers import optimizer_class

__all__ = ["with_rate_shares"]


def with_rate_shares(
    optimizer: keras.optimizers.Optimizer, shares: Sequence[float]
) -> keras.optimizers.Optimizer:
    """Return a copy of an optimiser that gives each variable its share of the learning rate.

    It scales the learning rate and not the gradient: Adam and similar optimisers divide by
    the gradient's size, so a smaller gradient doesn't make a smaller step. The result is one
    optimiser with one learning rate, one state and one set of options.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Not yet built.
    shares : sequence of float
        One share per variable that it will be built with, in order.

    Returns
    -------
    keras.optimizers.Optimizer

    Examples
    --------
    >>> import keras
    >>> from skvision.networks.layer_rates import with_rate_shares
    >>> one, two = keras.Variable([0.0]), keras.Variable([0.0])
    >>> optimizer = with_rate_shares(keras.optimizers.SGD(0.5), [1.0, 0.25])
    >>> optimizer.apply([keras.ops.ones(1), keras.ops.ones(1)], [one, two])
    >>> float(one[0]), float(two[0])
    (-0.5, -0.125)
    """
    kind: Any = optimizer_class(optimizer)

    class WithRateShares(kind):  # type: ignore[misc]  # the base class is dynamic
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            share = shares[variable_index(self, variable)]
            super().update_step(gradient, variable, learning_rate * share)

    return WithRateShares.from_config(optimizer.get_config())
