from __future__ import annotations

import os
import pickle
import zlib

import keras
import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvision import (
    FeatureEngineWarning,
    ImageAugmenter,
    MiniVGGClassifier,
    PretrainedFeatureTransformer,
    make_feature_classifier,
)
from skvision.feature_extraction.engines import ENGINES, KerasEngine, make_engine, resolve
from skvision.feature_extraction.extraction import running_engines

SMALL = {"image_size": 32, "engine": "keras", "batch_size": 4}


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).integers(0, 256, (10, 40, 36, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def features(X):
    return PretrainedFeatureTransformer(**SMALL).fit_transform(X)


@pytest.fixture
def computed(monkeypatch):
    """Numbers of images that an engine computed."""
    counts = []
    run = KerasEngine.run

    def counting(self, batches):
        def watched():
            for batch in batches:
                counts.append(len(batch))
                yield batch

        return run(self, watched())

    monkeypatch.setattr(KerasEngine, "run", counting)
    return counts


def same(one, two, tolerance=1e-4):
    """Check that features agree within a tolerance of the largest feature."""
    return np.abs(one - two).max() <= tolerance * np.abs(two).max()


# features


def test_grey_and_transparent_images(X):
    transformer = PretrainedFeatureTransformer(**SMALL).fit(X)
    grey = transformer.transform(X[..., 0])
    np.testing.assert_array_equal(grey, transformer.transform(np.repeat(X[..., :1], 3, -1)))
    opaque = np.concatenate([X, np.full_like(X[..., :1], 255)], axis=-1)
    np.testing.assert_array_equal(transformer.transform(opaque), transformer.transform(X))


@pytest.mark.slow
def test_features_do_not_depend_on_the_batch_size(X, features):
    for batch_size in (1, 3, 32):
        found = PretrainedFeatureTransformer(**{**SMALL, "batch_size": batch_size})
        assert same(found.fit_transform(X), features, 1e-4)


@pytest.mark.parametrize(
    ("params", "n_features"),
    [
        ({"backbone": "VGG16", "weights": None}, 25_088),
        ({"backbone": "vgg16", "weights": None, "pooling": "avg"}, 512),
        ({"backbone": "VGG16", "weights": None, "layer": "block4_pool", "pooling": "max"}, 512),
        ({"backbone": "MobileNetV2", "weights": None, "image_size": (64, 96)}, 1280),
        ({"backbone": "EfficientNetLite0", "layer": "block4a_bn", "pooling": "avg"}, 240),
    ],
)
def test_layers_and_poolings(X, params, n_features):
    transformer = PretrainedFeatureTransformer(engine="keras", **params).fit(X)
    assert transformer.n_features_out_ == n_features


@pytest.mark.slow
def test_poolings_are_the_mean_and_the_maximum():
    X = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    common = {**SMALL, "image_size": 64}
    flat, mean, most = (
        PretrainedFeatureTransformer(**common, pooling=pooling).fit_transform(X)
        for pooling in ("flatten", "avg", "max")
    )
    maps = flat.reshape(2, 4, 1280)
    np.testing.assert_allclose(mean, maps.mean(axis=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(most, maps.max(axis=1), rtol=1e-5)


@pytest.mark.slow
def test_random_weights_come_from_the_random_state(X):
    common = {**SMALL, "backbone": "MobileNetV2", "weights": None}
    one, again, other = (
        PretrainedFeatureTransformer(**common, random_state=seed).fit_transform(X)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, again)
    assert not same(one, other, 0.1)


def test_global_seeds_are_not_changed(X):
    import random

    state, numpy_state = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    PretrainedFeatureTransformer(**SMALL, backbone="VGG16", weights=None).fit(X)
    assert random.getstate() == state
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


# the interface of transformers


def test_names_and_frames(X):
    transformer = PretrainedFeatureTransformer(**SMALL).fit(X)
    names = transformer.get_feature_names_out()
    assert names[[0, -1]].tolist() == ["efficientnetlite0_0", "efficientnetlite0_1279"]
    for container in ("pandas", "polars"):
        frame = clone(clone(transformer).set_output(transform=container)).fit_transform(X)
        assert list(frame.columns) == names.tolist()
        assert frame.shape == (10, 1280)


def test_before_fit(X):
    with pytest.raises(NotFittedError):
        PretrainedFeatureTransformer().transform(X)
    with pytest.raises(NotFittedError):
        PretrainedFeatureTransformer().get_feature_names_out()


@pytest.mark.slow
def test_a_pickle_is_small_and_works_elsewhere(X, features, tmp_path, elsewhere):
    transformer = PretrainedFeatureTransformer(**SMALL).fit(X)
    data = pickle.dumps(transformer)
    assert len(data) < 5000
    (tmp_path / "t.pkl").write_bytes(data)
    np.save(tmp_path / "X.npy", X)
    code = (
        "import pickle, sys, numpy as np\n"
        "folder = sys.argv[1]\n"
        "transformer = pickle.load(open(folder + '/t.pkl', 'rb'))\n"
        "np.save(folder + '/F.npy', transformer.transform(np.load(folder + '/X.npy')))\n"
    )
    elsewhere(code, tmp_path)
    assert same(np.load(tmp_path / "F.npy"), features, 1e-6)


# the user's own networks


def test_a_fitted_classifier_as_backbone(fitted, digits):
    X, y = digits
    last = fitted.model_.layers[-2].name
    transformer = PretrainedFeatureTransformer(fitted, layer=last, engine="keras")
    found = transformer.fit_transform(X[:40])
    assert found.shape == (40, 32)
    assert transformer.get_feature_names_out()[0] == "minivgg_0"
    head = fitted.model_.layers[-1]
    logits = found @ head.kernel.numpy() + head.bias.numpy()
    np.testing.assert_array_equal(fitted.classes_[logits.argmax(axis=1)], fitted.predict(X[:40]))
    # clones keep it fitted, and so does a pipeline
    again = make_pipeline(clone(transformer), LogisticRegression()).fit(X[:100], y[:100])
    assert again.score(X, y) > 0.9
    frozen = PretrainedFeatureTransformer(FrozenEstimator(fitted), layer=last, engine="keras")
    np.testing.assert_array_equal(frozen.fit_transform(X[:40]), found)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(transformer)).transform(X[:40]), found)


def test_a_keras_model_as_backbone(X):
    own = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(5)], name="mine"
    )
    transformer = PretrainedFeatureTransformer(own, engine="keras").fit(X)
    assert transformer.get_feature_names_out().tolist() == [f"mine_{k}" for k in range(5)]
    with pytest.raises(ValueError, match=r"mine needs images of \(8, 8\)"):
        clone(transformer).set_params(image_size=9).fit(X)


