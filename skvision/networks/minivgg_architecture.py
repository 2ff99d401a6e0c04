"""MiniVGGNet: a table of numbers and one loop.

VGGNet is from K. Simonyan, A. Zisserman, Very Deep Convolutional Networks for Large-Scale
Image Recognition, 2014: all kernels are 3x3, and the number of filters grows after each
pooling. MiniVGGNet is a smaller network of this kind, with batch normalisation after the
activations and dropout after each pooling and after the dense layer:

=====================  ===========  ============
layer                  output       filter
=====================  ===========  ============
input                  32x32x3
CONV, ACT, BN          32x32x32     3x3, K=32
CONV, ACT, BN          32x32x32     3x3, K=32
POOL, DROPOUT          16x16x32     2x2, stride 2
CONV, ACT, BN          16x16x64     3x3, K=64
CONV, ACT, BN          16x16x64     3x3, K=64
POOL, DROPOUT          8x8x64       2x2, stride 2
FC, ACT, BN, DROPOUT   512
FC, SOFTMAX            n_classes
=====================  ===========  ============
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import layers

from .._sklearn.sizes import for_each_block
from .layers import seed_named
from .names import ACTIVATIONS

__all__ = ["MiniVGGArchitecture"]

_POOLINGS = {
    "flatten": layers.Flatten,
    "avg": layers.GlobalAveragePooling2D,
    "max": layers.GlobalMaxPooling2D,
}


@dataclass(frozen=True)
class MiniVGGArchitecture:
    """The numbers of a MiniVGGNet; `build` builds the network.

    Parameters
    ----------
    input_shape : tuple of int
        (height, width, channels).
    n_classes : int
        Number of units of the softmax.
    filters : tuple of int, default=(32, 64)
        Number of filters in each block; a block is ``convs_per_block`` convolutions and a
        pooling layer.
    convs_per_block : int or tuple of int, default=2
        Number of convolutions in each block; one number for all, or one for each.
    kernel_size : int, default=3
        Side of each kernel.
    dense_units : tuple of int, default=(512,)
        Number of units of each dense layer before the softmax.
    activation : str, default="relu"
        A name in `skvision.networks.ACTIVATIONS`.
    batch_norm : bool, default=True
        Whether to apply batch normalisation after each convolution and dense layer.
    norm_first : bool, default=False
        Whether to normalise before the activation, in place of a bias.
    pooling : {"flatten", "avg", "max"}, default="flatten"
        How the last feature map becomes a vector.
    se_ratio : float or tuple of float, default=0.0
        Number of units of squeeze and excitation after each convolution, as a share of its
        filters, 0 for none; one number for all blocks, or one for each.
    conv_dropout : float or tuple of float, default=0.25
        Dropout rate after each block; one number for all blocks, or one for each.
    dense_dropout : float, default=0.5
        Dropout rate after dense layers, or after pooling without dense layers.
    dtype : str, default="float32"
        A dtype policy of Keras: ``"float32"``, or ``"mixed_bfloat16"`` to compute in
        16 bits. The softmax always uses 32 bits.
    scale : float, default=1/255
        Factor of the input: 1/255 for images, 1 for other numbers.

    Examples
    --------
    >>> from skvision.networks import MiniVGGArchitecture
    >>> MiniVGGArchitecture((32, 32, 3), 10).build().count_params()
    2171178
    """

    input_shape: tuple[int, int, int]
    n_classes: int
    filters: tuple[int, ...] = (32, 64)
    convs_per_block: int | tuple[int, ...] = 2
    kernel_size: int = 3
    dense_units: tuple[int, ...] = (512,)
    activation: str = "relu"
    batch_norm: bool = True
    norm_first: bool = False
    pooling: str = "flatten"
    se_ratio: float | tuple[float, ...] = 0.0
    conv_dropout: float | tuple[float, ...] = 0.25
    dense_dropout: float = 0.5
    dtype: str = "float32"
    scale: float = 1 / 255

    def __post_init__(self) -> None:
        height, width, _ = self.input_shape
        smallest = 2 ** len(self.filters)
        if min(height, width) < smallest:
            raise ValueError(
                f"image_size=({height}, {width}) is too small: each of the {len(self.filters)} "
                f"blocks in filters={self.filters} halves it, so it must be at least "
                f"({smallest}, {smallest}). Use a larger image_size or fewer filters."
            )

    @property
    def n_first_dense_weights(self) -> int:
        """Number of weights of the first dense layer, the largest by far after flattening."""
        height, width, _ = self.input_shape
        halved = 2 ** len(self.filters)
        n_values = self.filters[-1]
        if self.pooling == "flatten":
            n_values *= (height // halved) * (width // halved)
        return n_values * (*self.dense_units, self.n_classes)[0]

    def build(self) -> keras.Model:
        """Build the network, not compiled."""
        dtype = self.dtype
        inputs = keras.Input(self.input_shape, name="image")
        x = layers.Rescaling(self.scale, name="scale", dtype=dtype)(inputs)
        bias = not (self.batch_norm and self.norm_first)
        n = len(self.filters)
        convs = for_each_block("convs_per_block", self.convs_per_block, n)
        se_ratios = for_each_block("se_ratio", self.se_ratio, n)
        dropouts = for_each_block("conv_dropout", self.conv_dropout, n)
        blocks = zip(self.filters, convs, se_ratios, dropouts, strict=True)
        for block, (filters, n_convs, se_ratio, dropout) in enumerate(blocks, start=1):
            for conv in range(1, n_convs + 1):
                name = f"block{block}_conv{conv}"
                x = layers.Conv2D(
                    *(filters, self.kernel_size),
                    padding="same",
                    use_bias=bias,
                    name=name,
                    dtype=dtype,
                )(x)
                x = self._activate_and_normalise(x, name)
                if se_ratio:
                    x = self._squeeze_and_excite(x, se_ratio, f"{name}_se")
            x = layers.MaxPooling2D(2, 2, name=f"block{block}_pool", dtype=dtype)(x)
            x = self._drop(x, dropout, f"block{block}_dropout")
        x = _POOLINGS[self.pooling](name=self.pooling, dtype=dtype)(x)
        if not self.dense_units and self.pooling != "flatten":
            x = self._drop(x, self.dense_dropout, f"{self.pooling}_dropout")
        for dense, units in enumerate(self.dense_units, start=1):
            name = f"dense{dense}"
            x = layers.Dense(units, use_bias=bias, name=name, dtype=dtype)(x)
            x = self._activate_and_normalise(x, name)
            x = self._drop(x, self.dense_dropout, f"{name}_dropout")
        outputs = layers.Dense(
            self.n_classes, activation="softmax", name="predictions", dtype="float32"
        )(x)
        return keras.Model(inputs, outputs, name="minivgg")

    def _drop(self, x: keras.KerasTensor, share: float, name: str) -> keras.KerasTensor:
        return layers.Dropout(share, seed=seed_named(name), name=name, dtype=self.dtype)(x)

    def _activate_and_normalise(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        activation = ACTIVATIONS[self.activation]
        both = [layers.Activation(activation, name=f"{name}_activation", dtype=self.dtype)]
        if self.batch_norm:
            norm = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn", dtype=self.dtype)
            both.insert(0 if self.norm_first else 1, norm)
        for layer in both:
            x = layer(x)
        return x

    def _squeeze_and_excite(
        self, x: keras.KerasTensor, ratio: float, name: str
    ) -> keras.KerasTensor:
        filters, dtype = x.shape[-1], self.dtype
        units = max(1, round(ratio * filters))
        squeeze = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze", dtype=dtype)
        reduce = layers.Dense(units, activation="relu", name=f"{name}_reduce", dtype=dtype)
        expand = layers.Dense(filters, activation="sigmoid", name=f"{name}_expand", dtype=dtype)
        excite = layers.Multiply(name=f"{name}_excite", dtype=dtype)
        return excite([x, expand(reduce(squeeze(x)))])
