from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from skvision.networks import MiniVGGArchitecture
from skvision.networks.batch_norm import BatchNormAverages


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (10, 4, 4, 3)).astype(np.uint8)


def numbers(variables):
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def averages_of(network):
    return [weight for weight in network.weights if "moving" in weight.path]


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("options", [{}, {"se_ratio": 0.5}, {"pooling": "avg", "dense_units": ()}])
def test_averages_are_the_moments_of_training_without_dropout(images, norm_first, options):
    small = {"filters": (4,), "convs_per_block": 2, "dense_units": (4,), "norm_first": norm_first}
    network = MiniVGGArchitecture((4, 4, 3), 2, **{**small, **options}).build()
    before = numbers(network.trainable_weights)
    batches = [images[:4], images[4:]]
    BatchNormAverages(network).renew(batches)
    found = numbers(averages_of(network))
    for old, new in zip(before, numbers(network.trainable_weights), strict=True):
        np.testing.assert_array_equal(old, new)
    for layer in network.layers:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0
    moments = []
    for batch in batches:
        network(batch, training=True)
        moments.append(numbers(averages_of(network)))
    for average, one, two in zip(found, *moments, strict=True):
        np.testing.assert_allclose(average, 0.4 * one + 0.6 * two, rtol=1e-4, atol=1e-5)


def network_of(*norms):
    x = inputs = keras.Input((2,))
    for norm in norms:
        x = norm(x)
    return keras.Model(inputs, x)


X = np.array([[1.0, 0.0], [3.0, 8.0]])


def test_a_share_moves_them():
    norm = layers.BatchNormalization()
    BatchNormAverages(network_of(norm)).renew([X], share=0.25)
    mean, variance = numbers([norm.moving_mean, norm.moving_variance])
    np.testing.assert_allclose(mean, [0.5, 1.0])
    np.testing.assert_allclose(variance, [1.0, 0.75 + 0.25 * 16])


def test_only_trainable_layers_are_changed():
    still, plain = layers.BatchNormalization(trainable=False), layers.Dense(2)
    averages = BatchNormAverages(network_of(still, plain))
    assert not averages
    learns = layers.BatchNormalization(scale=False, center=False)
    averages = BatchNormAverages(network_of(still, learns))
    assert len(averages) == 1
    averages.renew([X])
    mean_of_still, mean = numbers([still.moving_mean, learns.moving_mean])
    np.testing.assert_array_equal(mean_of_still, [0, 0])
    # by 0 and 1 as it came, and its 0.001 beside the variance
    np.testing.assert_allclose(mean, np.array([2, 4]) / np.sqrt(1.001), rtol=1e-5)


def test_a_compiled_network_stays_unchanged(images):
    network = MiniVGGArchitecture((4, 4, 3), 2, (4,), 1, 3, (4,)).build()
    network.compile("adam", "sparse_categorical_crossentropy")
    config = network.to_json()
    BatchNormAverages(network).renew([images])
    assert network.to_json() == config
    assert network.predict(images, verbose=0).shape == (10, 2)
