"""The check matrix for images: every estimator with every form of images."""

from __future__ import annotations

import io

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline

from skvision import (
    ConformalImageClassifier,
    FineTunedClassifier,
    ImageAugmenter,
    ImageNetClassifier,
    ImageOverSampler,
    MiniVGGClassifier,
    PretrainedFeatureTransformer,
    RandAugmenter,
)
from skvision.images import as_image_batch

from .conftest import small_body
from .walking import public_estimators

HEIGHT, WIDTH = 12, 10
READY_MADE = {"image_size": 32, "engine": "keras", "batch_size": 11}
AUGMENTER = ImageAugmenter(rotation_range=40, brightness_range=(0.8, 1.2), random_state=0)

#: a small version of each estimator
ESTIMATORS = {
    MiniVGGClassifier: {
        "image_size": (HEIGHT, WIDTH),
        "filters": (4,),
        "convs_per_block": 1,
        "dense_units": (8,),
        "epochs": 2,
        "batch_size": 4,
        "random_state": 0,
    },
    FineTunedClassifier: {
        "backbone": "own",  # the file of `body_file`
        "image_size": (HEIGHT, WIDTH),
        "dense_units": (8,),
        "warmup_epochs": 1,
        "fine_tune_epochs": 1,
        "batch_size": 4,
        "engine": "keras",
        "random_state": 0,
    },
    ImageNetClassifier: READY_MADE,
    PretrainedFeatureTransformer: READY_MADE,
    ImageAugmenter: AUGMENTER.get_params(),
    RandAugmenter: {"random_state": 0},
    ImageOverSampler: {"augmenter": AUGMENTER, "random_state": 0},
}
# eleven images calibrate no more
ESTIMATORS[ConformalImageClassifier] = {
    "estimator": MiniVGGClassifier(**ESTIMATORS[MiniVGGClassifier]),
    "coverage": 0.6,
    "cv": StratifiedShuffleSplit(1, test_size=7, random_state=0),
}


@pytest.fixture(scope="module")
def body_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("body") / "body.keras"
    small_body().save(file)
    return str(file)


@pytest.fixture(scope="module")
def made(request, body_file):
    """The estimator of a case, in the module's scope, so that its networks are kept."""
    made = request.param(**ESTIMATORS[request.param])
    return made.set_params(backbone=body_file) if getattr(made, "backbone", "") == "own" else made


@pytest.fixture
def estimator(made):
    return clone(made)


@pytest.fixture(scope="module")
def fitted_once(made, pictures):
    """Fitted on the eleven images; tests must not refit it."""
    return clone(made).fit(*pictures)


