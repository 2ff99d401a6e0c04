"""MixUp and CutMix, with labels and weights."""

from __future__ import annotations

import numpy as np
import pytest

from skvision import ImageAugmenter, MiniVGGClassifier
from skvision.augmentation import Mixing
from skvision.augmentation.mixing import blended, mixed_targets, patched
from skvision.images import ImageReader, as_image_batch
from skvision.training import BatchStream

from ..conftest import TINY

SWAP = np.array([1, 0])


def test_blended_images():
    images = np.array([[[[0, 10]]], [[[255, 20]]]], np.uint8)
    assert blended(images, SWAP, 0.75)[:, 0, 0].tolist() == [[64, 12], [191, 18]]
    floats = blended(images.astype(np.float32), SWAP, 0.75)
    assert floats.dtype == np.float32
    assert floats[:, 0, 0].tolist() == [[63.75, 12.5], [191.25, 17.5]]


def test_patched_images():
    images = np.arange(2, dtype=np.uint8).repeat(8).reshape(2, 2, 4, 1)
    mixed, share = patched(images, SWAP, (0, 1, 1, 4))
    assert mixed[0, ..., 0].tolist() == [[0, 1, 1, 1], [0, 0, 0, 0]]
    assert mixed[1, ..., 0].tolist() == [[1, 0, 0, 0], [1, 1, 1, 1]]
    assert share == 1 - 3 / 8
    assert images[0].max() == 0


def test_targets_follow_images_and_weights():
    targets = np.eye(3, dtype=np.float32)[[0, 2]]
    mixed, weights = mixed_targets(targets, np.ones(2, np.float32), SWAP, 0.75)
    assert mixed.tolist() == [[0.75, 0, 0.25], [0.25, 0, 0.75]]
    assert weights.tolist() == [1, 1]
    mixed, weights = mixed_targets(targets, np.array([1, 3], np.float32), SWAP, 0.5)
    # the loss of half of a sample of weight 1 and half of one of weight 3
    np.testing.assert_allclose(mixed * weights[:, None], [[0.5, 0, 1.5], [0.5, 0, 1.5]])
    assert mixed.dtype == weights.dtype == np.float32


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_shares_in_the_image_are_those_in_the_label(kind):
    # each image has only the colour of its class, so its mean is the share of class 1
    images = np.array([0, 1], np.float32).repeat(400).reshape(2, 20, 20, 1)
    targets, weights = np.eye(2, dtype=np.float32), np.ones(2, np.float32)
    mixing = Mixing(**{kind: 1.0})
    shares = []
    for seed in range(60):
        mixed, labels, _ = mixing.apply(images, targets, weights, np.random.default_rng(seed))
        np.testing.assert_allclose(mixed.mean(axis=(1, 2, 3)), labels[:, 1], atol=1e-6)
        shares.append(labels[0, 0])
    assert np.std(shares) > 0.15
    assert min(shares) < 0.5 < max(shares)


def test_both_take_turns_and_probability():
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    targets, weights = np.eye(2, dtype=np.float32), np.ones(2, np.float32)

    def kinds(mixing):
        found = []
        for seed in range(200):
            mixed, _, _ = mixing.apply(images, targets, weights, np.random.default_rng(seed))
            if np.array_equal(mixed, images):
                found.append("none")
            else:
                own = (mixed == images) | (mixed == images[::-1])
                found.append("cutmix" if own.all() else "mixup")
        return {kind: found.count(kind) for kind in ("none", "mixup", "cutmix")}

    both = kinds(Mixing(mixup=1.0, cutmix=1.0))
    assert both["mixup"] > 30
    assert both["cutmix"] > 20
    assert kinds(Mixing(mixup=1.0, probability=0.0))["none"] == 200
    half = kinds(Mixing(mixup=1.0, probability=0.5))
    assert 120 < half["none"] < 180  # and half of the others are their own partners
    assert kinds(Mixing(cutmix=1.0))["mixup"] == 0


