"""EfficientNet-Lite0, with weights that come with the package.

EfficientNet is from M. Tan, Q. V. Le, EfficientNet: Rethinking Model Scaling for
Convolutional Neural Networks, 2019. Its Lite variant has no squeeze-and-excite, and ReLU6
in place of swish, so that it is small and fast on any processor:

=======  ===================================  ===========
stage    layers                               output
=======  ===================================  ===========
stem     CONV 3x3 stride 2                    112x112x32
block1   1 x DEPTHWISE 3x3, PROJECT           112x112x16
block2   2 x EXPAND, DEPTHWISE 3x3, PROJECT   56x56x24
block3   2 x EXPAND, DEPTHWISE 5x5, PROJECT   28x28x40
block4   3 x EXPAND, DEPTHWISE 3x3, PROJECT   14x14x80
block5   3 x EXPAND, DEPTHWISE 5x5, PROJECT   14x14x112
block6   4 x EXPAND, DEPTHWISE 5x5, PROJECT   7x7x192
block7   1 x EXPAND, DEPTHWISE 3x3, PROJECT   7x7x320
top      CONV 1x1                             7x7x1280
         AVERAGE POOL                         1280
         FC, SOFTMAX                          1000
=======  ===================================  ===========

Batch normalisation follows each convolution, and ReLU6 each convolution except the
projections. A block adds its input to its output if both have the same shape.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

__all__ = ["BLOCKS", "MEAN", "STD", "EfficientNetLite0", "preprocess_input", "weights_digest"]


class Block(NamedTuple):
    """One row of the table. The stride applies to a block's first repetition only."""

    repeats: int
    kernel_size: int
    strides: int
    expansion: int
    filters: int


STEM_FILTERS = 32
BLOCKS = (
    Block(1, 3, 1, 1, 16),
    Block(2, 3, 2, 6, 24),
    Block(2, 5, 2, 6, 40),
    Block(3, 3, 2, 6, 80),
    Block(3, 5, 1, 6, 112),
    Block(4, 5, 2, 6, 192),
    Block(1, 3, 1, 6, 320),
)
TOP_FILTERS = 1280

DEFAULT_SIZE = 224
SMALLEST_SIZE = 32
CLASSES = 1000

#: offset and divisor of `preprocess_input`
MEAN, STD = 127.0, 128.0

WEIGHTS_FILE = files(__package__) / "data" / "efficientnet_lite0.npz"
#: SHA-256 of the file; tools/convert_efficientnet_lite.py prints it
WEIGHTS_SHA256 = "f1084f8af3c57744671ad714a0da8f8024aac446b84cdd7a2c73376192f518a1"

