"""`ImageOverSampler`, alone and in imbalanced-learn's Pipeline."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from imblearn.base import is_sampler
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from skvision import AugmentedImage, ImageAugmenter, ImageOverSampler, MiniVGGClassifier
from skvision.images import decode

COUNTS = {"cat": 5, "dog": 3, "panda": 1}
AUGMENTER = ImageAugmenter(rotation_range=40, zoom_range=0.2, noise_std=0.05)


@pytest.fixture(scope="module")
def data():
    y = np.repeat(list(COUNTS), list(COUNTS.values()))
    rng = np.random.default_rng(0)
    order = rng.permutation(len(y))
    return rng.integers(0, 256, (len(y), 9, 8, 3), dtype=np.uint8), y[order]


def resampled(data, strategy="auto", **how):
    return ImageOverSampler(AUGMENTER, strategy, random_state=0).fit_resample(*data, **how)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("auto", {"cat": 5, "dog": 5, "panda": 5}),
        (7, {"cat": 7, "dog": 7, "panda": 7}),
        (np.int64(5), {"cat": 5, "dog": 5, "panda": 5}),
        ({"dog": 10}, {"cat": 5, "dog": 10, "panda": 1}),
        ({"panda": 4, "cat": 5}, {"cat": 5, "dog": 3, "panda": 4}),
    ],
)
def test_targets(data, strategy, expected):
    X, y = resampled(data, strategy)
    assert dict(zip(*np.unique(y, return_counts=True), strict=True)) == expected
    assert len(X) == len(y)


def test_originals_come_first_and_copies_belong_to_their_label(data):
    sampler = ImageOverSampler(AUGMENTER, 12, random_state=0)
    X, y = sampler.fit_resample(*data)
    n = len(data[1])
    np.testing.assert_array_equal(X[:n], data[0])
    np.testing.assert_array_equal(y[:n], data[1])
    np.testing.assert_array_equal(y, data[1][sampler.sample_indices_])
    assert sampler.sampling_strategy_ == {"cat": 7, "dog": 9, "panda": 11}
    # copies are made from the named image, and all differ
    plain = clone(sampler).set_params(augmenter=ImageAugmenter())
    same, _ = plain.fit_resample(*data)
    np.testing.assert_array_equal(same, data[0][plain.sample_indices_])
    np.testing.assert_array_equal(plain.sample_indices_, sampler.sample_indices_)
    assert len({picture.tobytes() for picture in X}) == len(X)


def test_images_are_copied_evenly(data):
    sampler = ImageOverSampler(AUGMENTER, 13, random_state=0).fit(*data)
    assert sampler.sampling_strategy_["cat"] == 8
    sampler.fit_resample(*data)
    copies = np.bincount(sampler.sample_indices_[len(data[1]) :], minlength=len(data[1]))
    for label in COUNTS:
        assert np.ptp(copies[data[1] == label]) <= 1


def test_seed(data):
    first, again = resampled(data, 9)[0], resampled(data, 9)[0]
    np.testing.assert_array_equal(first, again)
    other = ImageOverSampler(AUGMENTER, 9, random_state=1).fit_resample(*data)[0]
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "labels", ["str", "int", "bool", "object", "list", "Series", "Categorical"]
)
def test_labels_of_any_type(data, labels):
    names = np.where(data[1] == "cat", "cat", "dog")
    y = {
        "str": lambda: names,
        "int": lambda: np.where(names == "cat", 7, -2),
        "bool": lambda: names == "cat",
        "object": lambda: names.astype(object),
        "list": lambda: names.tolist(),
        "Series": lambda: pd.Series(names, index=range(5, 14), name="animal"),
        "Categorical": lambda: pd.Series(pd.Categorical(names)),
    }[labels]()
    X, more = resampled((data[0], y), 6)
    assert len(X) == len(more) == 12
    if isinstance(y, pd.Series):
        assert more.dtype == y.dtype
        assert more.name == y.name
        assert more.index.tolist() == list(range(12))
    elif isinstance(y, list):
        assert isinstance(more, list)
    else:
        assert more.dtype == y.dtype
    assert sorted(np.unique(np.asarray(more), return_counts=True)[1]) == [6, 6]


@pytest.mark.parametrize("kind", ["list", "array", "Series", "frame"])
def test_paths(tmp_path, data, kind):
    from PIL import Image

    files = []
    for index, pixels in enumerate(data[0]):
        files.append(str(tmp_path / f"{index}.png"))
        Image.fromarray(pixels).save(files[-1])
    X = {
        "list": lambda: files,
        "array": lambda: np.array(files),
        "Series": lambda: pd.Series(files, name="file"),
        "frame": lambda: pd.DataFrame({"file": files}),
    }[kind]()
    more, y = resampled((X, data[1]))
    if kind in ("Series", "frame"):
        assert type(more) is type(X)
        assert (more.name if kind == "Series" else more.columns.tolist()) in ("file", ["file"])
        more = more.to_numpy().ravel()
    assert type(more) is (list if kind == "list" else np.ndarray)
    assert list(more[:9]) == files
    assert all(isinstance(item, AugmentedImage) for item in more[9:])
    expected, _ = resampled(data)
    np.testing.assert_array_equal(np.stack([decode(item) for item in more]), expected)
    assert len(y) == 15


def test_rows(data):
    rows = data[0].reshape(9, -1)
    sampler = ImageOverSampler(clone(AUGMENTER).set_params(row_shape=(9, 8, 3)), random_state=0)
    X, _ = sampler.fit_resample(rows, data[1])
    np.testing.assert_array_equal(X, resampled(data)[0].reshape(15, -1))
    frame = pd.DataFrame(rows).add_prefix("p")
    framed, _ = sampler.fit_resample(frame, data[1])
    assert framed.columns.tolist() == frame.columns.tolist()
    np.testing.assert_array_equal(framed, X)


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (4, "Class 'cat' has 5 images, more than its target of 4.*at least 5"),
        ({"dog": 2}, "Class 'dog' has 3 images, more than its target of 2"),
        ({"1": 5}, "Class '1' has a target of"),
        ({1: 5}, "Class 1 has a target of"),
        ({"bear": 5}, "Class 'bear' has a target of 5 images but no images.*'cat', 'dog', 'panda'"),
        (0, "whole number of at least 1"),
        ({"cat": 7.5}, "target of class 'cat' must be a whole number"),
        ("minority", "sampling_strategy must be a whole number.*'auto'"),
        (1.5, "sampling_strategy must be"),
        (None, "sampling_strategy must be"),
        (True, "sampling_strategy must be"),
    ],
)
def test_bad_strategies(data, strategy, message):
    with pytest.raises(ValueError, match=message):
        resampled(data, strategy)


@pytest.mark.parametrize(
    "labels",
    [
        [1, "a"] * 3,
        np.array(["a", "b", None] * 2, dtype=object),
        pd.Series(["a", "b", None] * 2),
        pd.Series(["a", "b", pd.NA] * 2, dtype="string"),
    ],
)
def test_labels_of_two_types_or_missing(labels):
    X = np.zeros((6, 8, 8), np.uint8)
    for estimator in (ImageOverSampler(ImageAugmenter(), 5), MiniVGGClassifier(image_size=8)):
        with pytest.raises(ValueError, match=r"Labels must all be of one type. Received: .*str"):
            estimator.fit(X, labels)


def test_bad_data(data):
    X, y = data
    with pytest.raises(ValueError, match="requires y"):
        resampled((X, None))
    with pytest.raises(ValueError, match="inconsistent numbers"):
        resampled((X, y[:-1]))
    with pytest.raises(ValueError, match="augmenter must be an ImageAugmenter or a RandAugmenter"):
        ImageOverSampler("rotate").fit_resample(X, y)
    with pytest.raises(ValueError, match="different shapes"):
        resampled(([np.zeros((3, 3, 3)), np.zeros((4, 3, 3))], [0, 1]))
    with pytest.raises(ValueError, match="rotation_range"):
        ImageOverSampler(ImageAugmenter(rotation_range=-1)).fit_resample(X, y)


def test_one_class_alone(data):
    X, y = data[0], ["cat"] * 9
    with pytest.raises(ValueError, match="only one class, 'cat'.*Set sampling_strategy to a num"):
        resampled((X, y))
    assert resampled((X, y), 12)[1] == ["cat"] * 12


@pytest.mark.parametrize("kind", ["array", "list", "frame"])
def test_labels_as_columns(data, kind):
    codes = np.unique(data[1], return_inverse=True)[1]
    columns = np.eye(3, dtype=int)[codes]
    y = {"array": columns, "list": columns.tolist(), "frame": pd.DataFrame(columns)}[kind]
    X, more = resampled((data[0], y))
    assert type(more) is type(y)
    expected, labels = resampled((data[0], codes))
    np.testing.assert_array_equal(X, expected)
    np.testing.assert_array_equal(np.asarray(more), np.eye(3, dtype=int)[labels])
    with pytest.raises(ValueError, match="its rows aren't one-hot"):
        resampled((data[0], 1 - columns))


def test_a_failed_fit_changes_nothing(data):
    sampler = ImageOverSampler(AUGMENTER).fit(*data)
    before = dict(vars(sampler))
    with pytest.raises(ValueError, match="more than its target"):
        sampler.set_params(sampling_strategy=1).fit_resample(*data)
    assert sampler.sampling_strategy_ == before["sampling_strategy_"]


def test_it_is_a_sampler_that_clones_and_pickles(data):
    sampler = ImageOverSampler(AUGMENTER, {"dog": 4}, random_state=0)
    assert is_sampler(sampler)
    assert clone(sampler).get_params()["augmenter__rotation_range"] == 40
    fitted = pickle.loads(pickle.dumps(sampler.fit(*data)))
    assert fitted.sampling_strategy_ == {"cat": 0, "dog": 1, "panda": 0}
    assert "ImageOverSampler" in sampler._repr_html_()


def test_imbalanced_learn_is_not_needed():
    code = (
        "import sys; sys.modules['imblearn'] = None\n"
        "import numpy as np; from skvision import ImageAugmenter, ImageOverSampler\n"
        "X, y = ImageOverSampler(ImageAugmenter()).fit_resample(np.zeros((3, 4, 4)), [0, 1, 1])\n"
        "print(len(X), 'keras' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["4", "False"]


# imbalanced-learn's Pipeline


class Look(LogisticRegression):
    """Records the rows that it receives."""

    seen = []

    def fit(self, X, y):
        self.seen.append(("fit", X, np.asarray(y)))
        return super().fit(X, y)

    def predict(self, X):
        self.seen.append(("predict", X, None))
        return super().predict(X)


@pytest.fixture
def pipeline():
    Look.seen.clear()
    rows = ImageAugmenter(rotation_range=20, row_shape=(8, 8), random_state=0)
    return make_pipeline(ImageOverSampler(rows, random_state=0), Look(max_iter=300))


def test_only_training_folds_are_augmented(digits, pipeline):
    X = digits[0].reshape(300, -1) / 255
    # class zero four times as often as the others
    chosen = np.flatnonzero((digits[1] == "zero") | (np.arange(300) % 4 == 0))
    X, y = X[chosen], digits[1][chosen]
    folds = KFold(3, shuffle=True, random_state=0)
    assert cross_val_score(pipeline, X, y, cv=folds).mean() > 0.8
    originals = {row.tobytes() for row in X}
    for (training, validation), fitted, predicted in zip(
        folds.split(X), Look.seen[::2], Look.seen[1::2], strict=True
    ):
        assert (fitted[0], predicted[0]) == ("fit", "predict")
        np.testing.assert_array_equal(predicted[1], X[validation])
        np.testing.assert_array_equal(fitted[1][: len(training)], X[training])
        counts = np.unique(fitted[2], return_counts=True)[1]
        assert counts.tolist() == [counts[0]] * 3
        # validation images aren't in the training part
        held_out = {row.tobytes() for row in X[validation]}
        assert not held_out & {row.tobytes() for row in fitted[1]}
        assert len(fitted[1]) > len(training)
    assert len(originals) == len(X)


def test_searched(digits, pipeline):
    X, y = digits[0][:60].reshape(60, -1) / 255, digits[1][:60]
    grid = {
        "imageoversampler__sampling_strategy": ["auto", 40],
        "imageoversampler__augmenter__rotation_range": [0, 10],
    }
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_the_error_of_scikit_learns_own_pipeline(digits):
    from sklearn.pipeline import make_pipeline as plain

    with pytest.raises(TypeError, match="should be transformers"):
        plain(ImageOverSampler(AUGMENTER), LogisticRegression()).fit(*digits)
