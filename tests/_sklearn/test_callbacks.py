"""scikit-learn's own callbacks: the reported tasks of a fit, and requests to stop."""

from __future__ import annotations

import importlib.util
import pickle
import re

import joblib
import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skvision
from skvision import (
    FineTunedClassifier,
    ImageAugmenter,
    ImageNetClassifier,
    MiniVGGClassifier,
    PretrainedFeatureTransformer,
    find_learning_rate,
)
from skvision._sklearn import callbacks

from ..conftest import TINY

pytest.importorskip("sklearn.callback", reason="scikit-learn has them since 1.9")
from sklearn.callback import ProgressBar, ScoringMonitor


class Recorder:
    """Records its calls; asks to stop the given tasks."""

    def __init__(self, stop=(), fail=(), fitted=True):
        self.told, self.stop, self.fail = [], set(stop), set(fail)
        self.estimators = {}
        if fitted:
            self.on_fit_task_end = self._keep_fitted

    def setup(self, estimator, context):
        self.told.append(("setup",))

    def teardown(self, estimator, context):
        self.told.append(("teardown",))

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.told.append(("begin", *self._path(context)))
        self.data = X, y, metadata

    def on_fit_task_end(self, estimator, context):
        path = self._path(context)
        self.told.append(("end", *path))
        if path in self.fail:
            raise OSError("the log is full")
        return path in self.stop

    def _keep_fitted(self, estimator, context, *, fitted_estimator=None):
        self.estimators[self._path(context)] = fitted_estimator
        return Recorder.on_fit_task_end(self, estimator, context)

    def ended(self, name="epoch"):
        return [path for kind, *path in self.told if kind == "end" and path[-1][0] == name]

    @staticmethod
    def _path(context):
        path = []
        while context is not None:
            path.insert(0, (context.task_name, context.task_id))
            context = context.parent
        return tuple(path)


class Everywhere(Recorder):
    """A callback that a Pipeline passes on to its steps."""

    max_propagation_depth = None


FIT = ("fit", 0)


def epoch(number, *above):
    return (FIT, *above, ("epoch", number))


@pytest.fixture(scope="module")
def small(digits):
    return digits[0][:60], digits[1][:60]


@pytest.fixture(scope="module")
def net(small):
    """A classifier of three epochs; tests must not refit it."""
    return MiniVGGClassifier(**TINY).fit(*small)


@pytest.fixture
def fine():
    """The user's own tiny network, in two phases."""
    layers = [
        keras.Input((8, 8, 3)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
    ]
    keras.utils.set_random_seed(0)
    return FineTunedClassifier(
        keras.Sequential(layers),
        dense_units=(),
        warmup_epochs=2,
        fine_tune_epochs=2,
        fine_tune_learning_rate=1e-2,
        engine="keras",
        random_state=0,
    )


@pytest.fixture
def features():
    return PretrainedFeatureTransformer(
        weights=None, image_size=32, engine="keras", batch_size=8, random_state=0
    )


def same(one, other, X):
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


# reported tasks


def test_an_epoch_is_a_subtask_of_fit(tiny, small):
    recorder = Recorder()
    tiny.set_callbacks(recorder).fit(*small)
    epochs = [(kind, *epoch(number)) for number in range(3) for kind in ("begin", "end")]
    assert recorder.told == [("setup",), ("begin", FIT), *epochs, ("end", FIT), ("teardown",)]


def test_they_get_the_data_unchanged(tiny, small):
    recorder = Recorder()
    weight = np.ones(60)
    tiny.set_params(epochs=1).set_callbacks(recorder).fit(*small, sample_weight=weight)
    X, y, metadata = recorder.data
    assert X is small[0]
    assert y is small[1]
    assert metadata == {"sample_weight": weight}
    tiny.fit(*small)
    assert recorder.data[2] is None


@pytest.mark.parametrize(
    "options",
    [
        {},
        pytest.param(
            {
                "augmentation": ImageAugmenter(rotation_range=20),
                "learning_rate_schedule": "plateau",
            },
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"optimizer__use_ema": True, "optimizer__ema_momentum": 0.5}, marks=pytest.mark.slow
        ),
    ],
    ids=["plain", "augmented", "averaged"],
)
def test_the_estimator_of_an_epoch_equals_a_training_of_that_length(tiny, small, options):
    recorder = Recorder()
    tiny.set_params(**options)
    watched = clone(tiny).set_callbacks(recorder).fit(*small)
    for number in range(3):
        shorter = clone(tiny).set_params(epochs=number + 1).fit(*small)
        fitted = recorder.estimators[epoch(number)]
        same(fitted, shorter, small[0])
        assert fitted.n_epochs_ == number + 1
        assert fitted.history_ == shorter.history_
    same(fitted.set_params(verbose=0), watched, small[0])
    np.testing.assert_array_equal(fitted.model_.get_weights()[0], watched.model_.get_weights()[0])


