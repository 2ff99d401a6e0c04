"""Use with scikit-learn's ensembles, searches, curves, thresholds, routing and displays."""

from __future__ import annotations

import pickle
import re
import warnings
from unittest.mock import Mock

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
import sklearn
from PIL import Image
from scipy.stats import loguniform, randint
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    get_scorer,
    log_loss,
    make_scorer,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    LearningCurveDisplay,
    RandomizedSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils import estimator_html_repr

from skvision import FineTunedClassifier, MiniVGGClassifier, load_image_folder
from skvision.networks import CompiledNetwork

from ..conftest import TINY, since

pytestmark = pytest.mark.slow

FOLDS = StratifiedKFold(2)


@pytest.fixture(scope="module")
def small(digits):
    """90 digits for training."""
    return digits[0][:90], digits[1][:90]


@pytest.fixture(scope="module")
def unseen(digits):
    """100 digits for evaluation."""
    return digits[0][200:], digits[1][200:]


@pytest.fixture(scope="module")
def net(small):
    """A classifier fitted on the 90 digits; tests must not refit it."""
    return MiniVGGClassifier(**TINY).fit(*small)


@pytest.fixture(scope="module")
def files(digits_folder):
    """120 file names of ten classes."""
    return load_image_folder(digits_folder, return_X_y=True)


@pytest.fixture
def on_rows(tiny):
    """A classifier of rows, for partners that accept only 2-D X."""
    return tiny.set_params(row_shape=(8, 8))


@pytest.fixture
def weight(small):
    """Sample weights from 0 to 4."""
    return np.random.default_rng(0).integers(0, 5, len(small[1])).astype(float)


def rows(X):
    return X.reshape(len(X), -1)


def scaled(X):
    return X / 255


def linear():
    return make_pipeline(FunctionTransformer(rows), LogisticRegression(max_iter=50))


def same(one, other, X):
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


# several classifiers as one


@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_voting_beside_a_linear_model(tiny, net, small, unseen, voting):
    X = unseen[0]
    votes = VotingClassifier([("net", tiny), ("linear", linear())], voting=voting).fit(*small)
    members = net, linear().fit(*small)
    if voting == "soft":
        mean = np.mean([member.predict_proba(X) for member in members], axis=0)
        np.testing.assert_allclose(votes.predict_proba(X), mean)
    else:
        own = np.stack([member.predict(X) for member in members], axis=1)
        np.testing.assert_array_equal(votes.classes_[votes.transform(X)], own)
        one_each = np.sort(own, axis=1)[:, 0]  # a tie gives the first class
        np.testing.assert_array_equal(votes.predict(X), one_each)


def test_stacking_learns_from_out_of_fold_predictions(tiny, small, unseen):
    final = LogisticRegression(C=100)
    tiny.set_params(epochs=6)  # each fold trains on half of the data
    net = clone(tiny).fit(*small)
    stack = StackingClassifier([("net", tiny)], final_estimator=final, cv=FOLDS).fit(*small)
    np.testing.assert_array_equal(stack.transform(unseen[0]), net.predict_proba(unseen[0]))
    unfolded = cross_val_predict(tiny, *small, cv=FOLDS, method="predict_proba")
    np.testing.assert_array_equal(
        stack.final_estimator_.coef_, clone(final).fit(unfolded, small[1]).coef_
    )
    assert stack.score(*unseen) > 0.8


def test_bagging_averages_members_that_differ(on_rows, small, unseen):
    X = rows(unseen[0])
    bag = BaggingClassifier(on_rows, n_estimators=2, random_state=0).fit(rows(small[0]), small[1])
    one, two = (member.predict_proba(X) for member in bag.estimators_)
    assert not np.array_equal(one, two)
    np.testing.assert_allclose(bag.predict_proba(X), (one + two) / 2, rtol=1e-5)


