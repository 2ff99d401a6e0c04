"""`save` and `load`: complete models, and files that can't do harm."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import random
import resource
import warnings
import zipfile
from pathlib import Path

import imblearn.pipeline
import keras
import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skvision
from skvision import (
    ImageAugmenter,
    ImageNetClassifier,
    ImageOverSampler,
    MiniVGGClassifier,
    ModelVersionWarning,
    PretrainedFeatureTransformer,
    UnsupportedModelError,
    load,
    make_feature_classifier,
    save,
)
from skvision.persistence import archive as archive_file
from skvision.persistence.contents import ESTIMATORS
from skvision.persistence.keras_objects import check_keras_config
from skvision.persistence.safe_file import read_manifest

DATA = Path(__file__).parent.parent / "data"

#: the fewest weights possible, since each byte of its file is changed in turn
SMALLEST = {
    "image_size": 2,
    "filters": (1,),
    "convs_per_block": 1,
    "kernel_size": 1,
    "dense_units": (),
    "batch_norm": False,
    "epochs": 1,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def small(digits):
    X, y = digits
    return MiniVGGClassifier(**SMALLEST).fit(X[:30], y[:30])


@pytest.fixture
def file(small, tmp_path):
    return save(small, tmp_path / "small.skv")


def own_network():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((16, 16, 3), name="pixels")
    x = keras.ops.flip(inputs, axis=-1)
    x = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(x)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D(name="pool")(x), name="own")


def sealed(path):
    """Give a file the right digest again, as an attacker would."""
    content = path.read_bytes()[:-64]
    path.write_bytes(content + hashlib.sha256(content).hexdigest().encode())


def forged(path, change, compression=zipfile.ZIP_STORED):
    """Rewrite a file after `change(members)`, with the right digest."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.comment = b"skvision sha256 " + b"0" * 64
    sealed(path)


def state_of(members):
    """Return the schema, the JSON node of the outermost estimator's state, and its content."""
    schema = json.loads(members["schema.json"])
    node = schema["content"]["content"]["json"]
    return schema, node, json.loads(json.loads(node["content"]))


def with_state(**values):
    """Return a change that puts values into the state of a file's estimator."""

    def change(members):
        schema, node, state = state_of(members)
        node["content"] = json.dumps(json.dumps({**state, **values}))
        members["schema.json"] = json.dumps(schema).encode()

    return change


def refused(path, message="damaged or isn't a model file"):
    with pytest.raises(ValueError, match=message):
        load(path)


# complete models


def test_an_estimator_is_restored_completely(tiny, digits, tmp_path):
    tiny.set_params(
        epochs=2,
        optimizer=keras.optimizers.Adam(0.01),
        learning_rate=None,
        optimizer__beta_1=0.8,
        augmentation=[keras.layers.RandomFlip("horizontal")],
        class_weight={"zero": 1.0, "one": 2.0, "two": 1.0},
        validation_fraction=0.2,
        checkpoint_dir=tmp_path / "checkpoints",
    )
    X, y = digits
    net = tiny.fit(X, y)
    net.held_out_ = {"accuracy": 0.5, "n_samples": 2}
    read = load(save(net, tmp_path / "net.skv"))
    assert type(read) is MiniVGGClassifier
    np.testing.assert_array_equal(read.predict_proba(X), net.predict_proba(X))
    objects = {"optimizer", "augmentation"}
    for name, value in vars(net).items():
        if name not in {*objects, "classes_", "_weights", "_model"}:
            assert vars(read)[name] == value, name
            assert type(vars(read)[name]) is type(value), name
    assert read.optimizer.get_config() == net.optimizer.get_config()
    assert read.augmentation[0].get_config() == net.augmentation[0].get_config()
    assert read.classes_.dtype == net.classes_.dtype
    # and it trains like the first
    again = clone(read).set_params(checkpoint_dir=None).fit(X, y)
    assert again.history_ == net.history_


