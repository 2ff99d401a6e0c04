"""A network of one's own as a backbone: opened, and its old dense top taken off."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras
from sklearn.frozen import FrozenEstimator

from ..networks.finetuned_architecture import flattened
from ..networks.network_reader import NETWORK_SUFFIXES, read_network
from ..persistence import load

__all__ = ["own_body", "without_top"]

SAFE_SUFFIX = ".skv"
# written by joblib and pickle: reading one can run code that is in it
_UNSAFE_SUFFIXES = (".joblib", ".pkl", ".pickle")


def own_body(backbone: Any) -> Any:
    """Read what a user passes as backbone: a network of his own, without its top.

    Parameters
    ----------
    backbone : object
        A fitted classifier of skvision, the file of one (``.skv``), a Keras model,
        the file of one (``.keras``, ``.hdf5``, ``.h5``), or the name of a ready-made
        network, which is returned as it is.

    Returns
    -------
    str or keras.Model

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged or holds something else.
    NotFittedError
        If the classifier has not been fitted.
    """
    backbone = _opened(backbone)
    if isinstance(backbone, FrozenEstimator):
        backbone = backbone.estimator
    if isinstance(backbone, keras.Model):
        flat = flattened(backbone)
        return without_top(flat) if _classifies(flat) else flat
    if hasattr(type(backbone), "model_"):
        return without_top(flattened(backbone.model_))
    return backbone


def _opened(backbone: Any) -> Any:
    if not isinstance(backbone, str | os.PathLike):
        return backbone
    path = Path(backbone)
    suffix = path.suffix.lower()
    if suffix in NETWORK_SUFFIXES:
        return read_network(path)
    if suffix in _UNSAFE_SUFFIXES:
        raise ValueError(
            f"Reading {path.name} can run code that is in it, so that is for you to decide: "
            f"backbone=joblib.load({str(path)!r}), if you trust whoever made it. A .skv file, as "
            "skvision.save writes it, is read here."
        )
    if suffix != SAFE_SUFFIX:
        return backbone
    model = load(path)
    if not hasattr(type(model), "model_"):
        raise ValueError(
            f"backbone={str(path)!r} holds a {type(model).__name__}, not a classifier of skvision "
            "that trains a network."
        )
    return model


def _classifies(network: keras.Model) -> bool:
    last = network.layers[-1]
    activation = getattr(last, "activation", None)
    return isinstance(last, keras.layers.Softmax) or activation is keras.activations.softmax


def without_top(network: keras.Model) -> keras.Model:
    """Take the dense layers off that follow the last feature map.

    What remains ends where the feature map becomes a vector. Where no weights would
    remain (a network of dense layers alone), only the last layer goes.

    Parameters
    ----------
    network : keras.Model
        As `skvision.networks.finetuned_architecture.flattened` makes it.

    Returns
    -------
    keras.Model

    Examples
    --------
    >>> import keras
    >>> from skvision.feature_extraction.backbone_files import without_top
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
    """What the layer that made a tensor was given, if that is one tensor."""
    for layer in network.layers:
        if layer.output is tensor and not isinstance(layer, keras.layers.InputLayer):
            given = layer.input
            return None if isinstance(given, list | tuple | dict) else given
    return None
