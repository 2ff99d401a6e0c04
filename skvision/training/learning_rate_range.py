"""The learning-rate range test: a short training at increasing rates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .batches import lent_network
from .run import begin, run
from .spec import TrainingData, TrainingResult, TrainingSpec

__all__ = ["losses_at_rates"]

# a training doesn't recover from a loss of this many times the lowest
HOPELESS = 4.0


def losses_at_rates(
    spec: TrainingSpec, data: TrainingData, learning_rates: np.ndarray
) -> np.ndarray:
    """Train one step at each rate and return the losses.

    Parameters
    ----------
    spec : TrainingSpec
        The rates are tried in its last phase, after the others have been trained.
    data : TrainingData
        The training data, repeated until each rate has had a step.
    learning_rates : ndarray of shape (n,), float
        Rates in ascending order.

    Returns
    -------
    ndarray of shape (at most n,), float64
        The loss of each step's batch before the step. It ends early if the loss reaches
        four times the lowest, or isn't finite.

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
        # strict=False: there may be more batches than rates
        for rate, batch in zip(learning_rates, stream, strict=False):
            network.set_learning_rate(float(rate))
            network.model.reset_metrics()
            loss = float(network.model.train_on_batch(*batch, return_dict=True)["loss"])
            if not np.isfinite(loss) or (losses and loss > HOPELESS * min(losses)):
                break
            losses.append(loss)
    return np.array(losses)
