from __future__ import annotations

import copy
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.utils import get_tags

from skvision import ImageDecodeError, MiniVGGClassifier, TrainingDivergedError, load_image_folder

from ..conftest import TINY


def proba(estimator, digits, **params):
    return clone(estimator).set_params(**params).fit(*digits).predict_proba(digits[0])


# the classifier


def test_default_network_is_that_of_the_course(noise):
    net = MiniVGGClassifier(epochs=1).fit(np.tile(noise, (2, 1, 1, 1)), np.arange(12) % 10)
    assert net.model_.count_params() == 2_171_178
    assert net.model_.input_shape == (None, 32, 32, 3)


def test_it_is_a_classifier(tiny):
    assert is_classifier(tiny)
    assert get_tags(tiny).target_tags.required
    assert isinstance(check_cv(3, [0, 1] * 9, classifier=is_classifier(tiny)), StratifiedKFold)


def test_it_learns_and_records_its_history(fitted, digits):
    assert fitted.score(*digits) > 0.9
    assert fitted.classes_.tolist() == ["one", "two", "zero"]
    assert list(fitted.history_) == ["accuracy", "loss"]
    assert fitted.n_epochs_ == len(fitted.history_["loss"]) == TINY["epochs"]
    assert fitted.history_["loss"][-1] < fitted.history_["loss"][0]
    probabilities = fitted.predict_proba(digits[0])
    assert probabilities.shape == (300, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    labels = fitted.classes_[probabilities.argmax(axis=1)]
    np.testing.assert_array_equal(fitted.predict(digits[0]), labels)


def test_model_is_a_copy_with_the_same_predictions(fitted, digits):
    X = digits[0]
    rgb = np.repeat(X[:16, :, :, None], 3, axis=-1)
    np.testing.assert_allclose(
        fitted.model_.predict(rgb, verbose=0), fitted.predict_proba(X[:16]), atol=1e-6
    )
    assert fitted.model_ is fitted.model_
    before = fitted.predict_proba(X[:4])
    other = copy.deepcopy(fitted)
    other.model_.set_weights([weights * 0 for weights in other.model_.get_weights()])
    np.testing.assert_array_equal(other.predict_proba(X[:4]), before)


# parameters


@pytest.mark.parametrize(
    "name",
    ["ReLU", "LeakyReLU", *(pytest.param(n, marks=pytest.mark.slow) for n in ("Tanh", "sigmoid"))],
)
def test_activations_of_the_course(tiny, digits, name):
    net = tiny.set_params(activation=name, epochs=1).fit(*digits)
    used = net.model_.get_layer("block1_conv1_activation").activation.__name__
    assert used.replace("_", "") == name.lower()


@pytest.mark.parametrize(
    "name", ["Adam", *(pytest.param(n, marks=pytest.mark.slow) for n in ("SGD", "RMSprop"))]
)
def test_optimizers_of_the_course(tiny, digits, name):
    net = tiny.set_params(optimizer=name, learning_rate=None, epochs=1).fit(*digits)
    assert net.n_epochs_ == 1


def test_options_of_the_optimizer_are_routed(digits):
    plain = MiniVGGClassifier(**{**TINY, "optimizer": "sgd"})
    routed = MiniVGGClassifier(**{**TINY, "optimizer": "sgd"}, optimizer__momentum=0.9)
    assert routed.get_params()["optimizer__momentum"] == 0.9
    assert clone(routed).get_params() == routed.get_params()
    set_later = clone(plain).set_params(optimizer__momentum=0.9)
    np.testing.assert_array_equal(proba(routed, digits), proba(set_later, digits))
    assert not np.array_equal(proba(routed, digits), proba(plain, digits))
    same = clone(plain).set_params(optimizer=keras.optimizers.SGD(0.01, momentum=0.9))
    np.testing.assert_array_equal(proba(routed, digits), proba(same, digits))


def test_an_optimizer_object_can_be_used_again(tiny, digits):
    optimizer = keras.optimizers.Adam(0.01)
    net = clone(tiny).set_params(optimizer=optimizer, learning_rate=None).fit(*digits)
    assert int(np.asarray(optimizer.iterations)) == 0
    np.testing.assert_array_equal(net.predict_proba(digits[0]), proba(tiny, digits))


def test_unknown_arguments_are_a_type_error():
    with pytest.raises(TypeError, match="unexpected keyword argument 'learning_rte'"):
        MiniVGGClassifier(learning_rte=0.1)
    with pytest.raises(ValueError, match="Invalid parameter 'learning_rte'"):
        MiniVGGClassifier().set_params(learning_rte=0.1)


def test_learning_rates_share_one_network(tiny, digits, empty_pool):
    pool = empty_pool()
    for rate in (0.1, 0.01, 0.001):
        clone(tiny).set_params(learning_rate=rate, epochs=1).fit(*digits).predict(digits[0][:3])
    assert len(pool) == 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"epochs": 0}, r"'epochs' parameter .* int in the range \[1, inf\). Got 0"),
        ({"epochs": 2.5}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"activation": "rulu"}, "Unknown activation: 'rulu'.*Did you mean 'relu'.*tanh"),
        ({"optimizer": "adman"}, "Unknown optimizer: 'adman'.*RMSprop"),
        ({"optimizer": dict}, "Unknown optimizer"),
        ({"image_size": (3, 3), "filters": (8, 8)}, r"image_size=\(3, 3\) is too small"),
        ({"image_size": (8,)}, "image_size must be a tuple of 2 whole numbers"),
        ({"image_size": 8.5}, "image_size"),
        ({"filters": (8, 0)}, "filters must be a tuple of whole numbers above 0"),
        ({"filters": "88"}, "filters must be"),
        ({"dense_units": 32}, "dense_units must be"),
        ({"conv_dropout": 1.0}, "conv_dropout"),
        ({"class_weight": "even"}, "class_weight"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"resize": "squash"}, "resize"),
        ({"value_range": (0, 0)}, "value_range"),
        ({"verbose": 3}, "verbose"),
        ({"augmentation": "flip"}, "augmentation must be"),
        ({"keras_callbacks": ["stop"]}, "keras_callbacks must be"),
        ({"optimizer__momentum": 0.9}, "Adam has no option 'momentum'"),
        ({"random_state": "zero"}, "random_state"),
    ],
)
def test_bad_parameters_are_refused_in_fit(tiny, digits, params, message):
    tiny.set_params(**params)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        tiny.fit(*digits)
    assert not hasattr(tiny, "classes_")


