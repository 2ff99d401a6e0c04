"""A pretrained body under a new dense head, and its trainable layers.

The head's layers are always the last, so layers are counted from the end.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import keras
from keras import layers

from .backbones import build_backbone, pooled
from .keras_compat import rewired
from .layers import free_name, seed_named, settle
from .names import ACTIVATIONS

__all__ = [
    "FineTunedArchitecture",
    "HeadArchitecture",
    "LearningPart",
    "first_unfrozen",
    "flattened",
    "is_kernel_layer",
]

# layers that act in training only: a body is used in inference mode
_NOISE = (
    layers.AlphaDropout,
    layers.Dropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.SpatialDropout3D,
)


@dataclass(frozen=True)
class HeadArchitecture:
    """Dense layers from features to probabilities.

    Parameters
    ----------
    n_features : int
        Length of a feature vector.
    n_classes : int
        Number of units of the softmax.
    dense_units : tuple of int, default=(256,)
        Number of units of each dense layer before the softmax.
    dense_dropout : float, default=0.5
        Dropout rate after each of these layers.
    activation : str, default="relu"
        A name in `skvision.networks.ACTIVATIONS`.
    dtype : str, default="float32"
        A dtype policy of Keras. The softmax always uses 32 bits.

    Examples
    --------
    >>> from skvision.networks.finetuned_architecture import HeadArchitecture
    >>> HeadArchitecture(10, 2, dense_units=(4,)).build().count_params()
    54
    """

    n_features: int
    n_classes: int
    dense_units: tuple[int, ...] = (256,)
    dense_dropout: float = 0.5
    activation: str = "relu"
    dtype: str = "float32"

    @property
    def input_shape(self) -> tuple[int]:
        """Shape of its input, a feature vector."""
        return (self.n_features,)

    @property
    def n_layers(self) -> int:
        """Number of layers that `put_on` adds."""
        return 3 * len(self.dense_units) + 1

    def build(self) -> keras.Model:
        """Build the head alone, not compiled."""
        inputs = keras.Input((self.n_features,), name="features")
        return keras.Model(inputs, self.put_on(inputs, "head"), name="head")

    def put_on(self, x: keras.KerasTensor, prefix: str) -> keras.KerasTensor:
        """Add the layers to a tensor of features; their names begin with `prefix`."""
        dtype = self.dtype
        for number, units in enumerate(self.dense_units, start=1):
            name = f"{prefix}_dense{number}"
            x = layers.Dense(units, name=name, dtype=dtype)(x)
            activation = ACTIVATIONS[self.activation]
            x = layers.Activation(activation, name=f"{name}_activation", dtype=dtype)(x)
            name = f"{name}_dropout"
            seed = seed_named(name)
            x = layers.Dropout(self.dense_dropout, seed=seed, name=name, dtype=dtype)(x)
        return layers.Dense(
            self.n_classes, activation="softmax", name=f"{prefix}_predictions", dtype="float32"
        )(x)


@dataclass(frozen=True)
class FineTunedArchitecture:
    """A body, given by its name or its configuration, and a head.

    It holds no weights: a fitted estimator predicts with its own weights, whatever the
    source of the body's initial weights.

    Parameters
    ----------
    input_shape : tuple of int
        (height, width, channels).
    backbone : str
        A name in `skvision.backbone_table.BACKBONES`, or the name of the user's own
        network.
    pooling : {"avg", "max", "flatten"}
        How a feature map becomes a vector.
    head : HeadArchitecture
    config : str, default=""
        The configuration of the user's own network, as JSON.
    """

    input_shape: tuple[int, int, int]
    backbone: str
    pooling: str
    head: HeadArchitecture
    config: str = ""

    def build(self) -> keras.Model:
        """Build the network, not compiled; its layers are flat, and the head's come last."""
        body = self._body()
        inputs = keras.Input(self.input_shape, name="image")
        x, n_channels = inputs, body.input_shape[-1]
        if self.input_shape[-1] != n_channels:
            x = layers.Concatenate(name="channels", dtype=self.head.dtype)([inputs] * n_channels)
        taken = {"image", "channels"}
        x = _inlined(body, x, taken, self.head.dtype, renumber=not self.config)
        prefix = next(
            prefix
            for prefix in ("head", *(f"head{number}" for number in range(2, 1000)))
            if not any(name.startswith(f"{prefix}_") for name in taken)
        )
        return keras.Model(inputs, self.head.put_on(x, prefix), name="finetuned")

    def _body(self) -> keras.Model:
        if self.config:
            # Keras' safe mode refuses code in a configuration (a Lambda layer)
            return pooled(keras.models.model_from_json(self.config), self.pooling)
        size = self.input_shape[:2]
        return pooled(build_backbone(self.backbone, image_size=size, weights=None), self.pooling)


