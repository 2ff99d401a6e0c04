"""The learning-rate range test: a short training at ever larger rates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .batches import lent_network
from .run import begin, run
from .spec import TrainingData, TrainingResult, TrainingSpec

__all__ = ["losses_at_rates"]

# A loss of so many times the lowest will not come back.
HOPELESS = 4.0


def losses_at_rates(
    spec: TrainingSpec, data: TrainingData, learning_rates: np.ndarray
) -> np.ndarray:
    """Train one step at each rate; return the losses.

    Parameters
    ----------
    spec : TrainingSpec
        Its last phase is tried at the rates, after the others have been trained.
    data : TrainingData
        What is trained on, as often as there are rates for.
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
    *earlier, phase = spec.phases
    before = TrainingResult(spec.recipe, {}, [])
    if earlier:
        before = run(replace(spec, phases=tuple(earlier)), data)
    losses: list[float] = []
    with lent_network(spec, data, phase) as (network, batches):
        begin(network, phase, spec, before)
        epochs = -(-len(learning_rates) // batches.training.steps_per_epoch)
        stream = batches.training.batches(range(epochs))
        # the batches end the loop where there are more of them than rates
        for rate, batch in zip(learning_rates, stream, strict=False):
            network.set_learning_rate(float(rate))
            network.model.reset_metrics()
            loss = float(network.model.train_on_batch(*batch, return_dict=True)["loss"])
            if not np.isfinite(loss) or (losses and loss > HOPELESS * min(losses)):
                break
            losses.append(loss)
    return np.array(losses)
