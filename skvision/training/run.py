"""`run`: turn the description of a training into its result.

X goes one way: an estimator validates it (`TrainingData`), `lent_network` makes batches from
it, `train` passes them to Keras.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..exceptions import TrainingInterruptedWarning
from ..networks import CompiledNetwork, NetworkState
from .batches import lent_network
from .history import joined
from .loop import Watch, train
from .phases import Phase
from .spec import Listeners, TrainingData, TrainingResult, TrainingSpec

__all__ = ["begin", "run"]


def run(
    spec: TrainingSpec,
    data: TrainingData,
    *,
    before: TrainingResult | None = None,
    listeners: Listeners | None = None,
) -> TrainingResult:
    """Train the phases of a spec in turn.

    Parameters
    ----------
    spec : TrainingSpec
        Description of the training.
    data : TrainingData
        The training data.
    before : TrainingResult, default=None
        The training to continue; None for a new network.
    listeners : Listeners, default=None
        Callbacks and output; None for none.

    Returns
    -------
    TrainingResult
        With early stopping it holds the weights of the best epoch of all phases, else those of
        the last epoch.

    Raises
    ------
    TrainingDivergedError
        If a loss or a weight becomes infinite or NaN.
    ValueError
        If a checkpoint belongs to another training, or `before` can't be continued.

    Warns
    -----
    TrainingInterruptedWarning
        If Ctrl-C ended it.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images import as_image_batch
    >>> from skvision.networks import MiniVGGArchitecture, NetworkRecipe, optimizer_recipe
    >>> from skvision.training import Phase, Plan, Seeds, TrainingData, TrainingSpec, run
    >>> images = as_image_batch(np.random.default_rng(0).random((8, 8, 8)))
    >>> data = TrainingData(images, np.arange(8) % 2, np.ones(8), np.array(["cat", "dog"]))
    >>> optimizer, rate = optimizer_recipe("sgd", 0.1, {})
    >>> recipe = NetworkRecipe(MiniVGGArchitecture((8, 8, 3), 2, filters=(4,)), optimizer)
    >>> spec = TrainingSpec((Phase(recipe, Plan(2, rate)),), recipe, Seeds.draw(0))
    >>> result = run(spec, data)
    >>> result.n_epochs, sorted(result.history)
    (2, ['accuracy', 'loss'])
    """
    return _Run(
        spec, data, before or TrainingResult(spec.recipe, {}, []), listeners or Listeners()
    ).train()


def begin(
    network: CompiledNetwork, phase: Phase, spec: TrainingSpec, before: TrainingResult
) -> None:
    """Set a phase's network to its initial state.

    Parameters
    ----------
    network : CompiledNetwork
        The phase's network.
    phase : Phase
        The phase that is about to begin.
    spec : TrainingSpec
        Its seeds control the initial weights and dropout.
    before : TrainingResult
        The training so far; without weights the network is a new one.

    Raises
    ------
    ValueError
        If the phase uses the body's original weights, but `before` has trained them.
    """
    network.reset([spec.seeds.weights, before.n_epochs], phase.plan.learning_rate)
    recipe, state = before.state or (None, None)
    if state is not None and recipe == phase.recipe:
        network.set_state(state)
    elif before.weights:
        n_given = len(phase.given)
        if not all(map(np.array_equal, before.weights[:n_given], phase.given)):
            raise ValueError(
                f"The {phase.name} phase uses the body's original weights, but the network to "
                "continue has a trained body. Continue with unfreeze=1 or more, or train a new "
                "network by fit with warm_start=False."
            )
        network.set_weights(before.weights[n_given:])
    network.set_learning_rate(phase.plan.learning_rate)


@dataclass(frozen=True)
class _PhaseResult:
    """The result of one phase; the weights are the whole network's."""

    history: dict[str, list[Any]]
    weights: list[np.ndarray]
    interrupted: bool = False
    state: NetworkState | None = None
    n_steps: int = 0

    @property
    def lowest(self) -> float:
        """The lowest validation loss, without NaN."""
        return float(np.nanmin([*self.history.get("val_loss", ()), np.inf]))


