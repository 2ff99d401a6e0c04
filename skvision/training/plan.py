"""`Plan`: epochs, learning rate and early stopping of a phase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._sklearn.matching import match_name
from .schedules import SCHEDULES, Schedule

__all__ = ["Plan", "best_epoch", "named_schedule"]


@dataclass(frozen=True)
class Plan:
    """Epochs, learning rate and early stopping of a phase.

    Parameters
    ----------
    epochs : int
        Number of passes over the training data.
    learning_rate : float or None
        Learning rate; None if the optimiser has a schedule of its own.
    schedule : callable, default=None
        Returns each epoch's share of the learning rate.
    patience : int, default=10
        Number of epochs without a lower loss after which early stopping ends the training.
        The schedule may act after half of it.
    early_stopping : bool, default=False
        Whether to stop then and to use the weights of the best epoch.
    is_part : bool, default=False
        Whether the data are one part of several, each trained separately.
    """

    epochs: int
    learning_rate: float | None
    schedule: Schedule | None = None
    patience: int = 10
    early_stopping: bool = False
    is_part: bool = False

    def rate(self, losses: Sequence[float]) -> float | None:
        """Return the learning rate of the epoch that follows epochs with these losses."""
        if self.schedule is None or self.learning_rate is None:
            return self.learning_rate
        # half, so that the rate falls before early stopping ends the training
        share = self.schedule(losses, self.epochs, max(1, self.patience // 2))
        return self.learning_rate * share

    def is_done(self, losses: Sequence[float]) -> bool:
        """Return whether the training is complete."""
        if len(losses) >= self.epochs:
            return True
        if not (self.early_stopping and losses):
            return False
        since_best = len(losses) - 1 - best_epoch(losses)
        # patience 0 stops at the first epoch without improvement, not at the first epoch
        return since_best > 0 and since_best >= self.patience


def best_epoch(losses: Sequence[float]) -> int:
    """Return the first epoch with the lowest loss; NaN is never the lowest.

    Examples
    --------
    >>> from skvision.training.plan import best_epoch
    >>> best_epoch([float("nan"), 0.5, 0.4, 0.4])
    2
    """
    return int(np.argmin(np.nan_to_num(losses, nan=np.inf)))


def named_schedule(name: str) -> Schedule:
    """Return the schedule of this name, in upper or lower case."""
    return SCHEDULES[match_name(name, SCHEDULES, "learning_rate_schedule")]
