"""Two phases: training the head, then the head and the body."""

from __future__ import annotations

import pickle

import joblib
import keras
import numpy as np
import pytest
from keras import layers
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skvision import (
    FineTunedClassifier,
    MiniVGGClassifier,
    PretrainedFeatureTransformer,
    TrainingInterruptedWarning,
    find_learning_rate,
    save,
    save_network,
)
from skvision.feature_extraction import extraction
from skvision.feature_extraction.engines import KerasEngine
from skvision.feature_extraction.extraction import running_engines
from skvision.networks.backbones import build_backbone
from skvision.networks.layers import leaves
from skvision.training import Seeds

from ..conftest import TINY


def small_body(seed=0):
    """Three convolutions with batch normalisation and dropout, as features."""
    inputs = x = keras.Input((8, 8, 3))
    x = layers.Rescaling(1 / 255)(x)
    for block in (1, 2, 10):
        initializer = keras.initializers.HeNormal(seed + block)
        x = layers.Conv2D(8, 3, name=f"block{block}_conv", kernel_initializer=initializer)(x)
        x = layers.BatchNormalization(name=f"block{block}_bn")(x)
        x = layers.ReLU(name=f"block{block}_relu")(x)
    x = layers.Dropout(0.5)(x)
    return keras.Model(inputs, layers.Flatten()(x), name="small")


@pytest.fixture(scope="module")
def body():
    return small_body()


@pytest.fixture
def net(body):
    """A classifier that isn't fitted."""
    return FineTunedClassifier(
        body,
        dense_units=(16,),
        warmup_epochs=3,
        warmup_learning_rate=0.01,
        fine_tune_epochs=2,
        fine_tune_learning_rate=0.001,
        engine="keras",
        random_state=0,
    )


@pytest.fixture(scope="module")
def some(digits):
    """96 digits, so that an epoch has three steps."""
    return digits[0][:96], digits[1][:96]


def weights_of(estimator):
    """Return the weights of each layer that has any, by name."""
    return {each.name: each.get_weights() for each in estimator.model_.layers if each.weights}


def changed(one, two):
    """Return the names of layers whose weights differ in any bit."""
    assert one.keys() == two.keys()
    return [n for n in one if not all(map(np.array_equal, one[n], two[n]))]


def assert_same(one, two, X):
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


# what is trained


@pytest.mark.parametrize(
    ("name", "side", "unfreeze", "learns"),
    [
        pytest.param("VGG16", 32, "block5", ("block5_",), marks=pytest.mark.slow),
        pytest.param("ResNet50", 32, "conv5", ("conv5_",), marks=pytest.mark.slow),
        pytest.param("Xception", 71, "block14", ("block14_",), marks=pytest.mark.slow),
    ],
)
def test_only_unfrozen_layers_are_trained(name, side, unfreeze, learns):
    X = np.random.default_rng(0).integers(0, 256, (6, side, side, 3), dtype=np.uint8)
    y = np.arange(6) % 2
    net = FineTunedClassifier(
        name,
        weights=None,
        image_size=side,
        dense_units=(),
        warmup_epochs=2,
        unfreeze="none",
        fine_tune_epochs=1,
        engine="keras",
        random_state=0,
    ).fit(X, y)
    seed = Seeds.draw(0).weights
    published = build_backbone(name, image_size=(side, side), weights=None, seed=seed)
    expected = [layer.get_weights() for layer in leaves(published) if layer.weights]
    warm = weights_of(net)
    # after the warm-up the body is unchanged, bit by bit
    *found, _ = warm.values()
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        for one, two in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, two)
    # after fine-tuning only unfrozen layers have changed, and no averages of normalisation
    tuned = weights_of(net.set_params(unfreeze=unfreeze).fit(X, y))
    moved = changed(warm, tuned)
    kernels = [
        layer.name
        for layer in net.model_.layers
        if layer.name.startswith(learns)
        and layer.weights
        and not isinstance(layer, layers.BatchNormalization)
    ]
    assert moved == [*kernels, "head_predictions"]
    assert len(kernels) >= 2


