"""The images that a training validates with: whole groups, or images of the user's choice."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline

from skvision import (
    FineTunedClassifier,
    ImageAugmenter,
    ImageOverSampler,
    MiniVGGClassifier,
)

from ..conftest import TINY, small_body

N = 60
#: 15 groups of four images, five groups of each class
GROUPS = np.repeat(np.arange(15), 4)
Y = np.array(["zero", "one", "two"])[GROUPS % 3]
#: images whose pixels are their own number, and a fifth of it
NUMBERED = np.arange(N, dtype=np.uint8)[:, None, None] * np.array([[4, 0]], np.uint8)
NUMBERED = np.tile(NUMBERED, (1, 8, 4))


class Seen:
    """An augmentation that changes nothing and notes which images it gets, fit by fit."""

    def __init__(self):
        self.fits = []

    def __call__(self, images, rng):
        self.fits[-1].update((images[:, 0, 0, 0] // 4).tolist())
        return images

    def __deepcopy__(self, memo):
        return self  # for clones


class Noting(MiniVGGClassifier):
    """Tells its augmentation that a fit begins."""

    def fit(self, X, y=None, sample_weight=None, *, groups=None, validation_data=None):
        self.augmentation.fits.append(set())
        return super().fit(X, y, sample_weight, groups=groups, validation_data=validation_data)


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def noting(seen):
    """A classifier that isn't fitted, and notes what it trains on."""
    return Noting(**{**TINY, "epochs": 1}, augmentation=seen, validation_fraction=0.25)


def groups_of(images):
    """The groups of these images, which must be whole."""
    images = sorted(images)
    groups = np.unique(GROUPS[images])
    assert np.flatnonzero(np.isin(GROUPS, groups)).tolist() == images
    return groups


# groups


@pytest.mark.parametrize(
    "named",
    [GROUPS, [f"animal {group:02}" for group in GROUPS], GROUPS.astype(object)],
    ids=["numbers", "text", "objects"],
)
def test_a_group_is_on_one_side(noting, seen, named):
    noting.fit(NUMBERED, Y, groups=named)
    (trained,) = seen.fits
    kept = groups_of(trained)
    # one group of each class, or two, is a quarter
    n_held_out = 5 - np.bincount(kept % 3)
    assert set(n_held_out) <= {1, 2}
    assert n_held_out.sum() in (3, 4)
    assert list(noting.history_) == ["accuracy", "loss", "val_accuracy", "val_loss"]


def test_early_stopping_holds_out_groups(noting, seen):
    noting.set_params(validation_fraction=None, early_stopping=True)
    noting.fit(NUMBERED, Y, groups=GROUPS)
    # one group of each class, since none can be cut
    assert len(groups_of(seen.fits[0])) == 12


def test_images_of_weight_zero_take_no_place_in_the_split(noting, seen):
    weights = (GROUPS < 12).astype(float)
    noting.fit(NUMBERED, Y, weights, groups=GROUPS)
    assert set(groups_of(seen.fits[0])) < set(range(12))


def test_groups_have_no_effect_without_a_split(tiny, digits):
    X, y = digits[0][:60], digits[1][:60]
    tiny.set_params(epochs=1)
    alone = clone(tiny).fit(X, y)
    grouped = clone(tiny).fit(X, y, groups=[0] * 60)
    assert alone.history_ == grouped.history_
    with pytest.raises(ValueError, match="groups has 3 entries"):
        tiny.fit(X, y, groups=[0] * 3)


def test_no_groups_split_by_class(noting, seen):
    noting.fit(NUMBERED, Y, groups=None)
    trained = sorted(seen.fits[0])
    noting.fit(NUMBERED, Y)
    assert sorted(seen.fits[1]) == trained
    assert np.unique(Y[trained], return_counts=True)[1].tolist() == [15, 15, 15]


def test_partial_fit_holds_out_groups(noting, seen):
    seen.fits.append(set())
    noting.partial_fit(NUMBERED, Y, classes=np.unique(Y), groups=GROUPS)
    assert 9 <= len(groups_of(seen.fits[0])) <= 12