@pytest.fixture(scope="module")
def pictures():
    """Eleven images of three classes of unequal size."""
    X = np.random.default_rng(0).integers(0, 256, (11, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return X, np.array([2, 0, 1, 0, 2, 0, 0, 1, 2, 0, 1])


@pytest.fixture(scope="module")
def files(pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    paths = [folder / f"{index}.png" for index in range(len(pictures[0]))]
    for path, pixels in zip(paths, pictures[0], strict=True):
        Image.fromarray(pixels).save(path)
    return paths


def of_each(*classes, slow=()):
    """Parametrise by estimators: the given ones, else all; some of them marked slow."""
    chosen = [
        pytest.param(cls, id=cls.__name__, marks=[pytest.mark.slow] if cls in slow else [])
        for cls in classes or ESTIMATORS
    ]
    return pytest.mark.parametrize("made", chosen, indirect=True, scope="module")


TRAINED = (MiniVGGClassifier, FineTunedClassifier)
ASKED = tuple(cls for cls in ESTIMATORS if cls is not ImageOverSampler)


def seen(X):
    """Return images of any form as 8-bit RGB."""
    batch = as_image_batch(X)
    size = (HEIGHT, WIDTH)
    return np.stack([batch.image(index, size, "stretch") for index in range(len(batch))])


def asked(fitted, X):
    """Return the output of a fitted estimator for images."""
    if is_classifier(fitted):
        return fitted.predict_proba(X)
    made = fitted.transform(X)
    return made if isinstance(fitted, PretrainedFeatureTransformer) else seen(made)


def fitted_and_asked(estimator, X, y):
    """Fit an estimator and return its output for the same images."""
    if isinstance(estimator, ImageOverSampler):
        return seen(estimator.fit_resample(X, y)[0])
    if is_classifier(estimator) or isinstance(estimator, PretrainedFeatureTransformer):
        return asked(estimator.fit(X, y), X)
    return seen(estimator.fit_transform(X, y))


def assert_same(one, other):
    """Check that pixels are equal bit by bit, and other numbers except for rounding."""
    assert one.shape == other.shape
    if one.dtype == np.uint8:
        np.testing.assert_array_equal(one, other)
    else:
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_every_public_estimator_has_a_case():
    assert ESTIMATORS.keys() == set(public_estimators().values())


# parameters and repetition


@of_each()
def test_a_clone_has_the_parameters_and_is_not_fitted(estimator, pictures):
    before = joblib.hash(estimator.get_params())
    fresh = set(vars(clone(estimator)))
    estimator.fit(*pictures)
    assert joblib.hash(estimator.get_params()) == before
    copy = clone(estimator)
    assert joblib.hash(copy.get_params()) == before
    assert set(vars(copy)) == fresh


@of_each(slow=[ImageNetClassifier])
def test_a_second_fit_equals_the_first(estimator, pictures):
    one = fitted_and_asked(estimator, *pictures)
    np.testing.assert_array_equal(fitted_and_asked(estimator, *pictures), one)
    np.testing.assert_array_equal(fitted_and_asked(clone(estimator), *pictures), one)


# numbers of images


@of_each(*ASKED)
def test_the_result_of_an_image_does_not_depend_on_the_others(fitted_once, pictures):
    X = pictures[0]
    everything = asked(fitted_once, X)
    order = np.random.default_rng(1).permutation(len(X))
    for chosen in (order, order[:4], [3]):
        assert_same(asked(fitted_once, X[chosen]), everything[chosen])
    if is_classifier(fitted_once):
        assert fitted_once.predict(X[:1]).shape == (1,)


EMPTY = {
    "array": lambda: np.empty((0, HEIGHT, WIDTH, 3), dtype=np.uint8),
    "list": list,
    "array of names": lambda: np.array([], dtype=str),
    "Series": lambda: pd.Series([], dtype=str),
    "frame": lambda: pd.DataFrame({"file": []}),
    "polars": lambda: pl.Series("file", [], dtype=pl.String),
}


@of_each()
@pytest.mark.parametrize("form", EMPTY)
def test_an_empty_batch_is_a_clear_error(estimator, fitted_once, form):
    with pytest.raises(ValueError, match=r"without images: 0 sample\(s\)"):
        fitted_and_asked(estimator, EMPTY[form](), [])
    if not isinstance(estimator, ImageOverSampler):
        with pytest.raises(ValueError, match=r"without images: 0 sample\(s\)"):
            asked(fitted_once, EMPTY[form]())


# forms of the same images


def mapped(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def strided(X):
    """Return X as every second row and column of a larger array."""
    twice = np.zeros((len(X), 2 * HEIGHT, 2 * WIDTH, 3), dtype=X.dtype)
    twice[:, ::2, ::2] = X
    return twice[:, ::2, ::2]


def file_content(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


#: forms of images: functions of the array, the files and an empty folder
FORMS = {
    "float64": lambda X, files, folder: X / 255,
    "float32": lambda X, files, folder: (X / 255).astype(np.float32),
    "uint16": lambda X, files, folder: X.astype(np.uint16) * 257,
    "read-only": lambda X, files, folder: read_only(X),
    "memory-mapped": lambda X, files, folder: mapped(X, folder),
    "memory-mapped float": lambda X, files, folder: mapped(X / 255, folder),
    "Fortran order": lambda X, files, folder: np.asfortranarray(X),
    "strided": lambda X, files, folder: strided(X),
    "reversed": lambda X, files, folder: X[::-1, :, :, ::-1].copy()[::-1, :, :, ::-1],
    "list of arrays": lambda X, files, folder: list(X),
    "list of names": lambda X, files, folder: [str(file) for file in files],
    "list of paths": lambda X, files, folder: files,
    "array of names": lambda X, files, folder: np.array([str(file) for file in files]),
    "array of paths": lambda X, files, folder: np.array(files, dtype=object),
    "Series": lambda X, files, folder: pd.Series([str(file) for file in files], index=range(3, 14)),
    "frame": lambda X, files, folder: pd.DataFrame({"file": [str(file) for file in files]}),
    "polars": lambda X, files, folder: pl.Series("file", [str(file) for file in files]),
    "bytes": lambda X, files, folder: [file_content(pixels) for pixels in X],
    "PIL": lambda X, files, folder: [Image.fromarray(pixels) for pixels in X],
}
#: augmentation is exact for these types, while OpenCV rotates bytes in steps of 1/32 pixel
EXACT = {"float64", "float32", "uint16", "memory-mapped float"}


@of_each(slow=[ConformalImageClassifier, FineTunedClassifier])
def test_all_forms_of_the_same_images_agree(estimator, pictures, files, tmp_path):
    X, y = pictures
    expected = fitted_and_asked(estimator, X, y)
    for name, form in FORMS.items():
        found = fitted_and_asked(clone(estimator), form(X, files, tmp_path), y)
        if found.dtype == np.uint8 and name in EXACT:
            assert np.abs(found.astype(int) - expected).max() <= 255 / 32, name
        else:
            np.testing.assert_array_equal(found, expected, err_msg=name)


@of_each()
def test_rows_and_images_agree(estimator, pictures, files):
    X, y = pictures
    expected = fitted_and_asked(clone(estimator), X, y)
    inner = {ImageOverSampler: "augmenter__", ConformalImageClassifier: "estimator__"}
    prefix = inner.get(type(estimator), "")
    estimator.set_params(**{f"{prefix}row_shape": (HEIGHT, WIDTH, 3)})
    if isinstance(estimator, ImageOverSampler):
        rows, _ = estimator.fit_resample(X.reshape(len(X), -1), y)
        found = seen(rows.reshape(-1, *X.shape[1:]))
    elif is_classifier(estimator) or isinstance(estimator, PretrainedFeatureTransformer):
        found = fitted_and_asked(estimator, X.reshape(len(X), -1), y)
        np.testing.assert_array_equal(asked(estimator, files), expected)
    else:
        found = estimator.fit_transform(X.reshape(len(X), -1)).reshape(X.shape)
    np.testing.assert_array_equal(found, expected)


# scikit-learn's configuration of the output of transformers

CONTAINERS = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


@of_each()
@pytest.mark.parametrize("container", CONTAINERS)
def test_the_output_setting_changes_no_result(estimator, pictures, files, container):
    y = pictures[1]
    for X in (pictures[0], files):
        expected = fitted_and_asked(clone(estimator), X, y)
        with config_context(transform_output=container):
            found = fitted_and_asked(clone(estimator), X, y)
        np.testing.assert_array_equal(found, expected)


@of_each(ImageAugmenter, RandAugmenter)
@pytest.mark.parametrize("container", CONTAINERS)
def test_tables_are_wrapped_and_images_never(estimator, pictures, files, container):
    X = pictures[0]
    rows = pd.DataFrame(X.reshape(len(X), -1)).add_prefix("p")
    on_rows = clone(estimator).set_params(row_shape=X.shape[1:])
    with config_context(transform_output=container):
        for images in (X, list(X), files, pd.Series(list(map(str, files))), X / 255):
            for made in (estimator.fit_transform(images), estimator.transform(images)):
                assert type(made) is np.ndarray
        for made in (on_rows.fit_transform(rows), on_rows.transform(rows.to_numpy())):
            assert type(made) is CONTAINERS[container]
            assert list(made.columns) == list(rows.columns)
        # a table of one column in, a table of one column out
        column = pd.DataFrame({"file": list(map(str, files))})
        made = estimator.fit_transform(column)
        assert type(made) is CONTAINERS[container]
        assert made.shape == (len(X), 1)
        np.testing.assert_array_equal(seen(made), seen(estimator.fit_transform(files)))


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_output_setting_in_a_pipeline(pictures, container):
    steps = AUGMENTER, PretrainedFeatureTransformer(**READY_MADE), LogisticRegression()
    expected = make_pipeline(*steps).fit(*pictures).predict_proba(pictures[0])
    with config_context(transform_output=container):
        pipeline = make_pipeline(*map(clone, steps)).fit(*pictures)
        assert type(pipeline[:-1].transform(pictures[0])) is CONTAINERS[container]
        found = pipeline.predict_proba(pictures[0])
    # in another memory layout the sums of features have another order
    np.testing.assert_allclose(found, expected, atol=1e-3)


# labels

#: labels of three classes in ascending order
LABELS = {
    "str": np.array(["bear", "cat", "dog"]),
    "object": np.array(["bear", "cat", "dog"], dtype=object),
    "int": np.array([0, 1, 2]),
    "int8": np.array([0, 1, 2], dtype=np.int8),
    "numbers with gaps": np.array([-7, 3, 1000]),
    "float": np.array([1.0, 2.0, 30.0]),
    "bool": np.array([False, True, True]),
}


@of_each(*TRAINED, slow=[FineTunedClassifier])
def test_labels_of_every_type_learn_the_same(estimator, pictures):
    X, codes = pictures
    expected = {}
    for kind, names in {"int": LABELS["int"], **LABELS}.items():
        y = names[codes]
        # in ascending order, independent of the order in y
        classes = np.unique(names)
        probabilities = estimator.fit(X, y).predict_proba(X)
        np.testing.assert_array_equal(estimator.classes_, classes)
        predicted = estimator.predict(X)
        assert estimator.classes_.dtype == predicted.dtype == y.dtype, kind
        np.testing.assert_array_equal(predicted, classes[probabilities.argmax(axis=1)])
        same = expected.setdefault(len(classes), probabilities)
        np.testing.assert_array_equal(probabilities, same, err_msg=kind)
    numbers = estimator.fit(X, y.astype(int).tolist()).predict_proba(X)
    np.testing.assert_array_equal(numbers, expected[2])


@of_each(ImageOverSampler)
def test_labels_of_every_type_are_resampled_alike(estimator, pictures):
    X, codes = pictures
    for names in LABELS.values():
        X_more, y_more = estimator.fit_resample(X, names[codes])
        np.testing.assert_array_equal(np.unique(y_more), np.unique(names))
        assert y_more.dtype == names.dtype
        counts = np.unique(y_more, return_counts=True)[1]
        assert len(set(counts.tolist())) == 1
        np.testing.assert_array_equal(y_more, names[codes][estimator.sample_indices_])
        assert len(X_more) == len(y_more)
