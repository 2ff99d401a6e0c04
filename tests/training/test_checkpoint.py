from __future__ import annotations

import errno
import json
import os
import resource
import warnings
from dataclasses import replace
from unittest.mock import Mock

import keras
import numpy as np
import pytest

from skvision.exceptions import CheckpointWarning
from skvision.networks import NetworkState
from skvision.training import Checkpoints, Seeds, TrainingState
from skvision.training.checkpoint_setup import described

SETUP = {"filters": (8, 16), "optimizer": "sgd"}


def state(epochs):
    rng = np.random.default_rng(epochs)
    numbers = [rng.normal(size=(2, 3)).astype(np.float32), np.array(7, np.int64)]
    return TrainingState(
        Seeds.draw(epochs),
        {"loss": [float(e) for e in range(epochs)]},
        NetworkState(numbers, numbers[:1], [np.array([3, 4], np.uint32)]),
        numbers[:1] if epochs % 2 else [],
    )


def assert_same(one, two):
    assert (one.seeds, one.history) == (two.seeds, two.history)
    for group in ("weights", "optimizer", "dropout"):
        pairs = zip(getattr(one.network, group), getattr(two.network, group), strict=True)
        for a, b in pairs:
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
    assert len(one.best_weights) == len(two.best_weights)


@pytest.mark.parametrize("epochs", [1, 2, 1_000_000])
def test_a_state_is_restored_completely(tmp_path, epochs):
    kept = state(min(epochs, 12))
    Checkpoints(tmp_path, SETUP).save(kept)
    assert_same(Checkpoints(tmp_path, SETUP).load(), kept)


def test_a_folder_may_hold_no_checkpoint(tmp_path):
    assert Checkpoints(tmp_path / "new" / "folder", SETUP).load() is None


def test_the_last_two_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path, SETUP)
    for epochs in (1, 2, 3, 10, 11):
        checkpoints.save(state(epochs))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch-000010.npz", "epoch-000011.npz"]
    assert checkpoints.load().epochs == 11


@pytest.mark.parametrize("damage", ["empty", "truncated", "flipped", "text"])
def test_a_damaged_checkpoint_is_ignored(tmp_path, damage):
    checkpoints = Checkpoints(tmp_path, SETUP)
    checkpoints.save(state(1))
    checkpoints.save(state(2))
    newest = tmp_path / "epoch-000002.npz"
    content = bytearray(newest.read_bytes())
    content[content.index("history".encode("utf-32-le"))] ^= 1
    newest.write_bytes(
        {"empty": b"", "truncated": content[:300], "flipped": content, "text": b"hello"}[damage]
    )
    with pytest.warns(CheckpointWarning, match="000002.npz can't be read"):
        assert_same(checkpoints.load(), state(1))


def test_another_setup_is_refused_and_named(tmp_path):
    Checkpoints(tmp_path, {**SETUP, "gone": 1}).save(state(1))
    other = Checkpoints(tmp_path, {**SETUP, "filters": (8, 32)})
    with pytest.raises(
        ValueError, match=r"filters was \[8, 16\] and is \[8, 32\]; gone was 1 and is None"
    ):
        other.load()


def test_checkpoints_that_cannot_be_written_give_one_warning(tmp_path):
    folder = tmp_path / "checkpoints"
    checkpoints = Checkpoints(folder, SETUP)
    folder.rmdir()
    with pytest.warns(CheckpointWarning, match="can't be written after epoch 1.*continues"):
        checkpoints.save(state(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checkpoints.save(state(2))


def test_a_full_disk_gives_a_warning_and_keeps_earlier_checkpoints(tmp_path):
    checkpoints = Checkpoints(tmp_path, SETUP)
    checkpoints.save(state(1))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        with pytest.warns(CheckpointWarning, match="File too large.*continues"):
            checkpoints.save(state(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert_same(checkpoints.load(), state(1))
    # and once there is room again, it is used
    checkpoints.save(state(3))
    assert checkpoints.load().epochs == 3


def test_a_state_within_an_epoch_is_restored_completely_and_is_the_newest(tmp_path):
    checkpoints = Checkpoints(tmp_path, SETUP, every=5)
    whole = state(3)
    within = replace(
        whole,
        steps=5,
        metrics={"loss/total": np.array(0.5, np.float32)},
        last_weights=whole.network.weights,
    )
    for each in (whole, within):
        checkpoints.save(each)
    read = checkpoints.load()
    assert_same(read, within)
    assert (read.steps, read.metrics, len(read.last_weights)) == (5, {"loss/total": 0.5}, 2)
    checkpoints.save(state(4))
    assert checkpoints.load().steps == 0


def test_a_file_instead_of_a_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="is a file"):
        Checkpoints(tmp_path / "file", SETUP)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_place_that_cannot_be_written_is_named(tmp_path, monkeypatch, code):
    folder = tmp_path / "kept" / "phase"

    def refuse(self, *_, **__):
        raise OSError(code, os.strerror(code), str(self))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    said = (
        f"^checkpoint_dir='{folder}' can't be written: {os.strerror(code)}. Pass a folder that can"
    )
    with pytest.raises(type(OSError(code, "")), match=said):
        Checkpoints(folder, {})


def test_a_folder_that_is_read_only_is_refused_before_the_training(tmp_path, monkeypatch):
    Checkpoints(tmp_path, SETUP).save(state(1))

    def refuse(dir):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert Checkpoints(tmp_path, SETUP).load().epochs == 1  # a complete training is read
    (tmp_path / "new").mkdir()
    with pytest.raises(OSError, match="new' can't be written: Read-only file system. Pass a"):
        Checkpoints(tmp_path / "new", SETUP)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_the_warning_of_a_disk_that_fails_has_advice(tmp_path, monkeypatch, code):
    checkpoints = Checkpoints(tmp_path, SETUP)
    checkpoints.save(state(1))
    monkeypatch.setattr(np, "savez", Mock(side_effect=OSError(code, os.strerror(code))))
    with pytest.warns(CheckpointWarning) as caught:
        checkpoints.save(state(2))
    said = str(caught[0].message)
    assert f"after epoch 2: {os.strerror(code)} ({tmp_path}). Training continues" in said
    assert "Free some space" in said
    assert_same(checkpoints.load(), state(1))


def test_values_are_described_equally_in_every_process():
    value = {
        "b": np.float32(0.5),
        "a": (1, None, [True]),
        "layer": keras.layers.RandomFlip("horizontal", seed=1),
        "function": json.dumps,
        "lambda": lambda x: x,
    }
    described_value = described(value)
    assert json.loads(json.dumps(described_value)) == described_value
    assert described_value["a"] == [1, None, [True]]
    assert described_value["layer"]["mode"] == "horizontal"
    assert described_value["function"].startswith("json.dumps ")
    assert described(json.loads) != described(json.dumps)
    assert " at 0x" not in json.dumps(described_value)