def flattened(network: keras.Model, *, renumber: bool = False) -> keras.Model:
    """Return a copy of a network, weights included, with flat layers and without dropout.

    Parameters
    ----------
    network : keras.Model
        Functional or Sequential.
    renumber : bool, default=False
        Whether to number automatic names from 1 in this network; Keras counts them through
        the whole process (``conv2d_17``).

    Returns
    -------
    keras.Model

    Examples
    --------
    >>> import keras
    >>> from skvision.networks.finetuned_architecture import flattened
    >>> inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="in")])
    >>> outer = keras.Sequential([inner, keras.layers.Dense(3, name="out")])
    >>> [layer.name for layer in flattened(outer).layers]
    ['image', 'in', 'out']
    """
    copies: dict[int, tuple[Any, Any]] = {}
    inputs = keras.Input(network.input_shape[1:], name="image")
    outputs = _inlined(network, inputs, {"image"}, "float32", copies, renumber=renumber)
    flat = keras.Model(inputs, outputs, name=network.name)
    for layer, copy in copies.values():
        if layer.weights:
            copy.set_weights(layer.get_weights())
    settle(flat)
    return flat


def _inlined(
    network: keras.Model,
    tensors: Any,
    taken: set[str],
    dtype: str,
    copies: dict[int, tuple[Any, Any]] | None = None,
    *,
    renumber: bool = False,
) -> Any:
    """Call copies of a network's layers on tensors, nested networks included.

    Dropout is left out. Each copy gets a name that is not `taken`. `copies` collects pairs
    (layer, copy); a layer that is used twice has one copy.
    """
    copies = {} if copies is None else copies

    def replayed(operation: Any) -> Any:
        if isinstance(operation, keras.Model):
            return lambda given, **_: _inlined(
                operation, given, taken, dtype, copies, renumber=renumber
            )
        if isinstance(operation, _NOISE):
            return lambda given, **_: given
        if not isinstance(operation, keras.layers.Layer):
            return operation
        if id(operation) not in copies:
            config = operation.get_config()
            stem = re.sub(r"_\d+$", "", operation.name)
            made_up = stem.replace("_", "") == type(operation).__name__.lower()
            name = stem if renumber and made_up else operation.name
            config["name"] = free_name(name, taken)
            taken.add(config["name"])
            if config.get("seed", 0) is None:
                config["seed"] = seed_named(config["name"])
            if dtype != "float32":
                config["dtype"] = dtype
            copies[id(operation)] = operation, type(operation).from_config(config)
        return copies[id(operation)][1]

    if not isinstance(network, keras.Function):  # a Sequential
        network = keras.Model(network.inputs, network.outputs)
    return rewired(network, tensors, replayed)


