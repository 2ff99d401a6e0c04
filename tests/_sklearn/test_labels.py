"""y has one label per image; anything else is an error that says what to pass."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from skvision import ImageAugmenter, ImageNetClassifier, ImageOverSampler, MiniVGGClassifier
from skvision._sklearn.labels import label_column, validate_labels

CODES = [0, 1, 1]
ONE_HOT = np.eye(2)[CODES]
PICTURES = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4) * 5


class Tensor:
    """An array of another library."""

    def __init__(self, values):
        self.values, self.shape = values, values.shape

    def __array__(self, dtype=None, copy=None):
        return self.values

    def __len__(self):
        return len(self.values)


ONE_HOTS = {
    "array": (ONE_HOT, "y.argmax(axis=1)"),
    "integers": (ONE_HOT.astype(int), "y.argmax(axis=1)"),
    "booleans": (ONE_HOT.astype(bool), "y.argmax(axis=1)"),
    "lists": (ONE_HOT.tolist(), "np.argmax(y, axis=1)"),
    "list of arrays": (list(ONE_HOT), "np.argmax(y, axis=1)"),
    "get_dummies": (pd.get_dummies(pd.Series(["a", "b", "b"])), "y.idxmax(axis=1)"),
    "tensor": (Tensor(ONE_HOT), "np.argmax(y, axis=1)"),
    "sparse": (csr_matrix(ONE_HOT), "y.toarray().argmax(axis=1)"),
}


@pytest.mark.parametrize("form", ONE_HOTS)
def test_one_hot_rows_are_refused_with_the_code_that_makes_labels(form):
    y, cure = ONE_HOTS[form]
    with pytest.raises(ValueError, match="it is one-hot") as caught:
        MiniVGGClassifier().fit(PICTURES, y)
    assert f"Pass one label per image: {cure}." in str(caught.value)
    labels = eval(cure, {"y": y, "np": np})
    assert len(np.unique(validate_labels(None, labels, 3))) == 2


@pytest.mark.parametrize(
    "y",
    [
        [["cat"], ["cat", "dog"], ["dog"]],
        [["cat", "pet"], ["cat", "pet"], ["dog", "pet"]],
        [{"cat"}, {"cat", "dog"}, {"dog"}],
        [("cat", "dog"), "cat", "dog"],
        pd.Series([["cat"], ["cat", "dog"], ["dog"]]),
        np.array([["cat"], ["cat", "dog"], ["dog"]], dtype=object),
        [[0], [0, 1], [1]],
        [np.array([0]), np.array([0, 1]), np.array([1])],
        np.array([[1, 1], [0, 1], [0, 0]]),
    ],
)
def test_several_labels_per_image_are_refused_with_advice(y):
    with pytest.raises(ValueError, match="OneVsRestClassifier.*MultiOutputClassifier") as caught:
        MiniVGGClassifier().fit(PICTURES, y)
    assert "inhomogeneous" not in str(caught.value)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (ONE_HOT * 0.8 + 0.1, r"look like probabilities.*y.argmax\(axis=1\)"),
        (np.array([[1, 2], [3, 4], [5, 6]]), r"shape \(3, 2\).*Pass one label per image"),
        (pd.DataFrame({"id": ["a", "b", "c"], "label": ["x", "y", "x"]}), r"shape \(3, 2\)"),
        (np.zeros((3, 4, 4)), r"shape \(3, 4, 4\).*Pass one label per image"),
        ("cat", r"Received y: 'cat'.*1d array"),
        ({"cat": 0}, r"Received y: \{'cat': 0\}"),
        ((label for label in "abc"), "Received y: <generator"),
    ],
)
def test_other_forms_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        validate_labels(None, y, 3)


def test_messages_stay_short():
    for y in ("A" * 10**6, [["A" * 10**6], ["b", "c"], ["d"]], np.zeros((3, 1000))):
        with pytest.raises(ValueError, match="image") as caught:
            validate_labels(None, y, 3)
        assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "y",
    [
        ["cat", np.str_("dog"), "cat"],
        np.array(["cat", np.str_("dog"), "cat"], dtype=object),
        [1, np.int64(2), np.uint8(1)],
        np.array([1, np.int64(2), np.uint8(1)], dtype=object),
        [True, np.True_, False],
        np.array([True, np.True_, False], dtype=object),
        pd.Series([1, 2, 1], dtype=object),
        [np.array(1), np.array(2), np.array(1)],
    ],
)
def test_kinds_are_compared_not_types(y):
    assert len(np.unique(validate_labels(None, y, 3))) == 2


@pytest.mark.parametrize(
    ("y", "kinds"),
    [
        (["cat", 1, "dog"], "int, str"),
        (["cat", None, "dog"], "NoneType, str"),
        (np.array(["cat", np.nan, "dog"], dtype=object), "float, str"),
        (np.array([1, 2.5, 1], dtype=object), "float, int"),
        (np.array([True, 1, False], dtype=object), "bool, int"),
    ],
)
def test_mixed_kinds_are_refused(y, kinds):
    with pytest.raises(ValueError, match=f"all be of one type. Received: {kinds}"):
        validate_labels(None, y, 3)


def test_every_estimator_with_labels_raises_the_same_error():
    ragged = [["cat"], ["cat", "dog"], ["dog"]]
    with pytest.raises(ValueError, match="several labels per image"):
        ImageOverSampler(ImageAugmenter()).fit_resample(PICTURES, ragged)
    with pytest.raises(ValueError, match="several labels per image"):
        ImageNetClassifier().score(PICTURES, ragged)
    with pytest.raises(ValueError, match="it is one-hot"):
        ImageNetClassifier().score(PICTURES, ONE_HOT)


def test_a_column_is_accepted():
    assert label_column(pd.Series(["a", "b"], dtype="category")).tolist() == ["a", "b"]
    with pytest.warns(match="column-vector"):
        assert label_column([["a"], ["b"]]).tolist() == ["a", "b"]
