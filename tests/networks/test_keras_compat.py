"""Undocumented parts of Keras that skvision uses: a test fails if a new Keras changes one."""

from __future__ import annotations

import logging
import random
import threading
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from skvision.networks.keras_compat import (
    FUNCTIONAL_MODULE,
    OPERATION_MODULES,
    download_address,
    for_any_backend,
    forget_traces,
    missing_weights_raise,
    retracing_hidden,
    rewired,
    run_ahead,
    running_figures,
    set_running_figures,
    variable_index,
)
from skvision.networks.layers import random_states, seed_named, settle
from skvision.networks.optimizers import optimizer_class

SOURCE = Path(keras.__file__).parent / "src"
X, Y = np.ones((4, 3), np.float32), np.zeros(4)


@pytest.fixture
def network():
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(3, name="hidden")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, "softmax", name="out")(hidden))


@pytest.fixture
def compiled(network):
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    network.compile("sgd", "sparse_categorical_crossentropy", metrics=[accuracy])
    return network


def test_a_graph_runs_on_other_tensors(network):
    assert isinstance(network, keras.Function), "a functional model is a keras.Function no more"
    assert hasattr(network, "_run_through_graph"), "rewired relies on a missing method"
    seen = []

    def replacement(operation):
        seen.append(operation.name)
        return keras.layers.Identity() if operation.name == "hidden" else operation

    other = keras.Input((3,))
    shortened = keras.Model(other, rewired(network, other, replacement))
    assert seen == ["hidden", "out"], "each operation was asked for once, from first to last"
    assert [layer.name for layer in shortened.layers][-1] == "out"
    np.testing.assert_allclose(shortened(X), network.get_layer("out")(X))


@pytest.mark.parametrize("call", ["predict_on_batch", "train_on_batch"])
def test_a_network_is_traced_again_once_its_traces_are_forgotten(call):
    traced = []

    class Note(keras.layers.Layer):
        def call(self, x):
            traced.append(x)
            return x

    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), Note()])
    network.compile("sgd", "mse")
    data = (X,) if call == "predict_on_batch" else (X, Y[:, None])

    def n_traces():
        traced.clear()
        getattr(network, call)(*data)
        return len(traced)

    assert n_traces() > 0
    assert n_traces() == 0
    forget_traces(network)
    assert n_traces() > 0, "train_function and predict_function are not what Keras calls any more"


def test_jax_can_put_its_state_into_the_network():
    source = (SOURCE / "backend" / "jax" / "trainer.py").read_text()
    assert "def jax_state_sync(self)" in source, "synchronise has nothing to lean on with JAX"


def test_metrics_continue_from_figures(compiled):
    compiled.train_on_batch(X, Y)
    figures, said = running_figures(compiled), compiled.get_metrics_result()
    assert sorted(figures) == ["accuracy/count", "accuracy/total", "loss/count", "loss/total"]
    compiled.reset_metrics()
    assert not any(running_figures(compiled).values())
    set_running_figures(compiled, figures)
    assert compiled.get_metrics_result() == said
    assert figures["loss/count"] == 4, "a copy was changed"


@pytest.mark.parametrize(
    ("change", "received"),
    [
        (lambda figures: figures.pop("accuracy/total"), "loss/count, accuracy/count$"),
        (lambda figures: figures.update(more=np.zeros(())), "accuracy/count, more$"),
        (lambda figures: figures.update({"loss/total": np.zeros(2)}), r"loss/total \(2,\), "),
        (lambda figures: figures.clear(), "Received: -$"),
    ],
)
def test_figures_of_other_metrics_are_refused(compiled, change, received):
    compiled.train_on_batch(X, Y)
    figures = running_figures(compiled)
    change(figures)
    before = running_figures(compiled)
    with pytest.raises(ValueError, match=f"variables loss/total, loss/count, .*{received}"):
        set_running_figures(compiled, figures)
    assert running_figures(compiled) == before


