"""When the averages of batch normalisation are taken again in a training."""

from __future__ import annotations

from itertools import islice
from typing import Any

import keras

from ..networks import CompiledNetwork
from .stream import BatchStream

__all__ = ["SETTLED", "AveragesRenewal"]

# Steps after which the moving averages are good: accuracy was the same by both to 0.01, and
# to 0.05 after a hundred steps (table: docs/design/17-averages-come-from-training-images.md).
SETTLED = 200
# Accuracy on unseen digits was the same as by all 32 or 50 batches to 0.001 in the mean of 44
# trainings, by 8 to 0.004, by 2 to 0.017.
MOST_BATCHES = 16


class AveragesRenewal(keras.callbacks.Callback):
    """Takes a network's averages from the training images, after its first epochs.

    They depend on the weights and the images alone, not on the course of the training.
    It is the first of the callbacks, before validation and before others read weights.

    Parameters
    ----------
    network : CompiledNetwork
        The network in training.
    training : BatchStream
        What it is trained on.
    earlier_steps : int
        Steps that the network was trained for before the first epoch.
    is_watched : bool, default=True
        Whether the weights of each epoch are read; else those of the last, or on request.
    is_part : bool, default=False
        Whether the images are one part of several. One that is smaller than the smallest
        even batch then moves the averages only by as much.
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
        # from here on the moving averages continue by themselves, read before or not
        is_last_time = self._steps_before + self._training.steps_per_epoch >= SETTLED
        if self._is_watched or is_last_time or epoch + 1 == self.params["epochs"]:
            self.renew_if_due()

    def renew_if_due(self) -> None:
        """Take the averages for the weights of this epoch, once."""
        if self._is_due:
            self.renew()
            self._is_due = False

    def renew(self) -> None:
        """Take the averages, unless the training was long enough without."""
        if not self._is_settled:
            self._renew()

    def renew_for_averaged_weights(self) -> None:
        """Take the averages for weights that an optimiser averaged: no step ever saw them."""
        if not (self._is_part and self._is_settled):
            self._renew()

    @property
    def _steps_before(self) -> int:
        """Steps that the network was trained for before this epoch."""
        return self._earlier_steps + self._epoch * self._training.steps_per_epoch

    @property
    def _is_settled(self) -> bool:
        # an epoch of so many steps is long enough by itself
        return max(self._steps_before, self._training.steps_per_epoch) >= SETTLED

    def _renew(self) -> None:
        share = 1.0
        if self._is_part and self._steps_before:
            share = min(1.0, 2 * len(self._training.indices) / self._training.batch_size)
        self._network.averages.renew(islice(self._training.images(), MOST_BATCHES), share)