def test_boosting_weighs_samples(tiny, small, unseen):
    tiny.set_params(epochs=1)  # weak enough to leave something to boost
    boost = AdaBoostClassifier(tiny, n_estimators=2, random_state=0).fit(*small)
    first, second = boost.estimators_
    same(first, clone(first).fit(*small), unseen[0])
    wrong = first.predict(small[0]) != small[1]
    assert boost.estimator_errors_[0] == pytest.approx(wrong.mean())
    weight = np.where(wrong, np.exp(boost.estimator_weights_[0]), 1)
    np.testing.assert_allclose(
        second.predict_proba(unseen[0]),
        clone(second).fit(*small, sample_weight=weight).predict_proba(unseen[0]),
        atol=1e-4,
    )


def test_one_classifier_per_class(tiny, small, unseen):
    X, y = small
    rest = OneVsRestClassifier(tiny).fit(X, y)
    alone = [clone(tiny).fit(X, (y == name).astype(int)) for name in np.unique(y)]
    probabilities = np.stack([net.predict_proba(unseen[0])[:, 1] for net in alone], axis=1)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(rest.predict_proba(unseen[0]), probabilities, rtol=1e-5)
    assert rest.score(*unseen) > 0.8


def test_one_classifier_per_pair_of_classes(on_rows, small, unseen):
    X, y = rows(small[0]), small[1]
    pairs = OneVsOneClassifier(on_rows).fit(X, y)
    among = np.isin(y, ["one", "two"])
    alone = clone(on_rows).fit(X[among], y[among])
    same(pairs.estimators_[0], alone, rows(unseen[0]))
    assert pairs.score(rows(unseen[0]), unseen[1]) > 0.7


def test_several_labels_per_image(tiny, net, small, unseen):
    X, y = small
    both = MultiOutputClassifier(tiny).fit(X, np.stack([y, y == "one"], axis=1))
    names, is_one = both.predict_proba(unseen[0])
    np.testing.assert_array_equal(names, net.predict_proba(unseen[0]))
    assert is_one.shape == (100, 2)
    assert both.predict(unseen[0]).shape == (100, 2)


def test_self_training_labels_the_rest(on_rows, small):
    X, y = rows(small[0]), np.unique(small[1], return_inverse=True)[1]
    known = np.where(np.arange(len(y)) < 60, y, -1)
    trained = SelfTrainingClassifier(on_rows, threshold=0.6, max_iter=2).fit(X, known)
    labels, added = trained.transduction_, trained.labeled_iter_ > 0
    assert added.sum() > 10
    assert (labels[added] == y[added]).mean() > 0.8
    same(trained, clone(on_rows).fit(X[labels >= 0], labels[labels >= 0]), X)


# probabilities and thresholds


def test_averaged_probabilities_sum_to_one_within_the_tolerance_of_metrics(net, unseen):
    # float32 sums miss 1 by 1e-7; once averaged into float64, log_loss warns above 1.5e-8
    votes = VotingClassifier([("net", FrozenEstimator(net)), ("linear", linear())], voting="soft")
    probabilities = votes.fit(*unseen).predict_proba(unseen[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert log_loss(unseen[1], probabilities) < 1


@since("1.8")
def test_calibration_of_a_frozen_classifier(net, unseen):
    before = net.predict_proba(unseen[0])
    calibrated = CalibratedClassifierCV(FrozenEstimator(net), method="temperature").fit(*unseen)
    assert [one.estimator.estimator for one in calibrated.calibrated_classifiers_] == [net]
    np.testing.assert_array_equal(net.predict_proba(unseen[0]), before)
    after = calibrated.predict_proba(unseen[0])
    # one temperature changes the probabilities, not the predictions
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))
    assert log_loss(unseen[1], after) < log_loss(unseen[1], before)


def test_calibration_by_folds(tiny, small, unseen):
    calibrated = CalibratedClassifierCV(tiny, cv=2).fit(*small)
    members = [one.estimator for one in calibrated.calibrated_classifiers_]
    for member, (train, _) in zip(members, FOLDS.split(*small), strict=True):
        same(member, clone(tiny).fit(small[0][train], small[1][train]), unseen[0])
    assert calibrated.score(*unseen) > 0.7


