from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

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


FORMS = {
    "Path list": list,
    "str list": lambda files: [str(f) for f in files],
    "tuple": tuple,
    "str array": lambda files: np.array([str(f) for f in files]),
    "object array": lambda files: np.array([str(f) for f in files], dtype=object),
    "pandas Series": lambda files: pd.Series(
        [str(f) for f in files], index=range(5, 5 + len(files))
    ),
    "pandas frame": lambda files: pd.DataFrame({"file": [str(f) for f in files]}),
    "polars Series": lambda files: pl.Series([str(f) for f in files]),
    "polars frame": lambda files: pl.DataFrame({"file": [str(f) for f in files]}),
    "bytes": lambda files: [f.read_bytes() for f in files],
    "PIL images": lambda files: [Image.open(f) for f in files],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_files_reads_the_same(form, files, noise):
    np.testing.assert_array_equal(read(FORMS[form](files)), noise)


@pytest.mark.parametrize("size", [(12, 10), (5, 6)])
def test_files_and_array_agree_exactly(files, noise, size):
    np.testing.assert_array_equal(read(files, size), read(noise, size))


@pytest.mark.parametrize(
    "convert",
    [
        lambda X: X.astype(np.int64),
        lambda X: X.astype(np.uint16) * 257,
        lambda X: X / 255,
        lambda X: (X / 255).astype(np.float32),
        lambda X: X.astype(">i4"),
        lambda X: np.asfortranarray(X),
        lambda X: X[::-1][::-1],
        lambda X: X.tolist(),
    ],
    ids=["int64", "uint16", "float64", "float32", "big-endian", "Fortran", "strided", "list"],
)
def test_every_dtype_of_the_same_pictures_reads_the_same(noise, convert):
    np.testing.assert_array_equal(read(convert(noise)), noise)


def test_value_range_tells_another_scale(noise):
    np.testing.assert_array_equal(read(noise.astype(float), value_range=(0, 255)), noise)
    np.testing.assert_array_equal(read(noise / 127.5 - 1, value_range=(-1, 1)), noise)


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


def test_rows(noise):
    flat = noise.reshape(len(noise), -1)
    np.testing.assert_array_equal(read(flat, row_shape=(12, 10, 3)), noise)
    np.testing.assert_array_equal(read(flat, row_shape=(12, -1, 3)), noise)


def test_numbers_taken_as_they_are():
    X = np.array([[[-5.0, 1e5]]])
    batch = read(X, (1, 2), value_range=None)
    assert batch.dtype == np.float32
    assert batch.tolist() == [[[[-5.0], [1e5]]]]


def test_user_array_is_never_changed(noise):
    X = noise.copy()
    X.flags.writeable = False
    read(X, (5, 5))
    read(X)
    np.testing.assert_array_equal(X, noise)


def test_memory_mapped_array(noise, tmp_path):
    np.save(tmp_path / "X.npy", noise)
    np.testing.assert_array_equal(read(np.load(tmp_path / "X.npy", mmap_mode="r")), noise)


@pytest.mark.parametrize(
    ("X", "how", "message"),
    [
        (np.full((2, 4, 4), 1.5), {}, r"from 1.5 to 1.5; accepted .* from 0 to 1"),
        (np.full((2, 4, 4), -0.1), {}, "from -0.1"),
        (np.full((2, 4, 4), 256), {}, "from 256 to 256; accepted .* from 0 to 255"),
        (np.full((2, 4, 4), -1), {}, "from -1 to -1"),
        (np.full((2, 4, 4), np.nan), {}, "NaN or infinity"),
        (np.full((2, 4, 4), np.inf), {"value_range": None}, "NaN or infinity"),
        (np.full((2, 4, 4), 1e300), {"value_range": None}, "32-bit"),
        (np.zeros((2, 16)), {}, r"row_shape=\(height, width\)"),
        (np.zeros((2, 16)), {"row_shape": (3, 5)}, "rows of 16 numbers"),
        (np.zeros((2, 16)), {"row_shape": (16,)}, r"row_shape must be"),
        (np.zeros((20, 20, 3)), {}, "one colour picture"),
        (np.zeros((2, 4, 4, 2)), {}, "2 channels"),
        (np.zeros((2, 4, 4, 4, 4)), {}, "Received a 5-D array"),
        (np.zeros(3), {}, "Received a 1-D array"),
        (np.zeros((0, 4, 4)), {}, "0 sample"),
        (np.zeros((2, 0, 4)), {}, r"shape \(2, 0, 4, 1\)"),
        (np.zeros((2, 4, 4), complex), {}, "complex128"),
        ("cat.jpg", {}, r"pass it in a list"),
        (Path("cat.jpg"), {}, r"pass it in a list"),
        (b"abc", {}, r"pass it in a list"),
        (["cat.jpg", None], {}, "item 1 is None"),
        (["cat.jpg", 3], {}, "item 1 is 3"),
        ([None, "cat.jpg"], {}, "first item being None"),
        ([], {}, "Accepted"),
        (np.array([b"abc"]), {}, "dtype=object"),
        (np.zeros((2, 4, 4)), {"value_range": "0-1"}, "value_range must be"),
        (np.zeros((2, 4, 4)), {"value_range": (1, 0)}, "low < high"),
        (np.zeros((2, 4, 4)), {"value_range": 255}, "value_range must be"),
    ],
)
def test_what_is_refused_says_why(X, how, message):
    with pytest.raises(ValueError, match=message):
        as_image_batch(X, **how)


def test_reader_decodes_each_file_once_within_its_budget(files, noise, monkeypatch):
    images = as_image_batch(files)
    asked = []
    original = type(images).picture
    monkeypatch.setattr(
        type(images),
        "picture",
        lambda self, index, *rest: asked.append(index) or original(self, index, *rest),
    )
    one_picture = 4 * 4 * 3
    with ImageReader(images, (4, 4), "stretch", keep_bytes=2 * one_picture) as reader:
        first = reader.read(np.array([3, 1, 0]))
        second = reader.read(np.array([3, 1, 0]))
    np.testing.assert_array_equal(first, second)
    assert sorted(asked) == [0, 1, 3, 3]


def test_reader_reads_the_same_picture_twice_in_a_batch(files, noise):
    with ImageReader(as_image_batch(files), (12, 10), "stretch") as reader:
        np.testing.assert_array_equal(reader.read(np.array([2, 2])), noise[[2, 2]])