# data


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
        (lambda X, y: (X, np.full(len(X), "zero")), "only one class, 'zero'.*at least two classes"),
        (lambda X, y: (X / 1.0, y), "accepted are float64 pixels from 0 to 1"),
        (lambda X, y: (np.where(X == 0, np.nan, X / 255), y), "NaN"),
        (lambda X, y: (np.where(X == 0, np.inf, X / 255), y), "infinity"),
        (lambda X, y: (X, np.linspace(0, 1, len(X))), "Unknown label type: continuous"),
        (lambda X, y: (X, np.linspace(0, 1, len(X))), "Make classes of them first"),
        (lambda X, y: (X, [{1}] * len(X)), r"y holds \{1\}, of type set"),
        (lambda X, y: (X, [1j] * len(X)), "Complex data not supported: y holds"),
        (lambda X, y: (X, np.where(y == "one", None, y)), "Received: NoneType, str"),
        (lambda X, y: (X, np.where(y == "one", np.nan, 1.0)), "NaN"),
        (lambda X, y: (X, None), "requires y"),
        (lambda X, y: (X.reshape(len(X), -1), y), "row_shape"),
        (lambda X, y: (["nowhere.png"] * len(y), y), "nowhere.png: no such file"),
    ],
)
def test_bad_data_are_refused(tiny, digits, change, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        tiny.fit(*change(*digits))
    with pytest.raises(NotFittedError):
        tiny.predict(digits[0])


def test_a_failed_fit_leaves_the_fitted_estimator_unchanged(tiny, digits):
    tiny.fit(*digits)
    before = tiny.predict_proba(digits[0])
    with pytest.raises(ImageDecodeError):
        tiny.fit(["nowhere.png"] * 300, np.arange(300) % 5)
    assert tiny.classes_.tolist() == ["one", "two", "zero"]
    np.testing.assert_array_equal(tiny.predict_proba(digits[0]), before)


def test_predict_before_fit(tiny, digits):
    for method in (tiny.predict, tiny.predict_proba):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            method(digits[0])
    with pytest.raises(NotFittedError):
        _ = tiny.model_


def test_another_scale_at_predict_is_refused(fitted, digits):
    X = digits[0]
    with pytest.raises(ValueError, match=r"scale 0..1, but .* fitted on the scale 0..255"):
        fitted.predict(X / 255)
    with pytest.raises(ValueError, match=r"scale 0..65535"):
        fitted.predict(X.astype(np.uint16))
    assert (fitted.predict(X.astype(int)) == fitted.predict(X)).all()


def test_an_explicit_scale_gives_the_same_model(tiny, digits):
    X, y = digits
    net = clone(tiny).set_params(value_range=(0, 255)).fit(X.astype(float), y)
    np.testing.assert_array_equal(net.predict_proba(X.astype(float)), proba(tiny, digits))


def test_refitting_on_images_removes_the_attributes_of_rows(tiny, digits):
    X, y = digits
    net = tiny.set_params(row_shape=(8, 8), epochs=1).fit(X.reshape(len(X), -1), y)
    assert not hasattr(net.fit(X, y), "n_features_in_")


@pytest.mark.parametrize("content", [b"", b"<html>", None], ids=["empty", "text", "truncated"])
def test_a_bad_file_is_named_by_fit_and_predict(tiny, fitted, digits_folder, tmp_path, content):
    X, y = load_image_folder(digits_folder, return_X_y=True)
    bad = tmp_path / "bad.png"
    bad.write_bytes(Path(X[0]).read_bytes()[:60] if content is None else content)
    X[17] = str(bad)
    with pytest.raises(ImageDecodeError, match="bad.png"):
        tiny.fit(X, y)
    with pytest.raises(ImageDecodeError, match="bad.png"):
        fitted.predict(X)


def test_a_failing_augmentation_shows_its_own_error(tiny, digits):
    def fail(images, rng):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="^mine$"):
        tiny.set_params(augmentation=fail).fit(*digits)


