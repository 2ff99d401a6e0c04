"""The check matrix: scikit-learn's whole suite over every public estimator.

`make test-matrix` runs it on the oldest scikit-learn that is supported and on the newest.
"""

from __future__ import annotations

import keras
import pytest
from imblearn.utils import estimator_checks as imblearn_checks
from keras import layers
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Perceptron, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks as sklearn_checks
from sklearn.utils._test_common.instance_generator import PER_ESTIMATOR_XFAIL_CHECKS

from skvision import (
    ConformalImageClassifier,
    FineTunedClassifier,
    ImageAugmenter,
    ImageNetClassifier,
    ImageOverSampler,
    MiniVGGClassifier,
    PretrainedFeatureTransformer,
    RandAugmenter,
)
from skvision.feature_extraction.engines import ENGINES

from .walking import public_estimators

# the suite's data are tables of numbers of any size
ROWS = {"row_shape": (1, -1), "value_range": None}
#: the user's own body, which `backbone_file` writes
OWN = "own"

# fit_transform augments and transform doesn't, but so little here that both agree within the
# suite's tolerance of 0.01, so the suite checks augmented output
AUGMENTERS = [
    ImageAugmenter(noise_std=0.001, random_state=0, **ROWS),
    RandAugmenter(magnitude=0.00005, horizontal_flip=False, random_state=0, **ROWS),
]
#: stronger augmentation, with which they don't agree
STRONGER = {ImageAugmenter: {"noise_std": 0.1}, RandAugmenter: {"magnitude": 0.5}}
SAMPLER = ImageOverSampler(ImageAugmenter(noise_std=0.1, **ROWS), random_state=0)

#: arguments of each checked estimator: small and fast to train
ESTIMATORS = [
    MiniVGGClassifier(
        image_size=(4, 4),
        filters=(8,),
        convs_per_block=1,
        dense_units=(32,),
        conv_dropout=0,
        dense_dropout=0,
        optimizer="adam",
        learning_rate=0.01,
        epochs=12,
        batch_size=16,
        random_state=0,
        **ROWS,
    ),
    FineTunedClassifier(
        OWN,
        dense_units=(32,),
        dense_dropout=0,
        warmup_epochs=6,
        warmup_learning_rate=0.01,
        fine_tune_epochs=6,
        fine_tune_learning_rate=0.01,
        batch_size=16,
        engine="keras",
        random_state=0,
        **ROWS,
    ),
    *(
        # in bfloat16 the features of an image depend a little on the other images of a batch
        PretrainedFeatureTransformer(
            image_size=32, engine=engine, precision="float32", batch_size=16, **ROWS
        )
        for engine in ENGINES
    ),
    *AUGMENTERS,
    ImageNetClassifier(image_size=32, engine="keras", **ROWS),
    SAMPLER,
    # the suite fits a dozen rows, and wants an answer for each
    *(
        ConformalImageClassifier(
            estimator, coverage=0.5, cv=3, class_conditional=False, reject_label=None
        )
        for estimator in (
            LogisticRegression(),
            make_pipeline(StandardScaler(), LogisticRegression()),
        )
    ),
]

SAMPLE_WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "an image twice in an epoch is two steps of SGD, an image of weight 2 is one"
    )
}
_OWN_CLASSES = "its classes are ImageNet's, whatever y holds"
_NO_Y = "y is not looked at, since nothing is learnt of it"
_NOT_IMAGENETS = "asks for the score against labels of which none is a class of ImageNet"
_NAMES = "computes differences of predictions, which are names here"
#: checks that don't apply to a classifier with fixed classes; test_imagenet.py and
#: test_image_checks.py check its names and probabilities instead
FIXED_CLASSES = {
    "check_classifiers_classes": _OWN_CLASSES,
    "check_classifiers_one_label": _OWN_CLASSES,
    "check_classifiers_regression_target": _NO_Y,
    "check_classifiers_train": _NO_Y,
    "check_supervised_y_2d": _NO_Y,
    "check_supervised_y_no_nan": _NO_Y,
    "check_fit_score_takes_y": _NOT_IMAGENETS,
    "check_pipeline_consistency": _NOT_IMAGENETS,
    "check_classifier_data_not_an_array": _NAMES,
    "check_estimators_pickle": _NAMES,
    "check_fit_idempotent": _NAMES,
    "check_methods_sample_order_invariance": _NAMES,
    "check_methods_subset_invariance": _NAMES,
}
#: the checks that each estimator may fail, with the reason
EXCUSED = {
    MiniVGGClassifier: SAMPLE_WEIGHTS,
    FineTunedClassifier: SAMPLE_WEIGHTS,
    ImageNetClassifier: FIXED_CLASSES,
}
#: estimators that train a network for each check
TRAINED = (MiniVGGClassifier, FineTunedClassifier)