def test_a_custom_threshold(tiny, small, unseen):
    X, y = small[0], small[1] == "one"
    strict = FixedThresholdClassifier(tiny, threshold=0.7).fit(X, y)
    surely = clone(tiny).fit(X, y).predict_proba(unseen[0])[:, 1] >= 0.7
    assert surely.any()
    np.testing.assert_array_equal(strict.predict(unseen[0]), surely)


def test_a_tuned_threshold(tiny, small, unseen):
    X, y = small[0], np.where(small[1] == "one", "one", "other")
    found = make_scorer(recall_score, pos_label="one")
    tuned = TunedThresholdClassifierCV(tiny.set_params(epochs=1), scoring=found, cv=2).fit(X, y)
    assert tuned.best_score_ == 1  # some threshold is low enough to find all
    same(tuned, clone(tiny).fit(X, y), unseen[0])
    likely = tuned.predict_proba(unseen[0])[:, 0] >= tuned.best_threshold_
    np.testing.assert_array_equal(tuned.predict(unseen[0]), np.where(likely, "one", "other"))


# searches


def mirrored(images, rng):
    return images[:, :, ::-1]


def test_random_search_draws_from_distributions(tiny, small, unseen):
    search = RandomizedSearchCV(
        tiny,
        {
            "learning_rate": loguniform(1e-3, 1e-1),
            "epochs": randint(1, 4),
            "augmentation": [None, mirrored],
        },
        n_iter=3,
        cv=2,
        random_state=0,
        error_score="raise",
    ).fit(*small)
    rates = search.cv_results_["param_learning_rate"].tolist()
    assert len(set(rates)) == 3
    assert min(rates) >= 1e-3
    assert max(rates) <= 1e-1
    best = search.best_estimator_
    assert best.n_epochs_ == search.best_params_["epochs"]
    same(search, clone(tiny).set_params(**search.best_params_).fit(*small), unseen[0])


def test_grid_search_over_parameters_of_every_kind(tiny, small, unseen):
    tiny.set_params(learning_rate=None, epochs=1)
    layer = keras.layers.RandomTranslation(0.1, 0.1)
    grids = [
        {"optimizer": ["sgd"], "optimizer__momentum": [0.0, 0.9]},
        {"optimizer": ["RMSprop", keras.optimizers.Adam(0.02), keras.optimizers.Nadam]},
        {"activation": ["Tanh"], "image_size": [(8, 4)], "dense_units": [()]},
        {"augmentation": [None, layer, [layer], mirrored]},
        {"class_weight": ["balanced", {"one": 2.0}]},
    ]
    # log loss, since two models never have the same value by chance
    search = GridSearchCV(tiny, grids, scoring="neg_log_loss", cv=FOLDS, error_score="raise")
    found = search.fit(*small).cv_results_
    assert found["param_optimizer__momentum"].compressed().tolist() == [0.0, 0.9]
    assert found["param_optimizer"].compressed().tolist()[2:] == grids[1]["optimizer"]
    assert found["param_image_size"].compressed().tolist() == [(8, 4)]
    assert found["param_augmentation"].compressed().tolist() == grids[3]["augmentation"]
    scores = list(zip(found["split0_test_score"], found["split1_test_score"], strict=True))
    # each parameter has an effect, except that a list of one layer equals that layer
    assert len(set(scores)) == len(scores) - 1
    assert scores[7] == scores[8]
    for number in (3, 5, 10):
        own = clone(tiny).set_params(**found["params"][number])
        alone = cross_validate(own, *small, cv=FOLDS, scoring="neg_log_loss")["test_score"]
        assert tuple(alone) == scores[number]
    same(search, clone(tiny).set_params(**search.best_params_).fit(*small), unseen[0])


def test_halving_over_samples(tiny, small):
    grid = {"learning_rate": [1e-6, 1e-2], "activation": ["relu", "tanh"]}
    search = HalvingGridSearchCV(
        tiny, grid, cv=2, factor=2, min_resources=45, random_state=0, error_score="raise"
    ).fit(*small)
    assert search.n_resources_ == [45, 90]
    assert search.n_candidates_ == [4, 2]
    assert search.best_params_["learning_rate"] == 1e-2