@dataclass(frozen=True)
class LearningPart:
    """A network's trainable layers and their shares of the learning rate.

    Batch normalisation below the head is never trainable, so that Keras normalises by the
    averages that it has. (Calling a body with ``training=False`` isn't enough: in Keras 3.15
    ``fit`` overrides it.)

    Parameters
    ----------
    n_learning : int
        Number of trainable layers, counted from the last, the head's included.
    n_head : int
        Number of layers of the head.
    layer_decay : float, default=1.0
        Factor of the learning rate from each layer with a kernel to the one before it; below
        1, earlier layers have smaller steps.
    """

    n_learning: int
    n_head: int
    layer_decay: float = 1.0

    def freeze(self, network: keras.Model) -> None:
        """Set each layer trainable or not."""
        first = len(network.layers) - self.n_learning
        for number, layer in enumerate(network.layers):
            in_head = number >= len(network.layers) - self.n_head
            normalises = isinstance(layer, keras.layers.BatchNormalization)
            layer.trainable = number >= first and (in_head or not normalises)

    def rate_shares(self, network: keras.Model) -> list[float]:
        """Return the share of the learning rate of each of ``network.trainable_variables``."""
        shares: dict[str, float] = {}
        share = 1.0
        for layer in reversed(network.layers[: -self.n_head]):
            # a layer without a kernel has the share of the one below it, whose outputs it scales
            shares.update({v.path: share * self.layer_decay for v in layer.weights})
            if is_kernel_layer(layer):
                share *= self.layer_decay
        return [shares.get(variable.path, 1.0) for variable in network.trainable_variables]


def is_kernel_layer(layer: keras.layers.Layer) -> bool:
    """Return whether a layer has a kernel, as convolutions and dense layers do."""
    return any(len(variable.shape) > 1 for variable in layer.weights)


def first_unfrozen(unfreeze: Any, names: Sequence[str], kernels: Sequence[bool]) -> int:
    """Read the parameter ``unfreeze``.

    Parameters
    ----------
    unfreeze : "all", "none", str or int
        As in `skvision.FineTunedClassifier`.
    names : sequence of str
        The layers of a body, from the first to the last.
    kernels : sequence of bool
        Whether each of them has a kernel.

    Returns
    -------
    int
        Position of the first trainable layer; the number of layers if none is trainable.

    Raises
    ------
    ValueError
        If the layer or block doesn't exist; the message lists those that exist.

    Examples
    --------
    >>> from skvision.networks.finetuned_architecture import first_unfrozen
    >>> names = ["block1_conv", "block1_pool", "block10_conv", "block10_pool"]
    >>> [first_unfrozen(it, names, [True, False] * 2) for it in ("all", "none", "block10", 1)]
    [0, 4, 2, 2]
    """
    if unfreeze in ("all", "none"):
        return 0 if unfreeze == "all" else len(names)
    positions = [position for position, kernel in enumerate(kernels) if kernel]
    if isinstance(unfreeze, Integral) and not isinstance(unfreeze, bool):
        if 1 <= int(unfreeze) <= len(positions):
            return positions[-int(unfreeze)]
        raise ValueError(
            f"unfreeze={unfreeze!r}: the backbone has {len(positions)} layers with a kernel, so it "
            f"must be from 1 to {len(positions)}, or 'none'."
        )
    if not isinstance(unfreeze, str):
        raise ValueError(
            "unfreeze must be 'all', 'none', the name of a layer or block, or a number of layers. "
            f"Received: {unfreeze!r}"
        )
    for position, name in enumerate(names):
        # block1 must not match block10
        after = name[len(unfreeze) :] if name.startswith(unfreeze) else "0"
        if not after[:1].isdigit():
            return position
    blocks = list(dict.fromkeys(names[position].split("_")[0] for position in positions))
    near = difflib.get_close_matches(unfreeze, names, n=5)
    raise ValueError(
        f"The backbone has no layer or block {unfreeze!r} to unfreeze from. Blocks: "
        f"{', '.join(blocks)}; layers"
        + (f" with a similar name: {', '.join(near)}." if near else f": {', '.join(names)}.")
    )
