"""Augmentation: pure operations, transformers, a sampler, and augmented folders.

The package imports `skvision.datasets`, `skvision.images` and lower layers, and no Keras.
"""

from .augmented_image import AugmentedImage, Draw
from .augmenter import ImageAugmenter
from .folder import augment_folder
from .mixing import Mixing
from .over_sampler import ImageOverSampler, chosen_sources, numbers_to_add
from .rand_augmenter import RandAugmenter

__all__ = [
    "AugmentedImage",
    "Draw",
    "ImageAugmenter",
    "ImageOverSampler",
    "Mixing",
    "RandAugmenter",
    "augment_folder",
    "chosen_sources",
    "numbers_to_add",
]