def test_halving_over_epochs(tiny, small):
    search = HalvingRandomSearchCV(
        tiny,
        {"learning_rate": loguniform(1e-6, 1e-1)},
        n_candidates=4,
        resource="epochs",
        min_resources=1,
        max_resources=4,
        factor=2,
        cv=2,
        random_state=0,
        error_score="raise",
    ).fit(*small)
    assert search.n_resources_ == [1, 2, 4]
    assert search.best_estimator_.n_epochs_ == 4


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_two_workers_find_the_same_as_one(tiny, files, backend):
    search = GridSearchCV(tiny, {"learning_rate": [0.1, 0.01, 0.001]}, cv=2, error_score="raise")
    one = clone(search).fit(*files)
    with joblib.parallel_config(backend=backend):
        two = clone(search).set_params(n_jobs=2).fit(*files)
    for fold in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(one.cv_results_[fold], two.cv_results_[fold])
    same(one, two, files[0])


# cross-validation and curves


def test_many_scorers_at_once(tiny, small):
    X, y = small
    codes = np.unique(y, return_inverse=True)[1]
    scorers = "accuracy", "roc_auc_ovr", "neg_log_loss", "f1_macro", "top_k_accuracy"
    result = cross_validate(
        tiny, X, y, cv=FOLDS, scoring=scorers, return_estimator=True, return_indices=True
    )
    for fold, (net, test) in enumerate(
        zip(result["estimator"], result["indices"]["test"], strict=True)
    ):
        truth, probabilities = y[test], net.predict_proba(X[test])
        expected = {
            "accuracy": net.score(X[test], truth),
            "roc_auc_ovr": roc_auc_score(truth, probabilities, multi_class="ovr"),
            "neg_log_loss": -log_loss(truth, probabilities),
            "f1_macro": f1_score(truth, net.predict(X[test]), average="macro"),
            "top_k_accuracy": (probabilities.argmin(axis=1) != codes[test]).mean(),
        }
        for name, value in expected.items():
            assert result[f"test_{name}"][fold] == pytest.approx(value), name
    assert result["test_accuracy"].min() > 0.6


def test_each_file_is_predicted_by_a_net_that_has_not_seen_it(tiny, files):
    X, y = files
    probabilities = cross_val_predict(tiny, X, y, cv=FOLDS, method="predict_proba")
    for train, test in FOLDS.split(X, y):
        own = clone(tiny).fit(X[train], y[train])
        np.testing.assert_array_equal(probabilities[test], own.predict_proba(X[test]))


def test_learning_curve_rises(tiny, digits):
    sizes, _, test = learning_curve(
        tiny, *digits, train_sizes=[12, 150], cv=FOLDS, shuffle=True, random_state=0
    )
    assert sizes.tolist() == [12, 150]
    assert (test[1] > test[0]).all()


def test_validation_curve_rises(tiny, small):
    train, test = validation_curve(
        tiny, *small, param_name="learning_rate", param_range=[1e-6, 1e-2], cv=FOLDS
    )
    assert (train[1] > train[0]).all()
    assert (test[1] > test[0]).all()


def test_random_labels_are_not_learnt(tiny, small):
    score, by_chance, p = permutation_test_score(
        tiny, *small, cv=FOLDS, n_permutations=4, random_state=0
    )
    assert score > by_chance.max() + 0.2
    assert p == 1 / 5


def test_names_in_another_order_are_sorted_and_learnt_as_well(tiny, digits, unseen):
    letters = {"one": "c", "two": "b", "zero": "a"}
    X, y = digits[0][:200], [letters[name] for name in digits[1][:200]]
    renamed = tiny.fit(X, y)
    assert renamed.classes_.tolist() == ["a", "b", "c"]
    assert renamed.score(unseen[0], [letters[name] for name in unseen[1]]) > 0.8


# in a pipeline


@pytest.fixture(scope="module")
def frame(files):
    return pd.DataFrame({"taken": range(len(files[0])), "file": files[0]})


@pytest.fixture(scope="module")
def on_files(files):
    """A classifier fitted on the files; tests must not refit it."""
    return MiniVGGClassifier(**TINY).fit(*files)


