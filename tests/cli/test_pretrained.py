"""Pretrained networks and fine-tuning from a terminal."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

import skvision
from skvision.networks.backbones import build_backbone

from .command import called, ran


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "flower.png"
    Image.fromarray(load_sample_image("flower.jpg")[:, 100:-100]).save(path)
    return path


def test_a_photo_is_named_without_a_model(photo):
    run = called(
        "predict", "--network", "efficientnetlite0", photo, "--top", "5", "--format", "json"
    )
    assert run.returncode == 0, run.stderr
    (entry,) = json.loads(run.stdout)
    assert "daisy" in [each["class"] for each in entry["predictions"]]
    assert len(entry["predictions"]) == 5
    run = called("predict", "--network", "VGG18", photo)
    assert run.returncode == 2
    assert "Did you mean 'VGG1" in run.stderr
    run = called("predict", "model.skv")
    assert run.returncode == 2
    assert "at least one image" in run.stderr


@pytest.mark.slow
def test_a_network_is_saved_and_shown(tmp_path):
    run = called("networks", "save", "EfficientNetLite0", tmp_path / "lite.hdf5")
    assert run.returncode == 0, run.stderr
    pixels = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3)).astype("float32")
    loaded = skvision.load_network(tmp_path / "lite.hdf5")
    expected = build_backbone("EfficientNetLite0", top=True).predict(pixels, verbose=0)
    np.testing.assert_allclose(loaded.predict(pixels, verbose=0), expected, atol=1e-6)
    for network in ("efficientnetlite0", tmp_path / "lite.hdf5"):
        run = called("networks", "show", network)
        assert run.returncode == 0, run.stderr
        assert "Total params: 4,694,024" in run.stdout
    run = called("networks", "show", "nowhere.keras")
    assert (run.returncode, "There is no network file" in run.stderr) == (2, True)
    run = called("networks", "save", "EfficientNetLite0", tmp_path / "lite.pkl")
    assert (run.returncode, "ends in .h5, .hdf5, .keras" in run.stderr) == (2, True)


@pytest.mark.slow
def test_fine_tuning_and_export(digits_folder, tmp_path):
    common = ["--set", "warmup_epochs=1", "--set", "fine_tune_epochs=1", "--set", "engine=keras"]
    common += ["--set", "cache=none", "--set", "verbose=0"]
    first = ["train", digits_folder, "--image-size", "8", "--epochs", "1", "--set", "verbose=0"]
    assert called(*first, "--out", tmp_path / "old.skv").returncode == 0
    tune = ["train", digits_folder, "--model", "finetune", *common, "--out", tmp_path / "new.skv"]
    run = called(*tune, "--backbone", tmp_path / "old.skv")
    assert run.returncode == 0, run.stderr
    assert "Accuracy" in run.stdout
    net = skvision.load(tmp_path / "new.skv")
    assert net.history_["phase"] == ["warmup", "fine_tune"]
    run = called("export", tmp_path / "new.skv", tmp_path / "new.tflite")
    assert run.returncode == 0, run.stderr
    text = json.loads((tmp_path / "new.tflite.json").read_text())
    assert text["classes"] == net.classes_.tolist()
    run = called("export", tmp_path / "new.skv", tmp_path / "new.bin")
    assert (run.returncode, "is not that of a format" in run.stderr) == (2, True)
    run = called(*tune, "--backbone", tmp_path / "old.joblib")
    assert (run.returncode, "There is no model file" in run.stderr) == (2, True)
    run = called(*tune, "--set", "unfreeze=block9", "--set", "image_size=32")
    assert run.returncode == 2
    assert "no layer or block 'block9' to unfreeze from. Blocks: stem, block1a" in run.stderr


@pytest.mark.slow
def test_files_of_networks_are_written_and_read_without_messages(tmp_path):
    """Each runs in a separate process, whose standard error must stay empty."""
    path = tmp_path / "lite.hdf5"
    assert "Network written" in ran("networks", "save", "EfficientNetLite0", path)
    assert "Total params" in ran("networks", "show", path)