def test_a_keras_model_with_layers_named_as_ours(X):
    own = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(2, 3, name="pooled_features"),
            keras.layers.ReLU(name="features"),
        ]
    )
    assert PretrainedFeatureTransformer(own, engine="keras").fit_transform(X).shape == (10, 2)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["weights.h5", "keras"])
def test_weights_from_a_file(X, tmp_path, suffix):
    source = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(32, 32, 3)
    )
    path = tmp_path / f"own.{suffix}"
    source.save_weights(path) if suffix == "weights.h5" else source.save(path)
    transformer = PretrainedFeatureTransformer("MobileNetV2", str(path), **SMALL).fit(X)
    scaled = np.stack([np.asarray(Image.fromarray(x).resize((32, 32), 2)) for x in X]) / 127.5 - 1
    expected = np.asarray(source(scaled.astype(np.float32), training=False)).mean(axis=(1, 2))
    assert same(transformer.transform(X), expected)
    data = pickle.dumps(transformer)
    path.unlink()
    running_engines.clear()
    assert same(pickle.loads(data).transform(X), expected)


# engines


@pytest.mark.slow
def test_openvino_computes_the_same(X, features):
    found = PretrainedFeatureTransformer(image_size=32, engine="openvino", precision="float32").fit(
        X
    )
    assert (found.engine_, found.precision_) == ("openvino", "float32")
    assert same(found.transform(X), features)


