from __future__ import annotations

import numpy as np
import pytest

from skvision.images import ImageReader, as_image_batch
from skvision.training import BatchStream, Seeds, split_validation
from skvision.training.stream import ValidationBatches


@pytest.fixture
def make():
    X = np.arange(10, dtype=np.uint8).repeat(4).reshape(10, 2, 2)
    readers = []

    def make(indices=range(10), **how):
        indices = np.array(indices)
        readers.append(ImageReader(as_image_batch(X), (2, 2), "stretch"))
        how = {"batch_size": 4, "order_seed": 0, **how}
        return BatchStream(readers[-1], indices, indices % 3, indices / 10, **how)

    yield make
    for reader in readers:
        reader.__exit__(None, None, None)


def drawn(stream, epochs=range(1)):
    """Return the images in their order."""
    return [images[:, 0, 0, 0].tolist() for images, _, _ in stream.batches(epochs)]


def test_an_epoch_has_every_image_once_in_step_with_its_label(make):
    stream = make()
    batches = list(stream.batches(range(1)))
    assert [len(images) for images, _, _ in batches] == [4, 3, 3]
    assert stream.steps_per_epoch == 3
    images, targets, weights = (np.concatenate(part) for part in zip(*batches, strict=True))
    pictures = images[:, 0, 0, 0]
    assert sorted(pictures) == list(range(10))
    np.testing.assert_array_equal(targets, pictures % 3)
    np.testing.assert_allclose(weights, pictures / 10)


def test_every_epoch_has_its_own_order_whichever_epoch_comes_first(make):
    both = drawn(make(), range(2))
    assert both[:3] != both[3:]
    assert drawn(make(), range(1, 2)) == both[3:]


def test_seed_decides_the_order(make):
    assert drawn(make()) == drawn(make())
    assert drawn(make()) != drawn(make(order_seed=1))
    assert drawn(make(order_seed=None)) == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_a_stream_has_only_its_own_images(make):
    assert sorted(drawn(make(indices=[7, 2, 5]))[0]) == [2, 5, 7]


def test_images_alone_are_those_of_an_epoch_without_augmentation(make):
    plain = make()
    changed = make(augment=lambda images, rng: images + 100)
    for images, (expected, _, _) in zip(changed.images(), plain.batches(range(1)), strict=True):
        np.testing.assert_array_equal(images, expected)


def test_each_validation_begins_at_the_first_batch(make):
    stream = make(order_seed=None)
    batches = ValidationBatches(stream)
    assert len(batches) == 3
    for step in (0, 1, 0, 2):
        for one, two in zip(batches[step], list(stream.batches(range(1)))[step], strict=True):
            np.testing.assert_array_equal(one, two)


def test_augmentation_is_drawn_in_each_epoch_and_repeats_with_its_seed(make):
    def shift(images, rng):
        return images // 2 + rng.integers(100, dtype=np.uint8)

    how = {"augment": shift, "order_seed": None}
    both = drawn(make(**how), range(2))
    assert both[:3] != both[3:]
    assert drawn(make(**how), range(1, 2)) == both[3:]
    assert drawn(make(**how, augment_seed=1)) != both[:3]


def test_augmentation_never_reaches_the_kept_images(make):
    def blacken(images, rng):
        images[:] = 0
        return images

    stream = make(augment=blacken, order_seed=None)
    assert drawn(stream) == [[0] * 4, [0] * 3, [0] * 3]
    stream.augment = None
    assert drawn(stream)[2] == [7, 8, 9]


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (lambda images, rng: images[:, :1], "images of the shape it got"),
        (lambda images, rng: images / 255.0 - 1, "leave scaling to the network"),
        (lambda images, rng: images * 100.0, "pixels from 0 to 255"),
        (lambda images, rng: images * np.nan, "pixels from 0 to 255"),
    ],
)
def test_the_result_of_augmentation_is_checked(make, augment, message):
    stream = make(augment=augment)
    with pytest.raises(ValueError, match=message):
        drawn(stream)
    assert stream.error is not None


def test_floats_from_augmentation_are_rounded(make):
    stream = make(augment=lambda images, rng: images + 0.6, order_seed=None)
    assert drawn(stream)[0] == [1, 2, 3, 4]


def test_split_is_stratified_and_shuffled():
    targets = np.repeat([0, 1, 2], [40, 20, 20])
    training, validation = split_validation(targets, 0.25, np.array(list("abc")), seed=0)
    assert sorted([*training, *validation]) == list(range(80))
    assert np.bincount(targets[validation]).tolist() == [10, 5, 5]
    assert validation.tolist() != list(range(60, 80))
    again = split_validation(targets, 0.25, np.array(list("abc")), seed=0)
    np.testing.assert_array_equal(validation, again[1])


@pytest.mark.parametrize(
    ("targets", "fraction", "message"),
    [
        ([0, 0, 0, 1], 0.5, "Class 'b' has 1 image.*at least 2"),
        ([0, 0, 0, 0, 1, 1], 0.1, "1 to validate with"),
        ([0, 0, 1, 1], 0.9, "0 to train"),
    ],
)
def test_the_error_of_a_split_names_the_classes_with_too_few_images(targets, fraction, message):
    with pytest.raises(ValueError, match=message):
        split_validation(np.array(targets), fraction, np.array(["a", "b"]), seed=0)


def test_seeds():
    assert Seeds.draw(0) == Seeds.draw(0)
    assert Seeds.draw(0) != Seeds.draw(1)
    seeds = Seeds.draw(np.random.RandomState(3))
    assert len({seeds.weights, seeds.split, seeds.order, seeds.augmentation}) == 4
    state = np.random.RandomState(3)
    assert Seeds.draw(state) != Seeds.draw(state)
