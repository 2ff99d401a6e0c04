"""The user's own network as a backbone: read it and remove its top.

One rule holds for features and for fine-tuning: a network that classifies (a fitted classifier
of skvision, a network that ends in a softmax) loses the dense layers after the last feature map;
any other network is used whole.
"""

from __future__ import annotations

# first, since it hides the messages of Keras' backend
from .. import networks  # noqa: F401  isort: skip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
from sklearn.frozen import FrozenEstimator

from .._sklearn.network_estimator import NetworkEstimator
from .._system.bounded_store import Store
from ..networks import BUILDING, OwnNetwork
from ..networks.backbones import up_to_layer
from ..networks.finetuned_architecture import flattened
from ..networks.network_reader import NETWORK_SUFFIXES, read_network
from ..networks.own_network import digest_of_weights
from ..persistence import load

__all__ = ["is_own", "own_bodies", "own_body", "without_top"]

SAFE_SUFFIX = ".skv"
# files of joblib and pickle, which can run code when they are read
_UNSAFE_SUFFIXES = (".joblib", ".pkl", ".pickle")

#: bodies by their source, so that a search reads each once
own_bodies: Store[Any, OwnNetwork] = Store(
    4, 2**30, lambda own: sum(array.nbytes for array in own.weights), BUILDING
)


def is_own(backbone: Any) -> bool:
    """Return whether a backbone is the user's own network, not the name of a pretrained one."""
    if not isinstance(backbone, str | os.PathLike):
        return True
    return Path(backbone).suffix.lower() in (SAFE_SUFFIX, *NETWORK_SUFFIXES, *_UNSAFE_SUFFIXES)


def own_body(backbone: Any, layer: str | None = None) -> OwnNetwork:
    """Read the user's own network, without its top.

    Parameters
    ----------
    backbone : object
        A fitted classifier of skvision, the file of one (``.skv``), a Keras model, or the file
        of one (``.keras``, ``.hdf5``, ``.h5``).
    layer : str, default=None
        Name of its last layer; None for the rule above.

    Returns
    -------
    OwnNetwork

    Raises
    ------
    FileNotFoundError
        If the file doesn't exist.
    ValueError
        If `backbone` is something else, the file is damaged or holds something else, or the
        layer doesn't exist.
    NotFittedError
        If the classifier has not been fitted.
    """
    if isinstance(backbone, FrozenEstimator):
        backbone = backbone.estimator
    key, read = _source(backbone)
    return own_bodies.get((key, layer), lambda: OwnNetwork.of(_body(read(), layer)))


def _source(backbone: Any) -> tuple[Any, Callable[[], Any]]:
    """Return a key that identifies a backbone, and a function that reads it."""
    if isinstance(backbone, str | os.PathLike):
        return _file_source(Path(backbone))
    if isinstance(backbone, keras.Model):
        return digest_of_weights(backbone.to_json(), backbone.get_weights()), lambda: backbone
    if isinstance(backbone, NetworkEstimator):
        return backbone.network_digest(), lambda: backbone
    raise ValueError(
        "backbone must be a name, a keras.Model, a fitted classifier of skvision, or the file of "
        f"one of these. Received: {backbone!r}"
    )


def _file_source(path: Path) -> tuple[Any, Callable[[], Any]]:
    suffix = path.suffix.lower()
    if suffix in _UNSAFE_SUFFIXES:
        raise ValueError(
            f"Reading {path.name} can run code from it. If you trust its source, pass "
            f"backbone=joblib.load({str(path)!r}). A .skv file of skvision.save can be passed "
            "directly."
        )
    try:
        status = path.stat()
        key = str(path.resolve()), status.st_mtime_ns, status.st_size, status.st_ino
    except OSError:
        key = None  # the reader raises the error
    return key, lambda: _read(path)


def _read(path: Path) -> Any:
    if path.suffix.lower() in NETWORK_SUFFIXES:
        return read_network(path)
    model = load(path)
    if not isinstance(model, NetworkEstimator):
        raise ValueError(
            f"backbone={str(path)!r} holds a {type(model).__name__}, not a skvision classifier "
            "that trains a network."
        )
    return model


def _body(source: Any, layer: str | None) -> keras.Model:
    """Return the body of a network or of a classifier's network."""
    classifies = isinstance(source, NetworkEstimator)
    network = source.build_network() if classifies else source
    if layer is not None:
        return up_to_layer(network, layer)
    if classifies or _ends_in_softmax(network):
        return without_top(flattened(network))
    return network


def _ends_in_softmax(network: keras.Model) -> bool:
    last = network.layers[-1]
    if isinstance(last, keras.Model):
        return _ends_in_softmax(last)
    activation = getattr(last, "activation", None)
    return isinstance(last, keras.layers.Softmax) or activation is keras.activations.softmax


def without_top(network: keras.Model) -> keras.Model:
    """Remove the dense layers after the last feature map.

    The result ends where the feature map becomes a vector. If no weights would remain (in a
    network of dense layers alone), only the last layer is removed.

    Parameters
    ----------
    network : keras.Model
        A result of `skvision.networks.finetuned_architecture.flattened`.

    Returns
    -------
    keras.Model

    Examples
    --------
    >>> import keras
    >>> from skvision.feature_extraction.own_backbone import without_top
    >>> from skvision.networks.finetuned_architecture import flattened
    >>> network = flattened(keras.Sequential([
    ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(5, 3), keras.layers.Flatten(),
    ...     keras.layers.Dense(4), keras.layers.Dense(2, "softmax")]))
    >>> without_top(network).output_shape
    (None, 180)
    """
    name = f"{network.name}_body"
    tensor = network.outputs[0]
    while len(tensor.shape) == 2:
        below = _only_input(network, tensor)
        if below is None:
            break
        if len(below.shape) > 2:
            body = keras.Model(network.inputs, tensor, name=name)
            if body.weights:
                return body
            break
        tensor = below
    return keras.Model(network.inputs, network.layers[-1].input, name=name)


def _only_input(network: keras.Model, tensor: keras.KerasTensor) -> keras.KerasTensor | None:
    """Return the input of the layer that made a tensor, if it is a single tensor."""
    for layer in network.layers:
        if layer.output is tensor and not isinstance(layer, keras.layers.InputLayer):
            given = layer.input
            return None if isinstance(given, list | tuple | dict) else given
    return None