def test_batch_normalisation_of_the_body_never_changes(net, body, some):
    warm = weights_of(clone(net).set_params(unfreeze="none").fit(*some))
    tuned = weights_of(clone(net).fit(*some))
    kernels = ["block1_conv", "block2_conv", "block10_conv"]
    assert changed(warm, tuned) == [*kernels, "head_dense1", "head_predictions"]
    for name in ("block1_bn", "block2_bn", "block10_bn"):
        for ours, theirs in zip(tuned[name], body.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("unfreeze", "learning"),
    [
        ("block2", ["block2_conv", "block10_conv"]),
        (1, ["block10_conv"]),
        *(
            pytest.param(*it, marks=pytest.mark.slow)
            for it in (
                ("block1", ["block1_conv", "block2_conv", "block10_conv"]),
                ("block10", ["block10_conv"]),
                ("block2_relu", ["block10_conv"]),
                (np.int64(2), ["block2_conv", "block10_conv"]),
            )
        ),
    ],
)
def test_unfreeze(net, some, unfreeze, learning):
    net.set_params(unfreeze=unfreeze, warmup_epochs=0, fine_tune_epochs=1)
    before = weights_of(clone(net).set_params(fine_tune_learning_rate=1e-30).fit(*some))
    assert changed(before, weights_of(net.fit(*some)))[:-2] == learning


def test_layer_decay_makes_smaller_steps_of_adam(net, some):
    """Adam's first step is as large as the rate, whatever the gradient's size."""
    net.set_params(
        layer_decay=0.5, warmup_epochs=0, fine_tune_epochs=1, batch_size=96, optimizer="adam"
    )
    before = weights_of(clone(net).set_params(fine_tune_learning_rate=1e-30).fit(*some))
    after = weights_of(net.fit(*some))

    def step(name):
        return np.abs(after[name][0] - before[name][0]).max()

    names = ["head_predictions", "head_dense1", "block10_conv", "block2_conv", "block1_conv"]
    np.testing.assert_allclose(
        [step(name) / 0.001 for name in names], [1, 1, 0.5, 0.25, 0.125], rtol=0.02
    )


@pytest.mark.slow
def test_the_body_in_the_network_computes_the_features(digits):
    """It has its preprocessing once and the layers' names, without dropout and nesting."""
    X = np.repeat(np.repeat(digits[0][:8], 4, axis=1), 4, axis=2)
    net = FineTunedClassifier(
        image_size=32, unfreeze="none", warmup_epochs=1, engine="keras", random_state=0
    ).fit(X, digits[1][:8])
    expected = PretrainedFeatureTransformer(image_size=32, engine="keras").fit_transform(X)
    assert net.model_.get_layer("block7a_dwconv").weights
    body = keras.Model(net.model_.input, net.model_.get_layer("features").output)
    rgb = np.repeat(X[..., None], 3, axis=-1)
    np.testing.assert_allclose(body.predict(rgb, verbose=0), expected, atol=1e-4)


def test_dropout_of_the_body_is_left_out(net, some):
    net.fit(*some)
    kinds = [type(layer).__name__ for layer in net.model_.layers]
    assert kinds.count("Dropout") == 1
    assert kinds.index("Dropout") > kinds.index("Flatten")


# how


def test_it_learns_in_two_phases(net, digits):
    net.set_params(warmup_epochs=4, fine_tune_epochs=3, fine_tune_learning_rate=0.01).fit(*digits)
    assert is_classifier(net)
    assert net.history_["phase"] == ["warmup"] * 4 + ["fine_tune"] * 3
    assert net.n_epochs_ == 7
    assert list(net.history_) == ["phase", "accuracy", "loss"]
    assert net.score(*digits) > 0.95
    warm = clone(net).set_params(unfreeze="none").fit(*digits)
    assert warm.history_["phase"] == ["warmup"] * 4
    assert warm.history_["loss"] == net.history_["loss"][:4]
    assert net.history_["loss"][-1] < warm.history_["loss"][-1]


