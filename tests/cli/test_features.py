"""``train --model features``, and the commands ``features``, ``networks`` and ``cache``."""

from __future__ import annotations

import csv
import inspect
import io
import json
import re
import shutil
from collections import Counter

import numpy as np
import polars as pl
import pytest

from skvision import PretrainedFeatureTransformer, load, load_image_folder, make_feature_classifier
from skvision.cli._constructor import features, transformer
from skvision.networks.backbones import BACKBONES

from .command import OnTerminal, called, ran, refused

SMALL = ("--set", "image_size=32", "--set", "engine=keras")


@pytest.fixture(scope="module")
def cache_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def kept(monkeypatch, cache_folder):
    monkeypatch.setenv("SKVISION_CACHE", str(cache_folder))


@pytest.fixture(scope="module")
def trained(digits_folder, tmp_path_factory, cache_folder):
    """A model trained from the command line by OpenVINO, and the printed output."""
    path = tmp_path_factory.mktemp("features") / "f.skv"
    words = ("train", digits_folder, "--model", "features", "--image-size", 32, "--out", path)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SKVISION_CACHE", str(cache_folder))
        result = called(*words)
    assert result.returncode == 0, result.stderr
    return path, result.stdout


# train --model features


def test_train_writes_a_pipeline(trained, digits_folder):
    path, printed = trained
    assert re.search(r"Accuracy 0\.[5-9]\d+ on 30 images held out", printed)
    pipeline = load(path)
    assert pipeline.named_steps["features"].verbose == 0
    assert pipeline.held_out_["n_samples"] == 30
    again = make_feature_classifier(image_size=32, random_state=0, cache=True)
    assert {k: repr(v) for k, v in again.get_params().items() if "verbose" not in k} == {
        k: repr(v) for k, v in pipeline.get_params().items() if "verbose" not in k
    }
    X, y = load_image_folder(digits_folder, return_X_y=True)
    assert pipeline.score(X, y) > 0.8


def test_the_other_commands_take_the_pipeline(trained, digits_folder, one):
    path, _ = trained
    assert re.search(r"one\.png|\d+\.png: \w+ [01]\.\d+", ran("predict", path, one, by=called))
    facts = json.loads(ran("info", path, "--format", "json", by=called))
    assert facts["parameters"]["features__image_size"] == 32
    assert facts["parameters"]["head__C"] == 0.001
    assert facts["held_out"]["n_samples"] == 30


@pytest.mark.slow
def test_a_search_over_backbones_and_the_head(digits_folder, tmp_path):
    out = tmp_path / "m.skv"
    printed = ran(
        "train", digits_folder, "--model", "features", "--out", out, "--head", "knn",
        "--set", "weights=none", *SMALL, "--cv", 2, "--search", "head__n_neighbors=1,3",
        "--search", "backbone=EfficientNetLite0,MobileNet", by=called,
    )  # fmt: skip
    header = next(line for line in printed.splitlines() if line.startswith("rank"))
    assert header.split() == ["rank", "head__n_neighbors", "backbone", "accuracy", "std"]
    best = re.search(r"Best: head__n_neighbors=(\d), backbone=(\w+)", printed)
    pipeline = load(out)
    assert pipeline.get_params()["head__n_neighbors"] == int(best[1])
    assert pipeline.get_params()["features__backbone"] == best[2]


@pytest.mark.slow
def test_a_search_over_heads(digits_folder, tmp_path):
    printed = ran(
        "train", digits_folder, "--model", "features", "--out", tmp_path / "m.skv", *SMALL,
        "--cv", 2, "--search", "head=logistic,knn", by=called,
    )  # fmt: skip
    assert "LogisticRegression(" in printed
    assert "KNeighborsClassifier(" in printed


def test_arguments_that_a_feature_classifier_does_not_accept(digits_folder, tmp_path):
    train = ("train", digits_folder, "--out", tmp_path / "m.skv")
    of_features = (*train, "--model", "features")
    for words, message in [
        ((*train, "--backbone", "VGG16"), "--backbone: MiniVGGClassifier has no argument"),
        ((*of_features, "--epochs", 3), "--epochs: --model features has no argument 'epochs'"),
        ((*of_features, "--early-stopping"), "--early-stopping: --model features has no"),
        ((*of_features, "--head", "tree"), "Unknown head: 'tree'"),
        ((*of_features, "--head", "forest"), "A .skv file can't hold head='forest'"),
        ((*of_features, "--search", "head=knn,Forest"), "m.joblib"),
        ((*of_features, "--backbone", "VGG"), "Did you mean 'VGG19' or 'VGG16'?"),
        ((*of_features, "--set", "head__D=3"), "Invalid parameter 'D' for estimator Logistic"),
        ((*of_features, "--set", "engin=keras"), "Did you mean engine?"),
        ((*train, "--model", "forest"), "'forest' is not one of"),
    ]:
        assert message in refused(*words)


def test_the_arguments_of_each_model_are_listed():
    for words in (
        ("train", "--arguments", "--model", "features"),
        ("train", "--model", "features", "--arguments"),
    ):
        listed = ran(*words, by=called)
        for name in ("head : ", "backbone : ", "cache : ", "**head_options : "):
            assert f"\n{name}" in f"\n{listed}"


