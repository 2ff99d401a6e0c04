"""The weights of a pretrained network: published, from a file, or random."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ..backbone_table import BACKBONES
from . import efficientnet_lite
from .keras_compat import download_address, missing_weights_raise
from .layers import leaves, settle
from .network_reader import NETWORK_SUFFIXES, read_network, refuse_code
from .python_random import python_random_kept

__all__ = ["network_with_weights", "published_weights", "weights_digest"]

BUNDLED = "EfficientNetLite0"


@python_random_kept()
def network_with_weights(
    name: str,
    builder: Callable[..., keras.Model],
    input_shape: tuple[int, int, int],
    weights: Any,
    seed: int,
    top: bool = False,
) -> keras.Model:
    """Build a network as `keras.applications` does, with or without its top, and set its weights.

    Raises
    ------
    ValueError
        If a weights file is damaged, belongs to another network, or holds code.
    OSError
        If the published weights can't be found or downloaded, or the file doesn't exist.
    """
    if weights == "imagenet":
        return _published(name, builder, input_shape, top)
    network = builder(include_top=top, weights=None, input_shape=input_shape)
    if weights is not None:
        return _from_file(name, builder, network, Path(weights))
    _draw(network, seed)
    return network


def published_weights(name: str, *, top: bool = False) -> Path | None:
    """Return the path of a network's published weights in Keras' cache, downloaded or not.

    The weights with the top are another file. Returns None for the bundled network, whose
    weights come with the package.

    Examples
    --------
    >>> from skvision.networks.backbone_weights import published_weights
    >>> published_weights("NASNetMobile").name
    'nasnet_mobile_no_top.h5'
    >>> published_weights("NASNetMobile", top=True).name
    'nasnet_mobile.h5'
    """
    file = BACKBONES[name].file
    if top:
        file = re.sub(r"_no_?top(_v2)?(?=\.h5$)", "", file)
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    return home / "models" / file if file else None


def _published(
    name: str, builder: Callable[..., keras.Model], input_shape: tuple[int, int, int], top: bool
) -> keras.Model:
    # Keras accepts the published top at one size only
    shape = {} if top else {"input_shape": input_shape}
    try:
        published = builder(include_top=top, weights="imagenet", **shape)
    except Exception as error:
        address = download_address(error)
        if address is None:
            raise
        raise OSError(
            f"The ImageNet weights of {name} are not on this machine and could not be downloaded. "
            f"Download {address} and save it as {published_weights(name, top=top)}, where "
            "Keras looks for it; "
            f"or use backbone={BUNDLED!r}, whose weights come with skvision."
        ) from error
    fits = published.input_shape[1:] == input_shape
    if fits and not any(map(_holds_deviations, leaves(published))):
        return published
    network = builder(include_top=top, weights=None, input_shape=input_shape)
    try:
        _copy_weights(published, network)
    except ValueError as error:
        raise ValueError(
            f"The dense layers of {name} accept only images of {published.input_shape[1:3]} "
            f"pixels. Received: image_size={input_shape[:2]}"
        ) from error
    _scale_once(network)
    return network


# Standard deviations of the published EfficientNets; their files hold them in place of variances.
_PUBLISHED_STD = (0.229, 0.224, 0.225)


def _holds_deviations(layer: keras.layers.Layer) -> bool:
    if not isinstance(layer, keras.layers.Normalization):
        return False
    _, variance, _ = layer.get_weights()
    return variance.size == 3 and np.allclose(variance.ravel(), _PUBLISHED_STD, rtol=0.01)


def _scale_once(network: keras.Model) -> None:
    """Make an EfficientNet scale pixels as its published weights expect, by one layer.

    Their files hold standard deviations where Keras expects variances. Keras corrects this by
    a second scaling layer, but only with ``weights="imagenet"``: with the same weights from a
    file the network would differ. Our networks always have variances and one scaling.
    """
    for layer in filter(_holds_deviations, leaves(network)):
        mean, std, count = layer.get_weights()
        layer.set_weights([mean, std**2, count])
    settle(network)


def _from_file(
    name: str, builder: Callable[..., keras.Model], network: keras.Model, path: Path
) -> keras.Model:
    """Load the weights from a weights file or a network file, with or without its top."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no weights file {path}.")
    if path.suffix.lower() not in NETWORK_SUFFIXES:
        raise ValueError(
            f"A weights file ends in {', '.join(NETWORK_SUFFIXES)}. Received: {path.name!r}"
        )
    failure = None
    # the cheapest first: weights without a top, weights with a top, a whole network
    for attempt in (_load_these, _load_with_top, _load_from_network):
        try:
            refuse_code(path)
            with missing_weights_raise():
                attempt(network, builder, path)
            _scale_once(network)
            return network
        except Exception as error:  # weights of another network, with a top, or damaged
            failure = failure or error
    reason = (str(failure).strip() or type(failure).__name__).splitlines()[0]
    raise ValueError(f"{path} does not hold the weights of {name}: {reason}") from failure


def _load_these(network: keras.Model, builder: Callable[..., keras.Model], path: Path) -> None:
    network.load_weights(path)


def _load_with_top(network: keras.Model, builder: Callable[..., keras.Model], path: Path) -> None:
    whole = builder(include_top=True, weights=None)
    whole.load_weights(path)
    _copy_weights(whole, network)


def _load_from_network(
    network: keras.Model, builder: Callable[..., keras.Model], path: Path
) -> None:
    _copy_weights(read_network(path), network)


def _copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Set the weights of `target` from the first layers of `source`, whose top is ignored."""
    given = [layer for layer in leaves(source) if layer.weights]
    taking = [layer for layer in leaves(target) if layer.weights]
    for layer, other in zip(taking, given, strict=False):
        shapes, others = ([tuple(w.shape) for w in each.weights] for each in (layer, other))
        if shapes != others:
            raise ValueError(
                f"its layer {other.name!r} has weights of shapes {others}, but {layer.name!r} "
                f"needs {shapes}"
            )
    if len(given) < len(taking):
        raise ValueError(f"it has {len(given)} layers with weights, but {len(taking)} are needed")
    for layer, other in zip(taking, given, strict=False):
        layer.set_weights(other.get_weights())


def _draw(network: keras.Model, seed: int) -> None:
    """Draw all kernels again, each from (seed, its number), without a global generator.

    Draws as He and others (2015), whatever the layers' own initialisers are, so that values
    neither vanish nor explode over many layers.
    """
    number = 0
    for layer in network.layers:
        for variable in layer.weights:
            if len(variable.shape) < 2:
                continue  # biases and normalisation have constant initial values
            number += 1
            depthwise = len(variable.shape) == 4 and "depthwise" in f"{layer.name}{variable.name}"
            one_each = depthwise or isinstance(layer, keras.layers.DepthwiseConv2D)
            fan_in = np.prod(variable.shape[:2] if one_each else variable.shape[:-1])
            rng = np.random.default_rng([seed, number])
            drawn = rng.standard_normal(variable.shape, dtype=np.float32)
            variable.assign(drawn * np.float32(np.sqrt(2 / fan_in)))


def weights_digest(name: str, weights: Any, seed: int) -> str:
    """Return the identity of a network's weights, a part of the keys of cached features.

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