@pytest.mark.parametrize("labels", [[3, 5], [True, False], ["a", "b"], [np.int8(1), np.int8(2)]])
def test_labels_of_every_kind(small, digits, tmp_path, labels):
    X, y = digits
    y = np.array(labels)[np.arange(30) % 2]
    net = clone(small).fit(X[:30], y)
    answers = load(save(net, tmp_path / "n.skv")).predict(X[:30])
    assert answers.dtype == net.predict(X[:30]).dtype
    np.testing.assert_array_equal(answers, net.predict(X[:30]))


def test_labels_as_objects(small, digits, tmp_path):
    y = np.array(["a", "b"], dtype=object)[np.arange(30) % 2]
    net = clone(small).fit(digits[0][:30], y)
    assert load(save(net, tmp_path / "n.skv")).classes_.tolist() == ["a", "b"]


def test_partial_fit_continues_after_loading(small, digits, tmp_path):
    X, y = digits
    whole = clone(small).set_params(optimizer="adam")
    whole.partial_fit(X, y, classes=np.unique(y))
    read = load(save(whole, tmp_path / "n.skv"))
    whole.partial_fit(X, y)
    np.testing.assert_array_equal(read.partial_fit(X, y).predict_proba(X), whole.predict_proba(X))


def test_not_fitted(tmp_path):
    read = load(
        save(MiniVGGClassifier(epochs=7, random_state=np.random.RandomState(3)), tmp_path / "n.skv")
    )
    assert read.get_params()["epochs"] == 7
    assert read.random_state.randint(1000) == np.random.RandomState(3).randint(1000)
    with pytest.raises(NotFittedError):
        read.predict(np.zeros((1, 8, 8), np.uint8))


def test_every_public_estimator_is_known():
    """A new estimator needs a line in `skvision.persistence.contents`."""
    public = (getattr(skvision, name) for name in skvision.__all__)
    estimators = {
        f"{each.__module__}.{each.__qualname__}"
        for each in public
        if isinstance(each, type) and issubclass(each, BaseEstimator)
    }
    assert estimators == set(ESTIMATORS)


def test_estimators_without_fitted_state(tmp_path):
    read = load(save(ImageNetClassifier("VGG16", resize="pad"), tmp_path / "n.skv"))
    assert type(read) is ImageNetClassifier
    assert read.get_params() == ImageNetClassifier("VGG16", resize="pad").get_params()


def test_augmentation_is_saved_too(small, digits, tmp_path):
    X, y = digits[0][:30], digits[1][:30]
    augmenter = ImageAugmenter(rotation_range=20, zoom_range=(0.9, 1.1), random_state=0)
    net = clone(small).set_params(augmentation=augmenter).fit(X, y)
    pipeline = imblearn.pipeline.make_pipeline(
        ImageOverSampler(augmenter, {"one": 20}, random_state=0), net
    )
    read = load(save(pipeline.fit(X, y), tmp_path / "n.skv"))
    np.testing.assert_array_equal(read.predict_proba(X), pipeline.predict_proba(X))
    assert read[-1].augmentation.get_params() == augmenter.get_params()
    np.testing.assert_array_equal(read[0].fit_resample(X, y)[0], pipeline[0].fit_resample(X, y)[0])


def models(small):
    """Pipelines and searches of estimators of skvision and scikit-learn."""
    features = {"engine": "keras", "random_state": 0}
    own = make_feature_classifier(own_network(), **features)
    yield "own network", GridSearchCV(own, {"head__C": [0.1, 1]}, cv=2, scoring="f1_macro")
    yield "classifier", make_feature_classifier(small, **features, head="svm")
    yield "frozen", make_feature_classifier(FrozenEstimator(small), **features, head="knn")
    yield "bundled", make_feature_classifier(image_size=32, **features)
    yield (
        "search",
        GridSearchCV(
            clone(small), {"learning_rate": [0.1, 0.01]}, cv=StratifiedKFold(2, shuffle=True)
        ),
    )