def test_the_arguments_are_those_of_the_library():
    parameters = inspect.signature(PretrainedFeatureTransformer).parameters
    assert list(transformer().types) == list(parameters)
    assert set(features().types) == {"head", *parameters}
    for name, parameter in parameters.items():
        assert eval(features().defaults[name]) == parameter.default


# features


def test_features_are_written(digits_folder, tmp_path):
    X, y = load_image_folder(digits_folder, return_X_y=True)
    expected = PretrainedFeatureTransformer(image_size=32, engine="keras").fit_transform(X)
    for name in ("f.npz", "f.parquet"):
        printed = ran("features", digits_folder, "--out", tmp_path / name, *SMALL, by=called)
        assert f"1,280 features of {len(X)} images written to" in printed
    with np.load(tmp_path / "f.npz") as arrays:
        features = arrays["features"]
        # with a cache other images share a batch, and rounding differs
        np.testing.assert_allclose(features, expected, atol=1e-5 * expected.max())
        assert arrays["files"].tolist() == X.tolist()
        assert arrays["labels"].tolist() == y.tolist()
        assert arrays["names"][0] == "efficientnetlite0_0"
    frame = pl.read_parquet(tmp_path / "f.parquet")
    assert frame.columns[:3] == ["file", "label", "efficientnetlite0_0"]
    np.testing.assert_array_equal(frame.drop("file", "label").to_numpy(), features)
    assert frame["label"].to_list() == y.tolist()


def test_features_need_no_classes(digits_folder, tmp_path):
    """One class folder, a folder of images, and both together."""
    flat, one_class = digits_folder / "two", tmp_path / "one class"
    shutil.copytree(digits_folder / "one", one_class / "one")
    n = len(list(flat.iterdir()))
    out = tmp_path / "f.npz"
    for folders, labels in (
        ([flat], {"two": n}),
        ([one_class], {"one": n}),
        ([flat, one_class], {"one": n, "two": n}),
    ):
        ran("features", *folders, "--out", out, *SMALL, by=called)
        with np.load(out) as arrays:
            assert Counter(arrays["labels"].tolist()) == labels
    (tmp_path / "empty").mkdir()
    assert "holds no images" in refused("features", tmp_path / "empty", "--out", out, *SMALL)
    assert "at least two" in refused("train", one_class, "--out", tmp_path / "m.skv")


@pytest.mark.slow
def test_a_terminal_shows_the_progress_of_features(digits_folder, tmp_path):
    command = OnTerminal("features", digits_folder, "--out", tmp_path / "f.npz", *SMALL,
        "--set", "batch_size=4", "--set", "cache=none")  # fmt: skip
    command.wait_for("computing features")
    code, output, _ = command.end()
    assert code == 0
    assert "1,280 features of 120 images" in output


def test_features_that_cannot_be_written(digits_folder, tmp_path, monkeypatch):
    command = ("features", digits_folder, "--out")
    assert "must end in .npz or .parquet, not 'f.txt'" in refused(*command, tmp_path / "f.txt")
    assert "There is no folder" in refused(*command, tmp_path / "nowhere" / "f.npz")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert 'pip install "skvision[parquet]"' in refused(*command, tmp_path / "f.parquet")
    assert not list(tmp_path.iterdir())


# networks


def test_the_networks_are_listed(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / BACKBONES["VGG19"].file).touch()
    rows = list(csv.DictReader(io.StringIO(ran("networks", "--format", "csv", by=called))))
    assert [row["network"] for row in rows] == list(BACKBONES)
    by_name = {row.pop("network"): row for row in rows}
    assert by_name["VGG19"] == {
        "input": "224x224",
        "features": "25088",
        "parameters": "20024384",
        "weights": "here",
    }
    assert by_name["VGG16"]["weights"] == "to download"
    assert by_name["EfficientNetLite0"]["weights"] == "come with skvision"
    assert json.loads(ran("networks", "--format", "json", by=called))[0]["features"] == 1280
    assert "25,088" in ran("networks", by=called)


# cache


def test_an_empty_cache(tmp_path):
    assert re.search(
        r"features of +0 images", ran("cache", "info", "--folder", tmp_path, by=called)
    )
    assert "Removed the features of 0 images" in ran(
        "cache", "clear", "--folder", tmp_path, by=called
    )


@pytest.mark.slow
def test_cache_info_and_clear(tmp_path, monkeypatch, digits_folder):
    monkeypatch.setenv("SKVISION_CACHE", str(tmp_path))
    X, _ = load_image_folder(digits_folder, return_X_y=True)
    for backbone in ("EfficientNetLite0", "MobileNet"):
        network = PretrainedFeatureTransformer(
            backbone, weights=None, image_size=32, cache=True, random_state=0
        )
        network.fit_transform(X[:5])
    said = ran("cache", "info", by=called)
    assert re.search(r"features of +10 images", said)
    assert re.search(r"EfficientNetLite0-\w+ +5\n", said)
    assert re.search(r"converted networks +2, [1-9]", said)
    assert "Removed the features of 5 images and 1 converted" in ran(
        "cache", "clear", "--network", "mobilenet", by=called
    )
    assert "Removed the features of 5 images and 1 converted" in ran(
        "cache", "clear", "--folder", tmp_path, by=called
    )
    assert re.search(r"features of +0 images", ran("cache", "info", by=called))
    assert not list((tmp_path / "networks").iterdir())
