"""All uses of Keras' undocumented parts, each with the reason why the public API isn't enough.

tests/networks/test_keras_compat.py shows which of them a new Keras version has changed.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

__all__ = [
    "FUNCTIONAL_MODULE",
    "OPERATION_MODULES",
    "download_address",
    "for_any_backend",
    "forget_traces",
    "missing_weights_raise",
    "rewired",
    "run_ahead",
    "running_figures",
    "set_running_figures",
    "synchronise",
    "variable_index",
]

#: the module in the configuration of a functional model, whose class is not exported
FUNCTIONAL_MODULE = "keras.src.models.functional"
#: prefixes of the modules of operations in a functional model: ``keras.ops.flip`` is the class
#: Flip in one of these, which is not exported either
OPERATION_MODULES = "keras.src.ops."


def for_any_backend(config: Any) -> Any:
    """Return a configuration whose optimisers have their public module.

    With PyTorch, Keras writes the private module of its PyTorch optimisers, which other
    backends can't import.

    Examples
    --------
    >>> from skvision.networks.keras_compat import for_any_backend
    >>> module = "keras.src.backend.torch.optimizers.torch_sgd"
    >>> for_any_backend({"class_name": "SGD", "module": module})["module"]
    'keras.optimizers'
    """
    if isinstance(config, list | tuple):
        return [for_any_backend(each) for each in config]
    if not isinstance(config, dict):
        return config
    config = {name: for_any_backend(each) for name, each in config.items()}
    if str(config.get("module")).startswith("keras.src.backend.torch.optimizers."):
        config |= {"module": "keras.optimizers", "registered_name": None}
    return config


def rewired(network: keras.Model, tensors: Any, replacement: Callable[[Any], Any]) -> Any:
    """Run a functional network's graph on other tensors, with each operation replaced.

    Relies on ``Function._run_through_graph``. `keras.models.clone_model` is the public way, but
    it keeps nested networks, and needs a `keras.Input` as its start.

    Parameters
    ----------
    network : keras.Model
        A functional network.
    tensors : KerasTensor or list of KerasTensor
        Tensors in place of its inputs.
    replacement : callable
        Maps each operation to the callable in its place.

    Returns
    -------
    KerasTensor or nested structure of KerasTensor
        Tensors in place of its outputs.
    """
    return network._run_through_graph(tensors, operation_fn=replacement)


def forget_traces(network: keras.Model) -> None:
    """Make Keras trace a network again, since the old trace holds numbers that have changed.

    Relies on ``train_function`` and ``predict_function``, which Keras itself sets to None when
    it compiles. ``compile`` is the public way, but needs a new optimiser.
    """
    network.train_function = network.predict_function = None


def synchronise(network: keras.Model) -> None:
    """Update a network's variables: with JAX, `fit` holds their current values elsewhere.

    Relies on JAX's ``jax_state_sync``, the only way within an epoch.
    """
    if keras.config.backend() == "jax":
        network.jax_state_sync()


def running_figures(network: keras.Model) -> dict[str, np.ndarray]:
    """Copy the state of a network's metrics in this epoch, by their variables' paths.

    Relies on ``metrics_variables``: Keras has no public way to continue metrics.
    """
    return {
        variable.path: np.array(keras.ops.convert_to_numpy(variable))
        for variable in network.metrics_variables
    }


def set_running_figures(network: keras.Model, figures: dict[str, np.ndarray]) -> None:
    """Continue from the state of metrics that `running_figures` returned.

    Raises
    ------
    ValueError
        If they don't match the network's metrics.
    """
    variables = {variable.path: variable for variable in network.metrics_variables}
    expected = {name: tuple(variable.shape) for name, variable in variables.items()}
    received = {name: np.shape(value) for name, value in figures.items()}
    if received != expected:
        raise ValueError(
            f"This network's metrics have the variables {_listed(expected)}. "
            f"Received: {_listed(received)}"
        )
    for name, value in figures.items():
        variables[name].assign(value)


def _listed(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {shape}" if shape else name for name, shape in shapes.items()) or "-"


def variable_index(optimizer: keras.optimizers.Optimizer, variable: Any) -> int:
    """Return the index of a variable among those that an optimiser was built with.

    Relies on ``_get_variable_index``: TensorFlow passes its own variables to ``update_step``, and
    Keras' example of an ``update_step`` calls this method too.
    """
    index: int = optimizer._get_variable_index(variable)
    return index


def run_ahead(callback: keras.callbacks.Callback, allowed: bool = True) -> None:
    """Let Keras begin the next step before a callback receives this step's figures.

    Relies on ``async_safe``: without it Keras waits for each step's figures.
    """
    callback.async_safe = allowed


@contextmanager
def missing_weights_raise() -> Iterator[None]:
    """Raise an error if a file lacks weights of some layers, of which Keras only warns.

    Relies on the warning's text, since it has no category of its own.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*freshly-initialized")
        yield


@contextmanager
def retracing_hidden() -> Iterator[None]:
    """Train or predict without TensorFlow's warning of retracing.

    TensorFlow counts the traces of all networks together, since Keras creates their functions by
    the same code; the pool traces each network once. Relies on the text of the logged warning.
    """
    logger = logging.getLogger("tensorflow")
    logger.addFilter(_is_not_about_retracing)
    try:
        yield
    finally:
        logger.removeFilter(_is_not_about_retracing)


def _is_not_about_retracing(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()


def download_address(error: Exception) -> str | None:
    """Return the address that Keras could not download; None for any other error.

    Relies on the error's text, since it is a plain Exception.

    Examples
    --------
    >>> from skvision.networks.keras_compat import download_address
    >>> download_address(Exception("URL fetch failure on https://site/a.h5: None -- no route"))
    'https://site/a.h5'
    """
    found = re.search(r"https?://\S+?(?=:?(?:\s|$))", str(error))
    return found[0] if found else None
