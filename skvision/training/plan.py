"""`Plan`: how long to train, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..networks import match_name
from .schedules import SCHEDULES, Schedule

__all__ = ["Plan", "best_epoch", "named_schedule"]


@dataclass(frozen=True)
class Plan:
    """How long to train, and how fast.

    Parameters
    ----------
    epochs : int
        Passes over the training data.
    learning_rate : float or None
        Step size; None if the optimiser has a schedule of its own.
    schedule : callable, default=None
        Gives each epoch's share of the learning rate.
    patience : int, default=10
        Epochs without a lower loss after which the schedule may act (half of it)
        and early stopping does.
    early_stopping : bool, default=False
        Whether to stop then, and to take the weights of the best epoch.
    is_part : bool, default=False
        Whether the data are one part of several, each trained by itself.
    """

    epochs: int
    learning_rate: float | None
    schedule: Schedule | None = None
    patience: int = 10
    early_stopping: bool = False
    is_part: bool = False

    def rate(self, losses: Sequence[float]) -> float | None:
        """The learning rate of the epoch after those with these losses."""
        if self.schedule is None or self.learning_rate is None:
            return self.learning_rate
        # the rate falls before early stopping gives up
        share = self.schedule(losses, self.epochs, max(1, self.patience // 2))
        return self.learning_rate * share

    def is_done(self, losses: Sequence[float]) -> bool:
        """Whether there is nothing left to train."""
        if len(losses) >= self.epochs:
            return True
        if not (self.early_stopping and losses):
            return False
        since_best = len(losses) - 1 - best_epoch(losses)
        # patience 0 stops at the first epoch that is no better, not at the first
        return since_best > 0 and since_best >= self.patience


def best_epoch(losses: Sequence[float]) -> int:
    """The first epoch of the lowest loss; NaN is never the lowest.

    Examples
    --------
    >>> from skvision.training.plan import best_epoch
    >>> best_epoch([float("nan"), 0.5, 0.4, 0.4])
    2
    """
    return int(np.argmin(np.nan_to_num(losses, nan=np.inf)))


def named_schedule(name: str) -> Schedule:
    """The schedule of a name, in any case; ValueError lists the names that exist."""
    return SCHEDULES[match_name(name, SCHEDULES, "learning_rate_schedule")]
