from __future__ import annotations

import keras
import numpy as np
import pytest

from skvision import ImageAugmenter
from skvision.training import augment_function


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (8, 6, 6, 3), dtype=np.uint8)


def apply(augmentation, images, seed=0):
    return augment_function(augmentation)(images.copy(), np.random.default_rng(seed))


def generator(**options):
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    return ImageDataGenerator(**options)


KINDS = {
    "layer": lambda: keras.layers.RandomRotation(0.2),
    "list": lambda: [keras.layers.RandomFlip("horizontal"), keras.layers.RandomZoom(0.3)],
    "Sequential": lambda: keras.Sequential(
        [keras.layers.RandomTranslation(0.3, 0.3), keras.layers.RandomBrightness(0.3)]
    ),
    "ImageDataGenerator": lambda: generator(
        rotation_range=40, width_shift_range=0.2, shear_range=20, zoom_range=0.2,
        horizontal_flip=True, fill_mode="nearest", rescale=1 / 255,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_changes_pictures_and_repeats_with_its_seed(kind, images):
    first = apply(KINDS[kind](), images)
    assert first.shape == images.shape
    assert first.min() >= 0
    assert first.max() <= 255
    assert not np.array_equal(first, images)
    np.testing.assert_array_equal(first, apply(KINDS[kind](), images))
    assert not np.array_equal(first, apply(KINDS[kind](), images, seed=1))
    # still pictures on the scale of 0..255
    assert abs(first.mean() - images.mean()) < 60


@pytest.mark.parametrize("kind", KINDS)
def test_no_global_random_state_is_touched(kind, images):
    before = np.random.get_state()[1:3]  # noqa: NPY002
    apply(KINDS[kind](), images)
    np.testing.assert_equal(np.random.get_state()[1:3], before)  # noqa: NPY002


def test_flip_layer_flips(images):
    flipped = apply(keras.layers.RandomFlip("vertical", seed=1), images)
    for before, after in zip(images, flipped, strict=True):
        assert np.array_equal(after, before) or np.array_equal(after, before[::-1])


def test_layers_are_copied(images):
    layer = keras.layers.RandomFlip()
    before = [np.asarray(variable).copy() for variable in layer.variables]
    apply(layer, images)
    assert before
    np.testing.assert_equal([np.asarray(variable) for variable in layer.variables], before)


def test_functions_are_taken_as_they_are(images):
    def invert(images, rng):
        return 255 - images

    assert augment_function(invert) is invert
    assert augment_function(None) is None


@pytest.mark.parametrize(
    "bad",
    ["flip", 3, [], [keras.layers.RandomFlip(), 3], ImageAugmenter, keras.layers.RandomFlip],
)
def test_anything_else_is_refused(bad):
    with pytest.raises(ValueError, match="augmentation must be"):
        augment_function(bad)


def test_scaling_inside_a_generator_is_refused():
    with pytest.raises(ValueError, match="samplewise_center"):
        augment_function(generator(samplewise_center=True))


def test_numbers_that_are_no_pictures_stay_floats():
    X = np.random.default_rng(0).normal(size=(4, 6, 6, 1)).astype(np.float32) * 1000
    flipped = apply(keras.layers.RandomFlip("horizontal"), X)
    assert flipped.dtype == np.float32
    assert flipped.min() < -500