def test_validation_is_the_same_in_both_phases(net, digits):
    seen = []

    def spy(images, rng):
        seen.extend(image.tobytes() for image in images)
        return images

    net.set_params(validation_fraction=0.25, augmentation=spy, learning_rate_schedule="step")
    net.fit(*digits)
    assert list(net.history_) == [
        "phase", "accuracy", "loss", "val_accuracy", "val_loss", "learning_rate"
    ]  # fmt: skip
    assert len({len(column) for column in net.history_.values()}) == 1
    np.testing.assert_allclose(net.history_["learning_rate"], [0.01, 0.01, 1e-3, 1e-3, 1e-4])
    # five epochs over three quarters of the images: the other quarter was never augmented
    assert len(seen) == 5 * 225
    assert len(set(seen)) <= 225


def test_early_stopping_keeps_the_best_epoch_of_both_phases(net, digits):
    net.set_params(early_stopping=True, patience=1, fine_tune_learning_rate=3.0).fit(*digits)
    losses, named = net.history_["val_loss"], net.history_["phase"]
    # a rate that destroys the weights, so the best epoch is in the warm-up
    assert named[int(np.argmin(losses))] == "warmup"
    assert named[-1] == "fine_tune"
    warm = clone(net).set_params(unfreeze="none").fit(*digits)
    assert_same(net, warm, digits[0])


def test_the_seed_controls_all_random_draws(net, some, empty_pool):
    noisy = {"augmentation": lambda images, rng: images // 2 + rng.integers(64, dtype=np.uint8)}
    one, two = (clone(net).set_params(**noisy).fit(*some) for _ in range(2))
    assert_same(one, two, some[0])
    other = clone(net).set_params(**noisy, random_state=1).fit(*some)
    assert not np.array_equal(one.predict_proba(some[0]), other.predict_proba(some[0]))
    # networks are reused, and one fit must not affect the next
    empty_pool()
    assert_same(clone(net).set_params(**noisy).fit(*some), one, some[0])


def test_sample_and_class_weights_have_an_effect(net, some):
    X, y = some
    ones = (y == "one").astype(float)
    heavy = clone(net).fit(X, y, sample_weight=1 + 50 * ones).predict_proba(X)[:, 0].mean()
    assert heavy > net.fit(X, y).predict_proba(X)[:, 0].mean() + 0.05
    by_class = clone(net).set_params(class_weight={"one": 51, "two": 1, "zero": 1}).fit(X, y)
    assert by_class.predict_proba(X)[:, 0].mean() == pytest.approx(heavy, abs=1e-6)


@pytest.mark.slow
def test_its_parameters_can_be_searched(net, some):
    grid = {"unfreeze": ["none", "block2"], "dense_units": [(), (8,)]}
    search = GridSearchCV(net.set_params(warmup_epochs=1, fine_tune_epochs=1), grid, cv=2)
    search.fit(*some)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert clone(search.best_estimator_).backbone is net.backbone


@pytest.mark.parametrize("precision", ["bfloat16"])
def test_sixteen_bits(net, digits, precision):
    net.set_params(precision=precision).fit(*digits)
    assert net.model_.get_layer("block1_conv").compute_dtype == "bfloat16"
    assert net.model_.get_layer("head_predictions").compute_dtype == "float32"
    assert net.score(*digits) > 0.8


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_warm_up_computes_features_in_the_precision_of_the_training(
    net, some, monkeypatch, precision
):
    # as if Keras' engine had both, on any machine
    monkeypatch.setattr(KerasEngine, "precisions", staticmethod(lambda: ("bfloat16", "float32")))
    running_engines.clear()
    net.set_params(precision=precision, warmup_epochs=1, unfreeze="none").fit(*some)
    keys = running_engines.keys()
    assert {choice.precision for _, choice, _ in keys} == {precision}


# features: computed once, or in each epoch


@pytest.fixture
def computed(monkeypatch):
    """Numbers of images that the engine computed."""
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


def test_features_are_computed_once(net, some, computed, tmp_path):
    net.set_params(unfreeze="none", validation_fraction=0.25, cache=tmp_path).fit(*some)
    assert sum(computed) == 96
    assert_same(clone(net).fit(*some), net, some[0])
    assert sum(computed) == 96
    assert_same(clone(net).set_params(cache=None).fit(*some), net, some[0])
    assert sum(computed) == 2 * 96


def test_with_augmentation_features_are_computed_in_each_epoch(net, some, computed):
    net.set_params(unfreeze="none", validation_fraction=0.25)
    net.set_params(augmentation=lambda images, rng: images).fit(*some)
    assert sum(computed) == 24 + 3 * 72
    # and are the same for unchanged images
    plain = clone(net).set_params(augmentation=None).fit(*some)
    np.testing.assert_allclose(net.predict_proba(some[0]), plain.predict_proba(some[0]), atol=1e-3)


@pytest.mark.parametrize(
    "augmentation",
    [
        [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)],
        keras.src.legacy.preprocessing.image.ImageDataGenerator(
            rotation_range=40, width_shift_range=0.2, horizontal_flip=True
        ),
    ],
    ids=["layers", "generator"],
)
def test_keras_own_augmentation(net, some, augmentation):
    net.set_params(augmentation=augmentation).fit(*some)
    plain = clone(net).set_params(augmentation=None).fit(*some)
    for phase in ("warmup", "fine_tune"):
        at = net.history_["phase"].index(phase)
        assert net.history_["loss"][at] != plain.history_["loss"][at]


