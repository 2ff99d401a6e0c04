"""Options of MiniVGG's structure beyond the course, and of its predictions."""

from __future__ import annotations

import copy

import keras
import numpy as np
import pytest
from PIL import Image

from skvision import MiniVGGClassifier
from skvision.networks import MiniVGGArchitecture

from ..conftest import TINY


def names(**options):
    model = MiniVGGArchitecture((16, 16, 3), 4, filters=(4, 8), **options).build()
    return [layer.name for layer in model.layers], model


def test_the_default_structure_is_that_of_the_course():
    assert MiniVGGArchitecture((32, 32, 3), 10).build().count_params() == 2_171_178
    listed, _ = names()
    assert "flatten" in listed
    assert listed.index("block1_conv1_activation") < listed.index("block1_conv1_bn")


def test_normalisation_before_activation_replaces_the_bias():
    listed, model = names(norm_first=True)
    assert listed.index("block1_conv1_bn") < listed.index("block1_conv1_activation")
    assert not model.get_layer("block1_conv1").use_bias
    assert not model.get_layer("dense1").use_bias
    _, without = names(norm_first=True, batch_norm=False)
    assert without.get_layer("block1_conv1").use_bias


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_pooling_leaves_one_number_per_filter(pooling):
    listed, model = names(pooling=pooling, dense_units=())
    assert model.get_layer(pooling).output.shape == (None, 8)
    assert listed[-2] == f"{pooling}_dropout"
    assert model.get_layer("predictions").kernel.shape == (8, 4)
    assert "flatten" not in listed


def test_squeeze_and_excitation_weighs_the_filters_of_each_convolution():
    listed, model = names(se_ratio=(0, 0.3))
    assert [name for name in listed if name.endswith("_se_excite")] == [
        "block2_conv1_se_excite",
        "block2_conv2_se_excite",
    ]
    stem = "block2_conv2"
    assert listed.index(f"{stem}_bn") < listed.index(f"{stem}_se_squeeze")
    assert listed.index(f"{stem}_se_excite") < listed.index("block2_pool")
    reduce, expand = (model.get_layer(f"{stem}_se_{name}") for name in ("reduce", "expand"))
    assert reduce.units == 2  # 0.3 of 8 filters
    rng = np.random.default_rng(0)
    for layer in (reduce, expand):
        layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    outputs = [model.get_layer(f"{stem}_{name}").output for name in ("bn", "se_excite")]
    before, after = keras.Model(model.input, outputs).predict_on_batch(
        rng.integers(0, 256, (3, 16, 16, 3))
    )
    (into, from_into), (out, from_out) = reduce.get_weights(), expand.get_weights()
    squeezed = np.maximum(before.mean(axis=(1, 2)) @ into + from_into, 0)
    weights = 1 / (1 + np.exp(-(squeezed @ out + from_out)))
    assert np.ptp(weights) > 0.01
    np.testing.assert_allclose(after, before * weights[:, None, None], rtol=1e-4, atol=1e-6)


def test_without_squeeze_and_excitation_there_are_no_layers_for_it():
    listed, _ = names()
    assert not [name for name in listed if "_se_" in name]


def test_each_block_has_its_own_numbers():
    listed, model = names(convs_per_block=(1, 3), conv_dropout=(0.0, 0.4))
    assert "block1_conv2" not in listed
    assert "block2_conv3" in listed
    assert model.get_layer("block2_dropout").rate == 0.4


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"convs_per_block": (1, 2)}, "convs_per_block has 2 entries, but filters has 1"),
        ({"convs_per_block": (0,)}, "convs_per_block must be a tuple of whole numbers above 0"),
        ({"conv_dropout": (0.1, 0.2)}, "conv_dropout has 2 entries, but filters has 1"),
        (
            {"conv_dropout": (1.0,)},
            r"conv_dropout must be a float in the range \[0(\.0)?, 1(\.0)?\)",
        ),
        ({"se_ratio": (-1.0,)}, r"se_ratio must be a float .*, or a tuple .* Received: \(-1.0,\)"),
        ({"se_ratio": (0.1, 0.1)}, "se_ratio has 2 entries, but filters has 1"),
        ({"pooling": "mean"}, "pooling"),
        ({"se_ratio": 1.5}, r"'se_ratio' parameter .* in the range \[0(\.0)?, 1(\.0)?\]"),
    ],
)
def test_bad_structures(digits, bad, message):
    with pytest.raises(ValueError, match=message):
        MiniVGGClassifier(**{**TINY, **bad}).fit(*digits)


def test_mirrored_predictions(fitted, digits):
    X = digits[0][:40]
    plain, mirrored = fitted.predict_proba(X), fitted.predict_proba(X[:, :, ::-1])
    fitted.set_params(predict_mirrored=True)
    try:
        both, of_mirrored = fitted.predict_proba(X), fitted.predict_proba(X[:, :, ::-1])
    finally:
        fitted.set_params(predict_mirrored=False)
    np.testing.assert_allclose(both, (plain + mirrored) / 2, atol=1e-6)
    np.testing.assert_allclose(both, of_mirrored, atol=1e-6)


