"""Schedules, warm starts, partial fits, checkpoints and interrupts."""

from __future__ import annotations

import json
import os
import signal
import warnings

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss

from skvision import (
    CheckpointWarning,
    MiniVGGClassifier,
    TrainingDivergedError,
    TrainingInterruptedWarning,
)
from skvision.training import Seeds, split_validation

from ..conftest import TINY
from . import kills


@pytest.fixture
def plain():
    """A classifier without dropout and momentum: only weights and data affect its training."""
    return MiniVGGClassifier(
        **{**TINY, "optimizer": "sgd", "epochs": 4}, conv_dropout=0, dense_dropout=0
    )


def assert_same_answers(one, two, X):
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


# learning rates


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Cosine", [0.1, 0.0853553, 0.05, 0.0146447]),
        ("step", [0.1, 0.1, 0.01, 0.001]),
    ],
)
def test_schedules_set_each_epochs_rate(plain, digits, name, expected):
    net = plain.set_params(learning_rate=0.1, learning_rate_schedule=name).fit(*digits)
    np.testing.assert_allclose(net.history_["learning_rate"], expected, rtol=1e-5)
    # and the rate is used: a constant one gives another network
    constant = clone(plain).set_params(learning_rate_schedule=None).fit(*digits)
    assert not np.array_equal(net.predict_proba(digits[0]), constant.predict_proba(digits[0]))
    assert "learning_rate" not in constant.history_


def test_plateau_watches_the_validation_loss(plain, digits):
    X, y = digits
    # labels that can't be learnt, so that validation doesn't improve
    y = np.random.default_rng(0).permutation(y)
    net = plain.set_params(
        learning_rate=0.3, learning_rate_schedule="plateau", patience=2, epochs=8
    ).set_params(validation_fraction=0.3)
    net.fit(X, y)
    losses, rates = net.history_["val_loss"], net.history_["learning_rate"]
    waited, expected, best = 0, [], np.inf
    rate = 0.3
    for loss in losses:
        expected.append(rate)
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited == 1:
            rate, waited = rate / 10, 0
    np.testing.assert_allclose(rates, expected, rtol=1e-5)
    assert min(rates) < 0.3


def test_a_schedule_of_keras_sets_the_rate_of_every_step(plain, digits):
    # from the third step on the rate is 0, so the weights don't change
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.1, 0.0])
    net = plain.set_params(
        learning_rate=None, learning_rate_schedule=schedule, batch_norm=False, epochs=1
    )
    one = clone(net).set_params(batch_size=150).fit(*digits)
    two = clone(net).set_params(batch_size=150, epochs=3).fit(*digits)
    assert_same_answers(one, two, digits[0])
    with pytest.raises(ValueError, match="learning_rate must be None"):
        clone(net).set_params(learning_rate=0.1).fit(*digits)


def test_two_schedules_are_refused(plain, digits):
    optimizer = keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10))
    net = plain.set_params(optimizer=optimizer, learning_rate=None, learning_rate_schedule="cosine")
    with pytest.raises(ValueError, match="has a schedule of its own"):
        net.fit(*digits)


def test_a_schedule_that_cannot_be_rebuilt_is_refused(plain, digits):
    class Unregistered(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.1

        def get_config(self):
            return {}

    with pytest.raises(ValueError, match="register_keras_serializable"):
        plain.set_params(learning_rate=None, learning_rate_schedule=Unregistered()).fit(*digits)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"learning_rate_schedule": "cosin"}, "Unknown learning_rate_schedule.*Did you mean 'cos"),
        ({"learning_rate_schedule": 0.1}, "learning_rate_schedule"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"precision": "int8"}, "precision"),
        ({"warm_start": "yes"}, "warm_start"),
        ({"checkpoint_dir": 3}, "checkpoint_dir"),
    ],
)
def test_bad_parameters_are_refused(plain, digits, params, message):
    with pytest.raises(ValueError, match=message):
        plain.set_params(**params).fit(*digits)


# optimiser options and the loss


def test_weight_decay_shrinks_the_weights(plain, digits):
    def size(**options):
        net = clone(plain).set_params(learning_rate=0.05, **options).fit(*digits)
        return np.abs(net.model_.get_layer("dense1").get_weights()[0]).mean()

    assert size(optimizer__weight_decay=np.float32(0.5)) < 0.9 * size()