@pytest.mark.slow
def test_pipelines_and_searches(small, digits, tmp_path):
    X, y = digits[0][:60], digits[1][:60]
    for name, model in models(small):
        model.fit(X, y)
        read = load(save(model, tmp_path / "m.skv"))
        np.testing.assert_array_equal(read.predict_proba(X), model.predict_proba(X), err_msg=name)
        if hasattr(model, "cv_results_"):
            assert read.best_params_ == model.best_params_
            np.testing.assert_array_equal(
                read.cv_results_["mean_test_score"], model.cv_results_["mean_test_score"]
            )
        clone(read).fit(X, y)


def test_a_weights_file_goes_with_the_model(digits, tmp_path):
    X = digits[0][:4]
    body = keras.applications.MobileNet((32, 32, 3), include_top=False, weights=None)
    body.save_weights(tmp_path / "w.weights.h5")
    net = PretrainedFeatureTransformer(
        "MobileNet", weights=str(tmp_path / "w.weights.h5"), image_size=32, engine="keras"
    ).fit(X)
    path = save(net, tmp_path / "n.skv")
    (tmp_path / "w.weights.h5").unlink()
    np.testing.assert_array_equal(load(path).transform(X), net.transform(X))


@pytest.mark.slow
def test_another_process_reads_it(small, digits, file, tmp_path, elsewhere):
    code = (
        "import sys, numpy as np, skvision\n"
        "model = skvision.load(sys.argv[1])\n"
        "np.save(sys.argv[3], model.predict_proba(np.load(sys.argv[2])))\n"
    )
    np.save(tmp_path / "X.npy", digits[0])
    elsewhere(code, file, tmp_path / "X.npy", tmp_path / "out.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), small.predict_proba(digits[0]))


@pytest.mark.parametrize("path", sorted(DATA.glob("format_?.skv")), ids=lambda path: path.stem)
def test_files_of_every_format_can_be_read(path):
    expected = np.load(path.with_suffix(".npz"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelVersionWarning)
        read = load(path)
    assert read.classes_.tolist() == ["one", "two", "zero"]
    assert read.history_["loss"] == expected["loss"].tolist()
    np.testing.assert_allclose(
        read.predict_proba(expected["X"]), expected["probabilities"], atol=1e-5
    )


@pytest.mark.parametrize(
    "path", sorted(DATA.glob("format_?_own_network.skv")), ids=lambda path: path.stem
)
def test_a_network_of_the_users_own_is_read_from_every_format(path):
    expected = np.load(path.with_suffix(".npz"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelVersionWarning)
        read = load(path)
    np.testing.assert_allclose(read.transform(expected["X"]), expected["features"], atol=1e-5)


def test_there_is_a_file_of_this_format():
    from skvision.persistence.safe_file import FORMAT

    assert (DATA / f"format_{FORMAT}.skv").is_file()
    assert (DATA / f"format_{FORMAT}_own_network.skv").is_file()


# the description in a file


def test_the_manifest_is_read_without_loading(file, small, monkeypatch):
    from skops import io as skops_io

    monkeypatch.setattr(skops_io, "load", None)
    manifest = read_manifest(file)
    assert manifest["format"] == 2
    assert manifest["versions"]["keras"] == keras.__version__
    description = manifest["description"]
    assert description["kind"] == "MiniVGGClassifier"
    assert description["classes"] == ["one", "two", "zero"]
    assert description["weights"] == small.model_.count_params()
    assert description["parameters"]["filters"] == [1]
    assert description["last_epoch"]["loss"] == small.history_["loss"][-1]


def test_other_versions_are_warned_of(file):
    def older(members):
        manifest = json.loads(members["skvision.json"])
        manifest["versions"].update(keras="3.0.0", python="2.7")
        members["skvision.json"] = json.dumps(manifest).encode()

    forged(file, older)
    with pytest.warns(ModelVersionWarning, match=r"keras 3.0.0 \(here ") as caught:
        load(file)
    assert len(caught) == 1
    assert "python" not in str(caught[0].message)


def test_equal_versions_are_not_warned_of(file):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(file)


def test_a_later_format_is_refused(file):
    def later(members):
        manifest = json.loads(members["skvision.json"])
        members["skvision.json"] = json.dumps({**manifest, "format": 3}).encode()

    forged(file, later)
    refused(file, r"has format 3, but this skvision reads 1 and 2. Load it with .* a later one")


def test_a_parameter_that_is_newer_than_the_file_has_its_default(file, small):
    def without(members):
        schema, node, state = state_of(members)
        del state["label_smoothing"]
        node["content"] = json.dumps(json.dumps(state))
        members["schema.json"] = json.dumps(schema).encode()

    forged(file, without)
    assert load(file).get_params() == small.get_params()


# models that can't be saved


class Mine(MiniVGGClassifier):
    pass


def doubled(images, rng):
    return images


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Mine(), "Mine is a class of your own"),
        (
            MiniVGGClassifier(augmentation=doubled),
            r"MiniVGGClassifier.augmentation holds a function",
        ),
        (
            MiniVGGClassifier(keras_callbacks=keras.callbacks.EarlyStopping()),
            r"keras_callbacks holds a EarlyStopping.*set_params\(keras_callbacks=None\)",
        ),
        (
            PretrainedFeatureTransformer(
                keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Lambda(lambda x: x)])
            ),
            "a layer Lambda holds code",
        ),
        (make_pipeline(FunctionTransformer(doubled), MiniVGGClassifier()), "code"),
        (make_pipeline(FunctionTransformer(os.getcwd), MiniVGGClassifier()), "code"),
    ],
)
def test_code_is_not_saved(model, message, tmp_path):
    with pytest.raises(UnsupportedModelError, match=message):
        save(model, tmp_path / "m.skv")
    assert list(tmp_path.iterdir()) == []


