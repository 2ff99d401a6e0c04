"""Images of more than 8 bits: a warning if their scale is a guess, correct with an explicit one."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone

import skvision
from skvision import (
    AugmentationDisplay,
    FineTunedClassifier,
    ImageAugmenter,
    ImageDecodeError,
    ImageNetClassifier,
    ImageOverSampler,
    MiniVGGClassifier,
    PixelRangeWarning,
    PretrainedFeatureTransformer,
    augment_folder,
    load_image_folder,
)
from skvision.images import as_image_batch, learning

from ..conftest import TINY, small_body
from ..images.deep_files import png

SIZE = 12
NET = {**TINY, "image_size": SIZE, "epochs": 8}
TUNED = {"image_size": SIZE, "engine": "keras"}
FEATURES = {"backbone": "EfficientNetLite0", "image_size": 32, "engine": "keras"}


def stripes(n, largest=120, seed=0):
    """Counts 0..largest in 16 bits: stripes along one axis or the other."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    waves = np.sin(np.arange(SIZE) * 1.4 + rng.uniform(0, 6, (n, 1)))
    lines = np.round((waves + 1) / 2 * largest).astype(np.uint16)
    lines[:, 0], lines[:, 1] = 0, largest
    X = np.repeat(lines[:, np.newaxis], SIZE, axis=1)
    X[y == 1] = X[y == 1].swapaxes(1, 2)
    return X, np.array(["across", "along"])[y]


@pytest.fixture(scope="module")
def counts():
    return stripes(60)