def test_predictions_are_averaged_over_central_crops(fitted, digits):
    X = digits[0][:40]
    both = copy.deepcopy(fitted).set_params(predict_crops=[1, 0.5], predict_mirrored=True)
    pictures = np.repeat(X[..., None], 3, axis=-1) * np.float32(1)
    # half of 8 pixels are the middle 4, the outermost of them beyond the middles of two
    middle = np.stack([resized(each) for each in pictures])
    seen = [pictures, pictures[:, :, ::-1], middle, middle[:, :, ::-1]]
    expected = np.mean([fitted.model_.predict(each, verbose=0) for each in seen], axis=0)
    np.testing.assert_allclose(both.predict_proba(X), expected, atol=1e-5)
    assert np.abs(expected - fitted.predict_proba(X)).max() > 0.01
    whole = copy.deepcopy(fitted).set_params(predict_crops=(1.0,))
    np.testing.assert_array_equal(whole.predict_proba(X), fitted.predict_proba(X))


def resized(picture):
    """Return the middle half, resized by Pillow, in floats."""
    height, width, channels = picture.shape
    box = (width / 4, height / 4, width * 3 / 4, height * 3 / 4)
    return np.stack(
        [
            Image.fromarray(picture[..., channel]).resize(
                (width, height), Image.Resampling.BILINEAR, box
            )
            for channel in range(channels)
        ],
        axis=-1,
    )


@pytest.mark.parametrize("bad", [(), (0,), (1.5,), ("1",), (True,), 0.8, None])
def test_bad_crops_are_refused_before_the_training(digits, bad):
    with pytest.raises(ValueError, match=r"predict_crops must be a tuple .*\(1.0, 0.8\)"):
        MiniVGGClassifier(**{**TINY, "predict_crops": bad}).fit(*digits)


def test_bad_crops_set_later_are_refused_too(fitted, digits):
    net = copy.deepcopy(fitted).set_params(predict_crops=(2,))
    with pytest.raises(ValueError, match=r"predict_crops must be .* Received: \(2,\)"):
        net.predict(digits[0][:3])


def test_averaged_weights_are_an_option_of_the_optimiser(digits):
    X, y = digits[0][:60], digits[1][:60]
    plain = MiniVGGClassifier(**TINY).fit(X, y)
    averaged = MiniVGGClassifier(
        **TINY, optimizer__use_ema=True, optimizer__ema_momentum=0.9
    ).fit(X, y)  # fmt: skip
    kernel, smooth = (net.model_.get_layer("dense1").kernel for net in (plain, averaged))
    assert not np.array_equal(kernel, smooth)
    assert averaged.history_["loss"] == plain.history_["loss"]


@pytest.mark.slow
def test_deep_structure_learns(digits):
    net = MiniVGGClassifier(
        image_size=16,
        filters=(8, 16, 16),
        convs_per_block=(1, 1, 2),
        norm_first=True,
        pooling="avg",
        se_ratio=(0, 0, 0.125),
        dense_units=(),
        conv_dropout=0.0,
        dense_dropout=0.1,
        learning_rate=0.1,
        learning_rate_schedule="warmup_cosine",
        optimizer__momentum=0.9,
        optimizer__nesterov=True,
        optimizer__weight_decay=5e-3,
        epochs=6,
        random_state=0,
    ).fit(digits[0][:200], digits[1][:200])
    assert net.score(digits[0][200:], digits[1][200:]) > 0.9


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 4096 * 512),
        ({"input_shape": (512, 512, 3)}, 128 * 128 * 64 * 512),
        ({"pooling": "avg"}, 64 * 512),
        ({"dense_units": ()}, 4096 * 10),
        ({"input_shape": (33, 34, 3), "filters": (4, 5), "dense_units": (6,)}, 8 * 8 * 5 * 6),
    ],
)
def test_weights_of_the_first_dense_layer(options, expected):
    architecture = MiniVGGArchitecture(**{"input_shape": (32, 32, 3), "n_classes": 10, **options})
    assert architecture.n_first_dense_weights == expected
    if expected < 1e7:
        network = architecture.build()
        name = "dense1" if architecture.dense_units else "predictions"
        assert network.get_layer(name).kernel.shape.num_elements() == expected


def test_missing_memory_for_a_dense_layer_is_an_error_before_the_training(digits, monkeypatch):
    monkeypatch.setattr("skvision.classifiers.minivgg.available_memory", lambda: 8 * 10**9)
    text = "would have 536,870,912 weights, .* 8.6 GB to train; 8.0 GB are free.*pooling='avg'"
    with pytest.raises(MemoryError, match=text):
        MiniVGGClassifier(image_size=512).fit(*digits)
    monkeypatch.setattr("skvision.classifiers.minivgg.available_memory", lambda: None)
    MiniVGGClassifier(**TINY).fit(*digits)


def test_the_available_memory():
    from skvision._system.memory import available_memory

    free = available_memory()
    assert free is None or 10**6 < free < 10**15
