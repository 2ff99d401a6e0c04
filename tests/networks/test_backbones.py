"""Every row of the table of pretrained networks, compared with Keras' own network."""

from __future__ import annotations

import gc

import keras
import numpy as np
import pytest
from keras.src.applications import efficientnet
from keras.src.utils import file_utils
from PIL import Image

from skvision.images import ImageReader, as_image_batch
from skvision.networks import efficientnet_lite
from skvision.networks.backbone_weights import published_weights
from skvision.networks.backbones import BACKBONES, build_backbone

#: below this share of the largest feature two results count as the same
TOLERANCE = 1e-4


@pytest.fixture
def downloaded(monkeypatch):
    """Names of the files that Keras would download; nothing is downloaded or loaded."""
    names = []

    def get_file(fname, *args, **kwargs):
        names.append(fname)
        return fname

    monkeypatch.setattr(file_utils, "get_file", get_file)
    monkeypatch.setattr(keras.Model, "load_weights", lambda *args, **kwargs: None)
    # EfficientNet has a second scaling with published weights only, which belongs to them
    monkeypatch.setattr(efficientnet, "IMAGENET_STDDEV_RGB", [1.0, 1.0, 1.0])
    return names


def same(one, two):
    return np.abs(one - two).max() <= TOLERANCE * np.abs(two).max()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`input_shape` is undefined or non-square")
@pytest.mark.parametrize("name", BACKBONES)
def test_a_row_is_the_network_of_keras(name, downloaded, tmp_path):
    row = BACKBONES[name]
    # Keras takes NASNet's published weights at its own size only
    side = row.size if row.module == "nasnet" else row.smallest
    ours = build_backbone(name, image_size=(side, side), weights=None, seed=3)
    if row.module:
        builder = getattr(keras.applications, name)
        preprocess = getattr(keras.applications, row.module).preprocess_input
        theirs = builder(include_top=False, weights="imagenet", input_shape=(side, side, 3))
        assert downloaded == [row.file] == [published_weights(name).name]
    else:
        preprocess = efficientnet_lite.preprocess_input
        theirs = efficientnet_lite.EfficientNetLite0(
            include_top=False, weights=None, input_shape=(side, side, 3)
        )
        assert published_weights(name) is None
    theirs.set_weights(ours.get_weights())

    # its row of the table
    assert ours.count_params() == row.parameters
    assert ours.output_shape[-1] == row.features[-1]
    tapped = [theirs.get_layer(tap).output.shape for tap in row.taps]
    areas = [height * width for _, height, width, _ in tapped]
    assert len(areas) >= 2
    assert areas == sorted(areas, reverse=True)

    # features, of an image in each form; channels swapped and scaled twice as controls
    picture = np.random.default_rng(1).integers(0, 256, (side + 3, side, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "image.png")
    forms = [picture[np.newaxis], picture[np.newaxis] / 255, [tmp_path / "image.png"]]
    pixels = []
    for form in forms:
        with ImageReader(as_image_batch(form), (side, side), "stretch") as reader:
            pixels.append(reader.read(np.arange(1)))
    found = np.asarray(ours(np.concatenate(pixels).astype(np.float32), training=False))
    resized = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR))
    resized = resized.astype(np.float32)
    scaled = preprocess(np.stack([resized, resized[..., ::-1], resized / 255]))
    expected, swapped, scaled_twice = np.asarray(theirs(scaled, training=False))
    for of_a_form in found:
        assert same(of_a_form, expected)
        assert not same(of_a_form, swapped)
        assert not same(of_a_form, scaled_twice)
    del ours, theirs
    gc.collect()  # the largest takes 1.4 GB


def quick_and_slow(quick, slow):
    """Names of networks, of which the slow ones have hundreds of layers or as many megabytes."""
    return [*quick, *(pytest.param(name, marks=pytest.mark.slow) for name in slow)]


@pytest.mark.parametrize(
    "name", quick_and_slow(["EfficientNetLite0", "VGG16"], ["Xception", "MobileNetV2"])
)
def test_the_table_has_the_last_feature_map(name):
    assert build_backbone(name, weights=None).output_shape[1:] == BACKBONES[name].features


def test_sizes_other_than_the_networks_own():
    assert build_backbone("VGG16", image_size=(64, 96), weights=None).output_shape[1:3] == (2, 3)


@pytest.mark.parametrize("suffix", quick_and_slow(["weights.h5"], ["keras"]))
@pytest.mark.slow
def test_published_efficientnets_scale_pixels_as_keras_does(tmp_path, monkeypatch, suffix):
    """With weights="imagenet", Keras adds a layer that isn't in the file."""
    shape = (32, 32, 3)
    drawn = build_backbone("EfficientNetB0", image_size=shape[:2], weights=None, seed=1)
    published = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=shape
    )
    weights = drawn.get_weights()
    weights[0], weights[1] = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    published.set_weights(weights)
    path = tmp_path / "published.weights.h5"
    published.save_weights(path)
    monkeypatch.setattr(file_utils, "get_file", lambda *args, **kwargs: str(path))
    theirs = keras.applications.EfficientNetB0(
        include_top=False, weights="imagenet", input_shape=shape
    )
    if suffix == "keras":
        theirs.save(tmp_path / "whole.keras")
        path = tmp_path / "whole.keras"
    pixels = np.random.default_rng(0).integers(0, 256, (2, *shape)).astype(np.float32)
    expected = np.asarray(theirs(pixels, training=False))
    assert not same(np.asarray(drawn(pixels, training=False)), expected)
    for source in ("imagenet", path):
        ours = build_backbone("EfficientNetB0", image_size=shape[:2], weights=source)
        assert same(np.asarray(ours(pixels, training=False)), expected)
        # the network is the same for any weights, so that they can be copied
        assert [w.shape for w in ours.get_weights()] == [w.shape for w in weights]


@pytest.mark.parametrize(
    "name",
    quick_and_slow(["MobileNet", "MobileNetV3Small"], ["VGG16", "NASNetMobile", "EfficientNetB0"]),
)
def test_the_file_of_a_whole_network(name, downloaded):
    getattr(keras.applications, name)(weights="imagenet")
    assert downloaded == [published_weights(name, top=True).name]


def test_a_whole_network_that_is_missing(monkeypatch):
    def offline(*args, **kwargs):
        raise Exception("URL fetch failure on https://example.org/vgg16_kernels.h5: None -- no")

    monkeypatch.setattr(keras.applications, "VGG16", offline)
    with pytest.raises(
        OSError, match=r"as \S+models/vgg16_weights_tf_dim_ordering_tf_kernels\.h5,"
    ):
        build_backbone("VGG16", top=True)
