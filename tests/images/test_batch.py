from __future__ import annotations

import collections
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

from skvision import ImageDecodeError
from skvision.images import ImageReader, as_image_batch


def read(X, size=(12, 10), **how):
    images = as_image_batch(X, **how)
    with ImageReader(images, size, "stretch") as reader:
        return reader.read(np.arange(len(images)))


@pytest.fixture(scope="module")
def files(noise, tmp_path_factory):
    folder = tmp_path_factory.mktemp("noise")
    paths = [folder / f"{i}.png" for i in range(len(noise))]
    for path, pixels in zip(paths, noise, strict=True):
        Image.fromarray(pixels).save(path)
    return paths


def objects(items):
    """Return an object array of one axis, for items of any type."""
    array = np.empty(len(items), dtype=object)
    for position, item in enumerate(items):
        array[position] = item
    return array


def contents(files):
    return [file.read_bytes() for file in files]


def pictures(files):
    return [Image.open(file) for file in files]


FORMS = {
    "Path list": list,
    "str list": lambda files: [str(f) for f in files],
    "tuple": tuple,
    "str array": lambda files: np.array([str(f) for f in files]),
    "StringDType array": lambda files: np.array(
        [str(f) for f in files], dtype=np.dtypes.StringDType()
    ),
    "object array": lambda files: np.array([str(f) for f in files], dtype=object),
    "str column": lambda files: np.array([[str(f)] for f in files]),
    "object column": lambda files: np.array([[str(f)] for f in files], dtype=object),
    "pandas Series": lambda files: pd.Series(
        [str(f) for f in files], index=range(5, 5 + len(files))
    ),
    "pandas string Series": lambda files: pd.Series([str(f) for f in files], dtype="string"),
    "pandas categorical Series": lambda files: pd.Series([str(f) for f in files], dtype="category"),
    "pandas Series of Paths": lambda files: pd.Series(list(files)),
    "pandas Series of bytes": lambda files: pd.Series(contents(files)),
    "pandas frame": lambda files: pd.DataFrame({"file": [str(f) for f in files]}),
    "pandas frame of bytes": lambda files: pd.DataFrame({"content": contents(files)}),
    "pandas frame of PIL images": lambda files: pd.DataFrame({"image": objects(pictures(files))}),
    "polars Series": lambda files: pl.Series([str(f) for f in files]),
    "polars Series of bytes": lambda files: pl.Series(contents(files)),
    "polars frame": lambda files: pl.DataFrame({"file": [str(f) for f in files]}),
    "polars frame of bytes": lambda files: pl.DataFrame({"content": contents(files)}),
    "polars frame of PIL images": lambda files: pl.DataFrame(
        {"image": pl.Series(pictures(files), dtype=pl.Object)}
    ),
    "bytes": contents,
    "bytes in an object array": lambda files: objects(contents(files)),
    "bytearrays": lambda files: [bytearray(content) for content in contents(files)],
    "memoryviews": lambda files: [memoryview(content) for content in contents(files)],
    "PIL images": pictures,
    "PIL images in an object array": lambda files: objects(pictures(files)),
    "all of these": lambda files: [
        files[0],
        str(files[1]),
        *contents(files)[2:4],
        *pictures(files)[4:],
    ],
}


ARRAYS = {
    "list": list,
    "tuple": tuple,
    "deque": collections.deque,
    "values of a dictionary": lambda X: dict(enumerate(X)).values(),
    "object array": objects,
    "object column": lambda X: objects(X)[:, np.newaxis],
    "object array of all axes": lambda X: X.astype(object),
    "pandas Series": lambda X: pd.Series(list(X)),
    "pandas frame": lambda X: pd.DataFrame({"image": list(X)}),
    "polars frame": lambda X: pl.DataFrame({"image": pl.Series(list(X), dtype=pl.Object)}),
    "polars frame of lists": lambda X: pl.DataFrame({"image": X.tolist()}),
    "nested lists": lambda X: X.tolist(),
}