def to_frame(column):
    return column.to_frame()


@pytest.mark.parametrize("output", ["default", "pandas"])
@pytest.mark.parametrize(
    "select",
    [("passthrough", ["file"]), (FunctionTransformer(to_frame), "file")],
    ids=["frame", "column"],
)
def test_a_table_with_a_column_of_file_names(tiny, on_files, frame, files, select, output):
    picked = ColumnTransformer([("files", *select)], verbose_feature_names_out=False)
    pipeline = make_pipeline(picked, tiny).set_output(transform=output)
    pipeline.fit(frame, files[1])
    reached = pipeline[:-1].transform(frame)
    assert reached.shape == (120, 1)
    assert isinstance(reached, pd.DataFrame if output == "pandas" else np.ndarray)
    np.testing.assert_array_equal(pipeline.predict_proba(frame), on_files.predict_proba(files[0]))


def test_named_pixels_keep_their_names(on_rows, net, small, unseen):
    names = [f"pixel{number}" for number in range(64)]
    learn, judge = (pd.DataFrame(rows(X), columns=names) for X in (small[0], unseen[0]))
    pipeline = make_pipeline(FunctionTransformer(scaled), on_rows).set_output(transform="pandas")
    pipeline.fit(learn, small[1])
    assert pipeline[-1].feature_names_in_.tolist() == names
    np.testing.assert_array_equal(pipeline.predict_proba(judge), net.predict_proba(unseen[0]))


def opened(paths):
    return np.stack([np.asarray(Image.open(path)) for path in paths])


def test_a_function_may_scale_or_open_the_input(tiny, net, on_files, small, unseen, files):
    scaling = make_pipeline(FunctionTransformer(scaled), clone(tiny)).fit(*small)
    same(scaling, net, unseen[0])
    opening = make_pipeline(FunctionTransformer(opened), clone(tiny)).fit(list(files[0]), files[1])
    same(opening, on_files, files[0])


opened_files = []


def opened_and_counted(paths):
    opened_files.extend(paths)
    return opened(paths)


def test_a_pipeline_with_memory_opens_files_once(tiny, on_files, files, tmp_path):
    opened_files.clear()
    pipeline = make_pipeline(
        FunctionTransformer(opened_and_counted), tiny, memory=joblib.Memory(tmp_path, verbose=0)
    )
    for rate in (0.001, TINY["learning_rate"]):
        pipeline.set_params(minivggclassifier__learning_rate=rate).fit(*files)
    assert len(opened_files) == len(files[0])
    np.testing.assert_array_equal(
        pipeline.predict_proba(files[0]), on_files.predict_proba(files[0])
    )


# routing of sample weights


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def tuned_search(net, name="learning_rate"):
    return GridSearchCV(net, {name: [0.01]}, cv=2, error_score="raise")


ROUTES = {
    "Pipeline": (lambda net: make_pipeline(FunctionTransformer(), net), lambda p: p[-1]),
    "GridSearchCV": (tuned_search, lambda search: search.best_estimator_),
    "GridSearchCV of a Pipeline": (
        lambda net: tuned_search(
            make_pipeline(FunctionTransformer(), net), "minivggclassifier__learning_rate"
        ),
        lambda search: search.best_estimator_[-1],
    ),
    "VotingClassifier": (
        lambda net: VotingClassifier(
            [("net", net), ("linear", linear().set_params(logisticregression=weighted_linear()))]
        ),
        lambda votes: votes.named_estimators_["net"],
    ),
    "StackingClassifier": (
        lambda net: StackingClassifier([("net", net)], final_estimator=weighted_linear(), cv=2),
        lambda stack: stack.named_estimators_["net"],
    ),
    "CalibratedClassifierCV": (
        lambda net: CalibratedClassifierCV(net, cv=2, ensemble=False),
        lambda calibrated: calibrated.calibrated_classifiers_[0].estimator,
    ),
    "OneVsRestClassifier": (OneVsRestClassifier, lambda rest: rest.estimators_[0]),
    "FixedThresholdClassifier": (FixedThresholdClassifier, lambda fixed: fixed.estimator_),
    "TunedThresholdClassifierCV": (
        lambda net: TunedThresholdClassifierCV(net, cv=2, scoring=weighted_accuracy()),
        lambda tuned: tuned.estimator_,
    ),
}


