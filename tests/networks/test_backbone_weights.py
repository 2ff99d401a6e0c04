"""Weights files that are read, and those that are refused."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from skvision import load_network, save_network
from skvision.networks.backbones import build_backbone

SIZE = (32, 32)


@pytest.fixture(scope="module")
def source():
    return build_backbone("VGG16", image_size=SIZE, weights=None, seed=4)


def answers(network):
    pixels = np.random.default_rng(0).integers(0, 256, (2, *SIZE, 3)).astype("float32")
    return network.predict(pixels, verbose=0)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["hdf5", "keras"])
def test_a_network_saved_by_save_network_gives_its_weights(source, tmp_path, suffix):
    path = save_network(source, tmp_path / f"vgg.{suffix}")
    np.testing.assert_allclose(answers(load_network(path)), answers(source), rtol=1e-5)
    read = build_backbone("VGG16", image_size=SIZE, weights=path)
    np.testing.assert_array_equal(answers(read), answers(source))


@pytest.mark.slow
def test_a_top_is_ignored(tmp_path):
    whole = build_backbone("MobileNet", image_size=SIZE, weights=None, seed=4, top=True)
    path = save_network(whole, tmp_path / "whole.keras")
    read = build_backbone("MobileNet", image_size=SIZE, weights=path)
    for ours, theirs in zip(read.get_weights(), whole.get_weights(), strict=False):
        np.testing.assert_array_equal(ours, theirs)
    headless = save_network(read, tmp_path / "headless.keras")
    with pytest.raises(ValueError, match="does not hold the weights of MobileNet"):
        build_backbone("MobileNet", image_size=SIZE, weights=headless, top=True)


@pytest.mark.slow
def test_another_shape_is_named(tmp_path):
    other = build_backbone("MobileNet", image_size=SIZE, weights=None)
    path = save_network(other, tmp_path / "other.keras")
    with pytest.raises(ValueError, match="does not hold the weights of VGG16"):
        build_backbone("VGG16", image_size=SIZE, weights=path)


@pytest.mark.parametrize("suffix", ["h5", "keras", "weights.h5"])
def test_a_truncated_file_is_refused(source, tmp_path, suffix):
    path = tmp_path / f"vgg.{suffix}"
    body = source.layers[-1]
    body.save_weights(path) if "weights" in suffix else body.save(path)
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(ValueError, match="does not hold the weights of VGG16: "):
        build_backbone("VGG16", image_size=SIZE, weights=path)


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_a_file_with_code_is_refused(tmp_path, suffix):
    marker = tmp_path / "ran"
    layer = keras.layers.Lambda(eval(f"lambda x: (open({str(marker)!r}, 'w'), x)[1]"))
    path = tmp_path / f"bomb.{suffix}"
    keras.Sequential([keras.Input((*SIZE, 3)), layer]).save(path)
    marker.unlink(missing_ok=True)
    with pytest.raises(ValueError, match="Lambda layer in it holds code"):
        build_backbone("VGG16", image_size=SIZE, weights=path)
    assert not marker.exists()