def test_gradient_clipping_bounds_a_step(plain, digits):
    plain.set_params(batch_size=300, epochs=1, batch_norm=False, learning_rate=1.0)
    start = clone(plain).set_params(learning_rate=1e-12).fit(*digits)
    clipped = clone(plain).set_params(optimizer__global_clipnorm=0.01).fit(*digits)
    difference = np.concatenate(
        [(a - b).ravel() for a, b in zip(clipped._weights, start._weights, strict=True)]
    )
    assert np.linalg.norm(difference) == pytest.approx(0.01, rel=1e-3)


def test_label_smoothing_makes_less_extreme_probabilities(plain, digits):
    plain.set_params(epochs=30, learning_rate=0.1)
    sure = clone(plain).fit(*digits).predict_proba(digits[0]).max(axis=1).mean()
    smoothed = clone(plain).set_params(label_smoothing=0.3).fit(*digits)
    # three classes: 0.7 + 0.3 / 3 is what it aims at
    mean = smoothed.predict_proba(digits[0]).max(axis=1).mean()
    assert sure > 0.97
    assert mean == pytest.approx(0.8, abs=0.05)
    assert smoothed.score(*digits) > 0.95


def test_bfloat16_computes_in_sixteen_bits_and_learns(tiny, digits):
    net = tiny.set_params(precision="bfloat16").fit(*digits)
    layer = net.model_.get_layer("block1_conv1")
    assert (layer.compute_dtype, layer.variable_dtype) == ("bfloat16", "float32")
    assert net.predict_proba(digits[0]).dtype == np.float64
    assert net.score(*digits) > 0.9
    assert keras.config.dtype_policy().name == "float32"


# continuing


def test_a_warm_start_continues(plain, digits):
    whole = clone(plain).fit(*digits)
    halves = clone(plain).set_params(epochs=2, warm_start=True).fit(*digits)
    assert halves.n_epochs_ == 2
    halves.fit(*digits)
    assert halves.n_epochs_ == 4
    assert halves.history_ == whole.history_
    assert_same_answers(halves, whole, digits[0])
    anew = halves.set_params(warm_start=False).fit(*digits)
    assert anew.n_epochs_ == 2


def test_a_warm_start_draws_again(plain, digits):
    seen = []

    def spy(images, rng):
        seen.append(rng.integers(2**31))
        return images

    net = plain.set_params(epochs=1, warm_start=True, augmentation=spy, conv_dropout=0.5)
    net.fit(*digits).fit(*digits)
    assert len(set(seen)) == len(seen) > 2


def test_a_warm_start_needs_the_same_classes_and_network(plain, digits):
    X, y = digits
    net = plain.set_params(warm_start=True, epochs=1).fit(X, y)
    before = net.predict_proba(X)
    with pytest.raises(ValueError, match="the classes of the last fit, 'one', 'two', 'zero'"):
        net.fit(X[y != "one"], y[y != "one"])
    with pytest.raises(ValueError, match=r"filters was \(16,\) and is \(8,\)"):
        net.set_params(filters=(8,)).fit(X, y)
    net.set_params(filters=(16,))
    np.testing.assert_array_equal(net.predict_proba(X), before)


def test_partial_fits_are_epochs(tiny, digits):
    """With Adam and dropout, whose states must be kept between calls."""
    whole = clone(tiny).fit(*digits)
    parts = clone(tiny).set_params(epochs=99)
    for _ in range(3):
        parts.partial_fit(*digits, classes=["zero", "one", "two"])
    assert parts.n_epochs_ == 3
    assert parts.history_ == whole.history_
    assert_same_answers(parts, whole, digits[0])


def test_partial_fit_learns_from_parts(tiny, digits):
    X, y = digits
    net = tiny.partial_fit(X[:20], y[:20], classes=np.unique(y))
    for _ in range(3):
        for start in range(0, 300, 100):
            part = slice(start, start + 100)
            net.partial_fit(X[part], y[part])
    assert net.n_epochs_ == 10
    assert net.score(X, y) > 0.9


def test_a_part_may_lack_classes(tiny, digits):
    X, y = digits
    ones = y == "one"
    for _ in range(5):
        tiny.partial_fit(X[ones], y[ones], classes=["one", "two", "zero"])
    assert tiny.predict_proba(X).shape == (300, 3)
    assert (tiny.predict(X[ones]) == "one").all()


