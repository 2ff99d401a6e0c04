"""Where a ready-made network's weights come from: published, a file, or random."""

from __future__ import annotations

import hashlib
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from . import efficientnet_lite
from .backbone_table import BACKBONES

__all__ = ["body_with_weights", "digest_of_network", "published_weights", "weights_digest"]

BUNDLED = "EfficientNetLite0"
WEIGHT_SUFFIXES = (".h5", ".hdf5", ".keras")


def body_with_weights(
    name: str,
    builder: Callable[..., keras.Model],
    input_shape: tuple[int, int, int],
    weights: Any,
    seed: int,
) -> keras.Model:
    """Build a network of `keras.applications`' kind without its top, weights in it.

    Raises
    ------
    ValueError
        If a weights file is of another network.
    OSError
        If published weights are neither here nor to be downloaded, or there is no
        such file.
    """
    if weights == "imagenet":
        return _published(name, builder, input_shape)
    # Keras names initialisers' seeds by Python's own generator
    state = random.getstate()
    try:
        body = builder(include_top=False, weights=None, input_shape=input_shape)
        if weights is not None:
            return _from_file(name, builder, body, Path(weights))
    finally:
        random.setstate(state)
    _draw(body, seed)
    return body


def published_weights(name: str) -> Path | None:
    """Return where Keras keeps a network's published weights, there or not.

    None for the bundled network, whose weights come with the package.

    Examples
    --------
    >>> from skvision.networks.backbone_weights import published_weights
    >>> published_weights("NASNetMobile").name
    'nasnet_mobile_no_top.h5'
    """
    file = BACKBONES[name].file
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    return home / "models" / file if file else None


def _published(
    name: str, builder: Callable[..., keras.Model], input_shape: tuple[int, int, int]
) -> keras.Model:
    try:
        return builder(include_top=False, weights="imagenet", input_shape=input_shape)
    except Exception as error:
        address = re.search(r"https?://[^\s:]+", str(error))
        if address is None:
            raise
        raise OSError(
            f"The ImageNet weights of {name} are not on this machine and could not be downloaded. "
            f"Get {address[0]} and put it where Keras looks for it, as {published_weights(name)}; "
            f"or use backbone={BUNDLED!r}, whose weights come with skvision."
        ) from error


def _from_file(
    name: str, builder: Callable[..., keras.Model], body: keras.Model, path: Path
) -> keras.Model:
    """Load a file of weights, or of a whole network, with or without its top."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no weights file {path}.")
    if path.suffix.lower() not in WEIGHT_SUFFIXES:
        raise ValueError(
            f"A weights file ends in {', '.join(WEIGHT_SUFFIXES)}. Received: {path.name!r}"
        )
    try:
        body.load_weights(path)
        return body
    except Exception as error:  # another network's, or with a top, or damaged
        first = error
    try:
        whole = builder(include_top=True, weights=None)
        whole.load_weights(path)
        by_name = {layer.name: layer for layer in whole.layers}
        for layer in body.layers:
            layer.set_weights(by_name[layer.name].get_weights())
        return body
    except Exception:
        raise ValueError(
            f"{path} does not hold the weights of {name}: {str(first).splitlines()[0]}"
        ) from first


def _draw(network: keras.Model, seed: int) -> None:
    """Draw all kernels anew, each from (seed, its number): no global generator is asked.

    By He and others (2015), whatever the layers' own initialisers are: the size of
    what goes through many layers neither vanishes nor explodes.
    """
    number = 0
    for layer in network.layers:
        for variable in layer.weights:
            if len(variable.shape) < 2:
                continue  # biases and normalisation, which start as constants
            number += 1
            depthwise = len(variable.shape) == 4 and "depthwise" in f"{layer.name}{variable.name}"
            one_each = depthwise or isinstance(layer, keras.layers.DepthwiseConv2D)
            fan_in = np.prod(variable.shape[:2] if one_each else variable.shape[:-1])
            rng = np.random.default_rng([seed, number])
            drawn = rng.standard_normal(variable.shape, dtype=np.float32)
            variable.assign(drawn * np.float32(np.sqrt(2 / fan_in)))


def weights_digest(name: str, weights: Any, seed: int) -> str:
    """Identity of a network's weights: what a kept feature is filed under.

    Examples
    --------
    >>> from skvision.networks.backbone_weights import weights_digest
    >>> weights_digest("VGG16", None, 7)
    'random 7'
    """
    if weights is None:
        return f"random {seed}"
    if weights != "imagenet":
        path = Path(weights)
        if not path.is_file():
            raise FileNotFoundError(f"There is no weights file {path}.")
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if name == BUNDLED:
        return efficientnet_lite.weights_digest()
    # Keras checks the file's hash when it downloads it
    return f"imagenet, keras {keras.__version__}"


def digest_of_network(network: keras.Model) -> str:
    """Identity of a network of the user's own: its layers and its weights."""
    digest = hashlib.sha256(network.to_json().encode())
    for array in network.get_weights():
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
