"""A network in two parts: images to the last feature map, and the feature map to scores."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from .building import BUILDING
from .finetuned_architecture import flattened, is_kernel_layer
from .python_random import python_random_kept

__all__ = ["NetworkParts", "NoFeatureMapError", "split_network"]


class NoFeatureMapError(ValueError):
    """A network has no feature map to make a heat map of."""


@dataclass(frozen=True)
class NetworkParts:
    """The two parts of a network, which share no layer.

    Parameters
    ----------
    body : keras.Model
        Maps images (n, height, width, n_channels) to feature maps, flattened to
        (n, rows * columns * n_maps), 32-bit floats.
    head : keras.Model
        Maps feature maps (n, rows, columns, n_maps) to two outputs: the scores before the
        softmax, (n, n_classes), and the inputs of the last layer with weights, (n, n_inputs).
        For a network without classes both are its outputs.
    shape : tuple of int
        (rows, columns, n_maps) of the feature map.
    is_flattened : bool
        Whether each point of the map has weights of its own in the head.
    """

    body: keras.Model
    head: keras.Model
    shape: tuple[int, int, int]
    is_flattened: bool


def split_network(network: keras.Model, *, classifies: bool = True) -> NetworkParts:
    """Split a network after its last feature map of more than one point.

    Pooling layers after the last convolution belong to the first part: heat maps of what the
    head sees passed the deletion control more often than those before the pooling.

    Parameters
    ----------
    network : keras.Model
        Functional or Sequential, nested or not. It isn't changed.
    classifies : bool, default=True
        Whether it ends in a softmax; else its outputs are features.

    Returns
    -------
    NetworkParts

    Raises
    ------
    NoFeatureMapError
        If the network has no convolution, or its last feature map has only one point.

    Examples
    --------
    >>> import keras
    >>> from skvision.networks.network_parts import split_network
    >>> network = keras.Sequential([
    ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(5, 3), keras.layers.MaxPooling2D(),
    ...     keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
    >>> parts = split_network(network)
    >>> parts.shape, [tuple(output.shape) for output in parts.head.outputs]
    ((3, 3, 5), [(None, 2), (None, 45)])
    """
    with BUILDING, python_random_kept():
        flat = flattened(network)
        feature_map = _last_map(flat)
        shape = tuple(int(side) for side in feature_map.shape[1:])
        # 32-bit floats between the parts, whatever the precision of the network
        vector = keras.layers.Flatten(dtype="float32", name="flat_map")(feature_map)
        body = keras.Model(flat.inputs, vector, name=f"{network.name}_to_map")
        scores = inputs = flat.outputs[0]
        if classifies:
            scores, inputs = _before_softmax(flat), _inputs_of_last_kernel(flat, feature_map)
        # layers of their own, since Keras refuses a model with one output twice
        as_float = keras.layers.Activation("linear", dtype="float32", name="scores")
        flatten = keras.layers.Flatten(dtype="float32", name="last_inputs")
        outputs = [as_float(scores), flatten(inputs)]
        head = keras.Model(feature_map, outputs, name=f"{network.name}_from_map")
    (height, width, n_maps) = shape
    return NetworkParts(body, head, (height, width, n_maps), _is_flattened(flat, feature_map))


def _last_map(flat: keras.Model) -> keras.KerasTensor:
    """Return the last feature map of more than one point that a convolution contributed to."""
    layers = flat.layers
    convolutions = [
        place
        for place, layer in enumerate(layers)
        if any(len(variable.shape) == 4 for variable in layer.weights)
    ]
    if not convolutions:
        raise NoFeatureMapError(
            f"The network {flat.name} has no convolution, so it has no feature map to make a heat "
            'map of. Use method="occlusion", which needs none.'
        )
    maps = [layer for layer in layers[convolutions[0] :] if _is_map(layer.output)]
    if not maps:
        raise NoFeatureMapError(
            f"The last feature map of the network {flat.name} has only one point, so it can't say "
            'where something is. Train with a larger image_size, or use method="occlusion".'
        )
    return maps[-1].output


def _is_map(tensor: object) -> bool:
    shape = getattr(tensor, "shape", ())
    return len(shape) == 4 and None not in shape[1:] and min(shape[1:3]) > 1


def _before_softmax(flat: keras.Model) -> keras.KerasTensor:
    tensor = flat.outputs[0]
    while True:
        layer = next(layer for layer in flat.layers if layer.output is tensor)
        activation = getattr(layer, "activation", None)
        if isinstance(layer, keras.layers.Softmax):
            return layer.input
        if activation is keras.activations.softmax:
            if not layer.weights:
                return layer.input
            config = {**layer.get_config(), "activation": "linear", "name": f"{layer.name}_scores"}
            linear = type(layer).from_config(config)
            scores = linear(layer.input)
            linear.set_weights(layer.get_weights())
            return scores
        if isinstance(layer, keras.layers.Activation) and activation is keras.activations.linear:
            tensor = layer.input
            continue
        # softmax(log(p)) is p
        return keras.ops.log(keras.ops.maximum(flat.outputs[0], 1e-30))


def _inputs_of_last_kernel(flat: keras.Model, feature_map: keras.KerasTensor) -> keras.KerasTensor:
    after = flat.layers[::-1]
    for layer in after:
        if layer.output is feature_map:
            break
        if is_kernel_layer(layer) and not isinstance(layer.input, list):
            return layer.input
    # nothing is learnt after the feature map
    return keras.layers.GlobalAveragePooling2D(name="mean_map")(feature_map)


def _is_flattened(flat: keras.Model, feature_map: keras.KerasTensor) -> bool:
    """Return whether the points of the map have weights of their own."""
    for layer in flat.layers[::-1]:
        if layer.output is feature_map:
            break
        if isinstance(layer, keras.layers.Flatten) and _is_map(layer.input):
            return True
    return False