def test_diverging_is_an_error_that_says_what_to_do(tiny, digits):
    tiny.set_params(optimizer="sgd", learning_rate=1e30, batch_norm=False)
    with pytest.raises(TrainingDivergedError, match="learning rate, 1e\\+30, is too large"):
        tiny.fit(*digits)


# weights


@pytest.fixture(scope="module")
def undecided():
    """The same image 40 times, 30 times with label a and 10 times with b."""
    return np.full((40, 8, 8), 100, np.uint8), np.array(["a", "a", "a", "b"] * 10)


@pytest.mark.parametrize(
    ("class_weight", "weight_of_b", "expected"),
    [
        (None, None, 0.75),
        (None, 3.0, 0.5),
        ("balanced", None, 0.5),
        ({"a": 1, "b": 9}, None, 0.25),
        ({"a": 1, "b": 3}, 3.0, 0.25),
    ],
)
def test_weights_change_the_predicted_class(tiny, undecided, class_weight, weight_of_b, expected):
    X, y = undecided
    # each step uses all images, without dividing by the deviation of equal images
    net = tiny.set_params(
        class_weight=class_weight, epochs=100, batch_size=512, batch_norm=False,
        dense_dropout=0, conv_dropout=0,
    )  # fmt: skip
    weight = None if weight_of_b is None else np.where(y == "b", weight_of_b, 1.0)
    kept = copy.deepcopy(weight)
    net.fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(weight, kept)
    assert net.predict_proba(X[:1])[0, 0] == pytest.approx(expected, abs=0.05)


def test_weight_zero_is_the_same_as_leaving_out(tiny, digits):
    X, y = digits
    weight = (y != "one").astype(float)
    net = clone(tiny).fit(X, y, sample_weight=weight)
    assert net.classes_.tolist() == ["one", "two", "zero"]
    assert (net.predict(X) != "one").all()


def test_weights_are_relative(tiny, digits):
    X, y = digits
    weight = np.where(y == "one", 2.0, 1.0)
    one = clone(tiny).fit(X, y, sample_weight=weight).predict_proba(X)
    two = clone(tiny).fit(X, y, sample_weight=weight * 8).predict_proba(X)
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    "weight", [np.zeros(300), -np.ones(300), np.ones(299), np.full(300, np.nan)]
)
def test_bad_weights(tiny, digits, weight):
    with pytest.raises(ValueError, match="(?i)weight"):
        tiny.fit(*digits, sample_weight=weight)


# validation and stopping


