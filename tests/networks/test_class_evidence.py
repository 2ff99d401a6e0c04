"""Evidence on a feature map, against networks whose answer is known."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from skvision.networks.class_evidence import ClassEvidence
from skvision.networks.network_parts import split_network

MAPS = np.random.default_rng(0).random((2, 3, 4, 5), np.float32)
KERNEL = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
TARGETS = np.array([2, 0])


def parts_with(*head, kernel=None):
    """Split a network whose feature map is (3, 4, 5)."""
    network = keras.Sequential(
        [keras.Input((3, 4, 3)), layers.Conv2D(5, 1), *head, layers.Dense(3, "softmax")]
    )
    if kernel is not None:
        network.layers[-1].set_weights([kernel, np.zeros(3)])
    return split_network(network)


def contrast(scores):
    """Return by how much each class's weights count in the log-odds of each target."""
    signs = np.zeros((2, 3))
    for row, target in enumerate(TARGETS):
        powers = np.exp(scores[row])
        powers[target] = 0
        signs[row] = -powers / powers.sum()
        signs[row, target] = 1
    return signs


@pytest.mark.parametrize("method", ["gradcam", "hirescam"])
def test_after_average_pooling_evidence_is_the_class_activation_map(method):
    evidence = ClassEvidence(parts_with(layers.GlobalAveragePooling2D(), kernel=KERNEL), method)
    scores, _ = evidence.outputs(MAPS)
    np.testing.assert_allclose(scores, MAPS.mean(axis=(1, 2)) @ KERNEL, rtol=1e-5)
    weights = contrast(scores) @ KERNEL.T / 12
    of_class, of_random = evidence(MAPS, TARGETS)
    np.testing.assert_allclose(of_class, np.einsum("nhwc,nc->nhw", MAPS, weights), atol=1e-6)
    assert of_random.shape == (4, 2, 3, 4)
    assert not np.allclose(of_random[0], of_random[1])


def test_the_evidence_of_one_class_alone():
    parts = parts_with(layers.GlobalAveragePooling2D(), kernel=KERNEL)
    of_class, _ = ClassEvidence(parts, "hirescam", against_others=False)(MAPS, TARGETS)
    expected = np.einsum("nhwc,nc->nhw", MAPS, KERNEL.T[TARGETS] / 12)
    np.testing.assert_allclose(of_class, expected, atol=1e-6)


def test_after_flattening_points_have_weights_of_their_own():
    kernel = np.random.default_rng(2).normal(size=(60, 3)).astype(np.float32)
    evidence = ClassEvidence(parts_with(layers.Flatten(), kernel=kernel), "hirescam")
    scores, _ = evidence.outputs(MAPS)
    weights = (contrast(scores) @ kernel.T).reshape(MAPS.shape)
    of_class, _ = evidence(MAPS, TARGETS)
    np.testing.assert_allclose(of_class, (MAPS * weights).sum(axis=3), atol=1e-5)
    # with linear layers, the evidence of all points is the evidence
    np.testing.assert_allclose(
        of_class.sum(axis=(1, 2)), (contrast(scores) * scores).sum(axis=1), rtol=1e-4
    )


def test_a_linear_model_takes_the_place_of_the_scores():
    network = keras.Sequential(
        [keras.Input((3, 4, 3)), layers.Conv2D(5, 1), layers.GlobalAveragePooling2D()]
    )
    evidence = ClassEvidence(split_network(network, classifies=False), "hirescam")
    _, features = evidence.outputs(MAPS)
    np.testing.assert_allclose(features, MAPS.mean(axis=(1, 2)), rtol=1e-5)
    bias = np.array([0.1, 0.2, -0.3])
    scores = features @ KERNEL + bias
    of_class, _ = evidence(MAPS, TARGETS, (KERNEL, bias))
    weights = contrast(scores) @ KERNEL.T / 12
    np.testing.assert_allclose(of_class, np.einsum("nhwc,nc->nhw", MAPS, weights), atol=1e-6)


def test_a_certain_network_has_finite_evidence():
    evidence = ClassEvidence(
        parts_with(layers.GlobalAveragePooling2D(), kernel=1000 * KERNEL), "hirescam"
    )
    of_class, _ = evidence(MAPS, TARGETS)
    assert np.isfinite(of_class).all()
    assert (np.abs(of_class).max(axis=(1, 2)) > 1).all()


def test_random_last_layers_are_the_same_each_time():
    parts = parts_with(layers.Flatten())
    found = [ClassEvidence(parts, "hirescam")(MAPS, TARGETS)[1] for _ in range(2)]
    np.testing.assert_array_equal(*found)
