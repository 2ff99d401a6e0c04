"""ImageAugmenter against Keras' ImageDataGenerator and random layers; and in training."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from _common import pictures, report, turns
from keras.src.legacy.preprocessing.image import ImageDataGenerator

from skvision import ImageAugmenter, MiniVGGClassifier

# the lecture's options; its shear of 0.2 degrees is hardly a shear, so it is 10 here
OPTIONS = {
    "rotation_range": 40,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "shear_range": 10,
    "zoom_range": 0.2,
    "horizontal_flip": True,
    "fill_mode": "nearest",
}
#: size -> (images a round, so many times as fast as the faster of Keras' two)
SIZES = {224: (64, 6.0), 32: (960, 4.0)}
BATCH, ROUNDS = 32, 5
N_TRAINING, EPOCHS, PAIRS = 960, 2, 7


def by_augmenter(X: np.ndarray) -> None:
    augmenter = ImageAugmenter(**OPTIONS)
    for start in range(0, len(X), BATCH):
        indices = np.arange(start, min(start + BATCH, len(X)))
        augmenter.augment_batch(X[indices], [0], indices)


def by_generator(X: np.ndarray) -> None:
    generator = ImageDataGenerator(**OPTIONS)
    for image in X:
        generator.random_transform(image)


def by_layers(size: int):
    """The same operations as layers, in one compiled graph."""
    how = {"fill_mode": "nearest"}
    layers = keras.Sequential(
        [
            keras.layers.RandomRotation(40 / 360, **how),
            keras.layers.RandomTranslation(0.2, 0.2, **how),
            keras.layers.RandomShear(10 / 90, 10 / 90, **how),
            keras.layers.RandomZoom((-0.2, 0.2), (-0.2, 0.2), **how),
            keras.layers.RandomFlip("horizontal"),
        ]
    )
    compiled = tf.function(
        lambda batch: layers(batch, training=True),
        input_signature=[tf.TensorSpec((None, size, size, 3), tf.float32)],
    )

    def call(X: np.ndarray) -> None:
        for start in range(0, len(X), BATCH):
            np.asarray(compiled(X[start : start + BATCH].astype(np.float32)))

    return call


def speed(size: int, n: int, goal: float) -> None:
    X, _ = pictures(n, size)
    layers = by_layers(size)
    taken = turns(
        {
            "skvision": lambda: by_augmenter(X),
            "ImageDataGenerator": lambda: by_generator(X),
            "layers": lambda: layers(X),
        },
        ROUNDS,
    )
    rates = {name: n / np.median(seconds) for name, seconds in taken.items()}
    report(
        f"augmentation at {size}x{size}, images/s",
        f"{rates['skvision']:,.0f}; ImageDataGenerator {rates['ImageDataGenerator']:,.0f}; Keras "
        f"layers {rates['layers']:,.0f}",
    )
    faster = np.minimum(taken["ImageDataGenerator"], taken["layers"])
    ratios = faster / np.array(taken["skvision"])
    report(
        f"augmentation at {size}x{size} over the faster of Keras' two, {ROUNDS} rounds",
        f"{np.median(ratios):.1f} (median; {ratios.min():.1f} to {ratios.max():.1f})",
        f">= {goal:g}",
    )


def training() -> None:
    X, y = pictures(N_TRAINING)
    plain = MiniVGGClassifier(epochs=EPOCHS, random_state=0)
    augmented = MiniVGGClassifier(
        epochs=EPOCHS, random_state=0, augmentation=ImageAugmenter(**OPTIONS)
    )
    taken = turns({"plain": lambda: plain.fit(X, y), "with": lambda: augmented.fit(X, y)}, PAIRS)
    ratios = np.array(taken["with"]) / np.array(taken["plain"])
    fastest = min(taken["with"]) / min(taken["plain"])
    report(
        f"MiniVGG's fit with augmentation over without, 32x32, {PAIRS} pairs",
        f"{np.median(ratios):.3f} (median; {ratios.min():.3f} to {ratios.max():.3f}; fastest over "
        f"fastest {fastest:.3f})",
        "<= 1.15",
    )


def main() -> None:
    for size, (n, goal) in SIZES.items():
        speed(size, n, goal)
    training()


if __name__ == "__main__":
    main()