@pytest.mark.parametrize(
    ("params", "how", "message"),
    [
        ({}, {}, "classes must be passed on the first call"),
        ({}, {"classes": ["one", "two"]}, "labels that are not in classes: 'zero'"),
        ({}, {"classes": ["one"]}, "not in classes"),
        ({"early_stopping": True}, {"classes": "all"}, "early_stopping=True.*early_stopping=False"),
        ({"class_weight": "balanced"}, {"classes": "all"}, "class_weight='balanced'"),
        ({"learning_rate_schedule": "step"}, {"classes": "all"}, "learning_rate_schedule='step'"),
        ({"checkpoint_dir": "x"}, {"classes": "all"}, "checkpoint_dir"),
    ],
)
def test_partial_fit_refuses_some_parameters(tiny, digits, params, how, message):
    if how.get("classes") == "all":
        how = {"classes": ["one", "two", "zero"]}
    with pytest.raises(ValueError, match=message):
        tiny.set_params(**params).partial_fit(*digits, **how)
    assert not hasattr(tiny, "classes_")


def test_a_failed_partial_fit_changes_nothing(tiny, digits):
    X, y = digits
    net = tiny.partial_fit(X, y, classes=np.unique(y))
    before = net.predict_proba(X)
    net.set_params(optimizer="sgd", learning_rate=1e30, batch_norm=True)
    with pytest.raises(TrainingDivergedError):
        net.partial_fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), before)
    with pytest.raises(ValueError, match="not in classes: 'four'"):
        net.partial_fit(X, np.where(y == "one", "four", y))
    with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
        net.partial_fit(X, y, classes=["a", "b"])


def test_fit_then_partial_fit_then_fit(tiny, digits):
    net = clone(tiny).fit(*digits)
    assert net.partial_fit(*digits).n_epochs_ == TINY["epochs"] + 1
    assert_same_answers(net.fit(*digits), clone(tiny).fit(*digits), digits[0])


# checkpoints


