"""The table of pretrained networks: one row per network; importing it loads no Keras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._sklearn.matching import match_name

__all__ = ["BACKBONES", "NETWORKS_VERSION", "Backbone", "backbone_name"]

#: Raise it whenever a row, its preprocessing or the drawing of random weights changes the features
#: for the same weights, so that features cached by the version before are not used.
NETWORKS_VERSION = 1


@dataclass(frozen=True)
class Backbone:
    """A row of the table.

    Parameters
    ----------
    module : str
        Its module in `keras.applications`; "" for our own.
    mode : {"caffe", "tf", "torch", "lite", "none"}
        Scaling of its input pixels; ``"none"`` if the network scales them itself.
    size : int
        Side in pixels of the images that it was trained on.
    features : tuple of int
        Shape of its last feature map at that size.
    parameters : int
        Number of trained parameters, without the top.
    file : str
        Keras' name of the file of its published weights without the top; "" for our own.
    taps : tuple of str
        Layers whose features are worth trying, from early layers (edges, textures) to late
        ones; the last feature map comes after them.
    smallest : int, default=32
        Smallest side in pixels that it accepts.
    pooling : {"avg", "flatten"}, default="avg"
        Usual pooling of the last feature map.
    """

    module: str
    mode: str
    size: int
    features: tuple[int, int, int]
    parameters: int
    file: str
    taps: tuple[str, ...]
    smallest: int = 32
    pooling: str = "avg"


# the usual ending of Keras' files
_KERNELS = "_weights_tf_dim_ordering_tf_kernels_notop.h5"


def _family(
    prefix: str,
    module: str,
    mode: str,
    file: str,
    taps: tuple[str, ...],
    rows: dict[str, tuple[int, ...]],
    **common: Any,
) -> dict[str, Backbone]:
    """Return the rows of networks that differ in numbers only.

    A row holds the size, the grid and the channels of the last feature map, the number of
    parameters, and the numbers in the names of its taps. ``{variant}`` is the part of a name
    after `prefix`.
    """
    family = {}
    for name, (size, grid, channels, parameters, *blocks) in rows.items():
        variant = name.removeprefix(prefix).lower()
        family[name] = Backbone(
            module=module.format(variant=variant),
            mode=mode,
            size=size,
            features=(grid, grid, channels),
            parameters=parameters,
            file=file.format(variant=variant),
            taps=tuple(tap.format(*blocks, variant=variant) for tap in taps),
            **common,
        )
    return family


#: all pretrained networks, the bundled one first
BACKBONES: dict[str, Backbone] = {
    **_family(
        "",
        "",
        "lite",
        "",
        ("block4a_expand_activation", "block6a_expand_activation"),
        {
            "EfficientNetLite0": (224, 7, 1280, 3_413_024),
        },
    ),
    **_family(
        "VGG",
        "vgg{variant}",
        "caffe",
        "vgg{variant}" + _KERNELS,
        ("block3_pool", "block4_pool"),
        {
            "VGG16": (224, 7, 512, 14_714_688),
            "VGG19": (224, 7, 512, 20_024_384),
        },
        pooling="flatten",
    ),
    **_family(
        "ResNet",
        "resnet",
        "caffe",
        "resnet{variant}" + _KERNELS,
        ("conv3_block{0}_out", "conv4_block{1}_out"),
        {
            "ResNet50": (224, 7, 2048, 23_587_712, 4, 6),
            "ResNet101": (224, 7, 2048, 42_658_176, 4, 23),
            "ResNet152": (224, 7, 2048, 58_370_944, 8, 36),
        },
    ),
    **_family(
        "ResNet",
        "resnet_v2",
        "tf",
        "resnet{variant}" + _KERNELS,
        ("conv3_block{0}_out", "conv4_block{1}_out"),
        {
            "ResNet50V2": (224, 7, 2048, 23_564_800, 4, 6),
            "ResNet101V2": (224, 7, 2048, 42_626_560, 4, 23),
            "ResNet152V2": (224, 7, 2048, 58_331_648, 8, 36),
        },
    ),
    **_family(
        "InceptionV3",
        "inception_v3",
        "tf",
        "inception_v3" + _KERNELS,
        ("mixed2", "mixed7"),
        {
            "InceptionV3": (299, 8, 2048, 21_802_784),
        },
        smallest=75,
    ),
    **_family(
        "InceptionResNetV2",
        "inception_resnet_v2",
        "tf",
        "inception_resnet_v2" + _KERNELS,
        ("mixed_5b", "mixed_6a", "mixed_7a"),
        {
            "InceptionResNetV2": (299, 8, 1536, 54_336_736),
        },
        smallest=75,
    ),
    **_family(
        "Xception",
        "xception",
        "tf",
        "xception" + _KERNELS,
        ("block4_sepconv2_bn", "block13_sepconv2_bn"),
        {
            "Xception": (299, 10, 2048, 20_861_480),
        },
        smallest=71,
    ),
    **_family(
        "MobileNet",
        "mobilenet",
        "tf",
        "mobilenet_1_0_224_tf_no_top.h5",
        ("conv_pw_5_relu", "conv_pw_11_relu"),
        {
            "MobileNet": (224, 7, 1024, 3_228_864),
        },
    ),
    **_family(
        "MobileNetV2",
        "mobilenet_v2",
        "tf",
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
        ("block_5_add", "block_12_add"),
        {
            "MobileNetV2": (224, 7, 1280, 2_257_984),
        },
    ),
    **_family(
        "MobileNetV3",
        "mobilenet_v3",
        "none",
        "weights_mobilenet_v3_{variant}_224_1.0_float_no_top_v2.h5",
        ("expanded_conv_{0}_add", "expanded_conv_{1}_add"),
        {
            "MobileNetV3Small": (224, 7, 576, 939_120, 2, 7),
            "MobileNetV3Large": (224, 7, 960, 2_996_352, 5, 11),
        },
    ),
    **_family(
        "DenseNet",
        "densenet",
        "torch",
        "densenet{variant}" + _KERNELS,
        ("pool3_relu", "pool4_relu"),
        {
            "DenseNet121": (224, 7, 1024, 7_037_504),
            "DenseNet169": (224, 7, 1664, 12_642_880),
            "DenseNet201": (224, 7, 1920, 18_321_984),
        },
    ),
    **_family(
        "NASNet",
        "nasnet",
        "tf",
        "nasnet_{variant}_no_top.h5",
        ("normal_concat_{0}", "normal_concat_{1}"),
        {
            "NASNetMobile": (224, 7, 1056, 4_269_716, 3, 8),
            "NASNetLarge": (331, 11, 4032, 84_916_818, 5, 12),
        },
    ),
    **_family(
        "EfficientNet",
        "efficientnet",
        "none",
        "efficientnet{variant}_notop.h5",
        ("block4a_expand_activation", "block6a_expand_activation"),
        {
            "EfficientNetB0": (224, 7, 1280, 4_049_571),
            "EfficientNetB1": (240, 8, 1280, 6_575_239),
            "EfficientNetB2": (260, 9, 1408, 7_768_569),
            "EfficientNetB3": (300, 10, 1536, 10_783_535),
            "EfficientNetB4": (380, 12, 1792, 17_673_823),
            "EfficientNetB5": (456, 15, 2048, 28_513_527),
            "EfficientNetB6": (528, 17, 2304, 40_960_143),
            "EfficientNetB7": (600, 19, 2560, 64_097_687),
        },
    ),
    **_family(
        "EfficientNetV2",
        "efficientnet_v2",
        "none",
        "efficientnetv2-{variant}_notop.h5",
        ("block4a_expand_activation", "block6a_expand_activation"),
        {
            "EfficientNetV2B0": (224, 7, 1280, 5_919_312),
            "EfficientNetV2B1": (240, 8, 1280, 6_931_124),
            "EfficientNetV2B2": (260, 9, 1408, 8_769_374),
            "EfficientNetV2B3": (300, 10, 1536, 12_930_622),
            "EfficientNetV2S": (384, 12, 1280, 20_331_360),
            "EfficientNetV2M": (480, 15, 1280, 53_150_388),
            "EfficientNetV2L": (480, 15, 1280, 117_746_848),
        },
    ),
    **_family(
        "ConvNeXt",
        "convnext",
        "none",
        "convnext_{variant}_notop.h5",
        ("convnext_{variant}_downsampling_block_1", "convnext_{variant}_downsampling_block_2"),
        {
            "ConvNeXtTiny": (224, 7, 768, 27_820_128),
            "ConvNeXtSmall": (224, 7, 768, 49_454_688),
            "ConvNeXtBase": (224, 7, 1024, 87_566_464),
            "ConvNeXtLarge": (224, 7, 1536, 196_230_336),
            "ConvNeXtXLarge": (224, 7, 2048, 348_147_968),
        },
    ),
}


def backbone_name(given: object) -> str:
    """Return the name in `BACKBONES` that matches, in upper or lower case.

    Examples
    --------
    >>> from skvision.backbone_table import backbone_name
    >>> backbone_name("vgg16")
    'VGG16'
    """
    return match_name(given, BACKBONES, "backbone")
