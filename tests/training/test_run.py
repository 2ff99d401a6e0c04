"""A training without an estimator, from its description to its result."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from skvision.images import as_image_batch
from skvision.networks import MiniVGGArchitecture, NetworkRecipe, optimizer_recipe
from skvision.training import (
    CheckpointFolder,
    Listeners,
    Phase,
    Plan,
    Seeds,
    TrainingData,
    TrainingResult,
    TrainingSpec,
    losses_at_rates,
    matched_phase,
    phases_due,
    run,
)

OPTIMIZER, RATE = optimizer_recipe("adam", 0.01, {})
ARCHITECTURE = MiniVGGArchitecture(
    (8, 8, 3), 3, filters=(4,), convs_per_block=(1,), dense_units=(8,), dense_dropout=0.0
)
RECIPE = NetworkRecipe(ARCHITECTURE, OPTIMIZER)


@pytest.fixture(scope="module")
def data(digits):
    X, y = digits[0][:60], digits[1][:60]
    classes, targets = np.unique(y, return_inverse=True)
    return TrainingData(as_image_batch(X), targets, np.ones(60), classes)


def spec_of(epochs=2, **options):
    return TrainingSpec((Phase(RECIPE, Plan(epochs, RATE)),), RECIPE, Seeds.draw(0), **options)


@pytest.fixture(scope="module")
def result(data):
    return run(spec_of(), data)


def test_a_result_has_everything_that_an_estimator_stores(result):
    assert result.n_epochs == len(result.history["loss"]) == 2
    assert result.recipe == RECIPE
    assert len(result.weights) == len(ARCHITECTURE.build().weights)
    assert (result.interrupted, result.state) == (False, None)


def test_the_same_spec_makes_the_same_result(result, data):
    again = run(spec_of(), data)
    assert again.history == result.history
    assert all(map(np.array_equal, again.weights, result.weights))


def test_descriptions_do_not_change(data):
    for value, name in ((spec_of(), "batch_size"), (data, "weights"), (Listeners(), "verbose")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, None)


def test_two_single_epochs_equal_two_epochs(result, data):
    once = run(spec_of(1, keep_state=True), data)
    assert once.state is not None
    twice = run(spec_of(1, keep_state=True), data, before=once)
    assert twice.history == result.history
    assert all(map(np.array_equal, twice.weights, result.weights))


def test_images_of_weight_zero_are_left_out(data, result):
    more = TrainingData(
        as_image_batch(np.concatenate([data.images.item(0)[None]] * 5)),
        np.zeros(5, int),
        np.zeros(5),
        data.classes,
    )
    weights = np.concatenate([data.weights, more.weights])
    images = np.stack([data.images.item(i) for i in range(60)] + [more.images.item(0)] * 5)
    both = TrainingData(
        as_image_batch(images), np.concatenate([data.targets, more.targets]), weights, data.classes
    )
    assert run(spec_of(), both).history["loss"] == pytest.approx(result.history["loss"], rel=1e-5)


def test_listeners_get_results_of_each_epoch(data):
    told = []

    class Task:
        def subtask(self, name, n_subtasks=0):
            return self

        def end(self, as_fitted=None):
            told.append(as_fitted())
            return len(told) == 2

    spec = spec_of(5)
    result = run(spec, data, listeners=Listeners(task=Task(), as_fitted=lambda so_far: so_far))
    assert [each.n_epochs for each in told] == [1, 2] == [1, result.n_epochs]
    assert all(isinstance(each, TrainingResult) for each in told)
    assert all(map(np.array_equal, told[-1].weights, result.weights))


def test_checkpoints_resume_and_know_their_seeds(data, result, tmp_path):
    folder = CheckpointFolder(tmp_path, None, {"epochs": 1, "random_state": None}, ("",))
    assert folder.seeds is None
    run(spec_of(1, checkpoints=folder), data)
    assert folder.seeds == Seeds.draw(0)
    resumed = run(spec_of(checkpoints=folder), data)
    assert resumed.history == result.history
    with pytest.raises(ValueError, match="holds 2 epochs of this training, more than epochs=1"):
        run(spec_of(1, checkpoints=folder), data)


def test_a_damaged_checkpoint_has_no_seeds(tmp_path):
    (tmp_path / "epoch-000001.npz").write_bytes(b"PK no archive")
    assert CheckpointFolder(tmp_path, None, {}, ("",)).seeds is None


def test_losses_at_rates_end_when_the_loss_explodes(data):
    rates = np.geomspace(1e-4, 1e3, 30)
    losses = losses_at_rates(spec_of(), data, rates)
    assert 1 < len(losses) < 30
    assert np.isfinite(losses).all()


def test_the_phases_due():
    phases = [Phase(RECIPE, Plan(epochs, RATE), name) for epochs, name in ((2, "a"), (3, "b"))]
    assert phases_due(phases, 0, continued=False, partial=False) == tuple(phases)
    assert phases_due(phases, 9, continued=True, partial=False) == (phases[1],)
    for done, name in ((0, "a"), (1, "a"), (2, "b"), (9, "b")):
        (due,) = phases_due(phases, done, continued=True, partial=True)
        assert (due.name, due.plan.epochs) == (name, 1)


def test_phases_are_matched_by_name():
    assert matched_phase(None, ("",), "MiniVGGClassifier") == ""
    assert matched_phase("b", ("a", "b"), "Two") == "b"
    for phase, names, text in (
        ("a", ("",), "One trains in one phase: phase must be None. Received: 'a'"),
        (None, ("a", "b"), "One trains in phases; phase must be one of 'a', 'b'. Received: None"),
    ):
        with pytest.raises(ValueError, match=text):
            matched_phase(phase, names, "One")