class Stop(keras.callbacks.Callback):
    """Stops like a crash in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise SystemExit


HARD = {
    "conv_dropout": 0.3,
    "augmentation": [keras.layers.RandomRotation(0.1)],
    "learning_rate_schedule": "plateau",
    "validation_fraction": 0.2,
    "epochs": 6,
}
EARLY = {"early_stopping": True, "patience": 2}


@pytest.mark.parametrize("epoch", [pytest.param(1, marks=pytest.mark.slow), 4])
@pytest.mark.parametrize(
    "params", [HARD, pytest.param(EARLY | {"epochs": 6}, marks=pytest.mark.slow)]
)
def test_a_training_continues_as_if_it_had_never_stopped(tiny, digits, tmp_path, params, epoch):
    tiny.set_params(**params)
    whole = clone(tiny).fit(*digits)
    cut = clone(tiny).set_params(checkpoint_dir=tmp_path, keras_callbacks=Stop(epoch))
    with pytest.raises(SystemExit):
        cut.fit(*digits)
    assert sorted(tmp_path.iterdir())[-1].name == f"epoch-{epoch:06d}.npz"
    epochs = []

    class Note(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            epochs.append(epoch)

    resumed = cut.set_params(keras_callbacks=Note()).fit(*digits)
    assert epochs[0] == epoch
    assert resumed.history_ == whole.history_
    assert_same_answers(resumed, whole, digits[0])
    # the same call again trains no further epochs
    epochs.clear()
    assert_same_answers(clone(cut).fit(*digits), whole, digits[0])
    assert epochs == []


class StopInBatch(keras.callbacks.Callback):
    """Stops the training like a kill in the middle of an epoch."""

    def __init__(self, epoch, batch, error=SystemExit):
        super().__init__()
        self.at = epoch, batch
        self.error = error

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise self.error


@pytest.mark.parametrize(
    ("epoch", "batch", "written"),
    [
        pytest.param(0, 5, "0.step-000004", marks=pytest.mark.slow),
        (2, 7, "2.step-000006"),
    ],
)
@pytest.mark.parametrize(
    "params", [HARD, pytest.param(EARLY | {"epochs": 4}, marks=pytest.mark.slow)]
)
def test_a_training_continues_in_the_middle_of_an_epoch(
    tiny, digits, tmp_path, params, epoch, batch, written
):
    tiny.set_params(**params)
    whole = clone(tiny).fit(*digits)
    cut = clone(tiny).set_params(checkpoint_dir=tmp_path, checkpoint_every=2)
    with pytest.raises(SystemExit):
        clone(cut).set_params(keras_callbacks=StopInBatch(epoch, batch)).fit(*digits)
    assert len(list(tmp_path.iterdir())) == 2
    assert sorted(tmp_path.iterdir())[-1].name == f"epoch-00000{written}.npz"
    batches = []

    class Note(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            batches.append(0)

        def on_train_batch_end(self, batch, logs=None):
            batches[-1] += 1

    resumed = clone(cut).set_params(keras_callbacks=Note()).fit(*digits)
    assert batches[0] == batches[1] - int(written[-1])
    assert resumed.history_ == whole.history_
    assert_same_answers(resumed, whole, digits[0])


@pytest.mark.parametrize(
    ("names", "received"),
    [
        (["loss/total", "loss/count", "accuracy/total"], "loss/count, accuracy/total. Delete"),
        (["loss/total", "loss/count", "accuracy/total", "hits"], "accuracy/total, hits. Delete"),
        ([], "Received: -. Delete"),
    ],
)
def test_figures_of_other_metrics_are_never_continued(tiny, digits, tmp_path, names, received):
    cut = clone(tiny).set_params(epochs=2, checkpoint_dir=tmp_path, checkpoint_every=2)
    with pytest.raises(SystemExit):
        clone(cut).set_params(keras_callbacks=StopInBatch(1, 5)).fit(*digits)
    newest = sorted(tmp_path.iterdir())[-1]
    with np.load(newest) as file:
        arrays = dict(file)
    text = {**json.loads(str(arrays.pop("text"))), "metrics": names}
    figures = [name for name in sorted(arrays) if name.startswith("metrics_")]
    for name in figures[len(names) :]:
        del arrays[name]
    np.savez(newest, text=np.array(json.dumps(text)), **arrays)
    with pytest.raises(ValueError, match=f"after step 4 of epoch 2 can't .*{received}"):
        clone(cut).fit(*digits)
    # the advice of the error works
    newest.unlink()
    whole = clone(tiny).set_params(epochs=2).fit(*digits)
    assert clone(cut).fit(*digits).history_ == whole.history_


def test_a_stop_in_the_middle_of_an_epoch_gives_the_last_complete_epoch(tiny, digits, tmp_path):
    cut = clone(tiny).set_params(epochs=5, checkpoint_dir=tmp_path, checkpoint_every=2)
    with pytest.raises(SystemExit):
        clone(cut).set_params(keras_callbacks=StopInBatch(2, 5)).fit(*digits)
    two = clone(tiny).set_params(epochs=2).fit(*digits)
    interrupted = clone(cut).set_params(keras_callbacks=StopInBatch(2, 2, KeyboardInterrupt))
    with pytest.warns(TrainingInterruptedWarning, match="after epoch 2 of 5"):
        interrupted.fit(*digits)
    assert_same_answers(interrupted, two, digits[0])
    assert_same_answers(clone(cut).set_params(epochs=2).fit(*digits), two, digits[0])


def test_without_a_seed_a_training_continues_too(tiny, digits, tmp_path):
    tiny.set_params(random_state=None, checkpoint_dir=str(tmp_path))
    with pytest.raises(SystemExit):
        clone(tiny).set_params(keras_callbacks=Stop(2)).fit(*digits)
    net = clone(tiny).fit(*digits)
    assert net.n_epochs_ == 3
    assert_same_answers(clone(tiny).fit(*digits), net, digits[0])


def test_more_epochs_continue_a_training(tiny, digits, tmp_path):
    tiny.set_params(checkpoint_dir=tmp_path)
    clone(tiny).set_params(epochs=2).fit(*digits)
    more = clone(tiny).set_params(epochs=4).fit(*digits)
    assert_same_answers(
        more, clone(tiny).set_params(epochs=4, checkpoint_dir=None).fit(*digits), digits[0]
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.02}, "learning_rate was 0.01 and is 0.02"),
        ({"random_state": 1}, "random_state was 0 and is 1"),
        ({"optimizer__beta_1": 0.5}, "optimizer__beta_1 was None and is 0.5"),
        ({"epochs": 9, "learning_rate_schedule": "cosine"}, "learning_rate_schedule was None"),
    ],
)
def test_another_setup_is_refused(tiny, digits, tmp_path, change, message):
    tiny.set_params(checkpoint_dir=tmp_path, epochs=1).fit(*digits)
    with pytest.raises(ValueError, match=message):
        clone(tiny).set_params(**change).fit(*digits)


def test_other_labels_are_refused(tiny, digits, tmp_path):
    X, y = digits
    tiny.set_params(checkpoint_dir=tmp_path, epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="labels and weights was"):
        clone(tiny).fit(X, y[::-1])
    with pytest.raises(ValueError, match="n_samples was 300 and is 200"):
        clone(tiny).fit(X[:200], y[:200])


def test_a_damaged_checkpoint_costs_only_one_epoch(tiny, digits, tmp_path):
    whole = tiny.set_params(checkpoint_dir=tmp_path).fit(*digits)
    newest = sorted(tmp_path.iterdir())[-1]
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.warns(CheckpointWarning, match="can't be read"):
        again = clone(tiny).fit(*digits)
    assert again.n_epochs_ == 3
    assert_same_answers(again, whole, digits[0])


def test_changes_of_weights_at_the_end_of_training_are_kept(tiny, digits, tmp_path):
    """Keras' own callback restores the best epoch."""
    stop = keras.callbacks.EarlyStopping("loss", mode="max", patience=1, restore_best_weights=True)
    net = clone(tiny).set_params(keras_callbacks=stop, checkpoint_dir=tmp_path).fit(*digits)
    assert net.n_epochs_ == 2
    first = clone(tiny).set_params(epochs=1).fit(*digits)
    assert_same_answers(net, first, digits[0])
    # and after a restart too, unless more epochs are requested
    net.set_params(epochs=2)
    assert_same_answers(clone(net).fit(*digits), first, digits[0])
    more = clone(net).set_params(epochs=4, keras_callbacks=None).fit(*digits)
    whole = clone(tiny).set_params(epochs=4).fit(*digits)
    assert_same_answers(more, whole, digits[0])


