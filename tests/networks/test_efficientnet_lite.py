from __future__ import annotations

import csv
import importlib.util
import json
import pickle
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from skvision.images import decode_resized
from skvision.networks import efficientnet_lite
from skvision.networks.efficientnet_lite import (
    BLOCKS,
    EfficientNetLite0,
    preprocess_input,
    weights_digest,
)

REPOSITORY = Path(__file__).parents[2]
DATA = Path(efficientnet_lite.__file__).parent / "data"
PANDAS = REPOSITORY.parent / "shared" / "data" / "animals" / "panda"
CONVERTER = REPOSITORY / "tools" / "convert_efficientnet_lite.py"
GIANT_PANDA = 388

OUTPUTS = {  # the last layer of each stage -> its output for 224x224
    "stem_activation": (112, 112, 32),
    "block1a_project_bn": (112, 112, 16),
    "block2b_add": (56, 56, 24),
    "block3b_add": (28, 28, 40),
    "block4c_add": (14, 14, 80),
    "block5c_add": (14, 14, 112),
    "block6d_add": (7, 7, 192),
    "block7a_project_bn": (7, 7, 320),
    "top_activation": (7, 7, 1280),
    "avg_pool": (1280,),
    "predictions": (1000,),
}


@pytest.fixture(scope="module")
def network():
    return EfficientNetLite0(classifier_activation=None)


@pytest.fixture(scope="module")
def features():
    return EfficientNetLite0(include_top=False, pooling="avg")


def pattern(height, width):
    y, x, channel = np.indices((height, width, 3))
    return ((y * y + 3 * x * y + 50 * channel * x) % 256).astype(np.uint8)


def weight_names(network):
    return {f"{layer.name}/{v.name}" for layer in network.layers for v in layer.weights}


def test_network_is_the_table(network):
    assert {name: network.get_layer(name).output.shape[1:] for name in OUTPUTS} == OUTPUTS
    for number, block in enumerate(BLOCKS, start=1):
        depthwise = [
            layer
            for layer in network.layers
            if layer.name.startswith(f"block{number}") and layer.name.endswith("_dwconv")
        ]
        assert len(depthwise) == block.repeats
        assert {layer.kernel_size for layer in depthwise} == {(block.kernel_size,) * 2}
        assert depthwise[0].strides == (block.strides,) * 2
        assert {layer.strides for layer in depthwise[1:]} <= {(1, 1)}


def test_number_of_parameters_is_the_published_one(network, features):
    trained = sum(np.prod(variable.shape) for variable in network.trainable_variables)
    assert (trained, network.count_params()) == (4_652_008, 4_652_008 + 42_016)
    assert features.count_params() == network.count_params() - 1281 * 1000


def test_details_of_the_table(network):
    convolutions = [layer for layer in network.layers if hasattr(layer, "padding")]
    assert {(layer.padding, layer.use_bias) for layer in convolutions} == {("same", False)}
    norms = [layer for layer in network.layers if isinstance(layer, layers.BatchNormalization)]
    assert {layer.epsilon for layer in norms} == {1e-3}
    assert {layer.max_value for layer in network.layers if isinstance(layer, layers.ReLU)} == {6}