def test_validation_split_is_measured_in_each_epoch(tiny, digits):
    net = tiny.set_params(validation_fraction=0.2).fit(*digits)
    assert set(net.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert len(net.history_["val_loss"]) == net.n_epochs_


def test_early_stopping_restores_the_best_epoch(tiny, digits):
    net = tiny.set_params(early_stopping=True, patience=2, epochs=60, learning_rate=0.03)
    net.fit(*digits)
    losses = net.history_["val_loss"]
    assert net.n_epochs_ < 60
    assert int(np.argmin(losses)) == net.n_epochs_ - 3
    # the same training, ended at the best epoch, gives the restored weights
    best = clone(net).set_params(epochs=int(np.argmin(losses)) + 1, early_stopping=False)
    best.set_params(validation_fraction=0.1).fit(*digits)
    np.testing.assert_array_equal(best.predict_proba(digits[0]), net.predict_proba(digits[0]))


def test_a_class_too_small_for_the_split_is_named(tiny, digits):
    X, y = digits
    few = np.r_[np.flatnonzero(y != "one"), np.flatnonzero(y == "one")[:1]]
    with pytest.raises(ValueError, match="Class 'one' has 1 image"):
        tiny.set_params(validation_fraction=0.2).fit(X[few], y[few])


def test_callbacks_are_copied_for_each_fit(tiny, digits):
    class Count(keras.callbacks.Callback):
        seen = 0
        total = 0

        def on_epoch_end(self, epoch, logs=None):
            self.seen += 1
            Count.total += 1

    callback = Count()
    net = tiny.set_params(keras_callbacks=callback)
    clone(net).fit(*digits)
    net.fit(*digits)
    assert callback.seen == 0
    assert Count.total == 2 * TINY["epochs"]


# augmentation


def test_augmentation_is_drawn_in_each_epoch_for_training_images_only(tiny, digits):
    seen = []

    def record(images, rng):
        seen.append((images.copy(), rng.random()))
        return images

    net = tiny.set_params(augmentation=record, validation_fraction=0.2, epochs=2, batch_size=16)
    net.fit(*digits)
    steps = 240 // 16
    assert len(seen) == 2 * steps
    assert len({draw for _, draw in seen}) == 2 * steps
    assert sum(len(images) for images, _ in seen[:steps]) == 240
    assert seen[0][0].dtype == np.uint8
    assert seen[0][0].shape == (16, 8, 8, 3)
    count = len(seen)
    net.predict(digits[0])
    assert len(seen) == count


@pytest.mark.slow
def test_keras_layers_augment(tiny, digits):
    layers = [keras.layers.RandomRotation(0.1), keras.layers.RandomTranslation(0.1, 0.1)]
    augmented = clone(tiny).set_params(augmentation=layers)
    np.testing.assert_array_equal(proba(augmented, digits), proba(augmented, digits))
    assert not np.array_equal(proba(augmented, digits), proba(tiny, digits))
    assert clone(augmented).fit(*digits).score(*digits) > 0.8


# randomness


def test_the_same_seed_gives_the_same_model(tiny, digits):
    options = {"validation_fraction": 0.2, "augmentation": keras.layers.RandomFlip()}
    one, two = (proba(tiny, digits, **options) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, proba(tiny, digits, **options, random_state=1))


def test_no_seed_gives_different_models(tiny, digits):
    one, two = (proba(tiny, digits, random_state=None, epochs=1) for _ in range(2))
    assert not np.array_equal(one, two)


def test_a_random_state_is_used_for_draws(tiny, digits):
    state = np.random.RandomState(0)
    tiny.set_params(random_state=state, epochs=1)
    one = tiny.fit(*digits).predict_proba(digits[0])
    two = tiny.fit(*digits).predict_proba(digits[0])
    assert not np.array_equal(one, two)
    again = proba(tiny, digits, random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(one, again)


# output


def test_silent_unless_asked(tiny, digits, capfd):
    tiny.fit(*digits).predict(digits[0])
    assert capfd.readouterr() == ("", "")


def test_progress_bar_and_lines(tiny, digits, capfd):
    tiny.set_params(verbose=1).fit(*digits).predict(digits[0])
    _, err = capfd.readouterr()
    assert "epoch 3/3" in err
    assert "loss 0." in err
    tiny.set_params(verbose=2).fit(*digits)
    assert "Epoch 3/3" in capfd.readouterr().out


def test_repr_shows_changed_parameters():
    net = MiniVGGClassifier(epochs=5)
    assert repr(net) == "MiniVGGClassifier(epochs=5)"
    assert "MiniVGGClassifier" in net._repr_html_()