def test_large_tables_of_features_are_stored_in_a_file(net, some, monkeypatch):
    expected = clone(net).fit(*some)
    monkeypatch.setattr(extraction, "TABLE_BYTES", 1000)
    monkeypatch.setattr(extraction, "ROWS_AT_A_TIME", 40)
    np.testing.assert_allclose(
        net.fit(*some).predict_proba(some[0]), expected.predict_proba(some[0]), atol=1e-4
    )


# continuing


class Ends(keras.callbacks.Callback):
    """Stops the training before an epoch of a phase, as counted in this process."""

    at = None
    error = KeyboardInterrupt
    begun = 0

    def on_epoch_begin(self, epoch, logs=None):
        Ends.begun += 1
        if Ends.begun == Ends.at:
            raise Ends.error


@pytest.fixture
def ends(monkeypatch):
    def ending(at, error=KeyboardInterrupt):
        monkeypatch.setattr(Ends, "at", at)
        monkeypatch.setattr(Ends, "error", error)
        monkeypatch.setattr(Ends, "begun", 0)
        return Ends()

    return ending


@pytest.mark.parametrize("at", [2, 4, 5])
def test_a_training_continues_in_either_phase(net, some, tmp_path, ends, at):
    net.set_params(dense_dropout=0.5, validation_fraction=0.25)
    whole = clone(net).fit(*some)
    net.set_params(checkpoint_dir=tmp_path, keras_callbacks=ends(at, RuntimeError))
    with pytest.raises(RuntimeError):
        net.fit(*some)
    assert not hasattr(net, "classes_")
    net.set_params(keras_callbacks=None).fit(*some)
    assert net.history_ == whole.history_
    assert_same(net, whole, some[0])


def test_checkpoints_refuse_another_setup(net, some, tmp_path):
    net.set_params(checkpoint_dir=tmp_path).fit(*some)
    for other, message in (
        ({"warmup_epochs": 2}, "holds 3 epochs of this training, more than warmup_epochs=2"),
        ({"layer_decay": 0.5}, "another setup"),
        ({"backbone": small_body(9)}, "another setup"),
    ):
        with pytest.raises(ValueError, match=message):
            clone(net).set_params(**other).fit(*some)
    # arguments of prediction and more epochs at the end don't change the setup
    net.set_params(predict_crops=(0.8,), predict_mirrored=True)
    assert clone(net).set_params(fine_tune_epochs=3).fit(*some).n_epochs_ == 6


@pytest.mark.parametrize(
    ("at", "expected"),
    [(3, ["warmup"] * 2), (4, ["warmup"] * 3), (5, ["warmup"] * 3 + ["fine_tune"])],
)
def test_an_interrupt_keeps_the_weights_reached_so_far(net, some, ends, at, expected):
    net.set_params(keras_callbacks=ends(at))
    with pytest.warns(TrainingInterruptedWarning):
        net.fit(*some)
    assert net.history_["phase"] == expected
    same = {"unfreeze": "none", "warmup_epochs": len(expected)}
    if "fine_tune" in expected:
        same = {"fine_tune_epochs": 1}
    assert_same(clone(net).set_params(keras_callbacks=None, **same).fit(*some), net, some[0])
    with pytest.raises(KeyboardInterrupt):
        clone(net).set_params(keras_callbacks=ends(1)).fit(*some)