def test_an_optimiser_knows_the_place_of_a_variable():
    one, two = keras.Variable([0.0]), keras.Variable([0.0])
    places = []

    class Note(keras.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            places.append(variable_index(self, variable))
            super().update_step(gradient, variable, learning_rate)

    optimizer = Note(0.5)
    optimizer.apply([keras.ops.ones(1), keras.ops.ones(1)], [one, two])
    assert places == [0, 1], "update_step is not called for each variable in turn"


def test_an_optimiser_of_keras_is_known_by_its_public_class():
    assert optimizer_class(keras.optimizers.Adam()) is keras.optimizers.Adam
    assert keras.optimizers.Adam.__module__.startswith("keras.")

    class Own(keras.optimizers.SGD):
        pass

    assert optimizer_class(Own()) is Own


@pytest.mark.parametrize("allowed", [True, False])
def test_keras_waits_for_a_callback_unless_allowed_to_run_ahead(monkeypatch, allowed):
    # with TensorFlow, Keras always waits
    monkeypatch.setattr("keras.src.callbacks.callback_list.backend.IS_THREAD_SAFE", True)
    in_this_thread = []

    class Note(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            in_this_thread.append(threading.current_thread() is threading.main_thread())

    note = Note()
    run_ahead(note, allowed)
    callbacks = keras.callbacks.CallbackList([note])
    callbacks.on_train_begin()
    callbacks.on_train_batch_end(0)
    callbacks.on_train_end()
    assert in_this_thread == [not allowed], "async_safe decides nothing any more"


def test_configurations_name_the_modules_that_are_known(network):
    assert keras.saving.serialize_keras_object(network)["module"] == FUNCTIONAL_MODULE
    image = keras.Input((4, 4, 3))
    flipped = keras.saving.serialize_keras_object(keras.Model(image, keras.ops.flip(image)))
    modules = {layer["class_name"]: layer["module"] for layer in flipped["config"]["layers"]}
    assert modules["Flip"].startswith(OPERATION_MODULES)


def test_pytorchs_optimisers_are_where_a_configuration_says():
    assert (SOURCE / "backend" / "torch" / "optimizers" / "torch_sgd.py").is_file()
    config = keras.saving.serialize_keras_object(keras.optimizers.SGD(0.5))
    elsewhere = {**config, "module": "keras.src.backend.torch.optimizers.torch_sgd"}
    found = keras.saving.deserialize_keras_object(for_any_backend({"of": [elsewhere]})["of"][0])
    assert optimizer_class(found) is keras.optimizers.SGD


class Holder(keras.layers.Layer):
    """A layer whose weights are two lists deep."""

    def __init__(self, **options):
        super().__init__(**options)
        self.parts = [[keras.layers.Dense(2)]]

    def build(self, shape):
        self.parts[0][0].build(shape)

    def call(self, x):
        return self.parts[0][0](x)


def test_missing_weights_in_a_file_raise_an_error(tmp_path):
    network = keras.Sequential([keras.Input((3,)), Holder(name="holder")])
    path = tmp_path / "some.weights.h5"
    network.save_weights(path)
    with missing_weights_raise():
        network.load_weights(path)
    with h5py.File(path, "r+") as file:
        del file["layers/holder/parts"]
    with (
        missing_weights_raise(),
        pytest.raises(UserWarning, match="freshly-initialized"),
    ):
        network.load_weights(path)


def test_a_failed_download_names_its_address(tmp_path):
    address = "http://127.0.0.1:9/some.h5"  # no server listens there
    with pytest.raises(Exception, match="URL fetch failure") as failure:
        keras.utils.get_file("some.h5", address, cache_dir=tmp_path)
    assert download_address(failure.value) == address
    assert download_address(ValueError("no such layer")) is None


def test_a_layer_draws_the_same_from_the_same_states():
    layer = keras.layers.Dropout(0.5, seed=seed_named("here"))
    x = np.ones((1, 64), np.float32)
    layer(x)
    (state,) = random_states(layer)
    before = keras.ops.convert_to_numpy(state)
    first = np.array(layer(x, training=True))
    second = np.array(layer(x, training=True))
    assert not np.array_equal(first, second)
    state.assign(before)
    np.testing.assert_array_equal(layer(x, training=True), first)


def test_only_streams_of_random_numbers_are_state_without_weight(network):
    mixed = keras.layers.RandAugment(num_ops=2)
    assert random_states(mixed)
    assert {state.name for state in random_states(mixed)} == {"seed_generator_state"}
    assert random_states(network) == []
    assert random_states(keras.layers.Normalization()) == []


def test_a_layer_without_it_may_be_told_that_it_is_trained():
    np.testing.assert_array_equal(keras.layers.Rescaling(2.0)(X, training=True), 2 * X)


def test_keras_draws_seeds_by_pythons_own_generator():
    before = random.getstate()
    keras.layers.Dropout(0.5)
    assert random.getstate() != before, "python_random_kept is of no use any more"
    random.setstate(before)


def test_normalisation_uses_old_weights_until_settle_is_called():
    layer = keras.layers.Normalization()
    network = keras.Sequential([keras.Input((1,)), layer])
    network.set_weights([np.array([1.0]), np.array([4.0]), np.array(0)])
    x = np.array([[3.0]], np.float32)
    assert layer.input_mean is None
    assert settle(network)
    assert float(network(x)[0, 0]) == 1


def test_the_retracing_warning_of_tensorflow_can_be_hidden(caplog):
    tf = pytest.importorskip("tensorflow")

    def traced_often():
        for _ in range(8):
            tf.function(lambda x: x + 1)(1)  # one code, traced each time

    with retracing_hidden(), caplog.at_level("WARNING", "tensorflow"):
        traced_often()
    assert not caplog.records
    assert not logging.getLogger("tensorflow").filters
    with caplog.at_level("WARNING", "tensorflow"):
        for _ in range(8):
            tf.function(lambda x: x + 2)(1)
    said = [record.getMessage() for record in caplog.records]
    assert any("triggered tf.function retracing" in text for text in said), "the text has changed"
