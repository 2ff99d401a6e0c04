"""The learning-rate range test: a short training at ever larger rates."""

from __future__ import annotations

import numpy as np

from ..networks import CompiledNetwork
from .stream import BatchStream, FeatureStream

__all__ = ["losses_at_rates"]

# A loss of so many times the lowest will not come back.
HOPELESS = 4.0


def losses_at_rates(
    network: CompiledNetwork, stream: BatchStream | FeatureStream, learning_rates: np.ndarray
) -> np.ndarray:
    """Train one step at each rate; return the losses.

    Parameters
    ----------
    network : CompiledNetwork
        Already set to its first state; afterwards of no use until the next reset.
    stream : BatchStream or FeatureStream
        Training batches, gone through as often as there are rates.
    learning_rates : ndarray of shape (n,), float
        Ascending.

    Returns
    -------
    ndarray of shape (at most n,), float64
        The loss of each step's batch before the step. It ends early once the loss
        is four times the lowest, or no finite number.

    References
    ----------
    L. N. Smith, Cyclical Learning Rates for Training Neural Networks, 2015,
    section 3.3.
    """
    losses: list[float] = []
    epochs = -(-len(learning_rates) // stream.steps_per_epoch)
    model = network.model
    # the batches end the loop where there are more of them than rates
    for rate, batch in zip(learning_rates, stream.batches(range(epochs)), strict=False):
        network.set_learning_rate(float(rate))
        model.reset_metrics()
        loss = float(model.train_on_batch(*batch, return_dict=True)["loss"])
        if not np.isfinite(loss) or (losses and loss > HOPELESS * min(losses)):
            break
        losses.append(loss)
    return np.array(losses)