def weighted_linear():
    return LogisticRegression().set_fit_request(sample_weight=True)


def weighted_accuracy():
    return get_scorer("accuracy").set_score_request(sample_weight=True)


#: earlier versions asked Pipeline.score itself for its request of weights, also for scikit-learn's
#: own classifiers
LATER = {"GridSearchCV of a Pipeline": since("1.8"), "cross_validate of a Pipeline": since("1.8")}


@pytest.mark.parametrize(
    "partner", [pytest.param(name, marks=LATER.get(name, ())) for name in ROUTES]
)
def test_sample_weights_reach_the_network(routing, tiny, small, weight, unseen, partner):
    make, find = ROUTES[partner]
    X, y, chosen = small[0], small[1] == "one", weight > 1
    without_the_others = clone(tiny).fit(X[chosen], y[chosen])
    tiny.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    whole = make(tiny).fit(X, y, sample_weight=chosen.astype(float))
    same(find(whole), without_the_others, unseen[0])


def test_weights_are_routed_by_another_name_through_folds(routing, tiny, small, weight, unseen):
    X, y = small
    tiny.set_fit_request(sample_weight="care").set_score_request(sample_weight=False)
    result = cross_validate(
        tiny, X, y, cv=FOLDS, params={"care": weight}, return_estimator=True, error_score="raise"
    )
    for net, (train, _) in zip(result["estimator"], FOLDS.split(X, y), strict=True):
        same(net, clone(tiny).fit(X[train], y[train], weight[train]), unseen[0])


def test_weights_are_routed_to_score(routing, tiny, small, weight):
    X, y = small
    tiny.set_fit_request(sample_weight=False).set_score_request(sample_weight=True)
    result = cross_validate(
        tiny.set_params(epochs=1),
        X,
        y,
        cv=FOLDS,
        params={"sample_weight": weight},
        return_estimator=True,
        error_score="raise",
    )
    for fold, (train, test) in enumerate(FOLDS.split(X, y)):
        plain = clone(tiny).fit(X[train], y[train])
        weighted, unweighted = (
            accuracy_score(y[test], plain.predict(X[test]), sample_weight=w)
            for w in (weight[test], None)
        )
        assert result["test_score"][fold] == weighted != unweighted


def test_weights_without_a_request_are_refused(routing, tiny, small, weight):
    pipeline = make_pipeline(FunctionTransformer(), tiny)
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        pipeline.fit(*small, sample_weight=weight)


def test_members_of_many_outputs_get_the_weights(routing, tiny, small, weight, unseen):
    X, y = small
    both = MultiOutputClassifier(tiny.set_fit_request(sample_weight=True))
    both.fit(X, np.stack([y, y == "one"], axis=1), sample_weight=weight)
    same(both.estimators_[0], clone(tiny).fit(X, y, weight), unseen[0])


class Recording(MiniVGGClassifier):
    """A classifier that only records the rows and their weights."""

    seen: list = []

    def fit(self, X, y, sample_weight=None):
        self.seen.append(("fit", X[:, 0], sample_weight))
        self.classes_ = np.unique(y)
        return self

    def score(self, X, y, sample_weight=None):
        self.seen.append(("score", X[:, 0], sample_weight))
        return 0.5

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "classes_")


@pytest.fixture
def recording():
    Recording.seen.clear()
    return Recording().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)


NUMBERED = np.arange(24.0)[:, np.newaxis]  # rows that contain their number
NUMBERED_CLASSES = np.arange(24) % 2
OWN_WEIGHT = NUMBERED[:, 0] + 100
GROUPS = np.arange(24) // 4


def whole(net):
    return make_pipeline(FunctionTransformer(), net)


