"""Compute the averages of batch normalisation again during a training."""

from __future__ import annotations

from itertools import islice
from typing import Any

import keras

from ..networks import CompiledNetwork
from .stream import BatchStream

__all__ = ["SETTLED", "AveragesRenewal"]

# Steps after which the moving averages are good: accuracy then differs by at most 0.01 between
# both kinds of averages, and by 0.05 after a hundred steps (the table is in
# docs/design/17-averages-come-from-training-images.md).
SETTLED = 200
# Mean loss of accuracy on unseen digits in 44 trainings, compared to all 32 or 50 batches:
# 0.001 with this number, 0.004 with 8 batches, 0.017 with 2.
MOST_BATCHES = 16


class AveragesRenewal(keras.callbacks.Callback):
    """Computes a network's averages from the training images after the first epochs.

    These averages depend only on the weights and the images, not on the earlier steps. The
    callback must be the first, before validation and before others read weights.

    Parameters
    ----------
    network : CompiledNetwork
        The network in training.
    training : BatchStream
        Its training data.
    earlier_steps : int
        Number of steps that the network was trained for before the first epoch.
    is_watched : bool, default=True
        Whether the weights of each epoch are read; else only those of the last epoch, or on
        request.
    is_part : bool, default=False
        Whether the images are one part of several. A part that is smaller than the smallest
        even batch then moves the averages in proportion to its size.
    """

    def __init__(
        self,
        network: CompiledNetwork,
        training: BatchStream,
        earlier_steps: int,
        *,
        is_watched: bool = True,
        is_part: bool = False,
    ) -> None:
        super().__init__()
        self._network = network
        self._training = training
        self._earlier_steps = earlier_steps
        self._is_watched = is_watched
        self._is_part = is_part
        self._epoch = 0
        self._is_due = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch
        self._is_due = True

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.renew_if_due()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # the moving averages continue from these values, even if no callback read them
        is_last_time = self._steps_before + self._training.steps_per_epoch >= SETTLED
        if self._is_watched or is_last_time or epoch + 1 == self.params["epochs"]:
            self.renew_if_due()

    def renew_if_due(self) -> None:
        """Compute the averages for the weights of this epoch, once."""
        if self._is_due:
            self.renew()
            self._is_due = False

    def renew(self) -> None:
        """Compute the averages, unless the moving averages are good already."""
        if not self._is_settled:
            self._renew()

    def renew_for_averaged_weights(self) -> None:
        """Compute the averages for weights that an optimiser averaged: no step has used them."""
        if not (self._is_part and self._is_settled):
            self._renew()

    @property
    def _steps_before(self) -> int:
        """Number of steps that the network was trained for before this epoch."""
        return self._earlier_steps + self._epoch * self._training.steps_per_epoch

    @property
    def _is_settled(self) -> bool:
        # an epoch of this many steps is long enough by itself
        return max(self._steps_before, self._training.steps_per_epoch) >= SETTLED

    def _renew(self) -> None:
        share = 1.0
        if self._is_part and self._steps_before:
            share = min(1.0, 2 * len(self._training.indices) / self._training.batch_size)
        self._network.averages.renew(islice(self._training.images(), MOST_BATCHES), share)
