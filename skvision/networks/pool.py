"""The pool of compiled networks: one per architecture, for any number of fits.

Building, compiling and tracing a network often takes longer than a small fit, and
TensorFlow never frees all memory of a network: a grid search that builds one network per
fit slows down and its memory grows. So the pool builds a network once per process, lends
it to one fit at a time, and resets its variables between fits.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np

from .._system.bounded_store import Store
from .._system.forks import backend_runs, refuse_after_fork
from .._system.memory import give_back_memory
from .batch_norm import BatchNormAverages
from .building import BUILDING
from .finetuned_architecture import LearningPart
from .keras_compat import forget_traces, retracing_hidden, synchronise
from .layer_rates import with_rate_shares
from .layers import random_states, settle
from .losses import SmoothedCrossentropy
from .optimizers import OptimizerRecipe
from .python_random import python_random_kept
from .views import View

__all__ = [
    "PREDICT_BATCH",
    "Architecture",
    "CompiledNetwork",
    "NetworkPool",
    "NetworkRecipe",
    "NetworkState",
    "network_pool",
]

# Number of images per batch in prediction. In batches of 2, 8, 12, 20 or 32 the last bit of a
# result depended on the image's place in the batch; in batches of 16, 24 or 40 it didn't
# (three MiniVGGs, TensorFlow 2.21, two threads of one x86-64 machine).
PREDICT_BATCH = 16

_CROSSENTROPY = "sparse_categorical_crossentropy"


class Architecture(Hashable, Protocol):
    """A table of numbers that builds a network."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input, without the batch axis."""

    def build(self) -> keras.Model: ...


@dataclass(frozen=True)
class NetworkRecipe:
    """Everything that the compiled network depends on; the pool's key."""

    architecture: Architecture
    optimizer: OptimizerRecipe
    label_smoothing: float = 0.0
    #: trainable layers and their shares of the rate; None for all layers at one rate
    part: LearningPart | None = None
    #: whether targets are shares of each class rather than class indices
    soft_targets: bool = False


@dataclass(frozen=True)
class NetworkState:
    """All values that the next training step depends on, each list in Keras' order."""

    weights: list[np.ndarray]
    optimizer: list[np.ndarray]
    #: state of each dropout layer's random generator
    dropout: list[np.ndarray]