RECORDED = {
    "GridSearchCV of a Pipeline": (
        lambda net: GridSearchCV(whole(net), {"recording__epochs": [1, 2]}, cv=2),
        {"fit": 5, "score": 4},
    ),
    "cross_validate of a Pipeline": (
        lambda net: (
            lambda X, y, sample_weight: cross_validate(
                whole(net), X, y, cv=2, params={"sample_weight": sample_weight}
            )
        ),
        {"fit": 2, "score": 2},
    ),
    "StackingClassifier": (
        lambda net: StackingClassifier(
            [("net", whole(net))], final_estimator=weighted_linear(), cv=2
        ),
        {"fit": 3, "score": 0},
    ),
}


@pytest.mark.parametrize(
    "partner", [pytest.param(name, marks=LATER.get(name, ())) for name in RECORDED]
)
def test_each_row_comes_with_its_own_weight(routing, recording, partner):
    make, calls = RECORDED[partner]
    made = make(recording)
    getattr(made, "fit", made)(NUMBERED, NUMBERED_CLASSES, sample_weight=OWN_WEIGHT)
    for kind, number in calls.items():
        seen = [(rows, weight) for what, rows, weight in recording.seen if what == kind]
        assert len(seen) == number
        for rows, weight in seen:
            np.testing.assert_array_equal(weight, rows + 100)


@LATER["GridSearchCV of a Pipeline"]
def test_groups_go_to_the_splitter_and_weights_to_the_network(routing, recording):
    params = {"sample_weight": OWN_WEIGHT, "groups": GROUPS}
    search = GridSearchCV(whole(recording), {"recording__epochs": [1]}, cv=GroupKFold(3))
    search.fit(NUMBERED, NUMBERED_CLASSES, **params)
    cross_validate(whole(recording), NUMBERED, NUMBERED_CLASSES, cv=GroupKFold(3), params=params)
    seen = recording.seen
    folds = [(seen[k], seen[k + 1]) for k in (0, 2, 4, 7, 9, 11)]  # after the refit the others
    for (fit, train, train_weight), (score, test, test_weight) in folds:
        assert (fit, score) == ("fit", "score")
        assert not set(GROUPS[train.astype(int)]) & set(GROUPS[test.astype(int)])
        np.testing.assert_array_equal(train_weight, train + 100)
        np.testing.assert_array_equal(test_weight, test + 100)


def test_groups_together_with_a_trained_network(routing, tiny, small):
    X, y = small
    groups = np.arange(90) // 5
    tiny.set_params(epochs=1).set_fit_request(groups=False)
    found = cross_validate(
        tiny, X, y, cv=GroupKFold(2), params={"groups": groups}, return_estimator=True
    )
    search = GridSearchCV(tiny, {"epochs": [1]}, cv=GroupKFold(2)).fit(X, y, groups=groups)
    splits = list(GroupKFold(2).split(X, y, groups))
    for fold, (net, (train, test)) in enumerate(zip(found["estimator"], splits, strict=True)):
        same(net, clone(tiny).fit(X[train], y[train]), X[test])
        assert search.cv_results_[f"split{fold}_test_score"][0] == found["test_score"][fold]


@pytest.mark.parametrize("partner", ["GridSearchCV", "StackingClassifier", "cross_validate"])
def test_sample_weights_reach_both_phases_of_fine_tuning(routing, net, small, weight, partner):
    X, y, chosen = small[0], small[1] == "one", weight > 1
    fine = FineTunedClassifier(
        net, dense_units=(), warmup_epochs=1, fine_tune_epochs=1, engine="keras", random_state=0
    )
    fine.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    ones = chosen.astype(float)
    if partner == "cross_validate":
        folds = cross_validate(
            fine, X, y, cv=FOLDS, params={"sample_weight": ones}, return_estimator=True
        )
        fitted = folds["estimator"][0]
        chosen[next(FOLDS.split(X, y))[1]] = False
    elif partner == "GridSearchCV":
        search = tuned_search(fine, "fine_tune_learning_rate").fit(X, y, sample_weight=ones)
        fitted = search.best_estimator_
        fine.set_params(**search.best_params_)
    else:
        stack = StackingClassifier([("net", fine)], final_estimator=weighted_linear(), cv=2)
        fitted = stack.fit(X, y, sample_weight=ones).named_estimators_["net"]
    assert fitted.history_["phase"] == ["warmup", "fine_tune"]
    same(fitted, clone(fine).fit(X[chosen], y[chosen]), X)


