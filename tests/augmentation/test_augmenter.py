"""`ImageAugmenter` as a transformer, in a Pipeline, and in training."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skvision import AugmentedImage, ImageAugmenter, MiniVGGClassifier, PretrainedFeatureTransformer
from skvision.augmentation import Draw
from skvision.images import ImageReader, as_image_batch, decode, decode_resized, image_key
from skvision.images.batch import SourceBatch

from ..conftest import TINY

ALL = {
    "rotation_range": 40,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "shear_range": 10,
    "zoom_range": 0.2,
    "horizontal_flip": True,
    "vertical_flip": True,
    "crop_range": 0.3,
    "brightness_range": (0.7, 1.3),
    "contrast_range": (0.7, 1.3),
    "channel_shift_range": 20,
    "hue_range": 0.1,
    "saturation_range": (0.5, 1.5),
    "noise_std": 0.02,
    "erase_fraction": 0.2,
}

# forms of X

FORMS = {
    "uint8": lambda X: X,
    "grey 3-D": lambda X: X[..., 0],
    "grey 4-D": lambda X: X[..., :1],
    "transparent": lambda X: np.concatenate([X, X[..., :1]], axis=-1),
    "float32": lambda X: (X / 255).astype(np.float32),
    "float64": lambda X: X / 255,
    "float16": lambda X: (X / 255).astype(np.float16),
    "uint16": lambda X: X.astype(np.uint16) * 257,
    "int64": lambda X: X.astype(np.int64),
    "bool": lambda X: X > 127,
}


@pytest.mark.parametrize("form", FORMS)
def test_type_shape_and_range_are_kept(noise, form):
    X = FORMS[form](noise)
    augmenter = ImageAugmenter(**ALL, random_state=0)
    result = augmenter.fit_transform(X)
    assert result.shape == X.shape
    assert result.dtype == X.dtype
    assert not np.array_equal(result, X)
    as_image_batch(result)  # still on its scale
    again = clone(augmenter).fit_transform(X)
    np.testing.assert_array_equal(result, again)
    identity = ImageAugmenter().fit_transform(X)
    assert identity.dtype == X.dtype
    np.testing.assert_array_equal(identity, X)
    np.testing.assert_array_equal(augmenter.transform(X), X)


def test_rows_and_frames(noise):
    rows = noise.reshape(len(noise), -1)
    augmenter = ImageAugmenter(**ALL, row_shape=(12, 10, 3), random_state=0)
    result = augmenter.fit_transform(rows)
    expected = ImageAugmenter(**ALL, random_state=0).fit_transform(noise)
    np.testing.assert_array_equal(result, expected.reshape(rows.shape))
    frame = pd.DataFrame(rows, index=range(10, 16)).add_prefix("p")
    framed = clone(augmenter).set_output(transform="pandas").fit_transform(frame)
    assert framed.columns.tolist() == frame.columns.tolist()
    assert framed.index.tolist() == frame.index.tolist()
    np.testing.assert_array_equal(framed, result)


def test_numbers_that_are_not_images():
    X = np.random.default_rng(0).normal(size=(4, 6, 6, 2)) * 1000
    result = ImageAugmenter(horizontal_flip=True, random_state=0, value_range=None).fit_transform(X)
    # geometry is computed in 32 bits; unmoved numbers keep all their bits
    flipped = (result == X[:, :, ::-1].astype(np.float32)).all(axis=(1, 2, 3))
    assert flipped.any()
    assert (flipped | (result == X).all(axis=(1, 2, 3))).all()


@pytest.fixture
def files(tmp_path, noise):
    names = [str(tmp_path / f"{index}.png") for index in range(len(noise))]
    for name, pixels in zip(names, noise, strict=True):
        Image.fromarray(pixels).save(name)
    return names


@pytest.mark.parametrize("kind", ["list", "object array", "Series", "frame", "bytes", "PIL"])
def test_paths_become_small_items_with_the_same_pixels_as_arrays(files, noise, kind):
    X = {
        "list": lambda: files,
        "object array": lambda: np.array(files, dtype=object),
        "Series": lambda: pd.Series(files),
        "frame": lambda: pd.DataFrame({"file": files}),
        "bytes": lambda: [Path(file).read_bytes() for file in files],
        "PIL": lambda: [Image.open(file) for file in files],
    }[kind]()
    augmenter = ImageAugmenter(**ALL, random_state=0)
    items = augmenter.fit_transform(X)
    assert items.shape == (6,)
    assert all(isinstance(item, AugmentedImage) for item in items)
    expected = clone(augmenter).fit_transform(noise)
    np.testing.assert_array_equal(np.stack([decode(item) for item in items]), expected)
    with ImageReader(as_image_batch(items), (12, 10), "stretch") as reader:
        np.testing.assert_array_equal(reader.read(np.arange(6)), expected)
    unchanged = augmenter.transform(X)
    assert unchanged.shape == (6,)
    given = X if kind in ("list", "bytes", "PIL") else np.asarray(X).ravel()
    assert all(a == b for a, b in zip(unchanged, given, strict=True))


def test_an_item_is_small_picklable_and_equal_to_its_copy(files):
    item = ImageAugmenter(**ALL, random_state=0).fit_transform(files)[0]
    text = pickle.dumps(item)
    assert len(text) < 1000
    assert pickle.loads(text) == item
    np.testing.assert_array_equal(decode(pickle.loads(text)), decode(item))


def test_an_item_is_changed_after_it_is_resized(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.jpg")
    item = AugmentedImage(tmp_path / "a.jpg", Draw.of(flip_x=True))
    expected = decode_resized(tmp_path / "a.jpg", (16, 16), "crop")[:, ::-1]
    np.testing.assert_array_equal(decode_resized(item, (16, 16), "crop"), expected)


def test_an_item_can_be_augmented_again(files, noise):
    once = [AugmentedImage(file, Draw.of(flip_x=True)) for file in files]
    twice = ImageAugmenter(vertical_flip=True, random_state=1).fit_transform(once)
    assert twice[0].source is once[0]
    shown = np.stack([decode(item) for item in twice])
    mirrored = noise[:, :, ::-1]
    assert all(
        np.array_equal(a, b) or np.array_equal(a, b[::-1])
        for a, b in zip(shown, mirrored, strict=True)
    )


def test_an_unreadable_source_is_named(tmp_path):
    from skvision import ImageDecodeError

    item = AugmentedImage(tmp_path / "nowhere.jpg", Draw.of(flip_x=True))
    with pytest.raises(ImageDecodeError, match="nowhere.jpg: no such file"):
        decode(item)


def test_items_in_a_set_output_frame(files):
    augmenter = ImageAugmenter(rotation_range=10).set_output(transform="pandas")
    frame = pd.DataFrame({"file": files})
    result = augmenter.fit_transform(frame)
    assert isinstance(result, pd.DataFrame)
    assert isinstance(as_image_batch(result), SourceBatch)


# seeds


def test_random_state():
    X = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)

    def result(random_state):
        return ImageAugmenter(rotation_range=40, random_state=random_state).fit_transform(X)

    assert not np.array_equal(result(0), result(1))
    assert not np.array_equal(result(None), result(None))
    state = np.random.RandomState(0)
    assert not np.array_equal(result(state), result(state))
    np.testing.assert_array_equal(
        result(np.random.RandomState(5)), result(np.random.RandomState(5))
    )


def test_every_image_has_its_own_draw():
    X = np.tile(
        np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8), (4, 1, 1, 1)
    )
    result = ImageAugmenter(rotation_range=40, random_state=0).fit_transform(X)
    assert len({picture.tobytes() for picture in result}) == 4


@pytest.mark.slow
def test_the_same_in_another_process(noise):
    code = (
        "import hashlib, numpy as np; from skvision import ImageAugmenter\n"
        "X = np.random.default_rng(0).integers(0, 256, (6, 12, 10, 3), dtype=np.uint8)\n"
        f"r = ImageAugmenter(**{ALL!r}, random_state=3).fit_transform(X)\n"
        "print(hashlib.sha256(r.tobytes()).hexdigest())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "OMP_NUM_THREADS": n_threads},
        ).stdout
        for n_threads in ("1", "2")
    }  # fmt: skip
    assert len(printed) == 1


# bad input


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"rotation_range": -1}, "rotation_range must be a number of at least 0.* Received: -1"),
        ({"rotation_range": "40"}, "rotation_range must be a number"),
        ({"rotation_range": np.nan}, "rotation_range must be a number"),
        ({"width_shift_range": -0.1}, "width_shift_range must be a number of at least 0"),
        ({"height_shift_range": []}, "height_shift_range must be .* a sequence of at least one"),
        ({"height_shift_range": ["a"]}, "height_shift_range must be a number of at least 0, or"),
        ({"shear_range": -5}, "shear_range"),
        ({"zoom_range": 1}, "zoom_range must be a number of at least 0 and below 1"),
        ({"zoom_range": 1.5}, "zoom_range must be a number of at least 0 and below 1"),
        ({"zoom_range": -0.1}, "zoom_range"),
        ({"zoom_range": (0, 1)}, "0 < low <= high"),
        ({"crop_range": 1}, "crop_range must be a number of at least 0 and below 1"),
        ({"erase_fraction": 1.0}, "erase_fraction must be a number of at least 0 and below 1"),
        ({"brightness_range": 0.2}, "brightness_range must be None or a pair"),
        ({"brightness_range": (1.2, 0.8)}, "brightness_range must be None or a pair"),
        ({"contrast_range": (-1, 1)}, "contrast_range must be None or a pair"),
        ({"saturation_range": (1,)}, "saturation_range must be None or a pair"),
        ({"hue_range": 0.6}, "hue_range must be a number of at least 0 and at most 0.5"),
        ({"channel_shift_range": -3}, "channel_shift_range"),
        ({"noise_std": -0.1}, "noise_std"),
        ({"horizontal_flip": "yes"}, "horizontal_flip must be True or False"),
        (
            {"fill_mode": "mirror"},
            "fill_mode must be one of 'nearest', 'constant', 'reflect', 'wrap'",
        ),
        ({"cval": np.inf}, "cval must be a finite number"),
        ({"cval": 256}, "cval must be a level from 0, black, to 255, white. Received: 256"),
        ({"rotation_range": 1e308}, "rotation_range must be a number .* at most 1,000,000"),
        ({"channel_shift_range": 10**400}, "channel_shift_range must be a number"),
        ({"brightness_range": (0, 1e308)}, "brightness_range must be None or a pair"),
        ({"brightness_range": np.array(0.2)}, "brightness_range must be None or a pair"),
        ({"width_shift_range": np.array(0.2)}, "width_shift_range must be a number"),
        ({"width_shift_range": 10**9}, "width_shift_range must be a number"),
        ({"random_state": -1}, "random_state"),
        ({"random_state": "x"}, "random_state"),
    ],
)
def test_bad_parameters(noise, parameters, message):
    with pytest.raises(ValueError, match=message):
        ImageAugmenter(**parameters).fit_transform(noise)
    with pytest.raises(ValueError, match=message):
        MiniVGGClassifier(**{**TINY, "augmentation": ImageAugmenter(**parameters)}).fit(
            noise, [0, 1] * 3
        )


def test_numbers_beyond_float_precision_stay_unchanged_without_augmentation():
    X = np.full((2, 2, 2, 3), 2**60 + 1)
    assert (ImageAugmenter(value_range=None).fit_transform(X) == X).all()


def test_mixed_sizes():
    with pytest.raises(ValueError, match=r"different shapes: \(8, 8, 3\), \(9, 8, 3\).*one size"):
        ImageAugmenter().fit_transform([np.zeros((8, 8, 3)), np.zeros((9, 8, 3))])


def test_wrong_scale_in_transform(noise):
    augmenter = ImageAugmenter().fit(noise)
    with pytest.raises(ValueError, match="fitted on the scale 0..255"):
        augmenter.transform(noise / 255)


def test_a_failed_fit_changes_nothing(noise):
    augmenter = ImageAugmenter().fit(noise)
    with pytest.raises(ValueError, match="single path"):
        augmenter.fit("image.jpg")
    assert augmenter.pixel_range_ == (0.0, 255.0)


# in training


class Recorder(ImageAugmenter):
    """Records its calls."""

    calls = []

    def augment_batch(self, images, seed, indices):
        self.calls.append((tuple(seed), tuple(indices)))
        return super().augment_batch(images, seed, indices)


def test_in_training_each_epoch_and_image_has_its_own_draw(digits):
    Recorder.calls.clear()
    net = MiniVGGClassifier(**{**TINY, "epochs": 2, "augmentation": Recorder(rotation_range=20)})
    net.fit(digits[0][:64], digits[1][:64])
    by_epoch = {}
    for (_, epoch), indices in Recorder.calls:
        by_epoch.setdefault(epoch, []).extend(indices)
    assert sorted(by_epoch[0]) == sorted(by_epoch[1]) == list(range(64))
    assert by_epoch[0] != by_epoch[1]


def test_augmented_in_training_is_the_same_for_any_order_and_batch_size(digits):
    augmenter = ImageAugmenter(**ALL)
    images = digits[0][:20, ..., np.newaxis].repeat(3, axis=-1)
    together = augmenter.augment_batch(images, [4, 2], np.arange(20))
    order = np.random.default_rng(0).permutation(20)
    for part in np.array_split(order, 3):
        np.testing.assert_array_equal(
            augmenter.augment_batch(images[part], [4, 2], part), together[part]
        )


def predictions(digits, **parameters):
    net = MiniVGGClassifier(**{**TINY, **parameters}).fit(*digits)
    return net.predict_proba(digits[0])


def test_training_is_reproducible_and_depends_on_the_augmenter(digits, tmp_path):
    small = digits[0][:90], digits[1][:90]
    plain = predictions(small)
    augmenter = ImageAugmenter(rotation_range=30, width_shift_range=0.1)
    first = predictions(small, augmentation=augmenter)
    np.testing.assert_array_equal(first, predictions(small, augmentation=clone(augmenter)))
    assert not np.array_equal(first, plain)
    seeded = augmenter.set_params(random_state=7)
    assert not np.array_equal(first, predictions(small, augmentation=seeded))
    # files and arrays of the same images
    files = []
    for index, pixels in enumerate(small[0]):
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
        files.append(str(tmp_path / f"{index}.png"))
    net = MiniVGGClassifier(**TINY, augmentation=augmenter).fit(files, small[1])
    seeded_result = predictions(small, augmentation=augmenter)
    np.testing.assert_array_equal(net.predict_proba(small[0]), seeded_result)


def test_resumed_training_has_the_same_draws(digits, tmp_path):
    small = digits[0][:60], digits[1][:60]
    how = {**TINY, "augmentation": ImageAugmenter(**ALL)}
    whole = MiniVGGClassifier(**{**how, "epochs": 3}).fit(*small)
    MiniVGGClassifier(**{**how, "epochs": 2}, checkpoint_dir=tmp_path).fit(*small)
    resumed = MiniVGGClassifier(**{**how, "epochs": 3}, checkpoint_dir=tmp_path).fit(*small)
    assert resumed.n_epochs_ == 3
    np.testing.assert_array_equal(resumed.predict_proba(small[0]), whole.predict_proba(small[0]))
    how.update(epochs=4, augmentation=ImageAugmenter(rotation_range=1))
    with pytest.raises(ValueError, match="another setup: augmentation"):
        MiniVGGClassifier(**how, checkpoint_dir=tmp_path).fit(*small)


def test_labels_stay_with_their_images():
    # dark images have label 0 and bright ones 1, also after all augmentations
    X = np.repeat(np.array([20, 235], np.uint8), 40)[:, None, None] * np.ones((1, 8, 8), np.uint8)
    y = np.repeat([0, 1], 40)
    seen = []

    class Watch(ImageAugmenter):
        def augment_batch(self, images, seed, indices):
            result = super().augment_batch(images, seed, indices)
            seen.append((result.mean(axis=(1, 2, 3)) > 80, y[indices]))
            return result

    MiniVGGClassifier(**{**TINY, "augmentation": Watch(**ALL)}).fit(X, y)
    assert all(np.array_equal(bright, label) for bright, label in seen)


def test_grid_search_reaches_into_the_augmenter(digits):
    small = digits[0][:60], digits[1][:60]
    net = MiniVGGClassifier(**{**TINY, "epochs": 1}, augmentation=ImageAugmenter())
    search = GridSearchCV(net, {"augmentation__rotation_range": [0, 30]}, cv=2).fit(*small)
    assert search.best_estimator_.augmentation.rotation_range in (0, 30)
    assert set(search.cv_results_["param_augmentation__rotation_range"]) == {0, 30}


# in a Pipeline


def test_pipeline_augments_in_fit_only(digits):
    X, y = digits[0][:90] / 255, digits[1][:90]
    seen = []

    class Look(LogisticRegression):
        def fit(self, X, y):
            seen.append(X.copy())
            return super().fit(X, y)

        def predict(self, X):
            seen.append(X.copy())
            return super().predict(X)

    rows = X.reshape(len(X), -1)
    pipeline = make_pipeline(
        ImageAugmenter(rotation_range=30, row_shape=(8, 8), random_state=0), Look(max_iter=500)
    )
    pipeline.fit(rows, y).predict(rows)
    assert not np.array_equal(seen[0], rows)
    np.testing.assert_array_equal(seen[1], rows)
    assert cross_val_score(pipeline, rows, y, cv=3).mean() > 0.8


@pytest.mark.slow
def test_augmenter_features_and_linear_model_searched_together(digits_folder, tmp_path):
    from skvision import load_image_folder

    X, y = load_image_folder(digits_folder, return_X_y=True)
    chosen = np.isin(y, ["zero", "one"])
    features = PretrainedFeatureTransformer(
        image_size=32, engine="keras", cache=tmp_path / "cache", random_state=0
    )
    pipeline = make_pipeline(
        ImageAugmenter(random_state=0), features, LogisticRegression(max_iter=500)
    )
    grid = {
        "imageaugmenter__rotation_range": [0, 20],
        "pretrainedfeaturetransformer__pooling": ["avg", "max"],
        "logisticregression__C": [0.01, 1.0],
    }
    search = GridSearchCV(pipeline, grid, cv=2).fit(X[chosen], y[chosen])
    assert len(search.cv_results_["params"]) == 8
    assert search.best_score_ > 0.7
    np.testing.assert_array_equal(search.predict(X[chosen]).shape, (chosen.sum(),))
    from skvision.feature_extraction.cache import FeatureCache

    info = FeatureCache(tmp_path / "cache").info()
    # two poolings; in each of two folds every image unchanged, and half of them rotated; the
    # refit may add some. Searching C too needs no further features.
    n = int(chosen.sum())
    for n_rows in info.networks.values():
        assert n + n <= n_rows <= 4 * n


# keys


def test_image_key_depends_on_content_and_draw(files, tmp_path):
    flipped, turned = Draw.of(flip_x=True), Draw.of(rotation=3.0)
    key = image_key(AugmentedImage(files[0], flipped))
    copy = tmp_path / "copy.png"
    copy.write_bytes(Path(files[0]).read_bytes())
    assert image_key(AugmentedImage(str(copy), flipped)) == key
    others = [
        image_key(files[0]),
        image_key(AugmentedImage(files[1], flipped)),
        image_key(AugmentedImage(files[0], turned)),
        image_key(AugmentedImage(files[0], Draw.of(flip_x=True, fill_mode="wrap"))),
        image_key(AugmentedImage(files[0], Draw.of(flip_x=True, cval=3.0))),
        image_key(AugmentedImage(AugmentedImage(files[0], flipped), flipped)),
    ]
    assert len({key, *others}) == 7
    assert len(key) == 16


def test_key_is_the_same_in_every_process(files, tmp_path, elsewhere):
    items = ImageAugmenter(**ALL, random_state=0).fit_transform([Path(files[0]).read_bytes()])
    (tmp_path / "item").write_bytes(pickle.dumps(items[0]))
    code = (
        "import sys, pickle; from skvision.images import image_key\n"
        "answer = image_key(pickle.load(open(sys.argv[1], 'rb'))).hex()"
    )
    assert elsewhere(code, tmp_path / "item") == image_key(items[0]).hex()


def test_the_error_of_a_draw_lists_its_parameters():
    assert Draw.of(rotation=30.0, zoom_x=1.0).parameters == {"rotation": 30.0}
    with pytest.raises(ValueError, match="no parameter 'rotate'. It has: rotation, shift_x"):
        Draw.of(rotate=3)


def test_bytes_of_a_jpeg(noise):
    buffer = io.BytesIO()
    Image.fromarray(noise[0]).save(buffer, "jpeg")
    item = AugmentedImage(buffer.getvalue(), Draw.of(flip_x=True))
    np.testing.assert_array_equal(decode(item), decode(buffer.getvalue())[:, ::-1])