def test_auto_uses_the_available_engine(X, monkeypatch):
    auto = PretrainedFeatureTransformer(image_size=32)
    assert clone(auto).fit(X).engine_ == "openvino"
    monkeypatch.setattr(ENGINES["openvino"], "is_installed", staticmethod(lambda: False))
    fitted = clone(auto).fit(X)
    assert (fitted.engine_, fitted.precision_) == ("keras", "float32")
    with pytest.raises(ImportError, match=r'pip install "skvision\[fast\]"'):
        clone(auto).set_params(engine="openvino").fit(X)


def test_another_machine_is_warned_about(X, monkeypatch):
    transformer = PretrainedFeatureTransformer(
        image_size=32, engine="openvino", precision="float32"
    ).fit(X)
    expected = transformer.transform(X)
    monkeypatch.setattr(ENGINES["openvino"], "is_installed", staticmethod(lambda: False))
    with pytest.warns(FeatureEngineWarning, match="Fitted with engine 'openvino'.*'keras'"):
        found = transformer.transform(X)
    assert same(found, expected)


# the cache


def test_no_feature_is_computed_twice(X, features, computed, tmp_path):
    transformer = PretrainedFeatureTransformer(**SMALL, cache=tmp_path)
    twice = np.concatenate([X, X[:3]])
    found = transformer.fit(twice).transform(twice)
    assert sum(computed) == 10
    np.testing.assert_array_equal(found[10:], found[:3])
    # the cache batches images in another order, and some processors round by the place in a batch
    np.testing.assert_allclose(found[:10], features, atol=1e-5)
    np.testing.assert_array_equal(clone(transformer).fit_transform(X[::-1]), found[:10][::-1])
    assert sum(computed) == 10
    # another layer, resize or size is another feature
    for other in ({"layer": "block4a_bn"}, {"resize": "crop"}, {"image_size": 40}):
        clone(transformer).set_params(**other).fit_transform(X)
    assert sum(computed) == 40


@pytest.mark.slow
def test_a_search_makes_one_pass_per_backbone(X, computed, tmp_path):
    y = np.arange(10) % 2
    pipeline = make_pipeline(
        PretrainedFeatureTransformer(**SMALL, weights=None, random_state=0, cache=tmp_path),
        StandardScaler(),
        LogisticRegression(),
    )
    grid = {
        "pretrainedfeaturetransformer__backbone": ["EfficientNetLite0", "MobileNetV2"],
        "logisticregression__C": [0.01, 0.1, 1.0],
    }
    GridSearchCV(pipeline, grid, cv=5).fit(X, y)
    assert sum(computed) == 2 * 10


def test_fits_without_a_random_state_share_one_engine(X):
    one, two = (PretrainedFeatureTransformer(**SMALL).fit(X)._recipe for _ in range(2))
    assert one == two
    drawn = (PretrainedFeatureTransformer("MobileNet", weights=None, **SMALL) for _ in range(2))
    one, two = (transformer.fit(X)._recipe for transformer in drawn)
    assert one != two


@pytest.mark.slow
def test_augmentation_features_and_classifier_are_searched_together(X, computed, tmp_path):
    """One grid over all three computes each distinct image once."""
    files = [str(tmp_path / f"{k}.png") for k in range(len(X))]
    for file, pixels in zip(files, X, strict=True):
        Image.fromarray(pixels).save(file)
    y = np.arange(len(X)) % 2
    pipeline = make_pipeline(
        ImageAugmenter(random_state=0),
        PretrainedFeatureTransformer(**SMALL, weights=None, random_state=0, cache=tmp_path),
        LogisticRegression(),
    )
    grid = {
        "imageaugmenter__rotation_range": [0, 20],
        "pretrainedfeaturetransformer__backbone": ["EfficientNetLite0", "MobileNetV2"],
        "logisticregression__C": [0.01, 0.1],
    }
    searches = [GridSearchCV(pipeline, grid, cv=2).fit(pictures, y) for pictures in (files, X)]
    assert len(searches[0].cv_results_["params"]) == 8
    assert set(searches[0].best_params_) == set(grid)
    # files: both halves unchanged by two networks, and rotated for training. (Training again draws
    # the same augmentation from the seed, so it is cached; the refit may draw other images.)
    # Arrays are other images, of the same number
    n = len(X)
    least = 2 * (2 * n + 2 * n)
    assert least <= sum(computed) <= least + 2 * n


