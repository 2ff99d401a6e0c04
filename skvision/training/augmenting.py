"""Turn the parameter `augmentation` into one function of images and a random generator.

It may be an estimator with ``augment_batch`` (ImageAugmenter, RandAugmenter), Keras
preprocessing layers, Keras' ImageDataGenerator or a plain function. Each is made reproducible
in its own way; global random states are restored.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import keras
import numpy as np

from .._system.forks import backend_runs
from ..networks.layers import random_states
from ..networks.python_random import python_random_kept

__all__ = ["Augment", "AugmentsBySample", "augment_function", "refuse_another_scale"]


@runtime_checkable
class AugmentsBySample(Protocol):
    """An augmenter whose draws depend on the image alone, not on its batch."""

    def draw(self, seed: Sequence[int], indices: np.ndarray) -> Any: ...

    def augment_batch(
        self, images: np.ndarray, seed: Sequence[int], indices: np.ndarray
    ) -> np.ndarray: ...


_Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]

#: the two kinds of augmentation that a stream of batches calls
Augment = _Change | AugmentsBySample

# the largest range that scaling 255 levels to 0..1, to -1..1 or by mean and deviation gives
_SCALED = 8.0
# levels by which noise and brightness may move most pixels beyond black or white
_OVERSHOOT = 32.0
# images of fewer levels don't show their scale
_TELLING = 64

# Options of an ImageDataGenerator that need the whole data set or change the scale of pixels.
# Its ``rescale`` is ignored: the networks scale their input.
_NOT_AUGMENTATION = (
    "featurewise_center",
    "samplewise_center",
    "featurewise_std_normalization",
    "samplewise_std_normalization",
    "zca_whitening",
)


def augment_function(augmentation: Any) -> Augment | None:
    """Turn the parameter ``augmentation`` into the function that a stream calls for each batch.

    Parameters
    ----------
    augmentation : None, ImageAugmenter, keras.layers.Layer, list of them, ImageDataGenerator \