# from a forward pass in NumPy with 64-bit numbers and the original weights, padded as in the
# PyTorch code of the publication
@pytest.mark.parametrize(
    ("size", "largest", "total", "logits", "best"),
    [
        (
            (224, 224),
            {341: 5.1018, 1127: 4.6219, 522: 4.4400, 588: 4.1325, 316: 4.0510, 1244: 4.0253},
            284.1156,
            [0.1474, 0.3696, -1.9994, -0.4789],
            (109, 9.5165),
        ),
        pytest.param(
            (75, 90),
            {588: 6.0, 522: 5.8464, 748: 5.5337, 406: 5.3547, 108: 5.3352, 1210: 5.2540},
            622.2003,
            [3.1605, 2.0030, -4.9823, -3.1783],
            (340, 14.0789),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_outputs_are_the_original_weights(features, size, largest, total, logits, best):
    batch = preprocess_input(pattern(*size)[np.newaxis])
    found = features.predict_on_batch(batch)[0]
    assert found.shape == (1280,)
    assert set(np.argsort(found)[-6:]) == set(largest)
    tolerance = 1e-3 * found.max()
    np.testing.assert_allclose(found[list(largest)], list(largest.values()), atol=tolerance)
    assert found.sum() == pytest.approx(total, rel=1e-3)
    with_top = EfficientNetLite0(input_shape=(*size, 3), classifier_activation=None)
    found = with_top.predict_on_batch(batch)[0]
    np.testing.assert_allclose(found[:4], logits, atol=0.01)
    assert (found.argmax(), found.max()) == (best[0], pytest.approx(best[1], abs=0.01))


@pytest.mark.skipif(not PANDAS.is_dir(), reason="the animals' photos are not here")
def test_pandas_are_giant_pandas(network):
    # of all 750, 725 are; of every 90th, all
    photos = sorted(PANDAS.iterdir())[::90][:8]
    batch = np.stack([decode_resized(photo, (224, 224), "stretch") for photo in photos])
    predicted = network.predict_on_batch(preprocess_input(batch)).argmax(axis=1)
    assert (predicted == GIANT_PANDA).sum() >= 7


def test_default_output_is_probabilities():
    outputs = EfficientNetLite0(weights=None).predict_on_batch(np.zeros((1, 224, 224, 3)))
    assert outputs.sum() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize(
    ("input_shape", "pooling", "expected"),
    [
        (None, None, (None, None, None, 1280)),
        (None, "avg", (None, 1280)),
        ((32, 32, 3), None, (None, 1, 1, 1280)),
        ((65, 97, 3), None, (None, 3, 4, 1280)),
        ((96, 64, 3), "max", (None, 1280)),
    ],
)
def test_without_top_any_size_is_accepted(input_shape, pooling, expected):
    network = EfficientNetLite0(
        include_top=False, weights=None, input_shape=input_shape, pooling=pooling
    )
    assert network.output.shape == expected


def test_pooling_is_the_average_or_the_maximum(features):
    batch = preprocess_input(pattern(64, 96)[np.newaxis])
    maps = EfficientNetLite0(include_top=False).predict_on_batch(batch)
    assert maps.shape == (1, 2, 3, 1280)
    average = features.predict_on_batch(batch)
    np.testing.assert_allclose(average, maps.mean(axis=(1, 2)), atol=1e-5)
    largest = EfficientNetLite0(include_top=False, pooling="max").predict_on_batch(batch)
    np.testing.assert_allclose(largest, maps.max(axis=(1, 2)), atol=1e-5)


def test_random_network_of_other_classes_and_channels():
    network = EfficientNetLite0(weights=None, input_shape=(32, 32, 1), classes=5, name="mine")
    assert (network.name, network.output.shape) == ("mine", (None, 5))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "noisy"}, r"weights must be 'imagenet' or None. Received: .*'noisy'"),
        ({"classes": 3}, r"have 1000 classes. Received: classes=3. Use include_top=False"),
        ({"pooling": "mean"}, r"pooling must be 'avg', 'max' or None. Received: .*'mean'"),
        ({"input_shape": (31, 64, 3)}, r"at least 32x32. Received: input_shape=\(31, 64, 3\)"),
        ({"input_shape": (64, 0, 3)}, r"at least 32x32. Received: input_shape=\(64, 0, 3\)"),
        ({"input_shape": (64, 64, 1)}, r"3 channels, red, green and blue. Received"),
        ({"input_shape": (64, 64)}, r"must be \(height, width, channels\). Received"),
    ],
)
def test_errors_of_wrong_arguments_name_the_accepted_ones(arguments, message):
    with pytest.raises(ValueError, match=message):
        EfficientNetLite0(**arguments)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_preprocess_input(dtype):
    pixels = np.array([0, 127, 255], dtype=dtype)
    expected = np.array([-127 / 128, 0, 1], dtype=np.float32)
    scaled = preprocess_input(pixels)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled, expected)
    np.testing.assert_array_equal(pixels, [0, 127, 255])
    tensor = preprocess_input(keras.ops.convert_to_tensor(pixels))
    assert keras.ops.is_tensor(tensor)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(tensor), expected)


def test_preprocess_input_of_a_network_being_built():
    inputs = keras.Input((32, 32, 3), dtype="uint8")
    scaled = preprocess_input(inputs)
    assert (scaled.shape, scaled.dtype) == ((None, 32, 32, 3), "float32")


def test_bundled_file_is_plain_arrays_of_the_network(network):
    path = DATA / "efficientnet_lite0.npz"
    assert path.stat().st_size < 10_000_000
    with np.load(path, allow_pickle=False) as arrays:
        names = set(arrays.files)
        dtypes = {arrays[name].dtype for name in names - {"about"}}
        about = json.loads(str(arrays["about"]))
    assert {name.removesuffix("/scale") for name in names - {"about"}} == weight_names(network)
    assert dtypes == {np.dtype("<f4"), np.dtype("<i2")}
    assert (about["format"], about["version"]) == ("skvision weights", 1)
    for digest in ("wheel_sha256", "file_sha256"):
        assert len(about["source"][digest]) == 64
        assert about["source"][digest] in (DATA / "NOTICE").read_text()