def _note_what_is_computed(folder):
    """In a worker process: record each image that the network computes."""
    run = KerasEngine.run

    def noting(self, batches):
        def watched():
            for batch in batches:
                with open(f"{folder}/{os.getpid()}", "a") as file:
                    file.writelines(f"{self.n_features} {zlib.crc32(image)}\n" for image in batch)
                yield batch

        return run(self, watched())

    KerasEngine.run = noting


@pytest.mark.slow
@pytest.mark.parametrize("form", ["arrays", "files"])
def test_two_workers_make_one_pass_per_backbone(form, tmp_path):
    """A searched pipeline computes each image once per network."""
    rng = np.random.default_rng(2)
    X = rng.integers(0, 256, (200, 32, 32, 3), dtype=np.uint8)
    y = np.arange(len(X)) % 2
    if form == "files":
        for k, pixels in enumerate(X):
            Image.fromarray(pixels).save(tmp_path / f"{k}.png")
        X = np.array([str(tmp_path / f"{k}.png") for k in range(len(X))])
    pipeline = make_pipeline(
        PretrainedFeatureTransformer(
            **{**SMALL, "batch_size": 16}, weights=None, random_state=0, cache=tmp_path / "cache"
        ),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    )
    grid = {
        "pretrainedfeaturetransformer__backbone": ["EfficientNetLite0", "MobileNetV3Small"],
        "logisticregression__C": [0.001, 0.01],
    }
    notes = tmp_path / "notes"
    notes.mkdir()
    get_reusable_executor().shutdown()  # existing workers would not get the settings
    with parallel_config("loky", initializer=_note_what_is_computed, initargs=(str(notes),)):
        search = GridSearchCV(pipeline, grid, cv=5, n_jobs=2, refit=False).fit(X, y)
    get_reusable_executor().shutdown()
    by_worker = [path.read_text().splitlines() for path in notes.iterdir()]
    assert len(by_worker) == 2
    assert min(map(len, by_worker)) > 0
    computed = [line for lines in by_worker for line in lines]
    assert len(computed) == len(set(computed)) == 2 * len(X)
    one_process = GridSearchCV(pipeline, grid, cv=5, refit=False).fit(X, y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], one_process.cv_results_["mean_test_score"]
    )


def _compiled_in_a_worker(folder, n):
    running_engines.clear()
    X = np.random.default_rng(n).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    params = {**SMALL, "engine": "openvino", "cache": folder}
    PretrainedFeatureTransformer(**params).fit_transform(X)
    (engine,) = running_engines.values()
    return engine._compiled is not None


@pytest.mark.slow
def test_workers_free_a_network_once_its_features_are_cached(tmp_path):
    """The memory of workers adds up, and joblib restarts a worker whose memory grows."""
    held = Parallel(n_jobs=2)(delayed(_compiled_in_a_worker)(tmp_path, n) for n in range(4))
    assert held == [False] * 4
    assert _compiled_in_a_worker(tmp_path, 5)


@pytest.mark.slow
def test_threads_are_not_bound_to_cores():
    """Two workers with one thread each would otherwise be bound to the same core."""
    engine = make_engine(resolve("openvino", "float32"), _mean_network, 4)
    pixels = np.ones((2, 4, 4, 3), np.float32)
    (features,) = engine.run([pixels])
    np.testing.assert_allclose(features, np.ones((2, 3)))
    assert engine._compiled.get_property("ENABLE_CPU_PINNING") is False
    engine.rest()
    assert engine._compiled is None
    np.testing.assert_array_equal(next(engine.run([pixels])), features)


