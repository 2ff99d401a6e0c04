"""Learning-rate schedules: pure functions of the losses so far.

A schedule returns the next epoch's share of the learning rate. It depends only on the
number of epochs and their losses, so that a training that continues from a checkpoint
has the same rates as one that was never interrupted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

__all__ = ["SCHEDULES", "Schedule", "cosine", "plateau", "step", "warmup_cosine"]

#: f(losses so far, epochs, patience) -> share of the learning rate
Schedule = Callable[[Sequence[float], int, int], float]

TENTH = 0.1


def cosine(losses: Sequence[float], epochs: int, patience: int) -> float:
    """Return a share that falls from 1 to almost 0 along half a cosine.

    References
    ----------
    I. Loshchilov, F. Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts,
    2016 (one cycle of it).

    Examples
    --------
    >>> from skvision.training.schedules import cosine
    >>> [round(cosine([0.0] * epoch, 4, 10), 3) for epoch in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    """
    return 0.5 * (1 + math.cos(math.pi * len(losses) / epochs))


def warmup_cosine(losses: Sequence[float], epochs: int, patience: int) -> float:
    """Return a share that rises to 1 over a twentieth of the epochs, then falls as `cosine`.

    A large rate can make an untrained network diverge.

    References
    ----------
    P. Goyal and others, Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour,
    2017, section 2.2.

    Examples
    --------
    >>> from skvision.training.schedules import warmup_cosine
    >>> [round(warmup_cosine([0.0] * epoch, 40, 10), 3) for epoch in range(4)]
    [0.333, 0.667, 1.0, 0.998]
    """
    rising = max(1, round(epochs / 20))
    if len(losses) < rising:
        return (len(losses) + 1) / (rising + 1)
    return cosine(losses[rising:], max(1, epochs - rising), patience)


def step(losses: Sequence[float], epochs: int, patience: int) -> float:
    """Return a share that falls to a tenth after half of the epochs and after three quarters.

    References
    ----------
    K. He and others, Deep Residual Learning for Image Recognition, 2015, section
    4.2 (32,000 and 48,000 of 64,000 steps).

    Examples
    --------
    >>> from skvision.training.schedules import step
    >>> [round(step([0.0] * epoch, 4, 10), 3) for epoch in range(4)]
    [1.0, 1.0, 0.1, 0.01]
    """
    epoch = len(losses)
    return TENTH ** ((2 * epoch >= epochs) + (4 * epoch >= 3 * epochs))


def plateau(losses: Sequence[float], epochs: int, patience: int) -> float:
    """Return a share that falls to a tenth after each `patience` epochs without a lower loss.

    Examples
    --------
    >>> from skvision.training.schedules import plateau
    >>> losses = [0.9, 0.5, 0.6, 0.5, 0.4, 0.4, 0.4]
    >>> [round(plateau(losses[:epoch], 100, 2), 3) for epoch in range(8)]
    [1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.01]
    """
    share, best, waited = 1.0, math.inf, 0
    for loss in losses:
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
        if waited >= patience:
            share, waited = share * TENTH, 0
    return share


#: schedules by name
SCHEDULES: dict[str, Schedule] = {
    "cosine": cosine,
    "warmup_cosine": warmup_cosine,
    "step": step,
    "plateau": plateau,
}