@pytest.mark.parametrize("form", ARRAYS)
def test_every_form_of_arrays_reads_the_same(form, noise):
    np.testing.assert_array_equal(read(ARRAYS[form](noise)), noise)


@pytest.mark.parametrize("form", ["list", "object array", "pandas Series", "pandas frame"])
@pytest.mark.parametrize("place", [0, 2])
@pytest.mark.parametrize(
    ("odd", "message"),
    [
        (None, "None.*cv2.imread gives None"),
        (float("nan"), "nan.*Missing values in a table"),
        (pd.NA, "<NA>.*Missing values in a table"),
        (pd.NaT, "NaT.*Missing values in a table"),
        ({}, "{}"),
        (True, "True"),
        ("cat.jpg", "'cat.jpg'"),
        (7, "7"),
    ],
)
def test_the_error_of_an_odd_item_has_its_place_and_value(noise, form, place, odd, message):
    items = list(noise)
    items[place] = odd
    with pytest.raises(ValueError, match=rf"item {place} is {message}"):
        as_image_batch(ARRAYS[form](items))


@pytest.mark.parametrize("X", [[None], [None, None], (None,), [object()], [{}]])
def test_sequences_of_odd_items_only(X):
    with pytest.raises(ValueError, match="item 0 is .* Every item must be"):
        as_image_batch(X)


def test_arrays_in_a_list_have_one_scale(noise):
    mixed = [noise[0], noise[1] / 255, noise[2]]
    with pytest.raises(ValueError, match="item 0 is uint8, item 1 float64, which means another"):
        as_image_batch(mixed)
    same = [noise[0], noise[1].astype(np.int64)]  # both on the scale 0..255
    np.testing.assert_array_equal(read(same), noise[:2])


def test_uneven_arrays_are_refused_with_a_clear_error(noise):
    with pytest.raises(ValueError, match=r"different shapes: \(12, 10, 3\), \(5, 10, 3\) \(item 1"):
        as_image_batch(objects([noise[0], noise[1][:5]]))
    with pytest.raises(ValueError, match="lists of unequal lengths"):
        as_image_batch([[[1, 2], [3, 4]], [[1, 2], [3]]])


class NotAnArray:
    """An array of another library that NumPy can't convert, such as one on a graphics card."""

    shape = (2, 4, 4)

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("can't convert a device tensor")


def test_arrays_that_numpy_cannot_convert_are_refused():
    with pytest.raises(ValueError, match="class NotAnArray, .*can't convert a device tensor"):
        as_image_batch(NotAnArray())


TEXT = "A" * 2_000_000


@pytest.mark.parametrize(
    "X",
    [
        TEXT,
        TEXT.encode(),
        [TEXT, None],
        [None, TEXT.encode()],
        [[TEXT]],
        np.array([[TEXT, TEXT]]),
        {TEXT: 1},
        np.array([TEXT, 3, None], dtype=object),
    ],
    ids=["text", "bytes", "list", "bytes in a list", "nested", "array", "dictionary", "objects"],
)
def test_messages_stay_short(X):
    with pytest.raises(ValueError, match=r"\w") as caught:
        as_image_batch(X)
    assert len(str(caught.value)) < 800


def test_the_error_of_a_text_that_is_not_a_file_name_is_short():
    with pytest.raises(ImageDecodeError, match=r"2,000,000 characters.*b64decode") as caught:
        read([TEXT])
    assert len(str(caught.value)) < 300
    with pytest.raises(ValueError, match="value_range must be") as refused:
        as_image_batch(np.zeros((1, 4, 4)), value_range=[TEXT] * 1000)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_files_reads_the_same(form, files, noise):
    np.testing.assert_array_equal(read(FORMS[form](files)), noise)


