"""The loop around `keras.Model.fit`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ..exceptions import TrainingDivergedError
from ..networks import CompiledNetwork
from .progress import TrainingProgress
from .stream import BatchStream

__all__ = ["train"]


class _StopOnDivergence(keras.callbacks.Callback):
    """Raise as soon as an epoch's loss is no finite number: the weights are lost."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not np.isfinite(loss):
            rate = self.model.optimizer.learning_rate
            raise TrainingDivergedError(
                f"Training diverged: the loss of epoch {epoch + 1} is {loss}. The learning rate, "
                f"{float(np.asarray(rate)):g}, is too large: try a tenth of it."
            )


def train(
    network: CompiledNetwork,
    training: BatchStream,
    validation: BatchStream | None,
    *,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    patience: int | None = None,
    verbose: int = 0,
) -> dict[str, list[float]]:
    """Train a network on a stream of batches.

    Parameters
    ----------
    network : CompiledNetwork
        Already set to its first state.
    training, validation : BatchStream
        The data; ``validation=None`` for none.
    epochs : int
        Passes over the training data.
    callbacks : sequence of keras.callbacks.Callback
        The user's own, called after ours.
    patience : int or None
        Stop after so many epochs without a lower validation loss, and take the
        weights of the best; None trains all epochs and keeps the last weights.
    verbose : {0, 1, 2}
        Silent, a progress bar, or one line an epoch.

    Returns
    -------
    dict of str to list of float
        One entry a figure (``loss``, ``accuracy``, ``val_loss``,
        ``val_accuracy``), one number an epoch.

    Raises
    ------
    TrainingDivergedError
        If the loss becomes infinite or NaN.
    """
    bar = [TrainingProgress()] if verbose == 1 else []
    stopper = []
    if patience is not None:
        stopper = [
            keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)
        ]
    extra: dict[str, Any] = {}
    if validation is not None:
        # one stream for all epochs: its order never changes
        extra = {
            "validation_data": validation.batches(range(epochs)),
            "validation_steps": validation.steps_per_epoch,
        }
    try:
        history = network.model.fit(
            training.batches(range(epochs)),
            steps_per_epoch=training.steps_per_epoch,
            epochs=epochs,
            shuffle=False,
            verbose=2 if verbose == 2 else 0,
            callbacks=[*bar, _StopOnDivergence(), *stopper, *callbacks],
            **extra,
        )
    except Exception:
        # what our own thread met, without Keras' and TensorFlow's wrapping
        for stream in (training, validation):
            if stream is not None and stream.error is not None:
                raise stream.error from None
        raise
    finally:
        for each in bar:
            each.close()
    return {name: [float(value) for value in values] for name, values in history.history.items()}
