"""The loop around `keras.Model.fit`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from .._sklearn.callbacks import NO_TASK, FitTask
from ..exceptions import TrainingDivergedError, TrainingInterruptedWarning
from ..networks import CompiledNetwork
from ..networks.keras_compat import (
    retracing_hidden,
    run_ahead,
    running_figures,
    set_running_figures,
)
from ..networks.torch_random import torch_random_kept
from .averages import AveragesRenewal
from .batches import Batches
from .checkpoint import Checkpoints, TrainingState
from .epoch_bar import TrainingProgress
from .history import joined
from .plan import Plan, best_epoch
from .seeding import Seeds
from .stream import BatchStream, ValidationBatches

__all__ = ["Watch", "train"]

History = dict[str, list[float]]
#: history and weights -> attributes of an estimator whose training ended with them
AsFitted = Callable[[History, list[np.ndarray]], Mapping[str, Any]]


# the name of an epoch for scikit-learn's callbacks
_EPOCH = "epoch"


@dataclass(frozen=True)
class Watch:
    """The surroundings of a phase's training: seeds, earlier epochs, callbacks, output.

    Parameters
    ----------
    seeds : Seeds
        Seeds of the batches and the network, to be saved in checkpoints.
    first_epoch : int, default=0
        Number of epochs that were trained before: the first epoch's number for the batches.
    earlier_steps : int, default=0
        Number of steps of these epochs.
    callbacks : sequence of keras.callbacks.Callback, default=()
        The user's callbacks.
    verbose : {0, 1, 2}, default=0
        Silent, a progress bar, or one line per epoch.
    task : FitTask, default=NO_TASK
        The parent task of the epochs, for scikit-learn's callbacks.
    as_fitted : callable, default=None
        Turns history and weights into the attributes of a fitted estimator, for scikit-learn's
        callbacks.
    """

    seeds: Seeds
    first_epoch: int = 0
    earlier_steps: int = 0
    callbacks: Sequence[keras.callbacks.Callback] = ()
    verbose: int = 0
    task: FitTask = NO_TASK
    as_fitted: AsFitted | None = None


def train(
    network: CompiledNetwork,
    batches: Batches,
    plan: Plan,
    watch: Watch,
    checkpoints: Checkpoints | None = None,
    resumed: TrainingState | None = None,
) -> tuple[History, list[np.ndarray], bool]:
    """Train a network on batches.

    Ctrl-C ends the training. Once an epoch is complete, the result is that of the completed
    epochs, with a warning.

    Parameters
    ----------
    network : CompiledNetwork
        The network, in its initial state.
    batches : Batches
        The data.
    plan : Plan
        Epochs and learning rate.
    watch : Watch
        Seeds, callbacks and output.
    checkpoints : Checkpoints, default=None
        The checkpoints that receive the state after each epoch.
    resumed : TrainingState, default=None
        The state from a checkpoint to continue from.

    Returns
    -------
    history : dict of str to list of float
        One entry per figure (``loss``, ``accuracy``, ``val_loss``,
        ``val_accuracy``, with a schedule ``learning_rate``), one number per epoch.
    weights : list of ndarray
        Weights of the last epoch or, with early stopping, of the best epoch.
    interrupted : bool
        Whether Ctrl-C ended it.

    Raises
    ------
    TrainingDivergedError
        If a loss or a weight becomes infinite or NaN.

    Warns
    -----
    TrainingInterruptedWarning
        If Ctrl-C ended it.
    """
    training, validation = batches.training, batches.validation
    renewals = []
    if network.averages and isinstance(training, BatchStream):
        watched = bool(watch.callbacks or checkpoints)
        renewals = [
            AveragesRenewal(
                network,
                training,
                watch.earlier_steps,
                is_watched=watched,
                is_part=plan.is_part,
            )
        ]
    figure = "val_loss" if validation else "loss"
    course = _Course(network, renewals, plan, watch, checkpoints, figure)
    if resumed is not None:
        course.resume(resumed)
    interrupted = False
    if not plan.is_done(course.losses):
        bar = [TrainingProgress()] if watch.verbose == 1 else []

        def fit(start: int, stop: int, first_step: int = 0) -> None:
            epochs = range(watch.first_epoch + start, watch.first_epoch + stop)
            with torch_random_kept(), retracing_hidden():
                network.model.fit(
                    training.batches(epochs, first_step),
                    steps_per_epoch=training.steps_per_epoch - first_step,
                    initial_epoch=start,
                    epochs=stop,
                    shuffle=False,
                    verbose=2 if watch.verbose == 2 else 0,
                    # the course comes last: it records the effects of the others
                    callbacks=[*renewals, *bar, *watch.callbacks, course],
                    validation_data=None if validation is None else ValidationBatches(validation),
                )

        try:
            if course.first_step:
                # finish the cut epoch alone, since Keras has one number of steps for all epochs
                fit(course.epochs, course.epochs + 1, course.first_step)
            if not (course.is_stopped or plan.is_done(course.losses)):
                fit(course.epochs, plan.epochs)
            course.finish()
        except KeyboardInterrupt:
            if not course.epochs:
                raise
            interrupted = True
            course.renew_completed()
            warnings.warn(
                f"Training was interrupted after epoch {course.epochs} of {plan.epochs}; the "
                "estimator is fitted with the weights reached by then.",
                TrainingInterruptedWarning,
            )
        except Exception:
            # raise the reading thread's error without Keras' and TensorFlow's wrapping
            for stream in (training, validation):
                if stream is not None and stream.error is not None:
                    raise stream.error from None
            raise
        finally:
            for each in bar:
                each.close()
    return course.history, course.weights, interrupted


class _Course(keras.callbacks.Callback):
    """Follows a training epoch by epoch: rate, history, best weights, end, checkpoint.

    After each epoch, one attribute holds everything that is needed to end there or to
    continue from there. It is set at once, since an interrupt can come at any moment.
    """

    def __init__(
        self,
        network: CompiledNetwork,
        renewals: Sequence[AveragesRenewal],
        plan: Plan,
        watch: Watch,
        checkpoints: Checkpoints | None,
        watched: str,
    ) -> None:
        super().__init__()
        self._network = network
        self._renewals = renewals
        self._plan = plan
        self._watch = watch
        self._checkpoints = checkpoints
        self._watched = watched
        self._every = checkpoints.every if checkpoints is not None else None
        run_ahead(self, allowed=self._every is None)
        #: step of the first epoch at which the training begins, and that epoch's figures so far
        self.first_step = 0
        self._figures_so_far: dict[str, np.ndarray] = {}
        # history, the last epoch's weights, and the weights to use instead
        self._completed: tuple[History, list[np.ndarray], list[np.ndarray]]
        self._completed = ({}, [], [])

    @property
    def history(self) -> dict[str, list[float]]:
        return self._completed[0]

    @property
    def weights(self) -> list[np.ndarray]:
        _, last, best = self._completed
        return best or last

    @property
    def losses(self) -> list[float]:
        return self.history.get(self._watched, [])

    @property
    def epochs(self) -> int:
        return len(self.losses)

    def resume(self, state: TrainingState) -> None:
        self._network.set_state(state.network)
        last = state.last_weights or state.network.weights
        self._completed = (state.history, last, state.best_weights)
        self.first_step, self._figures_so_far = state.steps, state.metrics
        self._watch.task.skip(_EPOCH, self.epochs)

    @property
    def is_stopped(self) -> bool:
        """Whether a callback of Keras or scikit-learn asked for the end."""
        return bool(self._network.model.stop_training)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.first_step:
            self._take_up_figures(epoch)
        if self._plan.schedule is not None:
            self._network.set_learning_rate(self._plan.rate(self.losses))
        self._epoch = self._watch.task.subtask(_EPOCH)

    def _take_up_figures(self, epoch: int) -> None:
        """Continue from a checkpoint's figures, after Keras has set them to zero."""
        try:
            set_running_figures(self.model, self._figures_so_far)
        except ValueError as error:
            raise ValueError(
                f"The checkpoint after step {self.first_step} of epoch {epoch + 1} can't be "
                f"continued by Keras {keras.__version__}: {error}. Delete its file, whose name "
                f"ends in step-{self.first_step:06d}.npz, to continue from the end of the "
                "previous epoch, or install the Keras version that wrote it."
            ) from error

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # after the last step, on_epoch_end saves
        if self._every is None or batch + 1 == self.params["steps"]:
            return
        steps = self.first_step + batch + 1
        if steps % self._every == 0:
            self._save(steps)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # callbacks may have added values of any type
        figures = {
            name: float(value) for name, value in (logs or {}).items() if np.ndim(value) == 0
        }
        weights = self._network.get_weights()
        _refuse_divergence(epoch, figures, weights, self.model.optimizer)
        if self._plan.schedule is not None:
            figures["learning_rate"] = _rate_of(self.model.optimizer)
        history = joined(self.history, {name: [value] for name, value in figures.items()})
        losses = history[self._watched]
        best: list[np.ndarray] = []
        if self._plan.early_stopping:
            best = weights if best_epoch(losses) == len(losses) - 1 else self._completed[2]
        self._completed = (history, weights, best)
        self.first_step, self._figures_so_far = 0, {}
        if self._plan.is_done(losses):
            self.model.stop_training = True
        self._save()
        # last, since a callback may be slow or fail
        if self._epoch.end(self._attributes if self._watch.as_fitted else None):
            self.model.stop_training = True

    def _attributes(self) -> Mapping[str, Any]:
        """Return the estimator's attributes if training ended with this epoch."""
        assert self._watch.as_fitted is not None
        for each in self._renewals:
            each.renew_if_due()
        history, _, best = self._completed
        return self._watch.as_fitted(history, best or self._network.final_weights(self._renew))

    def finish(self) -> None:
        """Read the weights after the end of training.

        An optimiser that averages weights and a callback that restores the best epoch
        change them after the last epoch.
        """
        history, last, _ = self._completed
        final = self._network.get_weights()
        same = all(np.array_equal(a, b) for a, b in zip(final, last, strict=True))
        if same and self.epochs < self._plan.epochs:
            # training was stopped, so the last epoch was not known as such
            self.renew_completed()
        if not (self._plan.early_stopping or same):
            if self._network.model.optimizer.use_ema:
                self._renew()
                final = self._network.get_weights()
            self._completed = (history, last, final)
            self._save()

    def renew_completed(self) -> None:
        """Compute the averages for the last complete epoch, if that was not done before."""
        history, last, best = self._completed
        for each in self._renewals:
            self._network.set_weights(last)
            each.renew()
            self._completed = (history, self._network.get_weights(), best)

    def _renew(self) -> None:
        for each in self._renewals:
            each.renew_for_averaged_weights()

    def _save(self, steps: int = 0) -> None:
        """Write a checkpoint, after an epoch or `steps` steps into one."""
        if self._checkpoints is None:
            return
        history, last, best = self._completed
        network = self._network.get_state()
        if steps:
            metrics = running_figures(self.model)
            state = TrainingState(self._watch.seeds, history, network, best, steps, metrics, last)
        else:
            state = TrainingState(self._watch.seeds, history, replace(network, weights=last), best)
        self._checkpoints.save(state)


def _rate_of(optimizer: keras.optimizers.Optimizer) -> float:
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def _refuse_divergence(
    epoch: int,
    figures: dict[str, float],
    weights: list[np.ndarray],
    optimizer: keras.optimizers.Optimizer,
) -> None:
    """Raise TrainingDivergedError as soon as a loss or a weight isn't finite."""
    found = {f"the {name}": figures.get(name, 0.0) for name in ("loss", "val_loss")}
    # no loss contains the weights of the last step yet
    found["a weight"] = next((w.sum() for w in weights if not np.isfinite(w).all()), 0.0)
    for name, value in found.items():
        if not np.isfinite(value):
            raise TrainingDivergedError(
                f"Training diverged: {name} of epoch {epoch + 1} is {value}. The learning rate, "
                f"{_rate_of(optimizer):g}, is too large: try a tenth of it."
            )
