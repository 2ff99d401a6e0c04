"""Streams of batches are refused with advice, and aren't consumed."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from skvision import ImageAugmenter, MiniVGGClassifier
from skvision.images import as_image_batch

BATCH = np.zeros((2, 4, 4), np.uint8)
CURE = r"file names .*np.concatenate.*partial_fit\(batch, labels, classes="


def of_library(module, name, base=object):
    """Return an object of a class of a library that may not be installed."""
    made = type(name, (base,), {"__module__": module, "__iter__": lambda self: iter(())})
    return type("Users", (made,), {})()


class Users:
    """A user's own data set."""

    def __getitem__(self, index):
        raise AssertionError("it was asked for an item")

    def __len__(self):
        return 3


def generator():
    yield BATCH
    raise AssertionError("it was asked for more")


STREAMS = {
    "a generator": generator,
    "an iterator": lambda: iter([BATCH]),
    "an iterator (map)": lambda: map(np.asarray, [BATCH]),
    "an iterator (zip)": lambda: zip([BATCH], [[0, 1]], strict=True),
    "a tf.data.Dataset": lambda: of_library("tensorflow.python.data.ops.dataset_ops", "DatasetV2"),
    "a Keras PyDataset": lambda: of_library("keras.src.trainers.data_adapters", "PyDataset"),
    "a PyTorch data set or DataLoader": lambda: of_library(
        "torch.utils.data.dataloader", "DataLoader"
    ),
    "a Hugging Face Dataset": lambda: of_library("datasets.arrow_dataset", "Dataset"),
    "an object of class Users": Users,
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize(
    "take",
    [
        as_image_batch,
        lambda X: MiniVGGClassifier().fit(X),
        lambda X: MiniVGGClassifier(row_shape=(4, 4)).fit(X, [0, 1]),
        lambda X: ImageAugmenter().fit(BATCH).transform(X),
    ],
    ids=["as_image_batch", "fit", "fit on rows", "transform"],
)
def test_a_stream_is_refused_with_advice(name, take):
    with pytest.raises(ValueError, match=CURE) as caught:
        take(STREAMS[name]())
    assert str(caught.value).startswith(f"X is {name}"), str(caught.value)


def test_a_generator_is_not_consumed():
    stream = generator()
    with pytest.raises(ValueError, match="X is a generator"):
        MiniVGGClassifier().fit(stream, [0, 1])
    assert next(stream) is BATCH


def test_streams_of_the_libraries_themselves():
    keras = sys.modules["keras"]  # loaded with the classifiers
    tf = pytest.importorskip("tensorflow")

    class Mine(keras.utils.PyDataset):
        pass

    for stream in (Mine(), tf.data.Dataset.from_tensor_slices(BATCH).batch(2)):
        with pytest.raises(ValueError, match=CURE):
            MiniVGGClassifier().fit(stream)


def test_unordered_collections_are_refused():
    for X in ({"a.jpg", "b.jpg"}, {"a.jpg": 0}, frozenset({"a.jpg"})):
        with pytest.raises(ValueError, match="has no order that y could follow. Pass a list"):
            as_image_batch(X)


def test_users_own_sequence_classes_are_accepted():
    module = ModuleType("datasets.mine")

    class Names(list):
        __module__ = module.__name__

    assert len(as_image_batch(Names(["a.jpg", "b.jpg"]))) == 2
