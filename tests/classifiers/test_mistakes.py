"""Mistakes of users give an immediate, clear error, and never a wrong network."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from imblearn.pipeline import make_pipeline
from sklearn.model_selection import cross_val_score

from skvision import (
    FineTunedClassifier,
    ImageAugmenter,
    ImageOverSampler,
    MiniVGGClassifier,
    TrainingDivergedError,
    find_learning_rate,
)

from .test_finetuned import small_body

X = np.random.default_rng(0).integers(0, 256, (12, 8, 8), dtype=np.uint8)
Y = np.repeat([0, 1], 6)


def net(**params):
    return MiniVGGClassifier(
        **{
            "image_size": 8,
            "filters": (2,),
            "convs_per_block": 1,
            "dense_units": (),
            "epochs": 1,
            "random_state": 0,
            **params,
        }
    )


@pytest.fixture(scope="module")
def fitted():
    return net().fit(X, Y)


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.eye(2)[Y], r"it is one-hot.*argmax\(axis=1\)"),
        (np.eye(2)[Y].tolist(), r"it is one-hot.*np\.argmax"),
        (np.ones((12, 2), int), "several labels"),
        ([[0, 1], [1]] * 6, "label"),
        (["cat", "dog"] * 6, "y holds text such as 'cat', and classes_ holds numbers: 0, 1"),
        (Y[:5], "inconsistent numbers of samples"),
        (None, "y"),
    ],
)
def test_score_refuses_the_labels_that_fit_refuses(fitted, y, said):
    with pytest.raises(ValueError, match=f"(?s){said}"):
        fitted.score(X, y)


def test_score_counts_labels_that_fit_did_not_see_as_wrong(fitted):
    assert fitted.score(X, np.full(12, 7)) == 0
    weights = np.r_[1, np.zeros(11)]
    assert fitted.score(X, fitted.predict(X), sample_weight=weights) == 1


# checkpoints of another training


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (255 - X, "images"),
        (X.astype(np.float32) / 255, "scale"),
        (np.where(np.arange(12)[:, None, None] == 5, 0, X).astype(np.uint8), "images"),
    ],
)
def test_checkpoints_of_other_images_are_refused(tmp_path, other, named):
    net(checkpoint_dir=tmp_path).fit(X, Y)
    with pytest.raises(ValueError, match=f"(?s)another setup.*{named}"):
        net(checkpoint_dir=tmp_path).fit(other, Y)


@pytest.mark.parametrize("name", ["", "warmup", "fine_tune"])
def test_a_file_in_place_of_checkpoints_is_refused_before_training(tmp_path, name, monkeypatch):
    place = tmp_path / (name or "kept")
    place.touch()
    estimator = (
        FineTunedClassifier(small_body(), checkpoint_dir=tmp_path, image_size=8)
        if name
        else net(checkpoint_dir=place)
    )
    monkeypatch.setattr("skvision.classifiers.base.run", None)
    with pytest.raises(NotADirectoryError, match=f"checkpoint_dir='{place}' is a file"):
        estimator.fit(X, Y)


def test_checkpoints_do_not_leak_between_folds(tmp_path):
    with pytest.raises(ValueError, match="another setup"):
        cross_val_score(net(checkpoint_dir=tmp_path), X, Y, cv=3, error_score="raise")


def test_checkpoints_by_another_function_of_the_same_name_are_refused(tmp_path):
    def fit(shift):
        if shift:
            net(checkpoint_dir=tmp_path, augmentation=lambda images, rng: 255 - images).fit(X, Y)
        else:
            net(checkpoint_dir=tmp_path, augmentation=lambda images, rng: images).fit(X, Y)

    fit(shift=False)
    fit(shift=False)
    with pytest.raises(ValueError, match="(?s)another setup.*augmentation"):
        fit(shift=True)


def test_fewer_epochs_than_the_checkpoints_hold(tmp_path):
    net(checkpoint_dir=tmp_path, epochs=3).fit(X, Y)
    with pytest.raises(ValueError, match="holds 3 epochs of this training, more than epochs=1"):
        net(checkpoint_dir=tmp_path, epochs=1).fit(X, Y)


# images scaled twice


@pytest.mark.parametrize(
    "augmentation",
    [
        [keras.layers.RandomFlip(), keras.layers.Rescaling(1 / 255)],
        keras.layers.Normalization(mean=127.0, variance=64.0**2),
        lambda images, rng: images / 255,
        lambda images, rng: (images / 255).astype(np.float32),
    ],
)
def test_scaling_for_an_augmentation_is_refused(augmentation):
    with pytest.raises(ValueError, match="Leave scaling .* to the network"):
        net(augmentation=augmentation).fit(X, Y)


def test_a_generator_that_scales_is_refused():
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    scale = keras.applications.mobilenet_v2.preprocess_input
    generator = ImageDataGenerator(preprocessing_function=lambda image: scale(image.copy()))
    with pytest.raises(ValueError, match="Leave scaling"):
        net(augmentation=generator).fit(X, Y)


def test_black_images_are_not_mistaken_for_scaling():
    for black in (
        lambda images, rng: np.zeros_like(images),
        ImageAugmenter(brightness_range=(0, 0)),
    ):
        assert net(augmentation=black).fit(X, Y).n_epochs_ == 1


def test_layers_that_draw_from_pythons_generator_are_seeded_too():
    mix = keras.layers.AugMix(value_range=(0, 255))
    first, again = (net(augmentation=mix).fit(X, Y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, again)


# diverging networks


def test_the_weights_of_the_last_step_are_checked():
    # a single step, whose loss is that of the initial weights
    with pytest.raises(TrainingDivergedError, match="a weight of epoch 1 is"):
        net(batch_size=64, learning_rate=1e39).fit(X, Y)


def test_the_validation_loss_is_checked():
    hopeless = net(
        batch_size=64, learning_rate=1e30, dense_units=(4, 4), batch_norm=False,
        early_stopping=True, validation_fraction=0.3,
    )  # fmt: skip
    with pytest.raises(TrainingDivergedError, match="is too large: try a tenth"):
        hopeless.fit(X, Y)


# weights


def test_partial_fit_of_a_part_without_a_weighted_class():
    weighted, plain = net(class_weight={1: 2.0}), net()
    for part in (slice(0, 6), slice(3, 9)):
        weighted.partial_fit(X[part], Y[part], classes=[0, 1])
        plain.partial_fit(X[part], Y[part], classes=[0, 1], sample_weight=1 + Y[part])
    np.testing.assert_array_equal(weighted.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize("weight", [-0.5, np.nan, np.inf])
def test_bad_class_weights(weight):
    with pytest.raises(ValueError, match="class_weight must hold finite numbers of at least 0"):
        net(class_weight={0: weight, 1: 1}).fit(X, Y)


# continuing and restarting


class Steps(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        SEEN.append(int(keras.ops.convert_to_numpy(self.model.optimizer.iterations)))


SEEN = []


def test_a_warm_start_resets_the_optimiser_after_partial_fit_too():
    SEEN.clear()
    some = net(keras_callbacks=Steps(), warm_start=True, optimizer="adam")
    some.partial_fit(X, Y, classes=[0, 1])
    some.fit(X, Y)
    some.partial_fit(X, Y)
    some.partial_fit(X, Y)
    assert SEEN == [0, 0, 0, 1]


# callbacks and figures


@pytest.mark.parametrize("bad", [keras.callbacks.TerminateOnNaN, 5, "stop", [3]])
def test_bad_callbacks_are_refused_before_any_work(bad, monkeypatch):
    body = FineTunedClassifier(small_body(), warmup_epochs=1, engine="keras", keras_callbacks=bad)
    monkeypatch.setattr(type(body), "_training_data", lambda *_, **__: pytest.fail("it began"))
    for estimator in (body, net(keras_callbacks=bad)):
        with pytest.raises(ValueError, match=r"keras_callbacks must be .* objects, not classes"):
            estimator.fit(X, Y)


class Sometimes(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch % 2:
            logs["f1"] = epoch / 10
        logs["table"] = np.eye(2)


def test_figures_of_some_epochs_keep_their_positions():
    history = net(epochs=4, keras_callbacks=Sometimes()).fit(X, Y).history_
    np.testing.assert_array_equal(history["f1"], [np.nan, 0.1, np.nan, 0.3])
    assert "table" not in history


def test_advice_if_early_stopping_holds_out_images():
    with pytest.raises(ValueError, match="early_stopping=False"):
        net(early_stopping=True).fit(X[3:9], Y[3:9])


def test_a_learning_rate_for_a_pipeline_that_resamples():
    pipeline = make_pipeline(ImageOverSampler(ImageAugmenter(), 20), "passthrough", net())
    found = find_learning_rate(pipeline, X, Y, n_steps=20)
    assert len(found.losses) > 5
