"""MiniVGGNet: a table of numbers and one loop.

K. Simonyan, A. Zisserman, Very Deep Convolutional Networks for Large-Scale Image
Recognition, 2014, gave VGGNet: 3x3 kernels throughout, more filters after each
pooling. MiniVGGNet is its small sibling, with batch normalisation after the
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

from .names import ACTIVATIONS

__all__ = ["MiniVGGArchitecture"]


@dataclass(frozen=True)
class MiniVGGArchitecture:
    """The numbers that make a MiniVGGNet; `build` makes the network.

    Parameters
    ----------
    input_shape : tuple of int
        (height, width, channels).
    n_classes : int
        Units of the softmax.
    filters : tuple of int
        Filters of each block; a block is ``convs_per_block`` convolutions and a pooling.
    convs_per_block, kernel_size : int
    dense_units : tuple of int
        Units of each dense layer before the softmax.
    activation : str
        A name in `skvision.networks.ACTIVATIONS`.
    batch_norm : bool
    conv_dropout, dense_dropout : float
        Shares that dropout sets to zero.
    dtype : str
        A dtype policy of Keras: ``"float32"``, or ``"mixed_bfloat16"`` to compute in
        16 bits. The softmax is always in 32.
    scale : float
        What pixels are multiplied with: 1/255 for pictures, 1 for other numbers.

    Examples
    --------
    >>> from skvision.networks import MiniVGGArchitecture
    >>> MiniVGGArchitecture((32, 32, 3), 10).build().count_params()
    2171178
    """

    input_shape: tuple[int, int, int]
    n_classes: int
    filters: tuple[int, ...] = (32, 64)
    convs_per_block: int = 2
    kernel_size: int = 3
    dense_units: tuple[int, ...] = (512,)
    activation: str = "relu"
    batch_norm: bool = True
    conv_dropout: float = 0.25
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

    def build(self) -> keras.Model:
        """Make the network, not compiled."""
        dtype = self.dtype
        inputs = keras.Input(self.input_shape, name="image")
        x = layers.Rescaling(self.scale, name="scale", dtype=dtype)(inputs)
        for block, filters in enumerate(self.filters, start=1):
            for conv in range(1, self.convs_per_block + 1):
                name = f"block{block}_conv{conv}"
                x = layers.Conv2D(
                    filters, self.kernel_size, padding="same", name=name, dtype=dtype
                )(x)
                x = self._activate_and_normalise(x, name)
            x = layers.MaxPooling2D(2, 2, name=f"block{block}_pool", dtype=dtype)(x)
            x = layers.Dropout(self.conv_dropout, name=f"block{block}_dropout", dtype=dtype)(x)
        x = layers.Flatten(name="flatten", dtype=dtype)(x)
        for dense, units in enumerate(self.dense_units, start=1):
            name = f"dense{dense}"
            x = layers.Dense(units, name=name, dtype=dtype)(x)
            x = self._activate_and_normalise(x, name)
            x = layers.Dropout(self.dense_dropout, name=f"{name}_dropout", dtype=dtype)(x)
        outputs = layers.Dense(
            self.n_classes, activation="softmax", name="predictions", dtype="float32"
        )(x)
        return keras.Model(inputs, outputs, name="minivgg")

    def _activate_and_normalise(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        activation = ACTIVATIONS[self.activation]
        x = layers.Activation(activation, name=f"{name}_activation", dtype=self.dtype)(x)
        if not self.batch_norm:
            return x
        return layers.BatchNormalization(momentum=0.9, name=f"{name}_bn", dtype=self.dtype)(x)
