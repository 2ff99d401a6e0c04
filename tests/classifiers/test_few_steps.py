"""Batch normalisation after few steps: predictions are as accurate as the training."""

from __future__ import annotations

import pickle

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV

from skvision import (
    MiniVGGClassifier,
    TrainingInterruptedWarning,
    load,
    load_network,
    save,
    save_network,
)
from skvision.networks import CompiledNetwork
from skvision.training import SETTLED, Seeds, split_validation

from ..conftest import TINY, since

NET = {**TINY, "filters": (8, 16), "epochs": 1}
WITHOUT_DROPOUT = {"conv_dropout": 0, "dense_dropout": 0}


def by_batch(net, X):
    """Return probabilities as in training: by the moments of the whole batch, without dropout."""
    network = keras.models.clone_model(net.model_)
    network.set_weights(net.model_.get_weights())
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0
    images = np.repeat(X[..., None], 3, axis=-1)
    return keras.ops.convert_to_numpy(network(images, training=True))


def accuracy(net, probabilities, y):
    return (net.classes_[probabilities.argmax(axis=1)] == y).mean()


OPTIMIZERS = [
    {"optimizer": "sgd", "learning_rate": 0.05, "optimizer__momentum": 0.9},
    *(
        pytest.param(each, marks=pytest.mark.slow)
        for each in (
            {"optimizer": "adam", "learning_rate": 0.01},
            {"optimizer": "sgd", "learning_rate": 0.01},
            {"optimizer": "adam", "learning_rate": 0.001},
        )
    ),
]


@pytest.mark.parametrize("steps", [1, 5, 10, 20])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_one_batch_is_predicted_as_in_training(digits, optimizer, steps):
    X, y = digits[0][:30], digits[1][:30]
    net = MiniVGGClassifier(**{**NET, **optimizer, "epochs": steps}).fit(X, y)
    np.testing.assert_allclose(net.predict_proba(X), by_batch(net, X), atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="dropout", marks=pytest.mark.slow),
        pytest.param(WITHOUT_DROPOUT, id="none"),
    ],
)
@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 0.05), ("adam", 0.01)])
@pytest.mark.parametrize(
    ("n", "epochs"),
    [
        (30, 5),
        (60, 10),
        *(pytest.param(*it, marks=pytest.mark.slow) for it in ((200, 2), (300, 1))),
    ],
)
def test_predictions_are_as_accurate_as_the_training(digits, n, epochs, optimizer, rate, options):
    X, y = digits[0][:n], digits[1][:n]
    net = MiniVGGClassifier(
        **{**NET, "epochs": epochs, "optimizer": optimizer, "learning_rate": rate, **options}
    )
    net.fit(X, y)
    assert net.score(X, y) == pytest.approx(accuracy(net, by_batch(net, X), y), abs=0.03)
    assert net.score(X, y) > 0.8


def test_averages_from_some_of_many_batches(digits):
    """20 batches, of which 16 are used."""
    net = MiniVGGClassifier(**{**NET, "batch_size": 15}).fit(*digits)
    assert net.score(*digits) > 0.9


def test_early_stopping_compares_the_networks_that_it_may_keep(digits):
    X, y = digits
    net = MiniVGGClassifier(
        **{**NET, "epochs": 6}, validation_fraction=0.5, early_stopping=True, patience=2
    ).fit(X, y)
    targets = np.searchsorted(net.classes_, y)
    _, unseen = split_validation(targets, 0.5, net.classes_, Seeds.draw(0).split)
    best = int(np.argmin(net.history_["val_loss"]))
    loss = log_loss(y[unseen], net.predict_proba(X[unseen]))
    assert net.history_["val_loss"][best] == pytest.approx(loss, rel=1e-4)
    assert net.history_["val_accuracy"][best] == pytest.approx(net.score(X[unseen], y[unseen]))
    # better than chance (log 3) from the first epoch on
    assert max(net.history_["val_loss"]) < 1
    assert net.history_["val_accuracy"][best] > 0.9