def test_decision_trees_are_not_saved(tmp_path):
    forest = RandomForestClassifier(2).fit([[0], [1]], [0, 1])
    with pytest.raises(UnsupportedModelError, match="decision trees can't be loaded safely"):
        save(forest, tmp_path / "m.skv")


def test_another_ending(small, tmp_path):
    with pytest.raises(ValueError, match=r"ends in .skv. Received: 'm.joblib'"):
        save(small, tmp_path / "m.joblib")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no model file"):
        load(tmp_path / "m.skv")


def test_a_failed_save_leaves_the_earlier_file(file, small):
    before = file.read_bytes()
    with pytest.raises(UnsupportedModelError):
        save(clone(small).set_params(augmentation=doubled), file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_full_disk_leaves_the_earlier_file(file, small):
    before = file.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            save(small, file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


# changed files


def test_every_single_changed_byte_is_noticed(file):
    content = file.read_bytes()
    rng = random.Random(0)
    unnoticed = []
    with open(file, "r+b") as opened:
        for position, byte in enumerate(content):
            opened.seek(position)
            opened.write(bytes([byte ^ rng.randrange(1, 256)]))
            opened.flush()
            try:
                load(file)
            except ValueError:
                pass
            else:
                unnoticed.append(position)
            opened.seek(position)
            opened.write(content[position : position + 1])
    assert unnoticed == []
    load(file)


def test_every_shorter_file_is_refused(file):
    content = file.read_bytes()
    for size in [*range(0, len(content), 97), *range(len(content) - 200, len(content))]:
        file.write_bytes(content[:size])
        refused(file)
    file.write_bytes(content + b"\0")
    refused(file)


def test_other_files_are_refused(tmp_path, small):
    path = tmp_path / "m.skv"
    for content in (b"", b"hello", pickle.dumps(small), bytes(10_000)):
        path.write_bytes(content)
        refused(path)


# forged files with the right digest


def test_a_rewritten_file_without_changes_can_be_read(file, small, digits):
    """The tools above write files that can be read."""
    forged(file, lambda members: None)
    np.testing.assert_array_equal(load(file).predict(digits[0]), small.predict(digits[0]))
    forged(file, with_state(epochs=9))
    assert load(file).epochs == 9


class Bomb:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def test_a_pickle_in_it_is_not_opened(file, tmp_path):
    marker = tmp_path / "ran"
    bomb = pickle.dumps(Bomb(marker))
    intact = file.read_bytes()
    array = io.BytesIO()
    np.save(array, np.array([Bomb(marker)], dtype=object), allow_pickle=True)

    def first_array(members):
        return next(name for name in members if name.endswith(".npy"))

    for change in (
        lambda members: members.update({"bomb.pkl": bomb}),
        lambda members: members.update({"bomb.bin": bomb, "schema.json": bomb}),
        lambda members: members.update({"skvision.json": bomb}),
        lambda members: members.update({first_array(members): bomb}),
        lambda members: members.update({first_array(members): array.getvalue()}),
    ):
        file.write_bytes(intact)
        forged(file, change)
        refused(file)
    file.write_bytes(bomb)
    refused(file)
    assert not marker.exists()


@pytest.mark.parametrize(
    "node",
    [
        {"__loader__": "ObjectNode", "__module__": "subprocess", "__class__": "Popen"},
        {"__loader__": "FunctionNode", "__module__": "os", "__class__": "function"},
        {"__loader__": "ConstructorFromReduceNode", "__module__": "os", "__class__": "system"},
        {"__loader__": "TypeNode", "__module__": "os", "__class__": "system"},
        {"__loader__": "OperatorFuncNode", "__module__": "operator", "__class__": "methodcaller"},
        {"__loader__": "PartialNode", "__module__": "functools", "__class__": "partial"},
        {"__loader__": "MethodNode", "__module__": "os", "__class__": "system"},
        {"__loader__": "ObjectNode", "__module__": "skvision.cli.app", "__class__": "main"},
        {"__loader__": "ObjectNode", "__module__": __name__, "__class__": "Mine"},
        {"__loader__": "TreeNode", "__module__": "sklearn.tree._tree", "__class__": "Tree"},
    ],
    ids=lambda node: f"{node['__loader__']} {node['__class__']}",
)
@pytest.mark.parametrize("outermost", [True, False])
def test_foreign_classes_are_refused(file, tmp_path, node, outermost):
    marker = tmp_path / "ran"
    word = {
        "__class__": "str",
        "__module__": "builtins",
        "__loader__": "JsonNode",
        "content": json.dumps(f"touch {marker}"),
        "is_json": True,
    }
    arguments = {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode"}
    arguments["content"] = [word]

    def change(members):
        schema = json.loads(members["schema.json"])
        more = {"content": arguments, "attrs": arguments, "__reduce__": {"args": arguments}}
        if outermost:
            schema = {**schema, **more, **node}
        else:
            schema["content"]["content"]["objects"]["content"] = [{**more, **node, "__id__": 1}]
        members["schema.json"] = json.dumps(schema).encode()

    forged(file, change)
    refused(file)
    assert not marker.exists()


def lambda_config():
    """Return Keras' configuration of a network with a Lambda layer."""
    network = keras.Sequential([keras.Input((2, 2, 3)), keras.layers.Lambda(lambda x: x)])
    return keras.saving.serialize_keras_object(network)


@pytest.mark.parametrize("nested", [False, True])
def test_a_lambda_layer_in_a_backbone_is_refused(tmp_path, digits, nested):
    path = tmp_path / "m.skv"
    network = keras.Sequential([keras.Input((2, 2, 3)), keras.layers.Flatten()])
    save(PretrainedFeatureTransformer(network, engine="keras").fit(digits[0]), path)
    config = lambda_config()
    if nested:
        outer = keras.saving.serialize_keras_object(network)
        outer["config"]["layers"].insert(1, config)
        config = outer
    for state in (
        {"backbone": {"network": [config, []]}},
        {"backbone": {"keras": config}},
        {"backbone": {"keras": config["config"]["layers"][1]}},
    ):
        forged(path, with_state(**state))
        refused(path, "Lambda holds code")


@pytest.mark.parametrize(
    "config",
    [
        {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
        {"module": "builtins", "class_name": "function", "config": "eval"},
        {"module": "subprocess", "class_name": "Popen", "config": {"args": ["true"]}},
        {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "http://x"}},
        {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/x"}},
        {"module": "keras.layers", "class_name": "Dense", "registered_name": "My>Dense"},
        {"module": "keras.layers", "class_name": "Wrapper", "config": {"layer": lambda_config()}},
        {"class_name": "__lambda__", "config": {"value": "x"}},
        {"class_name": "__typespec__", "module": "os", "spec_name": "system", "config": []},
        {"class_name": "Dense", "config": {}},
        {"class_name": ["Dense"], "module": "keras.layers", "config": {}},
    ],
)
def test_keras_configurations_that_are_refused(file, config):
    with pytest.raises(ValueError, match=r"isn't one of Keras|isn't a class|holds code"):
        check_keras_config(config)
    for state in (
        {"optimizer": {"keras": config}},
        {"augmentation": {"keras": config}},
        {
            "_recipe": {
                "record": [
                    "OptimizerRecipe",
                    {
                        "optimizer_class": {"optimizer": "SGD"},
                        "config": json.dumps({"learning_rate": config}),
                    },
                ]
            }
        },
    ):
        intact = file.read_bytes()
        forged(file, with_state(**state))
        refused(file)
        file.write_bytes(intact)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"predict": 1}, "a MiniVGGClassifier has no 'predict'"),
        ({"__class__": 1}, "has no '__class__'"),
        ({"_model": 1}, "has no '_model'"),
        ({"epochs": {"pickle": "x"}}, "unknown kind 'pickle'"),
        ({"epochs": {}}, "damaged"),
        ({"epochs": {"array": 10_000}}, "damaged"),
        ({"epochs": {"record": ["Popen", {"args": "true"}]}}, "unknown record 'Popen'"),
        ({"epochs": {"record": ["NetworkRecipe", {"nonesuch": 1}]}}, "damaged"),
        ({"optimizer": {"optimizer": "system"}}, "damaged"),
        ({"classes_": {"objects": [[10**12], []]}}, "damaged"),
    ],
)
def test_an_unknown_state_is_refused(file, state, message):
    forged(file, with_state(**state))
    refused(file, message)