@pytest.mark.slow
def test_averaged_weights_of_an_optimizer_are_kept(tiny, digits):
    tiny.set_params(optimizer__use_ema=True, optimizer__ema_momentum=0.9)
    assert not np.array_equal(
        tiny.fit(*digits).predict_proba(digits[0]),
        clone(tiny).set_params(optimizer__use_ema=False).fit(*digits).predict_proba(digits[0]),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "count", "phases"),
    [("minivgg", 20, 1), ("finetune", 6, 2)],
    ids=["minivgg", "finetune"],
)
def test_kills_lose_nothing(kind, count, phases, tmp_path):
    """Each kill comes at a random moment between two checkpoints; see `tests.classifiers.kills`."""
    report = kills.run(tmp_path, kind, count)
    # the same number of epochs, the same history bit by bit, and a model with equal predictions
    assert report == {"counted": count, "survived": count, "phases": phases, "failures": []}


# Ctrl-C


def interrupt_in(epoch):
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 2 and self.now == epoch:
                os.kill(os.getpid(), signal.SIGINT)

        def on_epoch_begin(self, epoch, logs=None):
            self.now = epoch

    return Interrupt()


def test_ctrl_c_leaves_the_last_complete_epoch(tiny, digits):
    net = clone(tiny).set_params(epochs=5, keras_callbacks=interrupt_in(2))
    with pytest.warns(TrainingInterruptedWarning, match="after epoch 2 of 5"):
        net.fit(*digits)
    assert net.n_epochs_ == 2
    assert_same_answers(net, clone(tiny).set_params(epochs=2).fit(*digits), digits[0])


def test_ctrl_c_in_the_first_epoch_ends_the_program(tiny, digits):
    with pytest.raises(KeyboardInterrupt):
        tiny.set_params(keras_callbacks=interrupt_in(0)).fit(*digits)
    assert not hasattr(tiny, "classes_")


def test_ctrl_c_with_early_stopping_leaves_the_best_epoch(tiny, digits):
    X, y = digits
    # labels that can't be learnt, so that validation soon gets worse
    y = np.random.default_rng(0).permutation(y)
    net = clone(tiny).set_params(
        epochs=9, early_stopping=True, learning_rate=0.03, keras_callbacks=interrupt_in(8)
    )
    with pytest.warns(TrainingInterruptedWarning):
        net.fit(X, y)
    best = int(np.argmin(net.history_["val_loss"])) + 1
    assert best < net.n_epochs_ == 8
    same = clone(net).set_params(
        epochs=best, early_stopping=False, validation_fraction=0.1, keras_callbacks=None
    )
    assert_same_answers(net, same.fit(X, y), X)


def test_validation_figures_are_those_of_all_validation_images(tiny, digits):
    """In each epoch, where validation takes five batches."""
    X, y = digits
    part = 0.5
    for epochs in (1, 2, 3, 4):
        net = clone(tiny).set_params(epochs=epochs, batch_norm=False, validation_fraction=part)
        history = net.fit(X, y).history_
        targets = np.searchsorted(net.classes_, y)
        _, unseen = split_validation(targets, part, net.classes_, Seeds.draw(0).split)
        loss = log_loss(y[unseen], net.predict_proba(X[unseen]))
        assert history["val_loss"][-1] == pytest.approx(loss, rel=1e-4)
        assert history["val_accuracy"][-1] == pytest.approx(net.score(X[unseen], y[unseen]))


def test_a_plain_fit_gives_no_warnings(tiny, digits):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        tiny.set_params(epochs=1).fit(*digits)