def test_object_arrays_keep_trailing_zeros(files, noise):
    """NumPy's own bytes type strips them, so it is refused."""
    with_zeros = [content + bytes(3) for content in contents(files)]
    assert as_image_batch(objects(with_zeros)).sources[0].endswith(bytes(3))
    np.testing.assert_array_equal(read(objects(with_zeros)), noise)
    with pytest.raises(ValueError, match="dtype=object"):
        as_image_batch(np.array(with_zeros))


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_sizes_may_differ_within_a_batch(noise, resize):
    X = [
        Image.fromarray(noise[0]),
        Image.fromarray(noise[1][:5]),
        Image.fromarray(noise[2]).resize((80, 3)),
        Image.new("L", (1, 1), 7),
    ]
    with ImageReader(as_image_batch(X), (12, 10), resize) as reader:
        batch = reader.read(np.array([3, 2, 1, 0]))
    assert batch.shape == (4, 12, 10, 3)
    np.testing.assert_array_equal(batch[3], noise[0])
    assert batch[0].max() == 7


@pytest.mark.parametrize("size", [(12, 10), (5, 6)])
def test_files_and_array_agree_exactly(files, noise, size):
    np.testing.assert_array_equal(read(files, size), read(noise, size))


@pytest.mark.parametrize(
    "convert",
    [
        lambda X: X.astype(np.int64),
        lambda X: X.astype(np.int16),
        lambda X: X.astype(np.uint32),
        lambda X: X.astype(np.uint16) * 257,
        lambda X: X / 255,
        lambda X: (X / 255).astype(np.float32),
        lambda X: X.astype(">i4"),
        lambda X: np.asfortranarray(X),
        lambda X: X[::-1][::-1],
        lambda X: np.repeat(X, 2, axis=2)[:, :, ::2],
        lambda X: X[:, :, :, ::-1].copy()[:, :, :, ::-1],
        lambda X: X.tolist(),
        lambda X: list(X),
    ],
    ids=[
        *("int64", "int16", "uint32", "uint16", "float64", "float32", "big-endian"),
        *("Fortran", "reversed twice", "strided", "BGR view", "lists", "list of arrays"),
    ],
)
def test_every_dtype_of_the_same_images_reads_the_same(noise, convert):
    np.testing.assert_array_equal(read(convert(noise)), noise)


def test_value_range_sets_another_scale(noise):
    np.testing.assert_array_equal(read(noise.astype(float), value_range=(0, 255)), noise)
    np.testing.assert_array_equal(read(noise / 127.5 - 1, value_range=(-1, 1)), noise)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.uint8, np.int64])
def test_value_range_works_for_every_dtype(noise, dtype):
    X = noise.astype(dtype)  # float16 holds the integers up to 2,048
    np.testing.assert_array_equal(read(X, value_range=(0, 255)), noise)
    with pytest.raises(ValueError, match="accepted are .* pixels from 0 to 100"):
        as_image_batch(X, value_range=(0, 100))


def test_half_precision_is_on_the_scale_of_floats(noise):
    X = (noise / 255).astype(np.float16)
    assert np.abs(read(X).astype(int) - noise).max() <= 1  # it has 11 bits


def test_integers_have_the_scale_of_their_dtype():
    assert read(np.array([[[0, 255]]], np.uint16), (1, 2))[0, 0].tolist() == [[0] * 3, [1] * 3]
    assert read(np.array([[[0, 255]]], np.int32), (1, 2))[0, 0].tolist() == [[0] * 3, [255] * 3]
    assert read(np.array([[[65535]]], np.uint16), (1, 1)).tolist() == [[[[255] * 3]]]


def test_bool_is_black_and_white():
    X = np.array([[[True, False]] * 2])
    assert read(X, (2, 2))[0, 0].tolist() == [[255] * 3, [0] * 3]


def test_grey_with_and_without_channel(noise):
    grey = noise[..., 0]
    expected = np.repeat(grey[..., None], 3, axis=-1)
    np.testing.assert_array_equal(read(grey), expected)
    np.testing.assert_array_equal(read(grey[..., None]), expected)