def test_a_body_with_code_is_refused(file):
    """The body of a fine-tuned network is a separate configuration."""
    head = {"record": ["HeadArchitecture", {"n_features": 1, "n_classes": 2}]}
    fields = {"input_shape": {"tuple": [2, 2, 3]}, "backbone": "b", "pooling": "avg", "head": head}
    body = {**fields, "config": json.dumps(lambda_config())}
    forged(file, with_state(epochs={"record": ["FineTunedArchitecture", fields]}))
    load(file)
    forged(file, with_state(epochs={"record": ["FineTunedArchitecture", body]}))
    refused(file, "Lambda holds code")


def test_a_recipe_that_names_a_file_is_refused(tmp_path, digits):
    net = PretrainedFeatureTransformer("MobileNet", weights=None, image_size=32, engine="keras")
    path = save(net.fit(digits[0]), tmp_path / "m.skv")

    def change(members):
        schema, node, state = state_of(members)
        state["_recipe"]["record"][1]["weights"] = "/etc/passwd"
        node["content"] = json.dumps(json.dumps(state))
        members["schema.json"] = json.dumps(schema).encode()

    forged(path, change)
    refused(path, "names a weights file")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.npy",
        "/tmp/evil.npy",
        "a/b.npy",
        "..\\evil.npy",
        "C:evil.npy",
        "x.py",
        "x.npz",
        ".npy",
    ],
)
def test_members_with_other_names_are_refused(file, tmp_path, name):
    array = io.BytesIO()
    np.save(array, np.zeros(1))
    forged(file, lambda members: members.update({name: array.getvalue()}))
    refused(file, "must not hold")
    assert [path.name for path in tmp_path.rglob("*")] == [file.name]


