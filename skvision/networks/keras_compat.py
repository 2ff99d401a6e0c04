"""All that leans on Keras' undocumented parts: what it leans on, and why there is no other way.

tests/networks/test_keras_compat.py tells which of them a new Keras has changed.
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
    "relaid",
    "run_ahead",
    "running_figures",
    "set_running_figures",
    "synchronise",
    "variable_index",
]

#: the module that a configuration names for a functional model, whose class is not exported
FUNCTIONAL_MODULE = "keras.src.models.functional"
#: how the module of an operation in a functional model begins: ``keras.ops.flip`` is the class
#: Flip in one of these, not exported either
OPERATION_MODULES = "keras.src.ops."


def for_any_backend(config: Any) -> Any:
    """A configuration in which optimisers have the module that they have with any backend.

    With PyTorch, Keras writes the private module of its own optimisers, which no other backend
    can import.

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


def relaid(network: keras.Model, tensors: Any, replacement: Callable[[Any], Any]) -> Any:
    """Lay a functional network's graph onto other tensors, each operation replaced.

    Leans on ``Function._run_through_graph``. `keras.models.clone_model` is the public way, but it
    keeps networks that are nested in the network, and needs a `keras.Input` to begin at.

    Parameters
    ----------
    network : keras.Model
        Functional.
    tensors : KerasTensor or list of KerasTensor
        What takes the place of its inputs.
    replacement : callable
        Gets each operation, returns what is called in its place.

    Returns
    -------
    KerasTensor or nested structure of KerasTensor
        What takes the place of its outputs.
    """
    return network._run_through_graph(tensors, operation_fn=replacement)


def forget_traces(network: keras.Model) -> None:
    """Have a network traced again: what was traced before holds numbers that have changed.

    Leans on ``train_function`` and ``predict_function``, which Keras sets to None itself when it
    compiles. ``compile`` is the public way, and would take a new optimiser.
    """
    network.train_function = network.predict_function = None


def synchronise(network: keras.Model) -> None:
    """Put into a network's variables what they are: with JAX, `fit` has them elsewhere meanwhile.

    Leans on JAX's ``jax_state_sync``. Within an epoch there is no other way.
    """
    if keras.config.backend() == "jax":
        network.jax_state_sync()


def running_figures(network: keras.Model) -> dict[str, np.ndarray]:
    """Copy what a network's metrics have counted in this epoch, by their variables' paths.

    Leans on ``metrics_variables``: metrics have no public way to be continued.
    """
    return {
        variable.path: np.array(keras.ops.convert_to_numpy(variable))
        for variable in network.metrics_variables
    }


def set_running_figures(network: keras.Model, figures: dict[str, np.ndarray]) -> None:
    """Go on counting from figures that `running_figures` gave.

    Raises
    ------
    ValueError
        If they are not those that the network's metrics count.
    """
    variables = {variable.path: variable for variable in network.metrics_variables}
    expected = {name: tuple(variable.shape) for name, variable in variables.items()}
    received = {name: np.shape(value) for name, value in figures.items()}
    if received != expected:
        raise ValueError(
            f"The metrics of this network count {_listed(expected)}. Received: {_listed(received)}"
        )
    for name, value in figures.items():
        variables[name].assign(value)


def _listed(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {shape}" if shape else name for name, shape in shapes.items()) or "-"


def variable_index(optimizer: keras.optimizers.Optimizer, variable: Any) -> int:
    """The place of a variable among those that an optimiser was built with.

    Leans on ``_get_variable_index``: TensorFlow gives ``update_step`` variables of its own, and
    Keras' example of an ``update_step`` calls this too.
    """
    index: int = optimizer._get_variable_index(variable)
    return index


def run_ahead(callback: keras.callbacks.Callback, allowed: bool = True) -> None:
    """Let Keras begin the next step before a callback has this one's figures.

    Leans on ``async_safe``: without it Keras waits for each step's figures.
    """
    callback.async_safe = allowed


@contextmanager
def missing_weights_raise() -> Iterator[None]:
    """Raise what Keras only warns of: layers for which a file holds no weights.

    Leans on the warning's text, which has no category of its own.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*freshly-initialized")
        yield


@contextmanager
def retracing_unsaid() -> Iterator[None]:
    """Train or predict without TensorFlow's warning of retracing.

    TensorFlow counts the traces of all networks together, since Keras makes their functions by
    the same code; the pool traces each network once. Leans on the warning's text: it is logged.
    """
    logger = logging.getLogger("tensorflow")
    logger.addFilter(_says_no_retracing)
    try:
        yield
    finally:
        logger.removeFilter(_says_no_retracing)


def _says_no_retracing(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()


def download_address(error: Exception) -> str | None:
    """The address that Keras could not download; None if an error is of another kind.

    Leans on the error's text: it is a plain Exception.

    Examples
    --------
    >>> from skvision.networks.keras_compat import download_address
    >>> download_address(Exception("URL fetch failure on https://site/a.h5: None -- no route"))
    'https://site/a.h5'
    """
    found = re.search(r"https?://\S+?(?=:?(?:\s|$))", str(error))
    return found[0] if found else None