def test_alpha_is_composited_on_white():
    X = np.array([[[[0, 0, 0, 128], [9, 9, 9, 255]]]], np.uint8)
    assert read(X, (1, 2))[0, 0].tolist() == [[127] * 3, [9] * 3]


@pytest.mark.parametrize("row_shape", [(12, 10, 3), (12, -1, 3), (-1, 10, 3), [12, 10, -1]])
def test_rows(noise, row_shape):
    flat = noise.reshape(len(noise), -1)
    np.testing.assert_array_equal(read(flat, row_shape=row_shape), noise)
    np.testing.assert_array_equal(read(pd.DataFrame(flat), row_shape=row_shape), noise)
    np.testing.assert_array_equal(read(flat.tolist(), row_shape=row_shape), noise)


def test_rows_without_channels_are_grey(noise):
    grey = noise[..., 0]
    np.testing.assert_array_equal(read(grey.reshape(len(grey), -1), row_shape=(12, -1)), read(grey))
    as_a_line = read(grey.reshape(len(grey), -1), (1, 120), row_shape=(1, -1))
    np.testing.assert_array_equal(as_a_line[..., 0], grey.reshape(len(grey), 1, -1))


def test_numbers_without_a_scale_stay_unchanged():
    X = np.array([[[-5.0, 1e5]]])
    batch = read(X, (1, 2), value_range=None)
    assert batch.dtype == np.float32
    assert batch.tolist() == [[[[-5.0], [1e5]]]]


@pytest.mark.parametrize("n_channels", [1, 2, 3, 4, 7])
def test_numbers_without_a_scale_keep_their_channels(n_channels):
    X = np.random.default_rng(0).normal(size=(2, 3, 3, n_channels))
    np.testing.assert_array_equal(read(X, (3, 3), value_range=None), X.astype(np.float32))


def test_files_keep_0_to_255_without_a_scale(files, noise):
    batch = read(files, value_range=None)
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch, noise)