def test_licences_are_beside_the_data():
    assert "Version 2.0, January 2004" in (DATA / "LICENSE-APACHE").read_text()
    assert "WordNet 3.0 Copyright 2006" in (DATA / "LICENSE-WORDNET").read_text()


def test_digest_is_that_of_the_file():
    assert weights_digest() == efficientnet_lite.WEIGHTS_SHA256
    assert len(weights_digest()) == 64


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[:-1], id="truncated"),
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[:5000] + b"!" + content[5001:], id="altered"),
    ],
)
def test_damaged_file_is_refused(damage, tmp_path, monkeypatch):
    damaged = tmp_path / "weights.npz"
    damaged.write_bytes(damage(efficientnet_lite.WEIGHTS_FILE.read_bytes()))
    monkeypatch.setattr(efficientnet_lite, "WEIGHTS_FILE", damaged)
    message = r"weights.npz are damaged: [\d,]+ bytes .* Install skvision again"
    with pytest.raises(ValueError, match=message):
        EfficientNetLite0(include_top=False)
    with pytest.raises(ValueError, match=message):
        weights_digest.__wrapped__()


def test_the_error_of_a_missing_file_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "WEIGHTS_FILE", tmp_path / "weights.npz")
    with pytest.raises(OSError, match=r"bundled weights: .*weights.npz.*Install skvision again"):
        EfficientNetLite0()


def test_table_of_imagenets_classes():
    with (DATA / "imagenet_classes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["index", "wnid", "name", "synonyms"]
    assert [int(row["index"]) for row in rows] == list(range(1000))
    ids = [row["wnid"] for row in rows]
    assert ids == sorted(set(ids))
    assert all(len(wnid) == 9 and wnid[0] == "n" and wnid[1:].isdigit() for wnid in ids)
    assert (ids[GIANT_PANDA], rows[GIANT_PANDA]["name"]) == ("n02510455", "giant panda")
    names = [row["name"] for row in rows]
    assert all(name == name.strip() and name and "," not in name for name in names)
    assert sorted({name for name in names if names.count(name) > 1}) == ["crane", "maillot"]


@pytest.fixture(scope="module")
def converter():
    if not CONVERTER.is_file():
        pytest.skip("the tools are not here")
    spec = importlib.util.spec_from_file_location("convert_efficientnet_lite", CONVERTER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("shape", "scales"),
    [
        ((1, 1, 100, 60), (1, 1, 1, 60)),
        ((3, 3, 600, 1), (1, 1, 600, 1)),
        ((100, 60), (1, 60)),
    ],
)
def test_large_kernels_are_kept_in_16_bits(converter, shape, scales):
    rng = np.random.default_rng(0)
    kernel = rng.standard_normal(shape, dtype=np.float32)
    kernel *= rng.uniform(0.01, 100, scales).astype(np.float32)
    packed = converter.pack({"layer/kernel": kernel})
    assert packed["layer/kernel"].dtype == np.int16
    assert packed["layer/kernel/scale"].shape == scales
    unpacked = efficientnet_lite._unpacked(packed, "layer/kernel")
    assert unpacked.dtype == np.float32
    assert (np.abs(unpacked - kernel) <= 0.51 * packed["layer/kernel/scale"]).all()


def test_small_arrays_and_channels_of_zeros_stay_unchanged(converter):
    small = np.array([1e-9, 1e9], dtype=np.float32)
    zeros = np.zeros((100, 60), dtype=np.float32)
    packed = converter.pack({"small": small, "zeros": zeros})
    np.testing.assert_array_equal(efficientnet_lite._unpacked(packed, "small"), small)
    np.testing.assert_array_equal(efficientnet_lite._unpacked(packed, "zeros"), zeros)


def test_converter_reads_no_foreign_code(converter, tmp_path):
    with pytest.raises(pickle.UnpicklingError, match=r"builtins.print is no part of a tensor"):
        converter.read_pth(pickle.dumps(print))
    other = tmp_path / "other.pth"
    other.write_bytes(b"something else")
    with pytest.raises(SystemExit, match=r"SHA-256 .* is expected"):
        converter.checked_source(other)