def is_slow(estimator):
    """Whether an estimator trains for each check, or repeats the checks with another engine."""
    return isinstance(estimator, TRAINED) or getattr(estimator, "engine", "keras") != "keras"


def checks():
    """Return each check of each estimator, with those of imbalanced-learn for samplers."""
    for estimator in ESTIMATORS:
        suites = [sklearn_checks, imblearn_checks]
        for suite in suites if hasattr(estimator, "fit_resample") else suites[:1]:
            for instance, check in suite.estimator_checks_generator(estimator):
                yield instance, check, suite._check_name(check)


def as_test(estimator, check, name):
    marks = [pytest.mark.slow] if is_slow(estimator) else []
    if reason := EXCUSED.get(type(estimator), {}).get(name):
        # an exception that is no longer needed must be removed
        marks.append(pytest.mark.xfail(strict=True, reason=reason))
    engine = f"[{estimator.engine}]" if isinstance(estimator, PretrainedFeatureTransformer) else ""
    if isinstance(estimator, ConformalImageClassifier):
        engine = f"[{type(estimator.estimator).__name__}]"
    options = "".join(f",{key}={value}" for key, value in check.keywords.items())
    label = f"{type(estimator).__name__}{engine}-{name}{options}"
    return pytest.param(estimator, check, id=label, marks=marks)


@pytest.fixture(scope="module")
def backbone_file(tmp_path_factory):
    """A file of four layers over a row of eight numbers; a file name can be hashed."""
    drawn = keras.initializers.HeNormal
    body = keras.Sequential(
        [
            keras.Input((1, 8, 1)),
            layers.Conv2D(8, (1, 3), padding="same", kernel_initializer=drawn(1)),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(32, "relu", kernel_initializer=drawn(2)),
        ],
        name="row",
    )
    file = tmp_path_factory.mktemp("body") / "row.keras"
    body.save(file)
    return str(file)


@pytest.mark.parametrize(("estimator", "check"), [as_test(*case) for case in checks()])
def test_estimator_check(estimator, check, backbone_file):
    if getattr(estimator, "backbone", None) == OWN:
        estimator.set_params(backbone=backbone_file)
    assert check(estimator) is None


def test_every_public_estimator_is_checked():
    assert {type(estimator) for estimator in ESTIMATORS} == set(public_estimators().values())


def test_excuses_are_few_and_scikit_learns_own():
    for excuses in (EXCUSED[cls] for cls in TRAINED):
        assert len(excuses) == 1
        for network in (SGDClassifier, Perceptron):
            assert excuses.keys() <= PER_ESTIMATOR_XFAIL_CHECKS[network].keys()


@pytest.mark.parametrize("augmenter", AUGMENTERS, ids=lambda each: type(each).__name__)
def test_the_suite_would_object_to_visible_augmentation(augmenter):
    """An augmenter must augment training images only."""
    stronger = clone(augmenter).set_params(**STRONGER[type(augmenter)])
    with pytest.raises(AssertionError, match="fit_transform and transform outcomes not consist"):
        sklearn_checks.check_transformer_general(type(augmenter).__name__, stronger)


def test_samplers_accept_frames():
    """imbalanced-learn checks this only for samplers that accept frames of sparse columns too."""
    imblearn_checks.check_samplers_pandas(type(SAMPLER).__name__, SAMPLER)
