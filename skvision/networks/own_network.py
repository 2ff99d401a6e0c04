"""`OwnNetwork`: the user's own network as a value: its layers as text, its weights as arrays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from .._system.forks import backend_runs
from .building import BUILDING
from .layers import leaves, settle

__all__ = ["OwnNetwork", "digest_of_weights"]


@dataclass(frozen=True, eq=False)
class OwnNetwork:
    """The user's own network as a value that can be pickled, compared and built again.

    Parameters
    ----------
    config : str
        The configuration, as Keras writes it in JSON.
    weights : sequence of ndarray
        The weights in Keras' order.
    input_shape : tuple of int or None
        Shape of an input batch: (None, height, width, channels).
    name : str
        The network's name.
    classes : mapping of str to type
        Classes of layers that Keras doesn't find or refuses, by name.

    Examples
    --------
    >>> import keras
    >>> from skvision.networks.own_network import OwnNetwork
    >>> network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="mine")
    >>> own = OwnNetwork.of(network)
    >>> own == OwnNetwork.of(own.build()), own.name, own.input_shape
    (True, 'mine', (None, 4))
    """

    config: str
    weights: Sequence[np.ndarray]
    input_shape: tuple[int | None, ...]
    name: str
    classes: Mapping[str, type]

    @classmethod
    def of(cls, network: keras.Model) -> OwnNetwork:
        """Convert a network, without changing it."""
        classes = {
            type(layer).__name__: type(layer)
            for layer in leaves(network)
            if not type(layer).__module__.startswith("keras.")
            # Keras doesn't read code from a configuration by default
            or isinstance(layer, keras.layers.Lambda)
        }
        config = json.dumps(json.loads(network.to_json()), sort_keys=True)
        return cls(config, network.get_weights(), network.input_shape, network.name, classes)

    def build(self) -> keras.Model:
        """Build the network, weights included."""
        backend_runs()
        with BUILDING:
            network = keras.saving.deserialize_keras_object(
                json.loads(self.config),
                custom_objects=dict(self.classes),
                # a network with code comes from this process or from a pickle
                safe_mode=not self.classes,
            )
        network.set_weights(self.weights)
        settle(network)
        return network

    @property
    def digest(self) -> str:
        """Identity of the layers and the weights."""
        digest = vars(self).get("_digest")
        if digest is None:
            digest = digest_of_weights(self.config, self.weights)
            vars(self)["_digest"] = digest
        return str(digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OwnNetwork) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def digest_of_weights(description: str, weights: Sequence[np.ndarray]) -> str:
    """Return the identity of a network, from its description and its weights.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.networks.own_network import digest_of_weights
    >>> digest_of_weights("dense", [np.zeros(2)])[:8]
    '5b5182fc'
    """
    digest = hashlib.sha256(description.encode())
    for array in weights:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
