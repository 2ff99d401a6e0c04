"""Ready-made networks: one table, one row a network, and the loop that builds any of them.

Every network gets its own preprocessing in front, as layers: it takes RGB pixels from
0 to 255, and nobody else scales.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import keras

from .backbone_weights import body_with_weights
from .efficientnet_lite import MEAN, STD, EfficientNetLite0
from .names import match_name

__all__ = ["BACKBONES", "Backbone", "backbone_name", "build_backbone", "up_to_layer"]


@dataclass(frozen=True)
class Backbone:
    """A row of the table.

    Parameters
    ----------
    module : str
        Its module in `keras.applications`; "" for our own.
    mode : {"caffe", "tf", "torch", "lite", "none"}
        How pixels are scaled for it; ``"none"`` where the network does so itself.
    size : int
        Side in pixels of the pictures that it was trained on.
    features : tuple of int
        Shape of its last feature map at that size.
    smallest : int, default=32
        The smallest side that it takes.
    pooling : {"avg", "flatten"}
        What usually becomes of the last feature map.
    """

    module: str
    mode: str
    size: int
    features: tuple[int, int, int]
    smallest: int = 32
    pooling: str = "avg"


def _row(module: str, mode: str, size: int, grid: int, channels: int, **more: Any) -> Backbone:
    return Backbone(module, mode, size, features=(grid, grid, channels), **more)


BACKBONES: dict[str, Backbone] = {
    "EfficientNetLite0": _row("", "lite", 224, 7, 1280),
    # the lecture's five
    "VGG16": _row("vgg16", "caffe", 224, 7, 512, pooling="flatten"),
    "VGG19": _row("vgg19", "caffe", 224, 7, 512, pooling="flatten"),
    "ResNet50": _row("resnet", "caffe", 224, 7, 2048),
    "InceptionV3": _row("inception_v3", "tf", 299, 8, 2048, smallest=75),
    "Xception": _row("xception", "tf", 299, 10, 2048, smallest=71),
    "ResNet101": _row("resnet", "caffe", 224, 7, 2048),
    "ResNet152": _row("resnet", "caffe", 224, 7, 2048),
    "ResNet50V2": _row("resnet_v2", "tf", 224, 7, 2048),
    "ResNet101V2": _row("resnet_v2", "tf", 224, 7, 2048),
    "ResNet152V2": _row("resnet_v2", "tf", 224, 7, 2048),
    "InceptionResNetV2": _row("inception_resnet_v2", "tf", 299, 8, 1536, smallest=75),
    "MobileNet": _row("mobilenet", "tf", 224, 7, 1024),
    "MobileNetV2": _row("mobilenet_v2", "tf", 224, 7, 1280),
    "MobileNetV3Small": _row("mobilenet_v3", "none", 224, 7, 576),
    "MobileNetV3Large": _row("mobilenet_v3", "none", 224, 7, 960),
    "DenseNet121": _row("densenet", "torch", 224, 7, 1024),
    "DenseNet169": _row("densenet", "torch", 224, 7, 1664),
    "DenseNet201": _row("densenet", "torch", 224, 7, 1920),
    "NASNetMobile": _row("nasnet", "tf", 224, 7, 1056),
    "NASNetLarge": _row("nasnet", "tf", 331, 11, 4032),
    "EfficientNetB0": _row("efficientnet", "none", 224, 7, 1280),
    "EfficientNetB1": _row("efficientnet", "none", 240, 8, 1280),
    "EfficientNetB2": _row("efficientnet", "none", 260, 9, 1408),
    "EfficientNetB3": _row("efficientnet", "none", 300, 10, 1536),
    "EfficientNetB4": _row("efficientnet", "none", 380, 12, 1792),
    "EfficientNetB5": _row("efficientnet", "none", 456, 15, 2048),
    "EfficientNetB6": _row("efficientnet", "none", 528, 17, 2304),
    "EfficientNetB7": _row("efficientnet", "none", 600, 19, 2560),
    "EfficientNetV2B0": _row("efficientnet_v2", "none", 224, 7, 1280),
    "EfficientNetV2B1": _row("efficientnet_v2", "none", 240, 8, 1280),
    "EfficientNetV2B2": _row("efficientnet_v2", "none", 260, 9, 1408),
    "EfficientNetV2B3": _row("efficientnet_v2", "none", 300, 10, 1536),
    "EfficientNetV2S": _row("efficientnet_v2", "none", 384, 12, 1280),
    "EfficientNetV2M": _row("efficientnet_v2", "none", 480, 15, 1280),
    "EfficientNetV2L": _row("efficientnet_v2", "none", 480, 15, 1280),
    "ConvNeXtTiny": _row("convnext", "none", 224, 7, 768),
    "ConvNeXtSmall": _row("convnext", "none", 224, 7, 768),
    "ConvNeXtBase": _row("convnext", "none", 224, 7, 1024),
    "ConvNeXtLarge": _row("convnext", "none", 224, 7, 1536),
    "ConvNeXtXLarge": _row("convnext", "none", 224, 7, 2048),
}

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


def backbone_name(given: object) -> str:
    """Return the name in `BACKBONES` that is meant, whatever its case.

    Examples
    --------
    >>> from skvision.networks.backbones import backbone_name
    >>> backbone_name("vgg16")
    'VGG16'
    """
    return match_name(given, BACKBONES, "backbone")


def build_backbone(
    name: str,
    *,
    image_size: tuple[int, int] | None = None,
    weights: Any = "imagenet",
    layer: str | None = None,
    seed: int = 0,
) -> keras.Model:
    """Build a network without its classification, its preprocessing in front.

    Parameters
    ----------
    name : str
        A name in `BACKBONES`.
    image_size : tuple of int, default=None
        (height, width) in pixels; None for the network's own.
    weights : "imagenet", path-like or None, default="imagenet"
        Published weights, a weights file, or random ones.
    layer : str, default=None
        Whose output is taken; None for the last feature map.
    seed : int, default=0
        Decides random weights.

    Returns
    -------
    keras.Model
        RGB pixels 0..255, (n, height, width, 3), to the layer's output.

    Raises
    ------
    ValueError
        If there is no such network or layer, `image_size` is too small, or the
        weights are of another network.
    OSError
        If published weights are neither here nor to be downloaded.

    Examples
    --------
    >>> from skvision.networks.backbones import build_backbone
    >>> build_backbone("MobileNetV2", image_size=(64, 96), weights=None).output_shape
    (None, 2, 3, 1280)
    """
    name = backbone_name(name)
    row = BACKBONES[name]
    height, width = image_size or (row.size, row.size)
    if min(height, width) < row.smallest:
        raise ValueError(
            f"image_size=({height}, {width}) is too small for {name}: it takes pictures of at "
            f"least {row.smallest}x{row.smallest} pixels (and was trained on "
            f"{row.size}x{row.size})."
        )
    body = body_with_weights(name, _builder(name), (height, width, 3), weights, seed)
    if layer is not None:
        body = up_to_layer(body, layer)
    inputs = keras.Input((height, width, 3), name="pixels")
    return keras.Model(inputs, body(_preprocessed(inputs, row.mode)), name=name.lower())


def _builder(name: str) -> Any:
    return getattr(keras.applications, name) if BACKBONES[name].module else EfficientNetLite0


def _preprocessed(pixels: keras.KerasTensor, mode: str) -> keras.KerasTensor:
    to_bgr, scale, offset = _SCALINGS[mode]
    if to_bgr:
        pixels = keras.ops.flip(pixels, axis=-1)
    return keras.layers.Rescaling(scale, offset, name="preprocessing")(pixels)


def up_to_layer(network: keras.Model, layer: str) -> keras.Model:
    """Cut a network off after a layer."""
    names = [each.name for each in network.layers]
    if layer not in names:
        near = difflib.get_close_matches(layer, names, n=5) or names[-5:]
        raise ValueError(
            f"{network.name} has no layer {layer!r}. It has, among {len(names)}: {', '.join(near)}."
        )
    return keras.Model(network.input, network.get_layer(layer).output, name=network.name)