class _Run:
    """A running training: its description and the results of its phases so far."""

    def __init__(
        self, spec: TrainingSpec, data: TrainingData, before: TrainingResult, listeners: Listeners
    ) -> None:
        self._spec = spec
        self._data = data
        self._before = before
        self._listeners = listeners
        self._finished: list[_PhaseResult] = []

    def train(self) -> TrainingResult:
        phases = self._spec.phases
        for number, phase in enumerate(phases):
            try:
                is_last = self._train_phase(phase, phases[number + 1 :])
            except KeyboardInterrupt:
                if not self._finished:
                    raise
                warnings.warn(
                    f"Training was interrupted at the beginning of the {phase.name} phase; the "
                    "estimator is fitted with the weights reached by then.",
                    TrainingInterruptedWarning,
                )
                break
            if is_last:
                break
        return self._result()

    def _train_phase(self, phase: Phase, later: Sequence[Phase]) -> bool:
        """Train one phase; return whether the training ends with it."""
        spec, listeners = self._spec, self._listeners
        before = self._so_far()
        checkpoints, resumed = None, None
        if spec.checkpoints is not None:
            checkpoints, resumed = spec.checkpoints.open(
                phase, before.n_epochs, self._data.identity
            )
            if resumed is not None and spec.checkpoints.have_begun(later):
                # this phase is complete, even if a callback ended it early
                phase = replace(phase, plan=replace(phase.plan, epochs=resumed.epochs))
        task = listeners.task
        if phase.name:
            task = task.subtask(phase.name, phase.plan.epochs)

        def as_fitted(*learnt: Any) -> Mapping[str, Any]:
            assert listeners.as_fitted is not None
            return listeners.as_fitted(self._result(_of_phase(phase, *learnt)))

        watch = Watch(
            seeds=spec.seeds,
            first_epoch=before.n_epochs,
            earlier_steps=before.n_steps,
            callbacks=[copy.deepcopy(callback) for callback in listeners.callbacks],
            verbose=listeners.verbose,
            task=task,
            as_fitted=None if listeners.as_fitted is None else as_fitted,
        )
        with lent_network(spec, self._data, phase, listeners.verbose) as (network, batches):
            begin(network, phase, spec, before)
            learnt = train(network, batches, phase.plan, watch, checkpoints, resumed)
            state = network.get_state() if spec.keep_state else None
            steps = batches.training.steps_per_epoch
        latest = _of_phase(phase, *learnt)
        latest = replace(latest, state=state, n_steps=steps * len(latest.history["loss"]))
        self._finished.append(latest)
        stopped = task is not listeners.task and task.end(
            None if listeners.as_fitted is None else lambda: listeners.as_fitted(self._result())
        )
        return latest.interrupted or stopped

    def _so_far(self) -> TrainingResult:
        """The result that the next phase continues: the last phase's weights."""
        if not self._finished:
            return self._before
        return replace(self._result(), weights=self._finished[-1].weights)

    def _result(self, *under_way: _PhaseResult) -> TrainingResult:
        """Return the result if the training ends with the phases trained so far."""
        phases = [*self._finished, *under_way]
        history = self._before.history
        for each in phases:
            history = joined(history, each.history)
        last = phases[-1]
        # the best epoch of all phases
        stops_early = self._spec.phases[0].plan.early_stopping
        best = min(phases, key=lambda it: it.lowest) if stops_early else last
        state = None if last.state is None else (self._spec.phases[0].recipe, last.state)
        n_steps = self._before.n_steps + sum(each.n_steps for each in phases)
        return TrainingResult(
            self._spec.recipe, history, best.weights, last.interrupted, state, n_steps
        )


def _of_phase(
    phase: Phase,
    history: dict[str, list[Any]],
    weights: list[np.ndarray],
    interrupted: bool = False,
) -> _PhaseResult:
    """Return a phase's result: epochs with its name, weights after those that were given."""
    if phase.name:
        history = {"phase": [phase.name] * len(history["loss"]), **history}
    return _PhaseResult(history, [*phase.given, *weights], interrupted)
