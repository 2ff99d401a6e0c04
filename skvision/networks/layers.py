"""The layers of a network, seen through the networks that are nested in it."""

from __future__ import annotations

from collections.abc import Iterator

import keras

__all__ = ["leaves"]


def leaves(network: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yield all layers, of a nested network its layers in its place.

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