def test_partial_fits_are_epochs_of_both_phases(net, some):
    whole = clone(net).fit(*some)
    for _ in range(5):
        net.partial_fit(*some, classes=["one", "two", "zero"])
    assert net.history_ == whole.history_
    assert_same(net, whole, some[0])


def test_a_warm_start_unfreezes_gradually(net, some):
    net.set_params(unfreeze="none", warm_start=True).fit(*some)
    first = weights_of(net)
    net.set_params(unfreeze="block10", fine_tune_epochs=1).fit(*some)
    second = weights_of(net)
    assert changed(first, second) == ["block10_conv", "head_dense1", "head_predictions"]
    net.set_params(unfreeze="all").fit(*some)
    assert "block1_conv" in changed(second, weights_of(net))
    assert net.history_["phase"] == ["warmup"] * 3 + ["fine_tune"] * 2
    with pytest.raises(ValueError, match="network to continue has a trained body"):
        net.set_params(unfreeze="none").fit(*some)
    with pytest.raises(ValueError, match=r"dense_units was \(16,\) and is \(8,\)"):
        net.set_params(unfreeze="all", dense_units=(8,)).fit(*some)


@pytest.mark.parametrize("phase", ["warmup", "fine_tune"])
def test_a_learning_rate_is_found_for_each_phase(net, digits, phase):
    found = find_learning_rate(net, *digits, phase=phase, n_steps=40, lowest=1e-4)
    assert 1e-4 < found.suggestion < 10
    again = find_learning_rate(net, *digits, phase=phase, n_steps=40, lowest=1e-4)
    np.testing.assert_array_equal(found.losses, again.losses)
    # fine-tuning begins with a trained head
    assert (found.losses[0] < 1.0) == (phase == "fine_tune")


def test_unknown_phases_are_refused(net, tiny, some):
    with pytest.raises(ValueError, match="phase must be one of 'warmup', 'fine_tune'"):
        find_learning_rate(net, *some)
    with pytest.raises(ValueError, match="phase must be one of"):
        find_learning_rate(net, *some, phase="head")
    with pytest.raises(ValueError, match="trains in one phase"):
        find_learning_rate(tiny, *some, phase="warmup")
    with pytest.raises(ValueError, match="leave no phase 'fine_tune'"):
        find_learning_rate(net.set_params(unfreeze="none"), *some, phase="fine_tune")


# the user's own networks


@pytest.fixture(scope="module")
def animals(digits):
    """A classifier of three classes, and data of three other classes."""
    from sklearn.datasets import load_digits

    data = load_digits()
    new = np.isin(data.target, (4, 6, 7))
    names = np.array(["", "", "", "", "grizzly", "", "polar bear", "panda"])
    X = np.round(data.images[new][:240] * 255 / 16).astype(np.uint8)
    old = MiniVGGClassifier(**{**TINY, "epochs": 4}).fit(*digits)
    return old, X, names[data.target[new][:240]]


@pytest.mark.parametrize("form", ["fitted", "skv", "hdf5", "keras", "model"])
def test_the_users_own_network_is_fine_tuned_to_new_classes(animals, form, tmp_path):
    old, X, y = animals
    backbone = {"fitted": lambda: old, "model": lambda: old.model_}.get(form)
    if backbone is None:
        backbone = tmp_path / f"old.{form}"
        (save if form == "skv" else save_network)(old, backbone)
        backbone = lambda path=backbone: str(path)  # noqa: E731
    net = FineTunedClassifier(
        backbone(), dense_units=(32,), warmup_epochs=8, warmup_learning_rate=0.01,
        fine_tune_epochs=1, engine="keras", random_state=0,
    )  # fmt: skip
    net.fit(X, y)
    assert net.classes_.tolist() == ["grizzly", "panda", "polar bear"]
    names = [layer.name for layer in net.model_.layers]
    # the old dense layers are removed, the convolutions are kept
    assert "dense1" not in names
    assert names[names.index("flatten") + 1 :] == [
        "features", "head_dense1", "head_dense1_activation", "head_dense1_dropout",
        "head_predictions",
    ]  # fmt: skip
    assert net.score(X, y) > 0.95
    # the old classifier is unchanged
    assert old.classes_.tolist() == ["one", "two", "zero"]
    warm = weights_of(clone(net).set_params(unfreeze="none").fit(X, y))
    before = weights_of(old)
    shared = {name: arrays for name, arrays in warm.items() if name in before}
    assert len(shared) >= 2
    assert not changed(shared, {name: before[name] for name in shared})