or callable
        The parameter's value.

    Returns
    -------
    callable, AugmentsBySample or None
        ``f(images, rng) -> images``, or an object that takes seed and sample indices.

    Raises
    ------
    ValueError
        If it is something else.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.training import augment_function
    >>> flip = augment_function(lambda images, rng: images[:, :, ::-1])
    >>> flip(np.arange(3).reshape(1, 1, 3, 1), np.random.default_rng(0)).ravel()
    array([2, 1, 0])
    """
    if augmentation is None:
        return None
    if isinstance(augmentation, type):
        raise ValueError(
            f"augmentation must be an object, not its class: {augmentation.__name__}(...). "
            f"Received: {augmentation!r}"
        )
    if isinstance(augmentation, AugmentsBySample):
        augmentation.draw([0], np.arange(0))  # its arguments are checked before a long training
        return augmentation
    if hasattr(augmentation, "get_random_transform") and hasattr(augmentation, "apply_transform"):
        return _from_image_data_generator(augmentation)
    layers = _as_layers(augmentation)
    if layers is not None:
        return _from_layers(layers)
    if callable(augmentation):
        function: Augment = augmentation
        return function
    raise ValueError(
        "augmentation must be None, an ImageAugmenter, a Keras preprocessing layer or a list of "
        "them, an ImageDataGenerator, or a function f(images, rng) -> images. "
        f"Received: {augmentation!r}"
    )


def _as_layers(augmentation: Any) -> list[keras.layers.Layer] | None:
    if isinstance(augmentation, keras.Sequential):
        return list(augmentation.layers)
    if isinstance(augmentation, keras.layers.Layer):
        return [augmentation]
    if isinstance(augmentation, Sequence) and not isinstance(augmentation, str):
        parts = [_as_layers(part) for part in augmentation]
        if parts and all(part is not None for part in parts):
            return [layer for part in parts for layer in part or ()]
    return None


def _from_layers(layers: list[keras.layers.Layer]) -> Augment:
    """Return a function that calls copies of the layers, their random state set from `rng`."""
    copies = [type(layer).from_config(layer.get_config()) for layer in layers]

    def change(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        backend_runs()
        pixels = keras.ops.convert_to_tensor(images.astype(np.float32))
        with python_random_kept():  # AugMix draws from it
            random.seed(int(rng.integers(2**31)))
            for layer in copies:
                for state in random_states(layer):
                    state.assign([rng.integers(2**31), 0])
                pixels = layer(pixels, training=True)
        changed: np.ndarray = keras.ops.convert_to_numpy(pixels)
        return changed

    return _on_the_same_scale(change)


def _from_image_data_generator(generator: Any) -> Augment:
    asked = [name for name in _NOT_AUGMENTATION if getattr(generator, name, False)]
    if asked:
        raise ValueError(
            f"augmentation got an ImageDataGenerator with {asked[0]}=True. That is scaling, not "
            "augmentation, and skvision's networks carry their own scaling: leave it out."
        )

    def change(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        result = np.empty(images.shape, np.float32)
        # it always draws from NumPy's global generator
        before = np.random.get_state()  # noqa: NPY002
        try:
            for index, image in enumerate(images):
                draw = generator.get_random_transform(image.shape, int(rng.integers(2**31)))
                pixels = generator.apply_transform(image.astype(np.float32), draw)
                if generator.preprocessing_function is not None:
                    pixels = generator.preprocessing_function(pixels)
                result[index] = pixels
        finally:
            np.random.set_state(before)  # noqa: NPY002
        return result

    return _on_the_same_scale(change)


def _on_the_same_scale(change: _Change) -> Augment:
    """Clip the results of `change` to 8 bits, and refuse a `change` that rescales images."""
    # test with all levels, so that the answer doesn't depend on the content of the images
    levels = np.linspace(0, 255, 4 * 32 * 32).round().astype(np.uint8).reshape(4, 32, 32, 1)
    probe = np.repeat(levels, 3, axis=-1)
    try:
        changed = change(probe, np.random.default_rng(0))
    except Exception:  # `change` expects images of another size or number of channels
        changed = probe
    refuse_another_scale(changed, probe)

    def augment(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        result = change(images, rng)
        if images.dtype != np.uint8:
            return result
        refuse_another_scale(result, images)
        # resampling and noise may overshoot
        return np.clip(result, 0, 255)

    return augment


def refuse_another_scale(result: np.ndarray, images: np.ndarray) -> None:
    """Raise ValueError if a function returned 8-bit images on another scale than 0 to 255.

    Parameters
    ----------
    result : ndarray
        The function's result, not yet clipped.
    images : ndarray of shape (n, height, width, n_channels), uint8
        The function's input. Images of few levels are not checked.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.training.augmenting import refuse_another_scale
    >>> images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    >>> refuse_another_scale(images + 20.0, images)
    >>> refuse_another_scale(images / 255, images)
    Traceback (most recent call last):
        ...
    ValueError: augmentation got images of levels from 0 to 255 and returned numbers from 0 to 1, \
as if they were scaled. Leave scaling (Rescaling, Normalization, x / 255, a preprocess_input) to \
the network, which has its own.
    """
    if images.dtype != np.uint8 or not images.size or int(np.ptp(images)) < _TELLING:
        return
    low, middle = np.quantile(result[:, ::2, ::2], [0.05, 0.5])
    # images of one level don't show their scale
    is_narrow = 0 < np.ptp(result) <= _SCALED
    fell = images.mean() - result.mean()
    if is_narrow or (low < -_OVERSHOOT and fell > _OVERSHOOT) or middle > 255 + _OVERSHOOT:
        raise ValueError(
            f"augmentation got images of levels from {images.min()} to {images.max()} and returned "
            f"numbers from {result.min():g} to {result.max():g}, as if they were scaled. Leave "
            "scaling (Rescaling, Normalization, x / 255, a preprocess_input) to the network, which "
            "has its own."
        )
