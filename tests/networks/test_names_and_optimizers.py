from __future__ import annotations

import keras
import numpy as np
import pytest

from skvision._sklearn.matching import match_name
from skvision.networks import ACTIVATIONS, OPTIMIZERS, optimizer_recipe


@pytest.mark.parametrize(
    ("given", "known", "expected"),
    [
        ("relu", ACTIVATIONS, "relu"),
        ("ReLU", ACTIVATIONS, "relu"),
        ("LeakyReLU", ACTIVATIONS, "leaky_relu"),
        ("leaky_relu", ACTIVATIONS, "leaky_relu"),
        ("Tanh", ACTIVATIONS, "tanh"),
        ("Sigmoid", ACTIVATIONS, "sigmoid"),
        ("RMSprop", OPTIMIZERS, "RMSprop"),
        ("rmsprop", OPTIMIZERS, "RMSprop"),
        ("ADAM", OPTIMIZERS, "Adam"),
        ("sgd", OPTIMIZERS, "SGD"),
    ],
)
def test_names_match_in_upper_and_lower_case(given, known, expected):
    assert match_name(given, known, "thing") == expected


@pytest.mark.parametrize("given", ["rleu", "", None, 3])
def test_errors_of_unknown_names_list_the_accepted_ones(given):
    with pytest.raises(ValueError, match=r"Unknown activation.*leaky_relu.*tanh"):
        match_name(given, ACTIVATIONS, "activation")


def test_a_similar_name_is_suggested():
    with pytest.raises(ValueError, match="Did you mean 'Adam'"):
        match_name("adaam", OPTIMIZERS, "optimizer")


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_is_rebuilt_from_its_recipe(name):
    recipe, rate = optimizer_recipe(name, None, {})
    built = recipe.build()
    assert type(built) is OPTIMIZERS[name]
    assert rate == pytest.approx(float(np.asarray(OPTIMIZERS[name]().learning_rate)))


def test_defaults_are_the_optimizers_own():
    assert optimizer_recipe("sgd", None, {})[1] == pytest.approx(0.01)
    assert optimizer_recipe("adam", None, {})[1] == pytest.approx(0.001)


def test_recipes_differ_in_options_and_not_in_the_learning_rate():
    plain, rate = optimizer_recipe("sgd", 0.1, {})
    assert rate == 0.1
    assert plain == optimizer_recipe(keras.optimizers.SGD(0.7), None, {})[0]
    assert hash(plain) == hash(optimizer_recipe("SGD", 0.3, {})[0])
    momentum, _ = optimizer_recipe("sgd", 0.1, {"momentum": 0.9})
    assert momentum != plain
    assert momentum.build().momentum == 0.9


def test_classes_and_instances_are_accepted():
    from_class, _ = optimizer_recipe(keras.optimizers.Adam, None, {"beta_1": 0.5})
    from_instance, rate = optimizer_recipe(keras.optimizers.Adam(0.5, beta_1=0.5), None, {})
    assert from_class == from_instance
    assert rate == 0.5


def test_a_schedule_in_the_optimizer_is_kept():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    recipe, rate = optimizer_recipe(keras.optimizers.SGD(schedule), None, {})
    assert rate is None
    assert isinstance(recipe.build()._learning_rate, keras.optimizers.schedules.ExponentialDecay)


def test_the_error_of_an_unknown_option_lists_the_accepted_ones():
    with pytest.raises(ValueError, match=r"SGD has no option 'beta_1'.*momentum"):
        optimizer_recipe("sgd", None, {"beta_1": 0.9})