def test_watching_changes_nothing(tiny, small):
    tiny.set_params(
        augmentation=ImageAugmenter(rotation_range=20), validation_fraction=0.2, mixup=0.2
    )
    alone = clone(tiny).fit(*small)
    monitor = ScoringMonitor(scoring="accuracy")
    watched = clone(tiny).set_callbacks(monitor, Recorder()).fit(*small)
    assert watched.history_ == alone.history_
    same(watched, alone, small[0])


def test_with_early_stopping_the_estimator_has_the_best_weights_so_far(tiny, small):
    tiny.set_params(early_stopping=True, validation_fraction=0.2, learning_rate=0.3, epochs=6)
    recorder = Recorder()
    tiny.set_callbacks(recorder).fit(*small)
    losses = tiny.history_["val_loss"]
    assert np.argmin(losses) < 5  # else the test is meaningless
    for number in range(5):
        if losses[number + 1] > min(losses[: number + 1]):
            one, next_one = (recorder.estimators[epoch(n)] for n in (number, number + 1))
            same(one, next_one, small[0])


def test_scores_are_logged_per_epoch(tiny, small):
    monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    tiny.set_callbacks(monitor).fit(*small)
    rows = monitor.get_logs().data
    assert [row["task_name"] for row in rows] == ["fit", "epoch", "epoch", "epoch"]
    assert [row["task_id"] for row in rows[1:]] == [0, 1, 2]
    two_epochs = clone(tiny).set_callbacks().set_params(epochs=2).fit(*small)
    assert rows[2]["accuracy"] == two_epochs.score(*small)
    assert rows[0]["neg_log_loss"] == rows[3]["neg_log_loss"] > rows[1]["neg_log_loss"]


def test_scores_are_weighted_by_sample_weights(tiny, small):
    monitor = ScoringMonitor(scoring="accuracy")
    weight = np.random.default_rng(0).integers(0, 3, 60)
    tiny.set_params(epochs=1).set_callbacks(monitor).fit(*small, sample_weight=weight)
    expected = tiny.score(*small, sample_weight=weight)
    assert monitor.get_logs().data[0]["accuracy"] == pytest.approx(expected)
    assert expected != tiny.score(*small)


def test_no_bar_is_drawn_over_that_of_the_training(tiny, small):
    recorder = Recorder()
    tiny.set_params(epochs=1, verbose=2).set_callbacks(recorder).fit(*small)
    assert {each.verbose for each in recorder.estimators.values()} == {0}
    assert tiny.verbose == 2


def test_parts_of_the_data_are_separate_fits(tiny, small):
    recorder = Recorder()
    tiny.set_callbacks(recorder).partial_fit(*small, classes=np.unique(small[1]))
    assert recorder.ended() == [[("partial-fit", 0), ("epoch", 0)]]
    tiny.partial_fit(*small)
    assert recorder.estimators[("partial-fit", 0), ("epoch", 0)].n_epochs_ == 2


def test_a_warm_start_counts_its_own_epochs(tiny, small, net):
    recorder = Recorder()
    tiny.set_params(epochs=1, warm_start=True).fit(*small)
    tiny.set_params(epochs=2).set_callbacks(recorder).fit(*small)
    assert recorder.ended() == [list(epoch(0)), list(epoch(1))]
    same(recorder.estimators[epoch(1)], tiny, small[0])
    assert recorder.estimators[epoch(0)].n_epochs_ == 2


def test_a_learning_rate_range_test_is_not_reported(tiny, small):
    recorder = Recorder()
    find_learning_rate(tiny.set_callbacks(recorder), *small, n_steps=20)
    assert recorder.told == []


# requests


def test_a_request_to_stop_ends_training_with_that_epoch(tiny, small):
    recorder = Recorder(stop={epoch(1)})
    stopped = clone(tiny).set_callbacks(recorder).fit(*small)
    two_epochs = clone(tiny).set_params(epochs=2).fit(*small)
    assert stopped.n_epochs_ == 2
    assert stopped.history_ == two_epochs.history_
    same(stopped, two_epochs, small[0])
    assert recorder.told[-2:] == [("end", FIT), ("teardown",)]


class KerasCounter(keras.callbacks.Callback):
    counts = []

    def on_epoch_end(self, epoch, logs=None):
        self.counts.append((epoch, sorted(logs)))