@pytest.mark.slow
def test_a_fine_tuned_network_can_be_fine_tuned_again(net, animals, some):
    _, X, y = animals
    first = net.fit(*some)
    second = clone(net).set_params(backbone=first).fit(X, y)
    third = FineTunedClassifier(
        keras.Model(first.model_.input, first.model_.layers[-2].output),
        dense_units=(16,), warmup_epochs=1, fine_tune_epochs=1, engine="keras", random_state=0,
    ).fit(X, y)  # fmt: skip
    assert [layer.name for layer in second.model_.layers] == [
        layer.name for layer in first.model_.layers
    ]
    # a kept head has another name than the new one
    assert {"head_dense1", "head2_dense1"} <= {layer.name for layer in third.model_.layers}
    again = pickle.loads(pickle.dumps(second))
    assert_same(again, second, X)


def test_nested_networks_are_flattened(some):
    inner = small_body()
    outer = keras.Sequential([keras.Input((8, 8, 3)), inner, layers.Dense(5, name="last")])
    net = FineTunedClassifier(
        outer, dense_units=(), warmup_epochs=1, unfreeze="block10", fine_tune_epochs=1,
        engine="keras", random_state=0,
    )  # fmt: skip
    warm = weights_of(clone(net).set_params(unfreeze="none").fit(*some))
    assert changed(warm, weights_of(net.fit(*some))) == [
        "block10_conv", "last", "head_predictions"
    ]  # fmt: skip


def test_grey_numbers_for_a_network_with_colour_input(net, some):
    X, y = some[0] * 1.0, some[1]
    net.set_params(value_range=None).fit(X, y)
    assert net.n_channels_ == 1
    rgb = np.repeat(X[..., None], 3, axis=-1)
    np.testing.assert_allclose(
        clone(net).fit(rgb, y).predict_proba(rgb), net.predict_proba(X), atol=1e-5
    )
    with pytest.raises(ValueError, match="X has 2 channels, but small reads 3"):
        net.fit(rgb[..., :2], y)


# files


@pytest.mark.slow
def test_a_model_predicts_without_file_and_download(some, tmp_path, elsewhere):
    source = build_backbone("MobileNetV2", image_size=(32, 32), weights=None, seed=3)
    path = save_network(source, tmp_path / "own.keras")
    net = FineTunedClassifier(
        "MobileNetV2", weights=path, image_size=32, dense_units=(), warmup_epochs=1,
        unfreeze="none", engine="keras", random_state=0,
    ).fit(*some)  # fmt: skip
    stem = net.model_.get_layer("Conv1").get_weights()[0]
    np.testing.assert_array_equal(stem, source.layers[-1].get_layer("Conv1").get_weights()[0])
    path.unlink()
    joblib.dump(net, tmp_path / "net.joblib")
    np.save(tmp_path / "X.npy", some[0])
    code = (
        "import joblib, sys, numpy as np\n"
        "folder = sys.argv[1]\n"
        "net = joblib.load(folder + '/net.joblib')\n"
        "np.save(folder + '/P.npy', net.predict_proba(np.load(folder + '/X.npy')))\n"
    )
    elsewhere(code, tmp_path)
    np.testing.assert_allclose(np.load(tmp_path / "P.npy"), net.predict_proba(some[0]), atol=1e-6)
    size = (tmp_path / "net.joblib").stat().st_size
    assert size < 4 * net.model_.count_params() + 60_000


