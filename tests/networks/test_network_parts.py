"""A network is split where its last feature map is."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from skvision.networks import MiniVGGArchitecture
from skvision.networks.network_parts import NoFeatureMapError, split_network

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype("float32") / 255


def small(*after, **how):
    return keras.Sequential([keras.Input((16, 16, 3)), layers.Conv2D(4, 3, **how), *after])


def parts_agree(network, images=IMAGES, **how):
    """Split a network, and check that its parts compute what it computes."""
    parts = split_network(network, **how)
    maps = parts.body.predict_on_batch(images).reshape(len(images), *parts.shape)
    scores, inputs = (np.asarray(each) for each in parts.head.predict_on_batch(maps))
    expected = np.asarray(network.predict_on_batch(images))
    if how.get("classifies", True):
        powers = np.exp(scores)
        scores = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-6)
    return parts, inputs


@pytest.mark.parametrize(
    "options", [{}, {"pooling": "avg"}, {"se_ratio": 0.5}, {"norm_first": True}]
)
def test_minivgg_is_split_after_its_last_pooling(options):
    network = MiniVGGArchitecture((16, 16, 3), 3, filters=(4, 8), dense_units=(5,), **options)
    parts, inputs = parts_agree(network.build())
    assert parts.shape == (4, 4, 8)
    assert inputs.shape == (3, 5)
    assert parts.is_flattened == ("pooling" not in options)


@pytest.mark.parametrize(
    "end",
    [
        [layers.Flatten(), layers.Dense(2, "softmax")],
        [layers.Flatten(), layers.Dense(2), layers.Softmax()],
        [layers.Flatten(), layers.Dense(2), layers.Activation("softmax")],
        [layers.GlobalAveragePooling2D(), layers.Dense(2, "softmax"), layers.Activation("linear")],
        # a layer that isn't known as a softmax
        [layers.GlobalMaxPooling2D(), layers.Dense(2), layers.Lambda(keras.ops.softmax)],
        # the last weights are those of the convolution
        [layers.GlobalAveragePooling2D(), layers.Softmax()],
    ],
)
def test_scores_are_those_before_the_softmax(end):
    parts, _ = parts_agree(small(*end))
    assert parts.shape == (14, 14, 4)


def test_a_map_of_one_point_is_left_to_the_head():
    network = MiniVGGArchitecture((4, 4, 3), 3, filters=(4, 8), dense_units=(5,)).build()
    parts, _ = parts_agree(network, IMAGES[:, :4, :4])
    assert parts.shape == (2, 2, 8)


def test_features_of_a_nested_network_with_branches():
    inner = keras.Input((16, 16, 3))
    one = layers.Conv2D(4, 3, padding="same")(inner)
    sum_ = layers.Add()([one, layers.Conv2D(4, 1)(inner)])
    nested = keras.Model(inner, layers.ReLU()(sum_))
    outer = keras.Sequential([keras.Input((16, 16, 3)), nested, layers.GlobalAveragePooling2D()])
    parts, inputs = parts_agree(outer, classifies=False)
    assert parts.shape == (16, 16, 4)
    np.testing.assert_allclose(inputs, outer.predict_on_batch(IMAGES), rtol=1e-4, atol=1e-6)


def test_maps_of_16_bits_come_as_32():
    network = MiniVGGArchitecture((16, 16, 3), 3, filters=(4,), dtype="mixed_bfloat16").build()
    parts = split_network(network)
    assert parts.body.predict_on_batch(IMAGES).dtype == np.float32
    assert [output.dtype for output in parts.head.outputs] == ["float32", "float32"]


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            keras.Sequential(
                [keras.Input((16, 16, 3)), layers.Flatten(), layers.Dense(2, "softmax")]
            ),
            "has no convolution",
        ),
        (
            small(layers.Flatten(), layers.Dense(2, "softmax"), strides=16, padding="same"),
            "only one point.*larger image_size",
        ),
    ],
)
def test_networks_without_a_feature_map_are_refused(network, message):
    with pytest.raises(NoFeatureMapError, match=f'{message}.*method="occlusion"'):
        split_network(network)
