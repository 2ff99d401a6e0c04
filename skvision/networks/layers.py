"""The layers of a network, those of nested networks included."""

from __future__ import annotations

import zlib
from collections.abc import Container, Iterator
from itertools import chain, count

import keras

__all__ = ["free_name", "leaves", "random_states", "seed_named", "settle"]


def leaves(network: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yield all layers; a nested network is replaced by its layers.

    Examples
    --------
    >>> import keras
    >>> from skvision.networks.layers import leaves
    >>> inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="in")])
    >>> outer = keras.Sequential([inner, keras.layers.Dense(3, name="out")])
    >>> [layer.name for layer in leaves(outer)]
    ['in', 'out']
    """
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer)
        else:
            yield layer


def free_name(name: str, taken: Container[str]) -> str:
    """Return `name`, with a number after it if a layer already has that name.

    Examples
    --------
    >>> from skvision.networks.layers import free_name
    >>> free_name("features", {"image"}), free_name("features", {"features", "features_2"})
    ('features', 'features_3')
    """
    numbered = (f"{name}_{number}" for number in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)


def random_states(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Return the states of a layer's random generators, which aren't weights.

    Examples
    --------
    >>> import keras
    >>> from skvision.networks.layers import random_states
    >>> [len(random_states(keras.layers.Dropout(0.5))), len(random_states(keras.layers.Dense(1)))]
    [1, 0]
    """
    weights = {id(variable) for variable in layer.weights}
    return [variable for variable in layer.variables if id(variable) not in weights]


def seed_named(name: str) -> int:
    """Return a seed for the layer of this name; without one, PyTorch uses its global generator.

    Examples
    --------
    >>> from skvision.networks.layers import seed_named
    >>> seed_named("dense1_dropout") == seed_named("dense2_dropout")
    False
    """
    return zlib.crc32(name.encode()) >> 1


def settle(network: keras.Model) -> bool:
    """Make normalisation layers use the weights that were set.

    They compute with copies of their weights, which Keras updates only when it reads a file.

    Returns
    -------
    bool
        Whether a layer changed; functions traced before are then out of date.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from skvision.networks.layers import settle
    >>> network = keras.Sequential([keras.Input((1,)), keras.layers.Normalization()])
    >>> network.set_weights([np.array([1.0]), np.array([4.0]), np.array(0)])
    >>> settle(network), settle(network)
    (True, False)
    """
    changed = False
    for layer in leaves(network):
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            before = _normalisation(layer)
            layer.finalize_state()
            changed |= before != _normalisation(layer)
    return changed


def _normalisation(layer: keras.layers.Normalization) -> list[list[float]]:
    return [
        keras.ops.convert_to_numpy(each).ravel().tolist() for each in (layer.mean, layer.variance)
    ]