class CompiledNetwork:
    """A compiled network that can be reset to its initial state.

    Parameters
    ----------
    recipe : NetworkRecipe
        Description of the network to build.
    """

    def __init__(self, recipe: NetworkRecipe) -> None:
        backend_runs()
        self._recipe = recipe
        with python_random_kept():
            self.model = recipe.architecture.build()
        part = recipe.part
        if part is not None:
            part.freeze(self.model)
        self.averages = BatchNormAverages(self.model)
        # the weights of a body are set later, not drawn
        self._drawn_layers = self.model.layers[-part.n_head if part else 0 :]
        self._initial = _initial_weights(self._drawn_layers)

    def reset(self, seed: int | Sequence[int], learning_rate: float | None) -> None:
        """Draw new weights and clear the optimiser, as after compiling.

        If the recipe has a `LearningPart`, only the head's weights are drawn; set those
        of the body by `set_weights`.

        Parameters
        ----------
        seed : int or sequence of int
            Seed of the initial weights and all dropout masks.
        learning_rate : float or None
            Learning rate; None if the optimiser has its own schedule.
        """
        self._compile_once()
        seeds = iter(np.random.SeedSequence(seed).generate_state(len(self._drawn_layers) * 2))
        for layer in self._drawn_layers:
            draw_seed, dropout_seed = int(next(seeds)), int(next(seeds))
            for variable in layer.weights:
                value = self._initial[variable.path]
                if isinstance(value, keras.initializers.Initializer):
                    value = _with_seed(value, draw_seed)(variable.shape, variable.dtype)
                variable.assign(value)
            for state in random_states(layer):
                _set_counter(state, np.array([dropout_seed, 0], np.uint32))
        _assign(self.model.optimizer.variables, self._initial_optimizer)
        self.set_learning_rate(learning_rate)
        self.model.stop_training = False

    def set_learning_rate(self, learning_rate: float | None) -> None:
        """Set the learning rate; None keeps an optimiser's own schedule."""
        if learning_rate is not None:
            self.model.optimizer.learning_rate = learning_rate

    def _compile_once(self) -> None:
        """Compile at the first fit, since a network that only predicts needs no optimiser."""
        if self.model.compiled:
            return
        optimizer = self._recipe.optimizer.build()
        part = self._recipe.part
        if part is not None and part.layer_decay != 1:
            optimizer = with_rate_shares(optimizer, part.rate_shares(self.model))
        optimizer.build(self.model.trainable_variables)
        self._initial_optimizer = [_compact(v) for v in optimizer.variables]
        smoothing = self._recipe.label_smoothing
        loss: Any = SmoothedCrossentropy(smoothing) if smoothing else _CROSSENTROPY
        accuracy: keras.Metric = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        if self._recipe.soft_targets:
            loss = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
            accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
        self.model.compile(optimizer=optimizer, loss=loss, metrics=[accuracy])

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of all weights, in Keras' order."""
        weights: list[np.ndarray] = self.model.get_weights()
        return weights

    def final_weights(self, renew: Callable[[], None]) -> list[np.ndarray]:
        """Return the weights that the network would have if training ended now.

        They differ from the current weights if the optimiser averages weights, since the
        averages replace the weights at the end. `renew` then computes the averages of batch
        normalisation for them.
        """
        optimizer = self.model.optimizer
        weights = self.get_weights()
        if not optimizer.use_ema:
            return weights
        optimizer.finalize_variable_values(self.model.trainable_variables)
        renew()
        averaged = self.get_weights()
        _assign(self.model.weights, weights)
        return averaged

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Set all weights."""
        self.model.set_weights(weights)
        if settle(self.model):
            # the old trace holds the former numbers
            forget_traces(self.model)

    def get_state(self) -> NetworkState:
        """Return copies of all values that the next training step depends on."""
        synchronise(self.model)
        counters = _copies(_counters(self.model.layers))
        return NetworkState(
            self.get_weights(),
            _copies(self.model.optimizer.variables),
            [counter.astype(np.uint32) for counter in counters],
        )

    def set_state(self, state: NetworkState) -> None:
        """Restore a state, after `reset`."""
        self.set_weights(state.weights)
        _assign(self.model.optimizer.variables, state.optimizer)
        for variable, counter in zip(_counters(self.model.layers), state.dropout, strict=True):
            _set_counter(variable, counter)

    @property
    def n_bytes(self) -> int:
        """Memory of weights and optimiser in bytes."""
        optimizer = self.model.optimizer.variables if self.model.compiled else []
        return sum(4 * math.prod(variable.shape) for variable in [*self.model.weights, *optimizer])

    def predict(self, batch: np.ndarray) -> np.ndarray:
        """Return the outputs for at most PREDICT_BATCH images.

        A smaller batch is padded, so that all batches share one trace and an image's outputs
        don't depend on the other images in the batch.
        """
        missing = PREDICT_BATCH - len(batch)
        full = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)]) if missing else batch
        with retracing_hidden():
            outputs: np.ndarray = np.asarray(self.model.predict_on_batch(full))[: len(batch)]
        return outputs

    def predict_mean(self, views: Sequence[View], batch: np.ndarray) -> np.ndarray:
        """Return the outputs for images, averaged over the views."""
        outputs = [self.predict(keras.ops.convert_to_numpy(each.of(batch))) for each in views]
        mean: np.ndarray = np.mean(outputs, axis=0)
        return mean


def _counters(layers: Iterable[keras.layers.Layer]) -> list[keras.Variable]:
    return [state for layer in layers for state in random_states(layer)]


def _set_counter(variable: keras.Variable, counter: np.ndarray) -> None:
    # PyTorch's variables are signed
    variable.assign(counter.astype(variable.dtype))


def _copies(variables: Sequence[keras.Variable]) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables: Sequence[keras.Variable], values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _initial_weights(
    layers: Sequence[keras.layers.Layer],
) -> dict[str, keras.initializers.Initializer | np.ndarray]:
    """Return the initial value of each weight: drawn again if it was drawn, else a copy."""
    initial: dict[str, keras.initializers.Initializer | np.ndarray] = {}
    for layer in layers:
        for variable in layer.weights:
            drawn = variable is getattr(layer, "kernel", None)
            initial[variable.path] = layer.kernel_initializer if drawn else _compact(variable)
    return initial


def _compact(variable: keras.Variable) -> np.ndarray:
    """Return a copy of a variable, which needs no memory if all entries are equal."""
    value: np.ndarray = keras.ops.convert_to_numpy(variable)
    if value.size and (value == value.flat[0]).all():
        return np.broadcast_to(value.flat[0], value.shape)
    return value


def _with_seed(
    initializer: keras.initializers.Initializer, seed: int
) -> keras.initializers.Initializer:
    return type(initializer).from_config({**initializer.get_config(), "seed": seed})


class NetworkPool:
    """A pool of compiled networks that wait for their next use.

    Parameters
    ----------
    max_idle : int, default=32
        Maximum number of waiting networks; beyond it the least recently used one is dropped.
        Keep it large, since TensorFlow never frees about 3 MB of each dropped network.
    max_bytes : int, default=536870912
        Maximum size of their weights and optimisers in bytes; the last network always stays.

    Examples
    --------
    >>> from skvision.networks import (
    ...     MiniVGGArchitecture, NetworkPool, NetworkRecipe, optimizer_recipe)
    >>> optimizer, learning_rate = optimizer_recipe("sgd", 0.1, {})
    >>> recipe = NetworkRecipe(MiniVGGArchitecture((8, 8, 3), 2), optimizer)
    >>> pool = NetworkPool()
    >>> with pool.borrow(recipe) as first:
    ...     pass
    >>> with pool.borrow(recipe) as second:
    ...     second is first
    True
    """

    def __init__(self, max_idle: int = 32, max_bytes: int = 2**29) -> None:
        self._idle: Store[NetworkRecipe, CompiledNetwork] = Store(
            max_idle, max_bytes, lambda network: network.n_bytes
        )

    @contextmanager
    def borrow(self, recipe: NetworkRecipe) -> Iterator[CompiledNetwork]:
        """Lend a network to one thread until the block ends."""
        refuse_after_fork()
        network = self._idle.take(recipe)
        if network is None:
            with BUILDING:
                network = CompiledNetwork(recipe)
        try:
            yield network
        finally:
            n_dropped = self._idle.put(recipe, network)
            if n_dropped:
                # a Keras network refers to itself
                gc.collect()
                give_back_memory()

    def __len__(self) -> int:
        return len(self._idle)

    def clear(self) -> None:
        """Drop all waiting networks, to free their memory."""
        self._idle.clear()


#: the pool of this process
network_pool = NetworkPool()