def test_keras_callbacks_work_beside_them(tiny, small):
    KerasCounter.counts.clear()
    recorder = Recorder(stop={epoch(1)})
    tiny.set_params(keras_callbacks=KerasCounter()).set_callbacks(recorder).fit(*small)
    assert KerasCounter.counts == [(0, ["accuracy", "loss"]), (1, ["accuracy", "loss"])]
    assert len(recorder.ended()) == 2


class StopsInKeras(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            self.model.stop_training = True


def test_epochs_are_reported_until_keras_callbacks_stop(tiny, small):
    recorder = Recorder()
    tiny.set_params(keras_callbacks=StopsInKeras()).set_callbacks(recorder).fit(*small)
    assert len(recorder.ended()) == tiny.n_epochs_ == 2


def test_a_failing_callback_leaves_the_estimator_unchanged(tiny, small):
    tiny.set_params(epochs=1).fit(*small)
    before = dict(vars(tiny))
    recorder = Recorder(fail={epoch(0)})
    with pytest.raises(OSError, match="the log is full"):
        tiny.set_callbacks(recorder).fit(*small)
    assert recorder.told[-1] == ("teardown",)
    assert vars(tiny.set_callbacks()) == before
    tiny.fit(*small)


def test_they_are_ended_if_training_fails(tiny, small):
    recorder = Recorder()
    tiny.set_params(learning_rate=1e30, optimizer="sgd").set_callbacks(recorder)
    with pytest.raises(skvision.TrainingDivergedError):
        tiny.fit(*small)
    assert recorder.told[-1] == ("teardown",)
    assert not [name for name in vars(tiny) if "ctx" in name]


# checkpoints


def test_a_stopped_training_continues_from_its_checkpoint(tiny, small, net, tmp_path):
    tiny.set_params(checkpoint_dir=tmp_path)
    clone(tiny).set_callbacks(Recorder(stop={epoch(0)})).fit(*small)
    recorder = Recorder()
    going_on = clone(tiny).set_callbacks(recorder).fit(*small)
    # epochs keep their numbers
    assert recorder.ended() == [list(epoch(1)), list(epoch(2))]
    same(going_on, net, small[0])
    assert recorder.estimators[epoch(1)].n_epochs_ == 2


class DiesInEpoch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (1, 3):
            raise OSError("no more power")


def test_a_request_to_stop_after_the_rest_of_an_epoch(tiny, small, tmp_path):
    tiny.set_params(batch_size=10, checkpoint_dir=tmp_path, checkpoint_every=2)
    with pytest.raises(OSError, match="no more power"):
        clone(tiny).set_params(keras_callbacks=DiesInEpoch()).fit(*small)
    recorder = Recorder(stop={epoch(1)})
    stopped = clone(tiny).set_callbacks(recorder).fit(*small)
    assert recorder.ended() == [list(epoch(1))]
    assert stopped.n_epochs_ == 2
    two_epochs = clone(tiny).set_params(epochs=2, checkpoint_dir=None).fit(*small)
    same(stopped, two_epochs, small[0])


def test_a_keras_callback_can_stop_after_the_rest_of_an_epoch(tiny, small, tmp_path):
    tiny.set_params(batch_size=10, checkpoint_dir=tmp_path, checkpoint_every=2)
    with pytest.raises(OSError, match="no more power"):
        clone(tiny).set_params(keras_callbacks=DiesInEpoch()).fit(*small)
    assert tiny.set_params(keras_callbacks=StopsInKeras()).fit(*small).n_epochs_ == 2


# two phases

WARMUP, FINE_TUNE = ("warmup", 0), ("fine_tune", 1)


def test_phases_are_subtasks_of_fit_and_epochs_of_a_phase(fine, small):
    recorder = Recorder()
    alone = clone(fine).fit(*small)
    watched = clone(fine).set_callbacks(recorder).fit(*small)
    same(watched, alone, small[0])
    order = [path for kind, *path in recorder.told if kind == "end"]
    assert order == [
        list(path)
        for path in (
            epoch(0, WARMUP),
            epoch(1, WARMUP),
            (FIT, WARMUP),
            epoch(0, FINE_TUNE),
            epoch(1, FINE_TUNE),
            (FIT, FINE_TUNE),
            (FIT,),
        )
    ]
    fitted = recorder.estimators
    warm = clone(fine).set_params(unfreeze="none").fit(*small)
    for path in (epoch(1, WARMUP), (FIT, WARMUP)):
        same(fitted[path], warm, small[0])
        assert fitted[path].history_ == warm.history_
    shorter = clone(fine).set_params(fine_tune_epochs=1).fit(*small)
    same(fitted[epoch(0, FINE_TUNE)], shorter, small[0])
    assert fitted[epoch(0, FINE_TUNE)].history_ == shorter.history_
    same(fitted[FIT, FINE_TUNE], alone, small[0])


def test_a_request_at_an_epoch_ends_its_phase(fine, small):
    recorder = Recorder(stop={epoch(0, WARMUP)})
    stopped = clone(fine).set_callbacks(recorder).fit(*small)
    shorter = clone(fine).set_params(warmup_epochs=1).fit(*small)
    assert stopped.history_ == shorter.history_
    assert stopped.history_["phase"] == ["warmup", "fine_tune", "fine_tune"]
    same(stopped, shorter, small[0])


def test_a_request_at_a_phase_ends_the_training(fine, small):
    stopped = clone(fine).set_callbacks(Recorder(stop={(FIT, WARMUP)})).fit(*small)
    assert stopped.history_["phase"] == ["warmup", "warmup"]
    same(stopped, clone(fine).set_params(unfreeze="none").fit(*small), small[0])


def test_a_phase_that_was_ended_early_is_not_continued_later(fine, small, tmp_path):
    stop = Recorder(stop={epoch(0, WARMUP)}, fitted=False)
    whole = clone(fine).set_callbacks(stop).fit(*small)
    fine.set_params(checkpoint_dir=tmp_path)
    stop = Recorder(stop={epoch(0, WARMUP)}, fail={epoch(0, FINE_TUNE)}, fitted=False)
    with pytest.raises(OSError, match="the log is full"):
        clone(fine).set_callbacks(stop).fit(*small)
    again = Recorder()
    going_on = clone(fine).set_callbacks(again).fit(*small)
    assert again.ended() == [list(epoch(1, FINE_TUNE))]
    assert going_on.history_ == whole.history_
    same(going_on, whole, small[0])


# searches and Pipelines


def test_a_search_over_a_pipeline_is_one_tree(small, capsys):
    search = GridSearchCV(
        make_pipeline(ImageAugmenter(rotation_range=10), MiniVGGClassifier(**TINY)),
        {"minivggclassifier__epochs": [1, 2]},
        cv=2,
    )
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(*small)
    lines = [re.split(r" +(?=━|\d+%)", line)[0] for line in capsys.readouterr().out.splitlines()]
    steps = [
        "Pipeline - fit-transform-imageaugmenter | ImageAugmenter - fit #0",
        "Pipeline - fit-final-estimator | MiniVGGClassifier - fit #1",
    ]
    candidates = [
        line
        for number in range(4)
        for line in (
            f"    GridSearchCV - candidate-split-evaluation | Pipeline - fit #{number}",
            *(f"      {step}" for step in steps),
        )
    ]
    refit = "  GridSearchCV - refit-with-best-params | Pipeline - fit #1"
    expected = ["GridSearchCV - fit", "  GridSearchCV - search #0", *candidates, refit]
    expected += [f"    {step}" for step in steps]
    assert [line.rstrip("…") for line in lines if line] == [
        full[: len(line.rstrip("…"))] for full, line in zip(expected, lines, strict=True)
    ]


@pytest.mark.slow
def test_two_workers_log_the_same_as_one(small):
    logs = []
    for n_jobs in (1, 2):
        monitor = ScoringMonitor(scoring="accuracy")
        net = MiniVGGClassifier(**{**TINY, "epochs": 2}).set_callbacks(monitor)
        bar = ProgressBar(max_propagation_depth=None)
        search = GridSearchCV(net, {"learning_rate": [0.01, 0.1]}, cv=2, n_jobs=n_jobs)
        search.set_callbacks(bar).fit(*small)
        logs.append(
            [
                (row["task_id_path"], row["task_name"], row["accuracy"])
                for row in monitor.get_logs().data
            ]
        )
    assert logs[0] == logs[1]
    names = [name for _, name, _ in logs[0]]
    assert (names.count("epoch"), names.count("fit")) == (10, 5)


def test_features_are_computed_batch_by_batch(features, small):
    recorder = Everywhere()
    pipeline = make_pipeline(features, StandardScaler(), LogisticRegression())
    alone = clone(pipeline).fit(*small).predict_proba(small[0])
    pipeline.set_callbacks(recorder).fit(*small)
    step = ("fit-transform", 0)
    batches = [path[1:] for path in recorder.ended("batch")]
    assert batches == [[step, ("batch", number)] for number in range(8)]
    np.testing.assert_array_equal(pipeline.predict_proba(small[0]), alone)


def test_cached_features_are_not_computed_again(features, small, tmp_path):
    features.set_params(cache=tmp_path)
    for n_batches in (8, 0):
        recorder = Recorder()
        features.set_callbacks(recorder).fit_transform(small[0])
        assert len(recorder.ended("batch")) == n_batches
        assert recorder.ended("fit-transform") == [[("fit-transform", 0)]]


def test_all_features_are_computed_despite_requests_to_stop(features, small):
    root = ("fit-transform", 0)
    expected = clone(features).fit(small[0]).transform(small[0])
    features.set_callbacks(Recorder(stop={(root, ("batch", 0))}))
    np.testing.assert_array_equal(features.fit_transform(small[0]), expected)
    assert features.set_output(transform="pandas").fit_transform(small[0]).shape == (60, 1280)


def test_a_transformer_whose_callback_fails_is_not_fitted(features, small):
    recorder = Recorder(fail={(("fit-transform", 0), ("batch", 1))})
    before = set(vars(features.set_callbacks(recorder)))
    with pytest.raises(OSError, match="the log is full"):
        features.fit_transform(small[0])
    assert set(vars(features)) == before
    assert recorder.told[-1] == ("teardown",)


@pytest.mark.parametrize("kind", [ImageAugmenter, ImageNetClassifier, PretrainedFeatureTransformer])
def test_a_fit_that_learns_nothing_is_one_task(kind, features, small):
    recorder = Recorder()
    estimator = features if kind is PretrainedFeatureTransformer else kind()
    fitted = estimator.set_callbacks(recorder).fit(small[0])
    assert recorder.told == [("setup",), ("begin", FIT), ("end", FIT), ("teardown",)]
    assert type(recorder.estimators[FIT,]) is type(fitted)


# saving


@pytest.fixture
def kept(tiny, small):
    """Two estimators with callbacks, and their expected predictions."""
    monitor = ScoringMonitor(scoring="accuracy")
    tiny.set_params(epochs=1).set_callbacks(monitor)
    search = GridSearchCV(make_pipeline(ImageAugmenter(), tiny), {}, cv=2)
    return search.set_callbacks(ProgressBar()).fit(*small)


def through_pickle(estimator, folder):
    return pickle.loads(pickle.dumps(estimator))


def through_joblib(estimator, folder):
    joblib.dump(estimator, folder / "model.joblib")
    return joblib.load(folder / "model.joblib")


def through_safe_file(estimator, folder):
    return skvision.load(skvision.save(estimator, folder / "model.skv"))


@pytest.mark.parametrize(
    "through",
    [
        *(pytest.param(it, marks=pytest.mark.slow) for it in (through_pickle, through_joblib)),
        through_safe_file,
    ],
)
def test_estimators_with_callbacks_can_be_saved(kept, small, tmp_path, through):
    loaded = through(kept, tmp_path)
    same(loaded, kept, small[0])
    loaded.fit(*small)
    # and the saved estimators still have their callbacks
    assert isinstance(kept._skl_callbacks[0], ProgressBar)
    assert isinstance(kept.best_estimator_[-1]._skl_callbacks[0], ScoringMonitor)


def test_a_safe_file_has_no_callbacks(kept, tmp_path):
    loaded = through_safe_file(kept, tmp_path)
    parts = loaded, loaded.best_estimator_, loaded.best_estimator_[-1], loaded.estimator[-1]
    assert not [each for each in parts if hasattr(each, "_skl_callbacks")]


@pytest.mark.parametrize("name", ["tiny", "fine", "features"])
def test_clones_have_the_same_callbacks(name, request):
    recorder = Recorder()
    estimator = request.getfixturevalue(name).set_callbacks(recorder)
    assert clone(estimator)._skl_callbacks == [recorder]


def test_objects_that_are_not_callbacks_are_refused(tiny):
    with pytest.raises(TypeError, match="FitCallback protocol"):
        tiny.set_callbacks(keras.callbacks.TerminateOnNaN())


def test_without_scikit_learns_callbacks_there_is_no_effect(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.callback", None)
    name = "skvision._sklearn.callbacks_before_1_9"
    spec = importlib.util.spec_from_file_location(name, callbacks.__file__)
    before = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(before)

    class Estimator(before.CallbackSupportMixin):
        pass

    def learn(task):
        task.skip("epoch", 1)
        assert not task.subtask("epoch").end(as_fitted=lambda: 1 / 0)
        return list(task.each([1, 2], "batch"))

    assert before.fit_as_task(Estimator(), learn, before.training_data([0])) == [1, 2]
    assert not hasattr(Estimator(), "set_callbacks")