@pytest.mark.parametrize("value_range", ["auto", None])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_user_array_is_never_changed(noise, dtype, value_range):
    X = noise if dtype == np.uint8 else (noise / 255).astype(dtype)
    X = X.copy()
    before = X.copy()
    X.flags.writeable = False
    read(X, (5, 5), value_range=value_range)
    batch = read(X, value_range=value_range)
    batch[:] = 0  # the result is a copy, not a view of X
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("size", [(12, 10), (5, 5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_memory_mapped_array(noise, tmp_path, dtype, size):
    X = {np.uint8: noise, np.uint16: noise.astype(np.uint16) * 257, np.float64: noise / 255}[dtype]
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    np.testing.assert_array_equal(read(mapped, size), read(noise, size))


def test_memory_mapped_array_stays_on_disk(noise, tmp_path):
    np.save(tmp_path / "X.npy", noise)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert np.shares_memory(as_image_batch(mapped).pixels, mapped)


@pytest.mark.parametrize(
    ("X", "how", "message"),
    [
        (np.full((2, 4, 4), 1.5), {}, r"from 1.5 to 1.5; accepted .* from 0 to 1"),
        (np.full((2, 4, 4), -0.1), {}, "from -0.1"),
        (np.full((2, 4, 4), 256), {}, "from 256 to 256; accepted .* from 0 to 255"),
        (np.full((2, 4, 4), -1), {}, "from -1 to -1"),
        (np.full((2, 4, 4), -1, np.int8), {}, "from -1 to -1; accepted .* from 0 to 255"),
        (np.full((2, 4, 4), 256, np.uint32), {}, "from 256 to 256"),
        (np.full((2, 4, 4), 2, np.float16), {}, "from 2 to 2; accepted .* from 0 to 1"),
        (np.full((2, 4, 4), np.nan), {"value_range": (0, 9)}, "NaN or infinity"),
        (np.full((2, 4, 4), np.nan), {}, "NaN or infinity"),
        (np.full((2, 4, 4), np.inf), {"value_range": None}, "NaN or infinity"),
        (np.full((2, 4, 4), 1e300), {"value_range": None}, "32-bit"),
        (np.zeros((2, 16)), {}, r"row_shape=\(height, width\)"),
        (np.zeros((2, 16)), {"row_shape": (3, 5)}, "rows of 16 numbers"),
        (np.zeros((2, 16)), {"row_shape": (-1, 5)}, "rows of 16 numbers"),
        (np.zeros((2, 16)), {"row_shape": (-1, -1)}, "rows of 16 numbers"),
        (np.zeros((2, 16)), {"row_shape": (16,)}, r"row_shape must be"),
        (np.zeros((20, 20, 3)), {}, "one colour image"),
        (np.zeros((2, 4, 4, 2)), {}, "2 channels"),
        (np.zeros((2, 4, 4, 4, 4)), {}, "Received a 5-D array"),
        (np.zeros(3), {}, "Received a 1-D array"),
        (np.zeros((0, 4, 4)), {}, "0 sample"),
        (np.zeros((2, 0, 4)), {}, r"shape \(2, 0, 4, 1\)"),
        (np.zeros((2, 4, 4), complex), {}, "complex128"),
        ("cat.jpg", {}, r"pass it in a list"),
        (Path("cat.jpg"), {}, r"pass it in a list"),
        (b"abc", {}, r"pass it in a list"),
        (bytearray(b"abc"), {}, r"single image, 3 bytes.* pass it in a list"),
        (Image.new("RGB", (2, 2)), {}, r"pass it in a list"),
        (["cat.jpg", None], {}, "item 1 is None"),
        (["cat.jpg", 3], {}, "item 1 is 3"),
        ([None, "cat.jpg"], {}, "item 0 is None but whose item 1 is 'cat.jpg'"),
        ([0, b"\x89PNG"], {}, "item 0 is 0 but whose item 1 is 4 bytes"),
        (pd.DataFrame({"a": ["x.jpg"], "b": ["y.jpg"]}), {}, r"shape \(1, 2\)"),
        (pl.DataFrame({"a": ["x.jpg"], "b": ["y.jpg"]}), {}, r"shape \(1, 2\)"),
        (pd.Series(["cat.jpg", None]), {}, "item 1 is"),
        (pd.DataFrame({"a": ["x.jpg", 3]}), {}, "item 1 is 3"),
        ([], {}, "0 sample"),
        (np.array([b"abc"]), {}, "dtype=object"),
        (np.zeros((2, 4, 4)), {"value_range": "0-1"}, "value_range must be"),
        (np.zeros((2, 4, 4)), {"value_range": (1, 0)}, "low < high"),
        (np.zeros((2, 4, 4)), {"value_range": 255}, "value_range must be"),
    ],
)
def test_refused_arrays_get_a_clear_error(X, how, message):
    with pytest.raises(ValueError, match=message):
        as_image_batch(X, **how)


def test_reader_decodes_each_file_once_within_its_budget(files, noise, monkeypatch):
    images = as_image_batch(files)
    asked = []
    original = type(images).image
    monkeypatch.setattr(
        type(images),
        "image",
        lambda self, index, *rest: asked.append(index) or original(self, index, *rest),
    )
    one_image = 4 * 4 * 3
    with ImageReader(images, (4, 4), "stretch", keep_bytes=2 * one_image) as reader:
        first = reader.read(np.array([3, 1, 0]))
        second = reader.read(np.array([3, 1, 0]))
    np.testing.assert_array_equal(first, second)
    assert sorted(asked) == [0, 1, 3, 3]


def test_reader_reads_the_same_image_twice_in_a_batch(files, noise):
    with ImageReader(as_image_batch(files), (12, 10), "stretch") as reader:
        np.testing.assert_array_equal(reader.read(np.array([2, 2])), noise[[2, 2]])