def test_a_compressed_archive_is_refused(file):
    """10 MB of zeros compress to a few kB, but a file must not grow when it is read."""
    zeros = io.BytesIO()
    np.save(zeros, np.zeros(10**7, np.uint8))
    forged(
        file,
        lambda members: members.update({"bomb.npy": zeros.getvalue()}),
        compression=zipfile.ZIP_DEFLATED,
    )
    assert file.stat().st_size < 10**6
    refused(file, "is compressed")


def test_members_that_share_their_bytes_are_refused(file):
    """The other kind of zip bomb: many members that share one piece of the file."""
    forged(file, lambda members: members.update({f"a{k}.bin": bytes(50) for k in range(50)}))
    with zipfile.ZipFile(file, "a") as archive:
        (large,) = (m for m in archive.infolist() if m.filename == "a0.bin")
        for member in archive.infolist():
            if member.filename.startswith("a"):
                member.file_size = member.compress_size = file.stat().st_size // 2
                member.header_offset = large.header_offset
        archive._didModify = True
    sealed(file)
    refused(file, "larger than the file")


def test_an_array_whose_shape_exceeds_its_bytes_is_refused(file):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"shape": (10**14,), "fortran_order": False, "descr": "<f8"}
    )
    for content in (header.getvalue(), header.getvalue() + bytes(800), b"\x93NUMPY\x01\x00"):
        intact = file.read_bytes()
        forged(file, lambda members, content=content: members.update({"x.npy": content}))
        refused(file)
        file.write_bytes(intact)