def stream(**how):
    X = np.arange(12, dtype=np.uint8).repeat(16).reshape(12, 4, 4) * 20
    reader = ImageReader(as_image_batch(X), (4, 4), "stretch")
    targets = np.arange(12) % 3
    return BatchStream(
        reader, np.arange(12), targets, np.ones(12, np.float32), batch_size=6, **how
    )  # fmt: skip


def test_stream_gives_shares_of_classes_in_every_batch():
    mixed = stream(order_seed=0, n_classes=3, mixing=Mixing(mixup=1.0, probability=0.5))
    plain = stream(order_seed=None, n_classes=3)
    for images, targets, weights in [*mixed.batches(range(4)), *plain.batches(range(1))]:
        # one signature, mixed or not
        assert (images.dtype, targets.dtype, weights.dtype) == (np.uint8, np.float32, np.float32)
        assert targets.shape == (6, 3)
        np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    labels = np.concatenate([targets for _, targets, _ in plain.batches(range(1))])
    np.testing.assert_array_equal(labels, np.eye(3)[np.arange(12) % 3])


def test_mixing_repeats_with_epoch_and_seed():
    def drawn(seed, epochs):
        how = {"order_seed": 0, "augment_seed": seed, "n_classes": 3, "mixing": Mixing(cutmix=1.0)}
        return [images.tobytes() for images, _, _ in stream(**how).batches(epochs)]

    both = drawn(0, range(2))
    assert drawn(0, range(1, 2)) == both[2:]
    assert drawn(1, range(2)) != both


@pytest.mark.slow
@pytest.mark.parametrize("mixing", [{"mixup": 0.4}, {"cutmix": 1.0, "mix_probability": 0.5}])
def test_training_with_mixed_images(digits, mixing):
    X, y = digits[0][:150], digits[1][:150]
    how = {**TINY, "epochs": 8, "validation_fraction": 0.2, "label_smoothing": 0.1, **mixing}
    net = MiniVGGClassifier(**how, augmentation=ImageAugmenter(rotation_range=5)).fit(X, y)
    assert net.score(digits[0][150:], digits[1][150:]) > 0.8
    assert set(net.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    again = MiniVGGClassifier(**how, augmentation=ImageAugmenter(rotation_range=5)).fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), again.predict_proba(X))
    weighted = MiniVGGClassifier(**how).fit(X, y, sample_weight=np.where(y == "one", 9, 0.1))
    assert (weighted.predict(X) == "one").mean() > (y == "one").mean()


def test_unmixed_soft_targets_train_as_class_indices_do(digits):
    X, y = digits[0][:60], digits[1][:60]
    how = {**TINY, "label_smoothing": 0.1}
    hard = MiniVGGClassifier(**how).fit(X, y)
    soft = MiniVGGClassifier(**how, mixup=1.0, mix_probability=0.0).fit(X, y)
    np.testing.assert_allclose(hard.predict_proba(X), soft.predict_proba(X), atol=1e-3)
    np.testing.assert_allclose(hard.history_["loss"], soft.history_["loss"], rtol=1e-3)


def test_resumed_training_is_mixed_as_it_would_have_been(digits, tmp_path):
    small = digits[0][:60], digits[1][:60]
    how = {**TINY, "mixup": 0.3, "cutmix": 1.0}
    whole = MiniVGGClassifier(**{**how, "epochs": 3}).fit(*small)
    MiniVGGClassifier(**{**how, "epochs": 1}, checkpoint_dir=tmp_path).fit(*small)
    resumed = MiniVGGClassifier(**{**how, "epochs": 3}, checkpoint_dir=tmp_path).fit(*small)
    np.testing.assert_array_equal(resumed.predict_proba(small[0]), whole.predict_proba(small[0]))


@pytest.mark.parametrize("bad", [{"mixup": -1}, {"cutmix": "yes"}, {"mix_probability": 1.5}])
def test_bad_numbers(digits, bad):
    with pytest.raises(ValueError, match=f"{next(iter(bad))}"):
        MiniVGGClassifier(**TINY, **bad).fit(*digits)
