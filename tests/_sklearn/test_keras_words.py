"""Errors for calls in Keras' style say what to write instead."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

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
from skvision._sklearn.keras_words import ATTRIBUTES, METHODS, WORDS

from ..walking import public_estimators

X = np.zeros((4, 8, 8, 3), np.uint8)
Y = [0, 1, 0, 1]
ESTIMATORS = public_estimators()
#: their fit takes any metadata, which are for the estimator in them
ROUTERS = (ConformalImageClassifier,)
CALLS = [
    (cls, method)
    for cls in ESTIMATORS.values()
    for method in METHODS
    if hasattr(cls, method) and method != "__init__" and (cls not in ROUTERS or method != "fit")
]


def made(cls):
    if issubclass(cls, ConformalImageClassifier):
        return cls(MiniVGGClassifier())
    return cls(ImageAugmenter()) if issubclass(cls, ImageOverSampler) else cls()


def said_of_call(estimator, method, **words):
    takes_y = "y" in inspect.signature(getattr(estimator, method)).parameters
    arguments = [X, Y] if takes_y else [X]
    with pytest.raises(TypeError) as error:
        getattr(estimator, method)(*arguments, **words)
    return str(error.value)


@pytest.mark.parametrize(
    ("cls", "words", "way_out"),
    [
        (
            MiniVGGClassifier,
            {"epochs": 5},
            "Set it in the constructor: MiniVGGClassifier(epochs=5).",
        ),
        (
            FineTunedClassifier,
            {"epochs": 5},
            "Set it in the constructor: FineTunedClassifier(warmup_epochs=5, fine_tune_epochs=5).",
        ),
        (
            MiniVGGClassifier,
            {"validation_split": 0.2},
            "Set it in the constructor: MiniVGGClassifier(validation_fraction=0.2).",
        ),
        (
            MiniVGGClassifier,
            {"callbacks": [object()]},
            "Set it in the constructor: MiniVGGClassifier(keras_callbacks=...).",
        ),
        (
            MiniVGGClassifier,
            {"class_weight": {0: 1, 1: 2}},
            "Set it in the constructor: MiniVGGClassifier(class_weight=...).",
        ),
        (MiniVGGClassifier, {"verbose": 2}, "constructor: MiniVGGClassifier(verbose=2)."),
        (MiniVGGClassifier, {"batch_size": 8}, "constructor: MiniVGGClassifier(batch_size=8)."),
        (MiniVGGClassifier, {"eval_set": [(X, Y)]}, "fit(X, y, validation_data=(X_validation,"),
        (MiniVGGClassifier, {"nb_epoch": 5}, "constructor: MiniVGGClassifier(epochs=5)."),
        (
            FineTunedClassifier,
            {"num_epochs": 5},
            "FineTunedClassifier(warmup_epochs=5, fine_tune_epochs=5).",
        ),
        (MiniVGGClassifier, {"sample_weights": [1]}, "It is called sample_weight here."),
        (MiniVGGClassifier, {"shuffle": False}, "Leave it out: training images are shuffled"),
        (MiniVGGClassifier, {"steps_per_epoch": 10}, "Leave it out: an epoch is one pass"),
        (MiniVGGClassifier, {"initial_epoch": 3}, "MiniVGGClassifier(warm_start=True)"),
        (PretrainedFeatureTransformer, {"batch_size": 8}, "Transformer(batch_size=8)."),
        (ImageNetClassifier, {"verbose": 0}, "ImageNetClassifier(verbose=0)."),
        (ImageAugmenter, {"seed": 3}, "ImageAugmenter(random_state=3)."),
        (RandAugmenter, {"augment": True}, "'augment'."),
    ],
)
def test_arguments_of_fit_in_keras(cls, words, way_out):
    said = said_of_call(made(cls), "fit", **words)
    (word,) = words
    assert said.startswith(f"{cls.__name__}.fit() got an unexpected keyword argument {word!r}.")
    assert way_out in said


@pytest.mark.parametrize(
    ("cls", "method", "words", "way_out"),
    [
        (MiniVGGClassifier, "predict", {"verbose": 0}, "Set it by set_params(verbose=0)."),
        (MiniVGGClassifier, "predict", {"batch_size": 64}, "Leave it out: the size of these"),
        (MiniVGGClassifier, "predict", {"training": False}, "Leave it out: only fit trains."),
        (MiniVGGClassifier, "predict_proba", {"steps": 4}, "Leave it out: all of X"),
        (MiniVGGClassifier, "score", {"verbose": 0}, "Set it by set_params(verbose=0)."),
        (ImageNetClassifier, "predict", {"batch_size": 64}, "set_params(batch_size=64)"),
        (PretrainedFeatureTransformer, "transform", {"verbose": 1}, "set_params(verbose=1)"),
        (ImageNetClassifier, "predict_top", {"top": 3}, "It is called k here."),
    ],
)
def test_arguments_of_predict_in_keras(cls, method, words, way_out):
    assert way_out in said_of_call(made(cls), method, **words)


@pytest.mark.parametrize(
    ("cls", "words", "way_out"),
    [
        (MiniVGGClassifier, {"input_shape": (32, 32, 3)}, "It is called image_size here."),
        (MiniVGGClassifier, {"validation_split": 0.1}, "It is called validation_fraction here."),
        (MiniVGGClassifier, {"num_classes": 2}, "Leave it out: fit learns the classes"),
        (MiniVGGClassifier, {"dropout": 0.2}, "called conv_dropout and dense_dropout here."),
        (MiniVGGClassifier, {"loss": "mse"}, "Leave it out: classifiers minimise"),
        (FineTunedClassifier, {"epochs": 3}, "called warmup_epochs and fine_tune_epochs here."),
        (PretrainedFeatureTransformer, {"include_top": False}, "Leave it out:"),
        (ImageAugmenter, {"rescale": 1 / 255}, "Leave it out: networks scale"),
        (ImageAugmenter, {"validation_split": 0.1}, "keyword argument 'validation_split'."),
        (ImageNetClassifier, {"classes": 5}, "keyword argument 'classes'."),
    ],
)
def test_arguments_of_constructors_in_keras(cls, words, way_out):
    with pytest.raises(TypeError, match=rf"^{cls.__name__}.__init__\(\) got an unexp") as error:
        cls(**words)
    assert way_out in str(error.value)


@pytest.mark.parametrize(("cls", "method"), CALLS)
def test_errors_of_calls_name_the_users_own_class(cls, method):
    own = type("Own", (cls,), {})
    estimator = made(own)
    said = said_of_call(estimator, method, nonsense=1)
    assert said == f"Own.{method}() got an unexpected keyword argument 'nonsense'."
    with pytest.raises(TypeError, match=rf"^Own.{method}\(\): missing a required argument: 'X'"):
        getattr(estimator, method)()
    with pytest.raises(TypeError, match=rf"^Own.{method}\(\): too many positional arguments"):
        getattr(estimator, method)(*[None] * 9)


@pytest.mark.parametrize(("cls", "method"), CALLS)
def test_no_name_of_keras_hides_an_argument_of_ours(cls, method):
    estimator = made(cls)
    accepted = inspect.signature(getattr(estimator, method)).parameters
    for word in {each.name for each in WORDS} - set(accepted):
        assert len(said_of_call(estimator, method, **{word: 1})) < 300


# unchanged signatures


@pytest.mark.parametrize(("cls", "method"), CALLS)
def test_signatures_are_those_of_the_methods(cls, method):
    written = inspect.unwrap(getattr(cls, method))
    assert inspect.signature(getattr(cls, method)) == inspect.signature(written)
    kinds = [each.kind for each in inspect.signature(getattr(cls, method)).parameters.values()]
    assert inspect.Parameter.VAR_KEYWORD not in kinds
    assert getattr(cls, method).__doc__ == written.__doc__


def test_a_router_leaves_advice_to_its_estimator():
    advice = r"MiniVGGClassifier.fit\(\) .* Set it in the constructor: .*\(epochs=5\)"
    model = ConformalImageClassifier(MiniVGGClassifier(), 0.5, cv=2)
    with pytest.raises(TypeError, match=advice):
        model.fit(X, Y, epochs=5)


@pytest.mark.parametrize("cls", [each for each in ESTIMATORS.values() if each not in ROUTERS])
def test_metadata_is_routed_as_before(cls):
    estimator = made(cls)
    known = set(inspect.signature(inspect.unwrap(cls.fit)).parameters)
    routed = sorted(known & {"sample_weight", "groups", "validation_data"})
    assert has_fit_parameter(estimator, "sample_weight") is ("sample_weight" in routed)
    assert hasattr(estimator, "set_fit_request") is bool(routed)
    with sklearn.config_context(enable_metadata_routing=True):
        assert estimator.get_metadata_routing().fit.requests == dict.fromkeys(routed)
        for name in routed:
            asked = clone(made(cls).set_fit_request(**{name: True}))
            requests = asked.get_metadata_routing().fit.requests
            assert requests == {**dict.fromkeys(routed), name: True}


# attributes


@pytest.mark.parametrize(
    ("cls", "name", "way_out"),
    [
        (MiniVGGClassifier, "evaluate", "Use score(X, y)."),
        (MiniVGGClassifier, "compile", "Set optimizer"),
        (MiniVGGClassifier, "summary", "skvision.network_summary(estimator)"),
        (MiniVGGClassifier, "predict_classes", "Use predict(X)."),
        (MiniVGGClassifier, "history", "Use history_."),
        (MiniVGGClassifier, "layers", "Use model_.layers."),
        (MiniVGGClassifier, "weights", "Use model_.weights."),
        (MiniVGGClassifier, "to_json", "Use model_.to_json."),
        (MiniVGGClassifier, "class_names", "Use classes_."),
        (MiniVGGClassifier, "train_on_batch", "Use partial_fit(X, y, classes)."),
        (ImageNetClassifier, "summary", "skvision.network_summary(estimator)"),
        (ImageNetClassifier, "predict_classes", "Use predict(X)."),
        (PretrainedFeatureTransformer, "predict", "Use transform(X)."),
        (PretrainedFeatureTransformer, "save", "skvision.save(estimator"),
        (ImageAugmenter, "flow_from_directory", "skvision.load_image_folder"),
    ],
)
def test_attributes_of_models_in_keras(cls, name, way_out):
    estimator = made(cls)
    assert not hasattr(estimator, name)
    assert name not in dir(estimator)
    with pytest.raises(AttributeError) as error:
        getattr(estimator, name)
    assert str(error.value).startswith(f"'{cls.__name__}' object has no attribute '{name}'. ")
    assert way_out in str(error.value)


def test_advice_is_given_only_if_it_applies():
    for name in ("compile", "evaluate", "history", "layers", "train_on_batch"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'$"):
            getattr(ImageAugmenter(), name)
    with pytest.raises(AttributeError, match="no attribute 'history'$"):
        _ = ImageNetClassifier().history


@pytest.mark.parametrize("cls", ESTIMATORS.values(), ids=ESTIMATORS)
def test_no_name_of_keras_is_an_attribute_of_ours(cls):
    assert not {each.name for each in ATTRIBUTES if hasattr(cls, each.name)} - {"predict"}


def test_errors_of_properties_stay_unchanged():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        _ = MiniVGGClassifier().model_
    with pytest.raises(AttributeError, match="object has no attribute 'nonsense'"):
        _ = MiniVGGClassifier().nonsense


def test_copies_and_pickles_are_made_as_before(fitted, digits):
    for other in (copy.copy(fitted), copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(other.predict(digits[0][:16]), fitted.predict(digits[0][:16]))
    assert get_tags(fitted).estimator_type == "classifier"