# bad input


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"unfreeze": "block7"}, "no layer or block 'block7'.*Blocks: block1, block2, block10"),
        ({"unfreeze": "block"}, "no layer or block 'block'.*similar name: .*block1_bn"),
        ({"unfreeze": 4}, "has 3 layers with a kernel"),
        ({"unfreeze": 0}, "unfreeze"),
        ({"unfreeze": True}, "unfreeze"),
        ({"dense_units": (0,)}, "dense_units must be a tuple of whole numbers above 0"),
        ({"dense_units": 16}, "dense_units must be a tuple"),
        ({"dense_dropout": 1.0}, "dense_dropout"),
        ({"activation": "rely"}, "Unknown activation: 'rely'. Did you mean 'relu'"),
        ({"warmup_epochs": -1}, "warmup_epochs"),
        ({"warmup_epochs": 0, "fine_tune_epochs": 0}, "nothing to train"),
        ({"warmup_epochs": 0, "unfreeze": "none"}, "nothing to train"),
        ({"warmup_learning_rate": 0}, "warmup_learning_rate"),
        ({"layer_decay": 0}, "layer_decay"),
        ({"layer_decay": 1.5}, "layer_decay"),
        ({"learning_rate_schedule": "cosin"}, "Unknown learning_rate_schedule"),
        ({"backbone": "VGG18"}, "Unknown backbone: 'VGG18'"),
        ({"backbone": 3}, "backbone must be a name"),
        ({"backbone": "nowhere.skv"}, "There is no model file nowhere.skv"),
        ({"backbone": "m.joblib"}, r"If you trust .*backbone=joblib.load\('m.joblib'\)"),
        ({"backbone": "nowhere.keras"}, "There is no network file nowhere.keras"),
        ({"image_size": 16}, r"small needs images of \(8, 8\)"),
        ({"engine": "onnx"}, "engine must be"),
        ({"cache": 3}, "cache"),
        ({"augmentation": "flip"}, "augmentation must be"),
    ],
)
def test_bad_parameters(net, some, params, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        net.set_params(**params).fit(*some)
    assert not hasattr(net, "classes_")


def test_bad_backbone_files(net, some, tmp_path):
    path = tmp_path / "m.skv"
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="m.skv"):
        clone(net).set_params(backbone=path).fit(*some)
    save(LogisticRegression(), path)
    with pytest.raises(ValueError, match="holds a LogisticRegression, not a skvision classifier"):
        clone(net).set_params(backbone=path).fit(*some)
    save(MiniVGGClassifier(), path)
    with pytest.raises(NotFittedError):
        clone(net).set_params(backbone=path).fit(*some)
    path = save_network(net.backbone, tmp_path / "n.keras")
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match="damaged"):
        clone(net).set_params(backbone=path).fit(*some)
    code = keras.Sequential([keras.Input((8, 8, 3)), layers.Lambda(lambda x: x + 1)])
    code.save(tmp_path / "code.keras")
    with pytest.raises(ValueError, match="Lambda"):
        clone(net).set_params(backbone=str(tmp_path / "code.keras")).fit(*some)


def test_a_weights_file_of_another_shape(net, some, tmp_path):
    path = save_network(net.backbone, tmp_path / "other.hdf5")
    wrong = clone(net).set_params(backbone="EfficientNetLite0", image_size=32, weights=path)
    with pytest.raises(ValueError, match="does not hold the weights of EfficientNetLite0"):
        wrong.fit(*some)


def test_fewer_images_than_a_batch(net, some):
    X, y = some
    net.set_params(batch_size=512).fit(X[:5], y[:5])
    assert net.predict(X).shape == (96,)
    with pytest.raises(ValueError, match="only one class"):
        net.fit(X[:1], y[:1])


def test_labels_that_fit_has_not_seen(net, some):
    X, y = some
    known = y != "two"
    net.fit(X[known], y[known])
    assert set(net.predict(X)) <= {"one", "zero"}
    # unknown labels count as wrong
    assert net.score(X, y) <= known.mean()
    with pytest.raises(ValueError, match="labels that are not in classes: 'two'"):
        net.partial_fit(X, y)


def test_a_failed_fit_changes_nothing(net, some):
    X, y = some
    net.fit(X, y)
    before = net.predict_proba(X)
    with pytest.raises(ValueError, match="diverged"):
        net.set_params(fine_tune_learning_rate=1e38, optimizer="sgd").fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), before)