@pytest.mark.parametrize("groups", [GROUPS[:-1], [None] * N, ["a", 1] * (N // 2), np.zeros(N)])
def test_groups_that_cannot_be_used_change_nothing(noting, groups):
    with pytest.raises(ValueError, match="group"):
        noting.fit(NUMBERED, Y, groups=groups)
    assert not hasattr(noting, "classes_")


def test_a_class_in_one_group_is_warned_of(noting, seen):
    groups = np.where(Y == "two", 0, GROUPS)
    with pytest.warns(UserWarning, match="All images of 'two' are in one group"):
        noting.fit(NUMBERED, Y, groups=groups)
    assert set(np.flatnonzero(Y == "two")) <= seen.fits[0]


def test_a_pipeline_passes_groups_on(noting, seen):
    pipeline = make_pipeline(ImageAugmenter(), noting)
    pipeline.fit(NUMBERED, Y, noting__groups=GROUPS)
    groups_of(seen.fits[0])


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_a_search_by_groups_routes_them_to_splitter_and_network(routing, noting, seen):
    noting.set_fit_request(groups=True)
    pipeline = make_pipeline(ImageAugmenter(), noting)
    for net, prefix in ((noting, ""), (pipeline, "noting__")):
        seen.fits.clear()
        grid = {f"{prefix}learning_rate": [0.1]}
        GridSearchCV(net, grid, cv=GroupKFold(2), refit=False).fit(NUMBERED, Y, groups=GROUPS)
        folds = [groups_of(trained) for trained in seen.fits]
        # seven or eight groups are in a training fold, of which some are held out
        assert [4 <= len(kept) <= 6 for kept in folds] == [True, True]
        assert not set(folds[0]) & set(folds[1])


def test_a_search_without_routing_takes_them_twice(noting, seen):
    pipeline = make_pipeline(ImageAugmenter(), noting)
    search = GridSearchCV(pipeline, {"noting__learning_rate": [0.1]}, cv=GroupKFold(3), refit=False)
    search.fit(NUMBERED, Y, groups=GROUPS, noting__groups=GROUPS)
    for trained in seen.fits:
        # of ten groups, five of each of two classes, one of each is held out
        assert len(groups_of(trained)) == 8


def test_groups_need_a_decision_where_metadata_are_routed(routing, noting, seen):
    search = GridSearchCV(noting, {"learning_rate": [0.1]}, cv=GroupKFold(3), refit=False)
    with pytest.raises(UnsetMetadataPassedError, match="groups"):
        search.fit(NUMBERED, Y, groups=GROUPS)
    noting.set_fit_request(groups=False)
    search.fit(NUMBERED, Y, groups=GROUPS)
    assert len(seen.fits) == 3


def test_a_request_for_groups_is_kept_by_clones(routing, tiny):
    asked = clone(tiny.set_fit_request(groups=True).set_partial_fit_request(groups="animal"))
    routed = asked.get_metadata_routing()
    assert routed.fit.requests["groups"] is True
    assert routed.partial_fit.requests["groups"] == "animal"


def test_copies_have_the_group_of_their_source(noting, seen):
    few = (Y != "two") | (GROUPS > 10)
    X, y, groups = NUMBERED[few], Y[few], GROUPS[few]
    sampler = ImageOverSampler(ImageAugmenter(), random_state=0)
    X_more, y_more = sampler.fit_resample(X, y)
    groups_more = groups[sampler.sample_indices_]
    # the augmenter changes nothing, so a copy shows its source's number
    assert (GROUPS[X_more[:, 0, 0] // 4] == groups_more).all()
    noting.fit(X_more, y_more, groups=groups_more)
    held_out = set(X_more[:, 0, 0] // 4) - seen.fits[0]
    assert not set(GROUPS[sorted(seen.fits[0])]) & set(GROUPS[sorted(held_out)])
    with pytest.raises(ValueError, match=r"groups\[sampler\.sample_indices_\]"):
        noting.fit(X_more, y_more, groups=groups)


# checkpoints


class Stop(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise SystemExit


@pytest.mark.parametrize("how", ["groups", "validation_data"])
def test_a_training_continues_with_the_same_validation_only(tiny, digits, tmp_path, how):
    X, y = digits[0][:120], digits[1][:120]
    groups = np.arange(120) // 4
    if how == "groups":
        tiny.set_params(validation_fraction=0.2)
        words, others = {"groups": groups}, [{"groups": groups // 2}, {}]
        said = "groups was"
    else:
        words = {"validation_data": (digits[0][120:150], digits[1][120:150])}
        others = [{"validation_data": (digits[0][150:180], digits[1][150:180])}, {}]
        said = "images of validation_data was"
    whole = clone(tiny).fit(X, y, **words)
    cut = clone(tiny).set_params(checkpoint_dir=tmp_path)
    with pytest.raises(SystemExit):
        clone(cut).set_params(keras_callbacks=Stop()).fit(X, y, **words)
    for other in others:
        with pytest.raises(ValueError, match=said):
            clone(cut).fit(X, y, **other)
    resumed = cut.fit(X, y, **words)
    assert resumed.history_ == whole.history_
    np.testing.assert_array_equal(resumed.predict_proba(X), whole.predict_proba(X))


def test_groups_without_a_split_do_not_tell_trainings_apart(tiny, digits, tmp_path):
    X, y = digits[0][:60], digits[1][:60]
    tiny.set_params(epochs=1, checkpoint_dir=tmp_path).fit(X, y)
    tiny.fit(X, y, groups=np.arange(60))
    assert tiny.n_epochs_ == 1


# validation data


@pytest.fixture(scope="module")
def halves(digits):
    """Digits to train on and others to validate with."""
    X, y = digits
    return (X[:120], y[:120]), (X[200:260], y[200:260])


def test_own_images_are_measured_after_each_epoch(tiny, halves):
    training, (X, y) = halves
    tiny.fit(*training, validation_data=(X, y))
    history = tiny.history_
    assert len(history["val_loss"]) == 3
    # no training image is held out
    alone = clone(tiny).fit(*training)
    assert history["loss"] == alone.history_["loss"]
    assert history["val_loss"][-1] == pytest.approx(log_loss(y, tiny.predict_proba(X)), rel=1e-4)
    assert history["val_accuracy"][-1] == pytest.approx(accuracy_score(y, tiny.predict(X)))


def test_own_images_stop_the_training_early(tiny, halves):
    training, (X, y) = halves
    shuffled = np.roll(y, 1)  # nearly all wrong: the loss rises
    tiny.set_params(epochs=8, early_stopping=True, patience=1)
    tiny.fit(*training, validation_data=(X, shuffled))
    losses = tiny.history_["val_loss"]
    assert tiny.n_epochs_ < 8
    kept = log_loss(shuffled, tiny.predict_proba(X))
    assert kept == pytest.approx(min(losses), rel=1e-4)


@pytest.mark.parametrize("class_weight", [None, {"zero": 3.0, "one": 1.0, "two": 1.0}])
def test_weights_of_own_images(tiny, halves, class_weight):
    training, (X, y) = halves
    weights = np.where(np.arange(60) % 3, 1.0, 4.0)
    weights[:6] = 0
    tiny.set_params(epochs=1, class_weight=class_weight, batch_size=60)
    tiny.fit(*training, validation_data=(X, y, weights))
    weights = weights * [(class_weight or {}).get(label, 1.0) for label in y]
    expected = log_loss(y, tiny.predict_proba(X), sample_weight=weights)
    assert tiny.history_["val_loss"][0] == pytest.approx(expected, rel=1e-4)


def test_balanced_weights_are_those_of_the_training(tiny, halves):
    (X, y), (others, labels) = halves
    few = np.flatnonzero((y != "zero") | (np.arange(120) < 30))
    counts = dict(zip(*np.unique(y[few], return_counts=True), strict=True))
    tiny.set_params(epochs=1, class_weight="balanced", batch_size=60)
    # without a class: its weight would be undefined
    known = labels != "two"
    tiny.fit(X[few], y[few], validation_data=(others[known], labels[known]))
    weights = [1 / counts[label] for label in labels[known]]
    answers = tiny.predict_proba(others[known])
    expected = log_loss(labels[known], answers, sample_weight=weights, labels=tiny.classes_)
    assert tiny.history_["val_loss"][0] == pytest.approx(expected, rel=1e-4)


def test_files_are_validated_with(tiny, digits_folder):
    files = sorted(map(str, digits_folder.glob("*/*.png")))
    labels = [file.split("/")[-2] for file in files]
    tiny.set_params(epochs=1).fit(
        files[::2], labels[::2], validation_data=(files[1::2], labels[1::2])
    )
    expected = accuracy_score(labels[1::2], tiny.predict(files[1::2]))
    assert tiny.history_["val_accuracy"][0] == pytest.approx(expected)


def test_rows_are_validated_with(tiny, halves):
    (X, y), (others, labels) = halves
    tiny.set_params(epochs=1, row_shape=(8, 8), value_range=(0, 255))
    rows, more = X.reshape(len(X), -1), others.reshape(len(others), -1)
    tiny.fit(rows, y, validation_data=(more, labels))
    assert tiny.n_features_in_ == 64
    with pytest.raises(ValueError, match="validation_data: X has 32 features"):
        tiny.fit(rows, y, validation_data=(more[:, :32], labels))


def test_partial_fit_takes_own_images(tiny, halves):
    training, held_out = halves
    classes = np.unique(training[1])
    for _ in range(2):
        tiny.partial_fit(*training, classes=classes, validation_data=held_out)
    assert len(tiny.history_["val_loss"]) == 2


def test_a_warm_start_takes_own_images(tiny, halves):
    training, held_out = halves
    tiny.set_params(epochs=1, warm_start=True).fit(*training, validation_data=held_out)
    tiny.fit(*training, validation_data=held_out)
    assert len(tiny.history_["val_loss"]) == 2


@pytest.mark.parametrize("augmented", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_both_phases_validate_with_own_images(halves, augmented):
    training, (X, y) = halves
    net = FineTunedClassifier(
        small_body(),
        image_size=8,
        dense_units=(),
        warmup_epochs=1,
        fine_tune_epochs=1,
        augmentation=(lambda images, rng: images) if augmented else None,
        random_state=0,
    )
    net.fit(*training, validation_data=(X, y))
    assert len(net.history_["val_loss"]) == 2
    expected = log_loss(y, net.predict_proba(X))
    assert net.history_["val_loss"][1] == pytest.approx(expected, rel=1e-3)


def test_two_validations_are_refused(tiny, halves):
    training, held_out = halves
    tiny.set_params(validation_fraction=0.1)
    for fit in (tiny.fit, tiny.partial_fit):
        with pytest.raises(ValueError, match=r"Set validation_fraction=None, or leave"):
            fit(*training, validation_data=held_out)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda X, y: (X / 255, y), r"validation_data: X has pixels on the scale 0\.\.1"),
        (lambda X, y: (X[:, None], y), "validation_data: X has shape"),
        (lambda X, y: (X[:0], y[:0]), "validation_data: Received a batch without images"),
        (lambda X, y: (X, y[:-1]), "validation_data: .*inconsistent numbers of samples"),
        (lambda X, y: (X, None), "validation_data: .*the target y is None"),
        (
            lambda X, y: (X, np.where(y == "two", "ten", y)),
            "labels that the training images don't have: 'ten'. They have: 'one', 'two', 'zero'",
        ),
        (lambda X, y: (X, np.arange(len(y)) % 3), "validation_data: y holds numbers such as 0"),
        (lambda X, y: (X, y, np.zeros(len(y))), "validation_data: .*non-zero|weights are 0"),
        (lambda X, y: (X, y, -np.ones(len(y))), "validation_data: Negative values"),
        (lambda X, y: X, r"tuple \(X, y\) or \(X, y, sample_weight\).*an array of shape"),
        (lambda X, y: (X,), "Received: 1 items"),
        (lambda X, y: {"X": X, "y": y}, "must be a tuple"),
    ],
)
def test_validation_data_must_have_the_form_of_the_training(tiny, halves, change, said):
    training, held_out = halves
    with pytest.raises(ValueError, match=said):
        tiny.fit(*training, validation_data=change(*held_out))
    assert not hasattr(tiny, "classes_")