@pytest.mark.parametrize("kind", [MiniVGGClassifier, FineTunedClassifier])
def test_every_request_for_weights_can_be_set_and_survives_a_clone(routing, kind):
    net = kind()
    for method in ("fit", "partial_fit", "score"):
        getattr(net, f"set_{method}_request")(sample_weight="care")
    requests = clone(net).get_metadata_routing()
    for method in ("fit", "partial_fit", "score"):
        assert getattr(requests, method).requests["sample_weight"] == "care"


# inspection


def test_permutation_importance_finds_the_empty_pixels(on_rows, small):
    X, y = rows(small[0]), small[1]
    found = permutation_importance(on_rows.fit(X, y), X, y, n_repeats=1, random_state=0)
    empty = X.min(axis=0) == X.max(axis=0)
    assert empty.sum() >= 8
    assert (found.importances_mean[empty] == 0).all()
    assert found.importances_mean.max() > 0


@pytest.fixture
def axes():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_confusion_matrix(axes, net, unseen):
    from sklearn.metrics import ConfusionMatrixDisplay

    display = ConfusionMatrixDisplay.from_estimator(net, *unseen, ax=axes)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["one", "two", "zero"]
    assert display.confusion_matrix.trace() == pytest.approx(net.score(*unseen) * len(unseen[1]))


def test_roc_curve(axes, tiny, small, unseen):
    from sklearn.metrics import RocCurveDisplay

    net = tiny.set_params(epochs=1).fit(small[0], small[1] == "one")
    truth = unseen[1] == "one"
    display = RocCurveDisplay.from_estimator(net, unseen[0], truth, ax=axes)
    assert display.roc_auc == roc_auc_score(truth, net.predict_proba(unseen[0])[:, 1])
    assert axes.get_legend().get_texts()[0].get_text().startswith("MiniVGGClassifier (AUC")


def test_learning_curve_display(axes, tiny, digits):
    display = LearningCurveDisplay.from_estimator(
        tiny, *digits, train_sizes=[12, 150], cv=FOLDS, shuffle=True, random_state=0, ax=axes
    )
    _, test = (line.get_ydata() for line in display.lines_)
    assert test[1] > test[0]
    np.testing.assert_array_equal(test, display.test_scores.mean(axis=1))


@since("1.7")
def test_html_shows_the_parameters(tiny):
    html = tiny.set_params(optimizer__beta_1=0.8)._repr_html_()
    table = re.findall(r'<tr class="(user-set|default)">(.*?)</tr>', html, re.DOTALL)
    shown = {
        re.search(r"copyToClipboard\('(\w+)'", row)[1]: (
            kind,
            re.search(r'class="value">(.*?)</td>', row)[1],
        )
        for kind, row in table
    }
    assert shown.keys() >= tiny.get_params().keys()
    assert shown["optimizer__beta_1"] == ("user-set", "0.8")
    assert shown["epochs"] == ("user-set", "3")
    assert shown["batch_size"] == ("default", "32")


def test_html_links_the_documentation(tiny):
    html = tiny._repr_html_()
    assert "skvision" in html
    assert re.search(r'href="https?://[^"]*MiniVGGClassifier', html)


@since("1.7")
def test_html_of_a_pipeline(tiny):
    html = estimator_html_repr(make_pipeline(FunctionTransformer(scaled), tiny))
    assert html.index("scaled") < html.index("MiniVGGClassifier")
    assert "minivggclassifier__" in html
    assert "dense_dropout" in html


@since("1.9")
def test_html_of_a_fitted_classifier_builds_no_network(net, monkeypatch):
    fresh = pickle.loads(pickle.dumps(net))
    build = Mock(wraps=CompiledNetwork)
    monkeypatch.setattr("skvision.classifiers.fitted_network.CompiledNetwork", build)
    assert "n_epochs_" in fresh._repr_html_()
    assert not build.called