def test_callbacks_see_the_averages_of_their_epoch(digits):
    X, y = digits[0][:60], digits[1][:60]
    seen = []

    class Weights(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.get_weights())

    net = MiniVGGClassifier(**{**NET, "epochs": 2})
    clone(net).set_params(keras_callbacks=Weights()).fit(X, y)
    for epochs, weights in enumerate(seen, start=1):
        shorter = clone(net).set_params(epochs=epochs).fit(X, y)
        for one, two in zip(shorter.model_.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("optimizer", OPTIMIZERS[:2])
def test_parts_of_one_step(digits, optimizer):
    X, y = digits
    net = MiniVGGClassifier(**{**NET, **optimizer}, **WITHOUT_DROPOUT)
    for number, start in enumerate(range(0, 300, 30)):
        part = slice(start, start + 30)
        net.partial_fit(X[part], y[part], classes=np.unique(y))
        if number in (0, 4, 9):
            expected = by_batch(net, X[part])
            np.testing.assert_allclose(net.predict_proba(X[part]), expected, atol=1e-4)
    assert net.score(X, y) > 0.7


def test_a_part_of_one_image_spoils_nothing(digits):
    X, y = digits
    net = MiniVGGClassifier(**NET)
    for part in (slice(0, 100), slice(100, 200), slice(200, 201)):
        net.partial_fit(X[part], y[part], classes=np.unique(y))
    assert net.score(X, y) > 0.85


def averages(net):
    return [w for w, v in zip(net._weights, net.model_.weights, strict=True) if "moving" in v.path]


def test_a_part_after_a_long_training_moves_the_averages_as_one_step_does(digits):
    X, y = digits
    net = MiniVGGClassifier(**{**NET, "batch_size": 1}, **WITHOUT_DROPOUT)
    net.fit(X[:SETTLED], y[:SETTLED])
    net.set_params(batch_size=32, learning_rate=1e-9)  # the weights stay almost the same
    found = [averages(net)]
    copy = pickle.loads(pickle.dumps(net))
    for each in (net, net, copy):
        each.partial_fit(X[:32] // 8, y[:32])
        found.append(averages(each))
    for before, once, twice, of_copy in zip(*found, strict=True):
        # by a tenth of the difference, and then by a tenth of the rest
        np.testing.assert_allclose(twice - once, 0.9 * (once - before), rtol=0.01, atol=1e-5)
        assert np.abs(once - before).max() > 1e-3
        np.testing.assert_array_equal(of_copy, once)


@pytest.mark.slow
def test_an_averaging_optimizer_has_averages_of_its_own(digits):
    X, y = digits[0][:8], digits[1][:8]
    net = MiniVGGClassifier(**NET, optimizer__use_ema=True, optimizer__ema_momentum=0.9)
    for epochs in (3, SETTLED + 1):
        net.set_params(epochs=epochs).fit(X, y)
        np.testing.assert_allclose(net.predict_proba(X), by_batch(net, X), atol=1e-4)


@pytest.mark.slow
def test_two_halves_equal_a_whole_across_the_step_at_which_averages_settle(digits):
    """75 steps per epoch: two and two epochs compared with four, and parts likewise."""
    X, y = digits
    whole = MiniVGGClassifier(
        **{**NET, "optimizer": "sgd", "epochs": 4, "batch_size": 4}, **WITHOUT_DROPOUT
    )
    assert 2 * 75 < SETTLED < 3 * 75
    expected = clone(whole).fit(X, y).predict_proba(X)
    halves = clone(whole).set_params(epochs=2, warm_start=True).fit(X, y).fit(X, y)
    np.testing.assert_array_equal(halves.predict_proba(X), expected)
    for _ in range(4):
        whole.partial_fit(X, y, classes=np.unique(y))
    np.testing.assert_array_equal(whole.predict_proba(X), expected)


def test_ctrl_c_in_a_training_without_callbacks(digits, monkeypatch):
    """The interrupt comes before the third epoch, so the weights of the second are kept."""
    X, y = digits[0][:60], digits[1][:60]
    net = MiniVGGClassifier(**{**NET, "epochs": 3})
    expected = clone(net).set_params(epochs=2).fit(X, y).predict_proba(X)
    set_rate, calls = CompiledNetwork.set_learning_rate, []

    def interrupt(self, rate):
        calls.append(rate)
        if len(calls) == 5:  # two before the training, one before each epoch
            raise KeyboardInterrupt
        set_rate(self, rate)

    monkeypatch.setattr(CompiledNetwork, "set_learning_rate", interrupt)
    # a schedule, so that it is called; its rate is constant for the first half of the epochs
    net.set_params(learning_rate_schedule="plateau")
    with pytest.warns(TrainingInterruptedWarning, match="after epoch 2 of 3"):
        net.fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), expected)


class Cut(keras.callbacks.Callback):
    """Stops the training like a crash in the middle of the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (1, 5):
            raise InterruptedError


def test_a_resumed_training_has_the_same_averages(digits, tmp_path):
    net = MiniVGGClassifier(**{**NET, "epochs": 2}, checkpoint_every=3)
    expected = clone(net).fit(*digits).predict_proba(digits[0])
    net.set_params(checkpoint_dir=tmp_path)
    with pytest.raises(InterruptedError):
        clone(net).set_params(keras_callbacks=Cut()).fit(*digits)
    assert list(tmp_path.glob("*step*"))
    np.testing.assert_array_equal(net.fit(*digits).predict_proba(digits[0]), expected)


def test_files_have_the_same_averages(digits, tmp_path):
    X, y = digits
    net = MiniVGGClassifier(**NET).fit(X, y)
    expected = net.predict_proba(X)
    images = np.repeat(X[..., None], 3, axis=-1)
    for suffix in ("keras", "h5"):
        network = load_network(save_network(net, tmp_path / f"net.{suffix}"))
        np.testing.assert_allclose(network.predict(images, verbose=0), expected, atol=1e-5)
    save(net, tmp_path / "net.skv")
    again = load(tmp_path / "net.skv")
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
    again.partial_fit(X[:1], y[:1])
    assert again.score(X, y) > 0.85


@pytest.mark.slow
def test_a_search_over_batch_sizes_ranks_by_the_number_of_steps(digits):
    """Smaller batches mean more steps and a better network, not the other way round."""
    net = MiniVGGClassifier(**{**NET, "epochs": 2, "optimizer": "sgd"})
    search = GridSearchCV(net, {"batch_size": [8, 32, 200]}, cv=3).fit(*digits)
    assert search.best_params_ == {"batch_size": 8}
    scores = search.cv_results_["mean_test_score"]
    assert scores[0] > 0.8
    assert list(scores) == sorted(scores, reverse=True)


class StopAfter:
    """A callback of scikit-learn that doesn't ask for the fitted estimator."""

    def __init__(self, n_epochs):
        self.left = n_epochs

    def setup(self, estimator, context): ...

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None): ...

    def on_fit_task_end(self, estimator, context):
        self.left -= context.task_name == "epoch"
        return self.left == 0


@since("1.9")
def test_a_callback_that_stops_the_training(digits):
    X, y = digits[0][:60], digits[1][:60]
    net = MiniVGGClassifier(**{**NET, "epochs": 5})
    expected = clone(net).set_params(epochs=2).fit(X, y).predict_proba(X)
    stopped = net.set_callbacks(StopAfter(2)).fit(X, y)
    assert stopped.n_epochs_ == 2
    np.testing.assert_array_equal(stopped.predict_proba(X), expected)