# as in keras.applications, since Glorot's counts a depthwise kernel's channels as its inputs
_INITIALIZER = {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"}


def EfficientNetLite0(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = CLASSES,
    classifier_activation: str | Callable[..., Any] | None = "softmax",
    name: str = "efficientnetlite0",
) -> keras.Model:
    """Build an EfficientNet-Lite0, with the interface of `keras.applications`.

    Start with this pretrained network: its weights need no download, and it is one of the
    fastest pretrained networks on a CPU.

    Parameters
    ----------
    include_top : bool, default=True
        Whether to end with pooling and the classes; else the network ends with the
        7x7x1280 features, or their pooled values.
    weights : {"imagenet"} or None, default="imagenet"
        The bundled weights, or random weights.
    input_shape : tuple of int, default=None
        (height, width, channels), at least 32x32. Height and width may be None, for
        images of any size. None is (224, 224, 3), and without the top (None, None, 3).
        ImageNet's weights need 3 channels and were trained on 224x224.
    pooling : {"avg", "max"} or None, default=None
        Pooling of the features over the image, if there is no top.
    classes : int, default=1000
        Number of units of the top; ImageNet's weights have 1000.
    classifier_activation : str, callable or None, default="softmax"
        Activation of the top; None gives logits.
    name : str, default="efficientnetlite0"
        The model's name.

    Returns
    -------
    keras.Model
        Not compiled. Its input is the output of `preprocess_input`. Layers are named as in
        the EfficientNets of Keras: ``"stem_conv"``, ``"block2a_expand_conv"``,
        ``"block2a_dwconv"``, ``"block2a_project_conv"``, ``"top_activation"``,
        ``"avg_pool"``, ``"predictions"``.

    Raises
    ------
    ValueError
        If an argument is not as described, or the bundled file was altered.
    OSError
        If the bundled file cannot be read.

    Notes
    -----
    The network has 4,652,008 trainable parameters and 42,016 averages of batch
    normalisation. The file stores large kernels in 16 bits: pooled features of photos differ
    from those of the original weights by less than 0.001 of the largest feature. The network
    lacks the dropout and the stochastic depth of the original training.

    References
    ----------
    .. [1] M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional
       Neural Networks", ICML 2019. https://arxiv.org/abs/1905.11946
    .. [2] R. Liu, "Higher accuracy on vision models with EfficientNet-Lite", 2020.
       https://blog.tensorflow.org/2020/03/higher-accuracy-on-vision-models-with-efficientnet-lite.html

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.networks.efficientnet_lite import EfficientNetLite0, preprocess_input
    >>> network = EfficientNetLite0(include_top=False, pooling="avg")
    >>> pixels = np.zeros((2, 64, 96, 3), dtype=np.uint8)
    >>> network.predict_on_batch(preprocess_input(pixels)).shape
    (2, 1280)
    """
    _check_weights(weights, include_top, classes)
    _check_pooling(pooling)
    inputs = keras.Input(_checked_shape(input_shape, include_top, weights), name="preprocessed")
    x = _conv(inputs, STEM_FILTERS, 3, strides=2, name="stem_conv")
    x = _relu6(_bn(x, "stem_bn"), "stem_activation")
    for number, block in enumerate(BLOCKS, start=1):
        for repeat in range(block.repeats):
            strides = block.strides if repeat == 0 else 1
            x = _inverted_residual(x, block, strides, f"block{number}{'abcd'[repeat]}_")
    x = _conv(x, TOP_FILTERS, 1, name="top_conv")
    x = _relu6(_bn(x, "top_bn"), "top_activation")
    if include_top or pooling == "avg":
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    elif pooling == "max":
        x = layers.GlobalMaxPooling2D(name="max_pool")(x)
    if include_top:
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    model = keras.Model(inputs, x, name=name)
    if weights == "imagenet":
        _load_bundled_weights(model)
    return model


def preprocess_input(x: Any) -> Any:
    """Scale pixels as the network expects them: ``(x - 127) / 128``.

    Parameters
    ----------
    x : ndarray or tensor
        RGB pixels, 0 to 255, of any dtype. The input isn't modified.

    Returns
    -------
    ndarray or tensor of the same shape, float32
        Values from -0.992 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.networks.efficientnet_lite import preprocess_input
    >>> preprocess_input(np.array([[0, 127, 255]], dtype=np.uint8))
    array([[-0.9921875,  0.       ,  1.       ]], dtype=float32)
    """
    if keras.ops.is_tensor(x) or isinstance(x, keras.KerasTensor):
        x = keras.ops.cast(x, "float32")
    else:
        x = np.asarray(x, dtype=np.float32)
    return (x - MEAN) / STD


@cache
def weights_digest() -> str:
    """Check the file of the bundled weights and return its SHA-256.

    The digest is a part of the keys of cached features.

    Examples
    --------
    >>> from skvision.networks.efficientnet_lite import weights_digest
    >>> len(weights_digest())
    64
    """
    _bundled_file()
    return WEIGHTS_SHA256


def _inverted_residual(
    inputs: keras.KerasTensor, block: Block, strides: int, name: str
) -> keras.KerasTensor:
    x = inputs
    channels = inputs.shape[-1]
    if block.expansion != 1:
        x = _conv(x, channels * block.expansion, 1, name=f"{name}expand_conv")
        x = _relu6(_bn(x, f"{name}expand_bn"), f"{name}expand_activation")
    x = layers.DepthwiseConv2D(
        block.kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        depthwise_initializer=_initializer(),
        name=f"{name}dwconv",
    )(x)
    x = _relu6(_bn(x, f"{name}bn"), f"{name}activation")
    x = _bn(_conv(x, block.filters, 1, name=f"{name}project_conv"), f"{name}project_bn")
    if strides == 1 and channels == block.filters:
        x = layers.Add(name=f"{name}add")([x, inputs])
    return x


def _conv(
    x: keras.KerasTensor, filters: int, kernel_size: int, *, strides: int = 1, name: str
) -> keras.KerasTensor:
    return layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer=_initializer(),
        name=name,
    )(x)