def test_two_members_of_the_same_name_are_refused(file):
    with zipfile.ZipFile(file, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        archive.writestr("schema.json", b"{}")
    sealed(file)
    refused(file, "two members of the same name")


@pytest.mark.parametrize("member", ["schema.json", "skvision.json"])
def test_json_that_is_too_deep_is_refused(file, member):
    forged(file, lambda members: members.update({member: b"[" * 10**6}))
    refused(file)


def test_schemas_changed_at_random_give_an_error_or_an_estimator(file):
    """Forged schemas with the right digest must have no other effect."""
    intact = file.read_bytes()
    rng = random.Random(0)
    outcomes = set()
    for _ in range(150):

        def change(members):
            schema = bytearray(members["schema.json"])
            for _ in range(rng.randrange(1, 4)):
                start = rng.randrange(len(schema))
                piece = rng.choice(
                    [b"", b'"', b"}", b"1e999", b"null", b"-1", bytes([rng.randrange(256)])]
                )
                schema[start : start + rng.randrange(4)] = piece
            members["schema.json"] = bytes(schema)

        file.write_bytes(intact)
        forged(file, change)
        try:
            outcomes.add(type(load(file)).__name__)
        except ValueError:
            outcomes.add("refused")
    assert "refused" in outcomes


def test_the_loader_does_not_use_pickle():
    """No module of the loader imports it; only the command line uses joblib, with --trust."""
    folder = Path(archive_file.__file__).parent
    for module in folder.glob("*.py"):
        text = module.read_text()
        assert "import pickle" not in text
        assert "import joblib" not in text
        assert "allow_pickle=True" not in text
    assert skvision.load is load
