from __future__ import annotations

import numpy as np
import pytest
from keras import layers

from skvision.networks import MiniVGGArchitecture

CONV_ACT_BN = (layers.Conv2D, layers.Activation, layers.BatchNormalization)
TABLE = [  # that of the course, after the network's own scaling
    (layers.InputLayer, (32, 32, 3)),
    (layers.Rescaling, (32, 32, 3)),
    *([(layer, (32, 32, 32)) for layer in CONV_ACT_BN] * 2),
    (layers.MaxPooling2D, (16, 16, 32)),
    (layers.Dropout, (16, 16, 32)),
    *([(layer, (16, 16, 64)) for layer in CONV_ACT_BN] * 2),
    (layers.MaxPooling2D, (8, 8, 64)),
    (layers.Dropout, (8, 8, 64)),
    (layers.Flatten, (4096,)),
    (layers.Dense, (512,)),
    (layers.Activation, (512,)),
    (layers.BatchNormalization, (512,)),
    (layers.Dropout, (512,)),
    (layers.Dense, (10,)),
]


@pytest.fixture(scope="module")
def network():
    return MiniVGGArchitecture((32, 32, 3), 10).build()


def test_default_network_is_the_table_of_the_course(network):
    assert [(type(layer), layer.output.shape[1:]) for layer in network.layers] == TABLE
    assert network.count_params() == 2_171_178


def test_details_of_the_table(network):
    convolutions = [layer for layer in network.layers if isinstance(layer, layers.Conv2D)]
    assert {layer.kernel_size for layer in convolutions} == {(3, 3)}
    pools = [layer for layer in network.layers if isinstance(layer, layers.MaxPooling2D)]
    assert {(layer.pool_size, layer.strides) for layer in pools} == {((2, 2), (2, 2))}
    rates = [layer.rate for layer in network.layers if isinstance(layer, layers.Dropout)]
    assert rates == [0.25, 0.25, 0.5]
    assert network.layers[-1].activation.__name__ == "softmax"
    assert network.get_layer("scale").scale == 1 / 255


@pytest.mark.parametrize(
    ("change", "parameters"),
    [
        ({"batch_norm": False}, 2_171_178 - 4 * (32 + 32 + 64 + 64 + 512)),
        ({"dense_units": ()}, 65_568 + 768 + 40_970),
        ({"filters": (8,), "convs_per_block": 1, "dense_units": ()}, 224 + 32 + 8 * 256 * 10 + 10),
    ],
)
def test_each_number_of_the_table_has_an_effect(change, parameters):
    network = MiniVGGArchitecture((32, 32, 3), 10, **change).build()
    assert network.count_params() == parameters


def test_more_filters_make_it_deeper():
    network = MiniVGGArchitecture((32, 32, 3), 3, filters=(8, 16, 32)).build()
    assert network.get_layer("block3_pool").output.shape == (None, 4, 4, 32)


def test_activation_is_used():
    network = MiniVGGArchitecture((8, 8, 3), 3, activation="leaky_relu").build()
    used = {layer.activation.__name__ for layer in network.layers if hasattr(layer, "activation")}
    assert "leaky_relu" in used
    assert "relu" not in used


def test_the_error_of_a_small_image_names_the_minimum_size():
    with pytest.raises(ValueError, match=r"image_size=\(3, 8\) is too small.*at least \(4, 4\)"):
        MiniVGGArchitecture((3, 8, 3), 2)


def test_outputs_are_probabilities(network):
    outputs = network.predict_on_batch(np.zeros((2, 32, 32, 3)))
    np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-5)