@pytest.fixture(scope="module")
def folder(counts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("counts")
    for index, (pixels, label) in enumerate(zip(*counts, strict=True)):
        (folder / label).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(folder / label / f"{index:03}.png")
    return folder


@pytest.fixture(scope="module")
def files(folder):
    return load_image_folder(folder, return_X_y=True)


def warned(do):
    """Call a function; return its warnings about pixels."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        do()
    return [str(each.message) for each in seen if each.category is PixelRangeWarning]


# an explicit or a learnt scale


@pytest.mark.parametrize("value_range", [(0, 120), "percentile"])
def test_stripes_of_few_counts_are_learnt_with_the_right_scale(files, value_range):
    X, y = files
    net = MiniVGGClassifier(**NET, value_range=value_range)
    assert warned(lambda: net.fit(X[::2], y[::2])) == []
    assert net.score(X[1::2], y[1::2]) == 1.0


def test_files_arrays_and_pil_images_of_one_range_agree(counts, files):
    X, y = files
    net = MiniVGGClassifier(**NET, value_range=(0, 150)).fit(X, y)
    assert net.pixel_range_ == (0, 150)
    pictures = [Image.open(file) for file in X]
    arrays = np.stack([np.asarray(picture) for picture in pictures])[..., np.newaxis]
    for form in (pictures, arrays):
        np.testing.assert_array_equal(net.predict_proba(form), net.predict_proba(X))
    again = MiniVGGClassifier(**NET, value_range=(0, 150)).fit(arrays, y)
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))


def test_percentiles_are_of_all_images_and_each_channel():
    rng = np.random.default_rng(0)
    X = rng.integers(0, [100, 1000, 10_000], (20, 9, 7, 3)).astype(np.uint16)
    low, high = np.percentile(X.reshape(-1, 3), (0.1, 99.9), axis=0)
    for form in (X, list(X), [png(each) for each in X]):
        learnt = as_image_batch(form, value_range="percentile")
        assert learnt.pixel_range == (tuple(low), tuple(high))
        pixels = learnt.image(3, (9, 7), "stretch")
        expected = np.floor((X[3] - low) * 255 / (high - low) + 0.5).clip(0, 255)
        np.testing.assert_array_equal(pixels, expected)
    assert as_image_batch(X[..., 0], value_range="percentile").pixel_range == (
        (low[0],),
        (high[0],),
    )


def test_percentiles_need_bounded_memory(monkeypatch):
    monkeypatch.setattr(learning, "_KEPT", 60)
    X = np.random.default_rng(0).normal(size=(5, 30, 30)).astype(np.float32)
    taken = []
    original = np.percentile
    monkeypatch.setattr(
        np,
        "percentile",
        lambda values, *how, **more: taken.append(len(values)) or original(values, *how, **more),
    )
    as_image_batch(X, value_range="percentile")
    assert taken == [60]


def test_an_empty_channel_stays_black_and_an_empty_set_is_refused():
    X = np.zeros((3, 8, 8, 3), np.uint16)
    with pytest.raises(ValueError, match=r"nearly all numbers in X are 0. Pass value_range=\(low"):
        as_image_batch(X, value_range="percentile")
    X[..., 0] = np.arange(64).reshape(8, 8)
    pixels = as_image_batch(X, value_range="percentile").image(0, (8, 8), "stretch")
    assert pixels[..., 0].max() == 255
    assert (pixels[..., 1:] == 0).all()


def test_a_learnt_range_applies_to_all_images_and_is_saved(files, tmp_path):
    X, y = files
    net = MiniVGGClassifier(**NET, value_range="percentile").fit(X, y)
    learnt = net.pixel_range_
    assert np.shape(learnt) == (2, 1)
    alone = np.concatenate([net.predict_proba(X[k : k + 1]) for k in range(4)])
    np.testing.assert_allclose(alone, net.predict_proba(X[:4]), atol=1e-6)
    skvision.save(net, tmp_path / "net.skv")
    for kept in (skvision.load(tmp_path / "net.skv"), pickle.loads(pickle.dumps(net))):
        assert kept.pixel_range_ == learnt
        np.testing.assert_array_equal(kept.predict_proba(X), net.predict_proba(X))
    dark = stripes(30, largest=40)
    assert net.set_params(warm_start=True).fit(*dark).pixel_range_ == learnt
    assert clone(net).set_params(warm_start=False).fit(*dark).pixel_range_ != learnt
    parts = clone(net).partial_fit(X, y, classes=["across", "along"])
    assert parts.partial_fit(*dark).pixel_range_ == learnt


def resampled(X, y, **how):
    """Resample, and read the copies later."""
    drawn, _ = ImageOverSampler(ImageAugmenter(horizontal_flip=True, **how)).fit_resample(X, y)
    as_image_batch(drawn, **how).whole(0)


@pytest.mark.parametrize("value_range", [(0, 120), "percentile"])
@pytest.mark.parametrize(
    "use",
    [
        lambda X, y, **how: MiniVGGClassifier(**NET, **how).fit(X, y),
        lambda X, y, **how: FineTunedClassifier(small_body(), **TUNED, **how).fit(X, y),
        lambda X, y, **how: PretrainedFeatureTransformer(**FEATURES, **how).fit_transform(X),
        resampled,
    ],
    ids=["MiniVGG", "FineTuned", "Transformer", "OverSampler"],
)
def test_a_range_is_refused_for_files_of_8_bits(digits_folder, value_range, use):
    X, y = load_image_folder(digits_folder, return_X_y=True)
    with pytest.raises(ImageDecodeError, match="is for images of more than 8 bits"):
        use(X, y, value_range=value_range)


def test_without_a_fit_a_range_can_be_set_but_not_learnt(digits_folder, files):
    net = ImageNetClassifier(**FEATURES, value_range=(0, 120))
    assert net.predict(files[0][:2]).shape == (2,)
    with pytest.raises(ImageDecodeError, match="is for images of more than 8 bits"):
        net.predict(load_image_folder(digits_folder, return_X_y=True)[0])
    with pytest.raises(ValueError, match="'value_range' parameter"):
        net.set_params(value_range="percentile").predict(files[0])


@pytest.mark.parametrize("value_range", ["percentiles", "Percentile", (1, 1), ((0,), (0,)), 5])
def test_invalid_ranges_are_refused(files, value_range):
    with pytest.raises(ValueError, match="value_range must be 'auto', 'percentile', a pair"):
        MiniVGGClassifier(**NET, value_range=value_range).fit(*files)


def test_features_are_cached_under_their_range(files, tmp_path):
    X = files[0][:4]
    found = {}
    for value_range in ("auto", (0, 120), (0, 240), "percentile"):
        how = {**FEATURES, "value_range": value_range, "cache": tmp_path}
        first = PretrainedFeatureTransformer(**how).fit_transform(X)
        plain = PretrainedFeatureTransformer(**{**how, "cache": None}).fit_transform(X)
        np.testing.assert_allclose(first, plain, atol=1e-5)
        found[str(value_range)] = first
    np.testing.assert_allclose(found.pop("percentile"), found["(0, 120)"], atol=1e-5)  # the same
    assert len({features.tobytes() for features in found.values()}) == 3


def test_augmenters_use_the_learnt_range(counts, files):
    X, _ = counts
    augmenter = ImageAugmenter(brightness_range=(1.5, 1.5), value_range="percentile")
    changed = augmenter.fit_transform(X)
    assert changed.dtype == np.uint16
    assert changed.max() <= 120  # on the scale of the images, not of the type
    assert changed.mean() > X.mean()
    drawn = augmenter.fit_transform(files[0])
    batch = as_image_batch(drawn, value_range=augmenter.pixel_range_)
    assert batch.image(0, (SIZE, SIZE), "stretch").max() == 255
    shown = AugmentationDisplay.from_estimator(augmenter, files[0], n_images=1, n_draws=1)
    assert shown.originals[0].max() == 255


def test_copies_on_disk_have_their_originals_scale(folder, tmp_path):
    augmenter = ImageAugmenter(horizontal_flip=True, value_range=(0, 120))
    with pytest.raises(ValueError, match="beside unchanged originals.*value_range='auto'"):
        augment_folder(folder, tmp_path / "more", augmenter, sampling_strategy=40, random_state=0)


# the scale is a guess


def test_few_counts_in_many_bits_are_warned_of_once(files, folder, counts):
    (said,) = warned(lambda: MiniVGGClassifier(**NET).fit(*files))
    assert "numbers from 0 to 120, on a scale of 0..65535: 1 of the 256" in said
    assert "value_range=(0, 255)" in said
    assert "value_range='percentile'" in said
    assert warned(lambda: load_image_folder(folder, validate=True)) == [said]
    assert warned(lambda: load_image_folder(folder)) == []
    assert warned(lambda: MiniVGGClassifier(**NET).fit(*counts)) == [said]
    assert warned(lambda: PretrainedFeatureTransformer(**FEATURES).fit(files[0])) == [said]
    net = MiniVGGClassifier(**NET, value_range=(0, 120)).fit(*files)
    assert warned(lambda: net.predict(files[0])) == []
    assert warned(lambda: ImageAugmenter().fit(files[0])) == []


def room_of(bits, room=16):
    """Return images of this many bits in a larger type, as arrays."""
    X = np.random.default_rng(0).integers(0, 2**bits, (8, SIZE, SIZE)).astype(np.uint16)
    X[0, 0, 0] = 2**bits - 1
    return X


@pytest.mark.parametrize(("bits", "is_warned"), [(10, 1), (12, 1), (14, 1), (15, 0), (16, 0)])
@pytest.mark.parametrize("form", ["array", "PNG", "colour PNG", "TIFF"])
def test_a_quarter_of_the_scale_is_the_limit(bits, is_warned, form, tmp_path):
    X, y = room_of(bits), [0, 1] * 4
    if form == "PNG":
        X = [png(each) for each in X]
    elif form == "colour PNG":
        X = [png(np.stack([each] * 3, axis=2)) for each in X]
    elif form == "TIFF":
        for index, each in enumerate(X):
            Image.fromarray(each).save(tmp_path / f"{index}.tiff")
        X = sorted(map(str, tmp_path.iterdir()))
    said = warned(lambda: MiniVGGClassifier(**NET)._training_data(X, y, None, reset=True))
    assert len(said) == is_warned
    assert all(f"for example value_range=(0, {2**bits - 1})" in each for each in said)


def test_one_bright_image_is_enough():
    X = room_of(12)
    X[-1, 0, 0] = 40_000
    assert (
        warned(lambda: MiniVGGClassifier(**NET)._training_data(X, [0, 1] * 4, None, reset=True))
        == []
    )


PHOTOS = np.random.default_rng(0).integers(0, 256, (8, SIZE, SIZE), dtype=np.uint8)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ((PHOTOS / 255).astype("uint8"), r"from 0 to 1, .*\(X / 255\).astype\('uint8'\)"),
        ((PHOTOS // 16).astype(int), "from 0 to 15, on a scale of 0..255"),
        (PHOTOS / 255 / 255, "on a scale of 0..1: 2 of the 256"),
        (np.full_like(PHOTOS, 255), "from 255 to 255, .* 1 of the 256"),
        (PHOTOS > 255, "from 0 to 0"),
    ],
    ids=["divided and cast", "digits", "divided twice", "white", "bool"],
)
def test_a_few_grey_levels_are_warned_of(X, message):
    (said,) = warned(
        lambda: MiniVGGClassifier(**NET)._training_data(X, [0, 1] * 4, None, reset=True)
    )
    assert np.char.find(said, "The training images hold") == 0
    with pytest.warns(PixelRangeWarning, match=message):
        MiniVGGClassifier(**NET)._training_data(X, [0, 1] * 4, None, reset=True)


@pytest.mark.parametrize(
    "X", [PHOTOS, PHOTOS > 127, PHOTOS // 8, PHOTOS / 255], ids=["bytes", "bool", "dark", "floats"]
)
def test_images_with_contrast_are_not_warned_of(X):
    assert (
        warned(lambda: MiniVGGClassifier(**NET)._training_data(X, [0, 1] * 4, None, reset=True))
        == []
    )


def test_a_folder_of_floats_is_warned_of(tmp_path):
    for label in ("near", "far"):
        (tmp_path / label).mkdir()
        depth = Image.fromarray(np.linspace(0, 9, 64, dtype=np.float32).reshape(8, 8))
        depth.save(tmp_path / label / "1.tiff")
    (said,) = warned(lambda: load_image_folder(tmp_path, validate=True))
    assert "from 0 to 9, whose scale can't be guessed" in said
    X, y = load_image_folder(tmp_path, return_X_y=True)
    net = MiniVGGClassifier(**{**NET, "epochs": 1}, value_range="percentile").fit(X, y)
    assert 0 <= net.pixel_range_[0][0] < 0.1
    with pytest.raises(ImageDecodeError, match="value_range="):
        MiniVGGClassifier(**NET).fit(X, y)


def test_usually_only_one_image_is_checked(digits_folder, monkeypatch):
    from skvision.images import batch

    looked = []
    original = batch.read_samples
    monkeypatch.setattr(
        batch, "read_samples", lambda source, *how: looked.append(source) or original(source, *how)
    )
    MiniVGGClassifier(**{**NET, "epochs": 1}).fit(
        *load_image_folder(digits_folder, return_X_y=True)
    )
    assert len(looked) == 1
