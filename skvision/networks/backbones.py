"""Pretrained networks: one function builds each row of the table.

Every network begins with its own preprocessing layers, so that it accepts RGB pixels from
0 to 255. No other code scales pixels.
"""

from __future__ import annotations

import difflib
from typing import Any

import keras

from .._system.forks import backend_runs
from ..backbone_table import BACKBONES, Backbone, backbone_name
from .backbone_weights import network_with_weights
from .efficientnet_lite import MEAN, STD, EfficientNetLite0
from .layers import free_name

__all__ = ["BACKBONES", "Backbone", "build_backbone", "pooled", "up_to_layer"]


# mode -> (RGB turned to BGR, scale, offset): pixels * scale + offset
_TORCH_MEAN, _TORCH_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SCALINGS: dict[str, tuple[bool, Any, Any]] = {
    "caffe": (True, 1.0, [-103.939, -116.779, -123.68]),
    "tf": (False, 1 / 127.5, -1.0),
    "torch": (
        False,
        [1 / (255 * std) for std in _TORCH_STD],
        [-mean / std for mean, std in zip(_TORCH_MEAN, _TORCH_STD, strict=True)],
    ),
    "lite": (False, 1 / STD, -MEAN / STD),
    "none": (False, 1.0, 0.0),
}


def build_backbone(
    name: str,
    *,
    image_size: tuple[int, int] | None = None,
    weights: Any = "imagenet",
    layer: str | None = None,
    seed: int = 0,
    top: bool = False,
) -> keras.Model:
    """Build a network that begins with its preprocessing, with or without its top.

    Parameters
    ----------
    name : str
        A name in `BACKBONES`.
    image_size : tuple of int, default=None
        Size (height, width) in pixels; None for the network's own size.
    weights : "imagenet", path-like or None, default="imagenet"
        Published weights, a weights file, or random weights.
    layer : str, default=None
        Name of the output layer; None for the last feature map.
    seed : int, default=0
        Seed of random weights.
    top : bool, default=False
        Whether to end with ImageNet's 1,000 classes.

    Returns
    -------
    keras.Model
        Maps RGB pixels 0..255, (n, height, width, 3), to the layer's output or, with the
        top, to probabilities (n, 1000).

    Raises
    ------
    ValueError
        If the network or layer doesn't exist, `image_size` is too small, or the weights
        belong to another network.
    OSError
        If the published weights can't be found or downloaded.

    Examples
    --------
    >>> from skvision.networks.backbones import build_backbone
    >>> build_backbone("MobileNetV2", image_size=(64, 96), weights=None).output_shape
    (None, 2, 3, 1280)
    """
    backend_runs()
    name = backbone_name(name)
    row = BACKBONES[name]
    height, width = image_size or (row.size, row.size)
    if min(height, width) < row.smallest:
        raise ValueError(
            f"image_size=({height}, {width}) is too small for {name}: it needs images of at "
            f"least {row.smallest}x{row.smallest} pixels (and was trained on "
            f"{row.size}x{row.size})."
        )
    body = network_with_weights(name, _builder(name), (height, width, 3), weights, seed, top)
    if layer is not None:
        body = up_to_layer(body, layer)
    inputs = keras.Input((height, width, 3), name="pixels")
    return keras.Model(inputs, body(_preprocessed(inputs, row.mode)), name=name.lower())


def _builder(name: str) -> Any:
    return getattr(keras.applications, name) if BACKBONES[name].module else EfficientNetLite0


def _preprocessed(pixels: keras.KerasTensor, mode: str) -> keras.KerasTensor:
    to_bgr, scale, offset = _SCALINGS[mode]
    if to_bgr:
        pixels = _channels_reversed(pixels)
    return keras.layers.Rescaling(scale, offset, name="preprocessing")(pixels)


def _channels_reversed(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Convert RGB to BGR by layers that every file format and converter supports.

    Keras can't read `keras.ops.flip` back from HDF5. For a cropping layer that treats the
    first axis as channels, our channels are the columns that it crops.
    """
    channels = [
        keras.layers.Cropping2D(
            ((0, 0), (index, 2 - index)), data_format="channels_first", name=color
        )(pixels)
        for index, color in enumerate(("red", "green", "blue"))
    ]
    return keras.layers.Concatenate(name="bgr")(channels[::-1])


def pooled(body: keras.Model, pooling: str) -> keras.Model:
    """Add pooling to a network's output; a vector stays unchanged."""
    taken = {each.name for each in body.layers}
    x = body.outputs[0]
    if len(x.shape) == 4 and pooling != "flatten":
        layer = {"avg": keras.layers.GlobalAveragePooling2D, "max": keras.layers.GlobalMaxPooling2D}
        x = layer[pooling](name=free_name("pooled_features", taken))(x)
    elif len(x.shape) > 2:
        x = keras.layers.Flatten(name=free_name("flat_features", taken))(x)
    # features are 32-bit floats, whatever the network's precision
    name = free_name("features", taken)
    x = keras.layers.Activation("linear", dtype="float32", name=name)(x)
    return keras.Model(body.inputs, x, name=f"{body.name}_features")


def up_to_layer(network: keras.Model, layer: str) -> keras.Model:
    """Return the part of a network up to a layer."""
    names = [each.name for each in network.layers]
    if layer not in names:
        near = difflib.get_close_matches(layer, names, n=5) or names[-5:]
        raise ValueError(
            f"{network.name} has no layer {layer!r}. Some of its {len(names)} layers: "
            f"{', '.join(near)}."
        )
    return keras.Model(network.inputs, network.get_layer(layer).output, name=network.name)
