from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass

import keras
import numpy as np
import pytest

from skvision.networks import (
    PREDICT_BATCH,
    CompiledNetwork,
    MiniVGGArchitecture,
    NetworkPool,
    NetworkRecipe,
    optimizer_recipe,
)


def recipe(n_classes=2, **options):
    architecture = MiniVGGArchitecture((4, 4, 3), n_classes, (4,), 1, 3, (4,))
    return NetworkRecipe(architecture, optimizer_recipe("sgd", None, options)[0])


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (20, 4, 4, 3)).astype(np.uint8), rng.integers(0, 2, 20)


def fitted(network, data, seed=1, rate=0.1):
    network.reset(seed, rate)
    network.model.fit(*data, batch_size=8, shuffle=False, verbose=0)
    return network.get_weights()


def test_reset_makes_a_used_network_a_new_one(data):
    used = CompiledNetwork(recipe(momentum=0.9))
    fitted(used, data, seed=5, rate=0.5)
    again = fitted(used, data)
    fresh = fitted(CompiledNetwork(recipe(momentum=0.9)), data)
    for a, b in zip(again, fresh, strict=True):
        np.testing.assert_array_equal(a, b)
    assert float(np.asarray(used.model.optimizer.iterations)) == 3


def test_seed_controls_the_weights(data):
    network = CompiledNetwork(recipe())
    one, two = fitted(network, data, seed=1), fitted(network, data, seed=2)
    assert any(not np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_initial_weights_are_those_of_keras():
    network = CompiledNetwork(recipe())
    network.reset(0, 0.1)
    dense = network.model.get_layer("dense1")
    limit = np.sqrt(6 / (dense.kernel.shape[0] + dense.kernel.shape[1]))
    kernel = np.asarray(dense.kernel)
    assert 0.9 * limit < np.abs(kernel).max() <= limit
    assert (np.asarray(dense.bias) == 0).all()
    normalisation = network.model.get_layer("dense1_bn")
    assert (np.asarray(normalisation.gamma) == 1).all()
    assert (np.asarray(normalisation.moving_variance) == 1).all()


def test_a_state_holds_everything_that_the_next_step_depends_on(data):
    architecture = MiniVGGArchitecture((4, 4, 3), 2, (4,), 1, 3, (4,))
    with_dropout = NetworkRecipe(architecture, optimizer_recipe("adam", None, {})[0])
    network = CompiledNetwork(with_dropout)
    fitted(network, data, rate=0.01)
    state = network.get_state()
    network.model.fit(*data, batch_size=8, shuffle=False, verbose=0)
    expected = network.get_weights()
    other = CompiledNetwork(with_dropout)
    fitted(other, data, seed=9, rate=0.5)
    other.set_state(state)
    other.model.fit(*data, batch_size=8, shuffle=False, verbose=0)
    for a, b in zip(other.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(state.dropout) == 2
    for group in (state.weights, state.optimizer, state.dropout):
        assert group
        assert all(type(array) is np.ndarray for array in group)


def test_learning_rate_is_set_each_time(data):
    network = CompiledNetwork(recipe())
    fitted(network, data, rate=0.5)
    assert float(np.asarray(network.model.optimizer.learning_rate)) == pytest.approx(0.5)
    fitted(network, data, rate=0.25)
    assert float(np.asarray(network.model.optimizer.learning_rate)) == pytest.approx(0.25)


def test_one_compilation_for_many_fits_and_batch_sizes(data, monkeypatch):
    network = CompiledNetwork(recipe())
    traced = []
    original = type(network.model).train_step
    monkeypatch.setattr(
        type(network.model),
        "train_step",
        lambda self, batch: traced.append(1) or original(self, batch),
    )

    def fit(seed):
        network.reset(seed, 0.1)
        batches = ((data[0][i : i + 8], data[1][i : i + 8]) for i in (0, 8, 16))
        network.model.fit(batches, steps_per_epoch=3, verbose=0, shuffle=False)
        return len(traced)

    assert fit(seed=0) == fit(seed=1) == fit(seed=2) == 1


@pytest.mark.parametrize("rows", [1, 3, PREDICT_BATCH])
def test_the_outputs_of_an_image_do_not_depend_on_its_batch(data, rows):
    network = CompiledNetwork(recipe())
    network.reset(0, 0.1)
    X = data[0][:PREDICT_BATCH]
    together = network.predict(X)
    np.testing.assert_array_equal(network.predict(X[:rows]), together[:rows])
    np.testing.assert_array_equal(network.predict(X[::-1])[::-1], together)


def test_pool_lends_the_same_network_again():
    pool = NetworkPool()
    with pool.borrow(recipe()) as one:
        pass
    with pool.borrow(recipe()) as two, pool.borrow(recipe()) as three:
        assert two is one
        assert three is not one
    assert len(pool) == 2
    with pool.borrow(recipe(n_classes=3)) as other:
        assert other is not one


def test_pool_is_bounded_and_drops_the_least_recently_used():
    pool = NetworkPool(max_idle=2)
    networks = []
    for n_classes in (2, 3, 4):
        with pool.borrow(recipe(n_classes)) as network:
            networks.append(network)
    assert len(pool) == 2
    with pool.borrow(recipe(4)) as network:
        assert network is networks[2]
    with pool.borrow(recipe(2)) as network:
        assert network is not networks[0]
    pool.clear()
    assert len(pool) == 0


def test_waiting_networks_are_bounded_by_size_too():
    one = CompiledNetwork(recipe(2)).n_bytes
    assert one == 4 * CompiledNetwork(recipe(2)).model.count_params()
    pool = NetworkPool(max_bytes=int(2.5 * one))
    for n_classes in (2, 3, 4):
        with pool.borrow(recipe(n_classes)):
            pass
    assert len(pool) == 2
    # one network stays, whatever its size
    pool = NetworkPool(max_bytes=1)
    with pool.borrow(recipe(2)) as first:
        pass
    with pool.borrow(recipe(2)) as second:
        assert second is first


def test_after_an_error_the_network_returns_to_the_pool():
    pool = NetworkPool()
    with pytest.raises(KeyboardInterrupt), pool.borrow(recipe()):
        raise KeyboardInterrupt
    assert len(pool) == 1


def test_two_threads_never_share_a_network():
    pool = NetworkPool()
    both_inside = threading.Barrier(2, timeout=60)
    seen = []

    def use():
        with pool.borrow(recipe()) as network:
            both_inside.wait()
            seen.append(network)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(network) for network in seen}) == 2


def test_a_network_that_only_predicts_is_not_compiled(data):
    network = CompiledNetwork(recipe())
    network.predict(data[0][:2])
    assert not network.model.compiled


def test_normalisations_compute_with_the_weights_that_were_set():
    @dataclass(frozen=True)
    class Normalised:
        def build(self):
            inputs = keras.Input((1, 1, 1))
            x = keras.layers.Flatten()(keras.layers.Normalization()(inputs))
            return keras.Model(inputs, x)

    optimizer, _ = optimizer_recipe("sgd", 0.1, {})
    network = CompiledNetwork(NetworkRecipe(Normalised(), optimizer))
    three = np.full((1, 1, 1, 1), 3.0, np.float32)
    assert network.predict(three) == pytest.approx(3)
    network.set_weights([np.array([1.0]), np.array([4.0]), np.array(0)])
    assert network.predict(three) == pytest.approx(1)


def test_dropped_networks_are_freed_immediately():
    pool = NetworkPool(max_idle=1)
    with pool.borrow(recipe(2)) as network:
        dropped = weakref.ref(network.model)
    del network
    with pool.borrow(recipe(3)):
        pass
    assert dropped() is None