def _mean_network():
    return keras.Sequential([keras.Input((4, 4, 3)), keras.layers.GlobalAveragePooling2D()])


# bad input


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"backbone": "VGG18"}, "Unknown backbone: 'VGG18'. Did you mean 'VGG1[69]'"),
        ({"backbone": 3}, "backbone must be a name, a keras.Model, a fitted classifier"),
        ({"backbone": "VGG16", "weights": None, "layer": "block9"}, "no layer 'block9'.*block"),
        ({"backbone": "Xception", "weights": None}, "too small for Xception.*71x71"),
        ({"image_size": (32,)}, "image_size"),
        ({"pooling": "mean"}, "pooling"),
        ({"engine": "onnx"}, "engine must be 'auto' or one of 'openvino', 'keras'"),
        ({"precision": "float16"}, "precision must be 'auto' or one of"),
        ({"precision": "bfloat16"}, "not available with engine='keras'"),
        ({"batch_size": 0}, "batch_size"),
        ({"resize": "squash"}, "resize"),
        ({"cache": 3}, "cache"),
    ],
)
def test_bad_parameters(X, params, message):
    transformer = PretrainedFeatureTransformer(**{**SMALL, **params})
    with pytest.raises(ValueError, match=message):
        transformer.fit(X)
    assert not hasattr(transformer, "engine_")


def test_an_unfitted_classifier_as_backbone_is_refused(X):
    with pytest.raises(NotFittedError, match="MiniVGGClassifier"):
        PretrainedFeatureTransformer(MiniVGGClassifier()).fit(X)


def test_scaled_images_are_refused(X):
    with pytest.raises(ValueError, match="accepted are float64 pixels from 0 to 1"):
        PretrainedFeatureTransformer(**SMALL).fit(X / 2.0)
    transformer = PretrainedFeatureTransformer(**SMALL).fit(X)
    with pytest.raises(ValueError, match="fitted on the scale 0..255"):
        transformer.transform(X / 255)


def test_weights_that_are_missing(X, tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise Exception("URL fetch failure on https://example.org/a/vgg16_notop.h5: None -- no")

    monkeypatch.setattr(keras.applications, "VGG16", offline)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    expected = (
        r"Download https://example.org/a/vgg16_notop.h5 and save it as "
        r"\S+models/vgg16_weights\S+_notop.h5, where Keras looks for it; "
        r"or use backbone='EfficientNetLite0'"
    )
    with pytest.raises(OSError, match=expected):
        PretrainedFeatureTransformer("VGG16", **SMALL).fit(X)


def test_another_networks_weights_are_refused(X, tmp_path):
    path = tmp_path / "vgg.weights.h5"
    keras.applications.VGG16(weights=None, include_top=False).save_weights(path)
    with pytest.raises(ValueError, match="does not hold the weights of MobileNetV2"):
        PretrainedFeatureTransformer("MobileNetV2", path, **SMALL).fit(X)
    with pytest.raises(FileNotFoundError, match="There is no weights file"):
        PretrainedFeatureTransformer("MobileNetV2", "nowhere.h5", **SMALL).fit(X)


# with a head


@pytest.mark.parametrize("head", ["logistic", "SVM", "knn", "forest"])
def test_feature_classifiers(digits, head, tmp_path):
    X, y = digits
    pipeline = make_feature_classifier(
        head=head, random_state=0, image_size=32, engine="keras", cache=tmp_path.parent / "heads"
    )
    pipeline.fit(X[:150], y[:150])
    assert pipeline.score(X[150:], y[150:]) > 0.8
    assert pipeline.predict_proba(X[:2]).shape == (2, 3)


def test_an_unknown_head(digits):
    with pytest.raises(ValueError, match="Unknown head: 'tree'"):
        make_feature_classifier(head="tree")
