from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from skvision import ImageAugmenter
from skvision.images import ImageReader, as_image_batch
from skvision.training import BatchStream, augment_function


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
def test_every_kind_changes_images_and_repeats_with_its_seed(kind, images):
    first = apply(KINDS[kind](), images)
    assert first.shape == images.shape
    assert first.min() >= 0
    assert first.max() <= 255
    assert not np.array_equal(first, images)
    np.testing.assert_array_equal(first, apply(KINDS[kind](), images))
    assert not np.array_equal(first, apply(KINDS[kind](), images, seed=1))
    # the results are images on the scale 0..255
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


def test_functions_are_used_unchanged(images):
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


def test_numbers_that_are_not_images_stay_floats():
    X = np.random.default_rng(0).normal(size=(4, 6, 6, 1)).astype(np.float32) * 1000
    flipped = apply(keras.layers.RandomFlip("horizontal"), X)
    assert flipped.dtype == np.float32
    assert flipped.min() < -500


# a scale that augmentation changes


def photos(low=0, high=256):
    return np.random.default_rng(0).integers(low, high, (4, 32, 32, 3), dtype=np.uint8)


SCALINGS = {
    "caffe": keras.applications.vgg16.preprocess_input,
    "tf": keras.applications.resnet_v2.preprocess_input,
    "torch": keras.applications.densenet.preprocess_input,
    "share": lambda x: x / 255,
    "signed share": lambda x: x / 127.5 - 1,
    "sixteen bits": lambda x: x * 257.0,
}


@pytest.mark.parametrize("name", SCALINGS)
@pytest.mark.parametrize("wrap", ["generator", "function"])
def test_a_scale_that_a_function_changes_is_refused(name, wrap):
    scale = SCALINGS[name]
    text = "augmentation got (images of levels|uint8 images)"
    if wrap == "generator":
        with pytest.raises(ValueError, match=text):
            augment_function(generator(preprocessing_function=scale))
        return
    stream = BatchStream(
        ImageReader(as_image_batch(photos()), (32, 32), "stretch"),
        np.arange(4),
        np.zeros(4, int),
        np.ones(4, np.float32),
        batch_size=4,
        order_seed=0,
        augment=augment_function(lambda x, rng: scale(x.astype(float))),
    )
    with pytest.raises(ValueError, match=text):
        list(stream.batches(range(1)))


@pytest.mark.parametrize(
    "layer",
    [
        layers.Rescaling(1 / 255),
        layers.Rescaling(1 / 127.5, offset=-1),
        layers.Rescaling(2.0, offset=255.0),
        layers.Normalization(mean=127.0, variance=4000.0),
        [layers.RandomFlip(), layers.Rescaling(1 / 255)],
    ],
    ids=["share", "signed", "up", "normal", "list"],
)
def test_a_scale_that_a_layer_changes_is_refused(layer):
    with pytest.raises(ValueError, match="as if they were scaled. Leave scaling"):
        augment_function(layer)


def noisy(image):
    return image + np.random.default_rng(0).normal(0, 60, image.shape)


@pytest.mark.parametrize(
    "augmentation",
    [
        generator(rotation_range=40, brightness_range=(0.2, 1.8), channel_shift_range=90),
        generator(preprocessing_function=lambda x: x + 30 * np.sign(x - 128)),
        generator(preprocessing_function=noisy),
        layers.RandomBrightness(0.9),
        layers.RandomContrast(0.9),
        layers.RandomGrayscale(1.0),
        layers.RandomErasing(1.0, scale=(0.3, 0.6)),
        layers.Solarization(1.0, 0.5),
    ],
    ids=["generator", "function", "noise", "bright", "contrast", "grey", "erasing", "solar"],
)
@pytest.mark.parametrize(("low", "high"), [(0, 256), (0, 70), (150, 256), (90, 110)])
def test_strong_augmentation_keeps_its_scale(augmentation, low, high):
    augment = augment_function(augmentation)
    for seed in range(20):
        result = augment(photos(low, high), np.random.default_rng(seed))
        assert result.min() >= 0
        assert result.max() <= 255