def _bn(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.BatchNormalization(epsilon=1e-3, name=name)(x)


def _relu6(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.ReLU(6.0, name=name)(x)


def _initializer() -> keras.initializers.Initializer:
    # one per layer: Keras warns of an initialiser that draws the same numbers twice
    return keras.initializers.VarianceScaling(**_INITIALIZER)


def _check_weights(weights: str | None, include_top: bool, classes: int) -> None:
    if weights not in ("imagenet", None):
        raise ValueError(f"weights must be 'imagenet' or None. Received: weights={weights!r}")
    if weights == "imagenet" and include_top and classes != CLASSES:
        raise ValueError(
            f"ImageNet's weights have {CLASSES} classes. Received: classes={classes}. "
            "Use include_top=False and a top of your own, or weights=None."
        )


def _check_pooling(pooling: str | None) -> None:
    if pooling not in ("avg", "max", None):
        raise ValueError(f"pooling must be 'avg', 'max' or None. Received: pooling={pooling!r}")


def _checked_shape(
    shape: tuple[int | None, int | None, int] | None, include_top: bool, weights: str | None
) -> tuple[int | None, int | None, int]:
    if shape is None:
        size = DEFAULT_SIZE if include_top else None
        return (size, size, 3)
    if len(shape) != 3:
        raise ValueError(
            f"input_shape must be (height, width, channels). Received: input_shape={shape}"
        )
    height, width, channels = shape
    if any(side is not None and side < SMALLEST_SIZE for side in (height, width)):
        raise ValueError(
            f"Images must be at least {SMALLEST_SIZE}x{SMALLEST_SIZE}. "
            f"Received: input_shape={shape}"
        )
    if weights == "imagenet" and channels != 3:
        raise ValueError(
            "ImageNet's weights are for 3 channels, red, green and blue. "
            f"Received: input_shape={shape}. Use 3 channels or weights=None."
        )
    return (height, width, channels)


def _load_bundled_weights(model: keras.Model) -> None:
    with np.load(io.BytesIO(_bundled_file()), allow_pickle=False) as arrays:
        # arrays are read on access, so those of an absent top aren't read
        model.set_weights(
            [
                _unpacked(arrays, f"{layer.name}/{variable.name}")
                for layer in model.layers
                for variable in layer.weights
            ]
        )


def _unpacked(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """Return an array in 32 bits; large kernels are 16-bit integers times a scale."""
    scale = f"{name}/scale"
    return arrays[name] * arrays[scale] if scale in arrays else arrays[name]


def _bundled_file() -> bytes:
    """Read the whole file, and refuse one that was altered."""
    advice = "Install skvision again."
    try:
        content = WEIGHTS_FILE.read_bytes()
    except OSError as error:
        raise OSError(f"cannot read the bundled weights: {error}. {advice}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise ValueError(
            f"the bundled weights {WEIGHTS_FILE} are damaged: {len(content):,} bytes with the "
            f"SHA-256 {digest}, but {WEIGHTS_SHA256} is expected. {advice}"
        )
    return content
