"""Image batches of any kind, and damaged files.

Each property is: the input is converted as documented, or refused by ValueError or TypeError with
a helpful message.
"""

from __future__ import annotations

import io
import os
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from skvision import ImageDecodeError, MiniVGGClassifier
from skvision.images import RESIZE_POLICIES, ImageReader, as_image_batch

from . import fuzz

# the same examples each time, so that a pull request fails only by its own changes
same_each_time = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=250,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

NUMBERS = st.one_of(
    arrays.boolean_dtypes(),
    arrays.integer_dtypes(endianness="?"),
    arrays.unsigned_integer_dtypes(endianness="?"),
    arrays.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
)
OTHERS = st.one_of(
    arrays.complex_number_dtypes(),
    arrays.byte_string_dtypes(max_len=3),
    arrays.unicode_string_dtypes(max_len=3),
    arrays.datetime64_dtypes(),
)
SIDES = st.one_of(st.integers(1, 5), st.sampled_from([0, 1, 3, 4, 16]))
SHAPES = st.one_of(
    st.lists(SIDES, max_size=5).map(tuple),
    st.tuples(SIDES, SIDES, SIDES, st.sampled_from([1, 2, 3, 4])),
)
RANGES = st.one_of(
    st.sampled_from(["auto", None, (0, 255), (0, 1), (-1, 1)]),
    st.sampled_from(["Auto", 255, (1, 0), (0, np.inf), (0, 1, 2), ("a", "b"), ()]),
    st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)),
)
ROW_SHAPES = st.one_of(
    st.none(),
    st.tuples(st.integers(1, 5), st.just(-1)),
    st.sampled_from([(2, 2), (2, 2, 1), (1, 3, -1), (0, 4), (2,), (-1, -1), (1, 1, 1, 1)]),
)


@st.composite
def numbers(draw):
    """Draw arrays of numbers, many of them on the scale of their type."""
    dtype = draw(NUMBERS)
    elements = None
    if dtype.kind == "f" and draw(st.booleans()):
        elements = {"min_value": 0, "max_value": 1, "allow_nan": False}
    elif dtype.kind in "iu" and draw(st.booleans()):
        elements = {"min_value": 0, "max_value": min(255, np.iinfo(dtype).max)}
    return draw(arrays.arrays(dtype, draw(SHAPES), elements=elements))


def made(make, *args, **how):
    """Return the result of `make`, or None if it raises an expected error."""
    try:
        return make(*args, **how)
    except (ValueError, TypeError) as error:
        refused = error
    assert type(refused) in (ValueError, TypeError), repr(refused)
    assert len(str(refused)) > 30, repr(refused)
    return None


def pictures_of(X, row_shape):
    """Return X as (n, height, width, channels), or None if its form isn't accepted."""
    if X.ndim == 2 and row_shape is not None and len(row_shape) in (2, 3):
        try:
            X = X.reshape(len(X), *row_shape)
        except ValueError:
            return None
    elif X.ndim == 2:
        return None
    if X.ndim == 3 and X.shape[2] in (3, 4) and X.shape[1] >= 16:
        return None  # one colour image that lacks its batch axis
    if X.ndim == 3:
        X = X[..., np.newaxis]
    return X if X.ndim == 4 and X.size else None


def scale_of(X, value_range):
    """Return (black, white); None for numbers without a scale; False for an invalid range."""
    if value_range is None:
        return None
    if value_range == "auto":
        of_kind = {"b": (0, 1), "f": (0, 1), "i": (0, 255), "u": (0, 255)}[X.dtype.kind]
        return (0, 65535) if X.dtype == np.uint16 else of_kind
    pair = isinstance(value_range, tuple) and len(value_range) == 2
    if not pair or any(isinstance(bound, str) for bound in value_range):
        return False
    return (
        value_range if np.isfinite(value_range).all() and value_range[0] < value_range[1] else False
    )


def accepted(pictures, scale):
    if pictures is None or scale is False or not np.isfinite(pictures).all():
        return False
    values = pictures.astype(np.float64)
    if scale is None:
        return np.abs(values).max() <= np.finfo(np.float32).max
    return pictures.shape[3] in (1, 3, 4) and scale[0] <= values.min() <= values.max() <= scale[1]


@pytest.mark.slow
@same_each_time
@given(numbers(), RANGES, ROW_SHAPES, st.sampled_from(RESIZE_POLICIES))
def test_an_array_of_numbers(X, value_range, row_shape, resize):
    pictures, scale = pictures_of(X, row_shape), scale_of(X, value_range)
    before = X.copy()
    images = made(as_image_batch, X, row_shape=row_shape, value_range=value_range)
    assert (images is not None) == accepted(pictures, scale)
    if images is None:
        return
    kind, n_channels = (np.float32, pictures.shape[3]) if scale is None else (np.uint8, 3)
    assert len(images) == len(pictures)
    everything = np.arange(len(images))
    with ImageReader(images, (4, 6), resize) as reader:
        read = reader.read(everything)
    assert (read.shape, read.dtype) == ((len(images), 4, 6, n_channels), kind)
    assert np.isfinite(read).all()
    with ImageReader(images, pictures.shape[1:3], resize) as reader:
        unchanged = reader.read(everything)
    np.testing.assert_array_equal(unchanged, converted(pictures, scale))
    np.testing.assert_array_equal(X, before)


def converted(pictures, scale):
    """Return the documented result for images at their own size."""
    if scale is None:
        return pictures.astype(np.float32)
    shares = (pictures.astype(np.float64) - scale[0]) * (255 / (scale[1] - scale[0]))
    bytes_ = np.floor(shares + 0.5).astype(np.uint8)
    if bytes_.shape[3] < 4:
        return np.broadcast_to(bytes_, (*bytes_.shape[:3], 3))
    white = Image.new("RGBA", bytes_.shape[2:0:-1], "white")
    on_white = [Image.alpha_composite(white, Image.fromarray(each)) for each in bytes_]
    return np.stack([np.asarray(each)[..., :3] for each in on_white])


@pytest.mark.slow
@same_each_time
@given(st.data())
def test_an_array_of_anything_else(data):
    X = data.draw(arrays.arrays(data.draw(OTHERS), data.draw(SHAPES)))
    value_range = data.draw(st.sampled_from(["auto", None]))
    only_names = X.dtype.kind == "U" and (X.ndim == 1 or (X.ndim == 2 and X.shape[1] == 1))
    images = made(as_image_batch, X, value_range=value_range)
    assert (images is not None) == (only_names and len(X) > 0)
    if images is not None:
        refuses(images)


def refuses(images):
    with pytest.raises(ImageDecodeError), ImageReader(images, (4, 6), "stretch") as reader:
        reader.read(np.arange(len(images)))


def png():
    buffer = io.BytesIO()
    Image.new("RGB", (5, 3), "red").save(buffer, "PNG")
    return buffer.getvalue()


SOUND = st.sampled_from([png(), bytearray(png()), memoryview(png()), Image.new("L", (3, 2), 9)])
BROKEN = st.one_of(st.binary(max_size=20), st.text(max_size=20).filter(lambda s: "\0" not in s))
NO_PICTURE = st.one_of(
    st.none(), st.integers(), st.floats(), st.booleans(), st.lists(st.integers(), max_size=3)
)
ITEMS = st.lists(st.one_of(SOUND, BROKEN, NO_PICTURE), min_size=1, max_size=4)
ALL_SOUND = st.lists(SOUND, min_size=1, max_size=4)


@pytest.mark.slow
@same_each_time
@given(st.one_of(ITEMS, ALL_SOUND), st.sampled_from([list, tuple]))
def test_a_sequence_of_anything(items, form):
    sources = (str, bytes, bytearray, memoryview, Image.Image)
    kinds = [isinstance(item, sources) for item in items]
    images = made(as_image_batch, form(items))
    # (numbers alone would be an array, yet none of four axes)
    assert (images is not None) == all(kinds)
    if images is None:
        return
    if any(isinstance(item, str) or (isinstance(item, bytes) and item != png()) for item in items):
        refuses(images)
    else:
        with ImageReader(images, (4, 6), "pad") as reader:
            read = reader.read(np.arange(len(items)))
        assert (read.shape, read.dtype) == ((len(items), 4, 6, 3), np.uint8)


LABEL = st.one_of(
    st.integers(-3, 3), st.sampled_from(["cat", "dog", ""]), st.booleans(), st.none(), st.floats()
)
LABELS = st.one_of(
    st.lists(LABEL, min_size=4, max_size=4),
    st.lists(st.integers(-3, 3), min_size=4, max_size=4),
    st.lists(st.sampled_from(["cat", "dog", "Ä"]), min_size=4, max_size=4),
    st.lists(st.booleans(), max_size=5),
    st.floats(),
    st.text(max_size=4),
)
FORMS = st.sampled_from([lambda y: y, np.array, lambda y: np.array(y, dtype=object)])
PICTURES = np.zeros((4, 3, 3), np.uint8)


@pytest.mark.slow
@same_each_time
@given(LABELS, FORMS)
def test_labels_of_any_type(labels, form):
    y = form(labels)
    net = MiniVGGClassifier()
    checked = made(net._training_data, PICTURES, y, None, reset=True)
    if checked is None:
        # two classes of one type with one label per image must be accepted; as in scikit-learn,
        # objects are text
        kinds = {type(label) for label in labels} if isinstance(labels, list) else set()
        known = (
            ({str},)
            if isinstance(y, np.ndarray) and y.dtype.kind == "O"
            else ({int}, {str}, {bool})
        )
        assert not (kinds in known and len(labels) == 4 and len(set(labels)) > 1)
        return
    targets = checked.targets
    classes = net.classes_
    assert len(classes) > 1
    assert classes.tolist() == sorted(set(classes.tolist()))
    np.testing.assert_array_equal(classes[targets], np.asarray(y).ravel())


# files


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits of a process")
def test_mutated_files_decode_or_are_refused(tmp_path):
    report = fuzz.fuzz(2_000, seed=0, keep=tmp_path)
    assert not report.failures, "\n\n".join(report.failures)
    decoded, refused = (report.outcomes[kind] for kind in ("decoded", "refused"))
    assert decoded + refused == 2_000
    # a good share of both, so that the test is meaningful
    assert min(decoded, refused) > 300
    endings = {suffix for suffix, _ in report.formats}
    assert endings == {".jpg", ".png", ".gif", ".webp", ".bmp", ".tiff"}
    assert 0 < report.peak < fuzz.MEMORY


def test_a_file_depends_only_on_seed_and_number():
    files = fuzz.sources()
    assert fuzz.mutated(files, 1, 7) == fuzz.mutated(fuzz.sources(), 1, 7)
    assert len({fuzz.mutated(files, 1, number)[1] for number in range(50)}) > 45


def test_sources_are_valid(tmp_path):
    for name, data in fuzz.sources().items():
        assert fuzz.outcome(data, tmp_path / name) == "decoded", name


# tests of the harness: a part of its child is broken, file by file

WRONG = {
    "raise KeyError('odd')": "KeyError",
    "raise ImageDecodeError('a', ' ')": "AssertionError",
    "return np.zeros((2, 2))": "AssertionError",
    "return np.ones(2**32)": "MemoryError",
    "os.abort()": "crash, exit status -6",
    "time.sleep(60)": "hang",
}
BREAKING = """
import os, sys, time
if "--child" in sys.orig_argv:
    import numpy as np, skvision.images
    from skvision.exceptions import ImageDecodeError

    def broken(source):
        if isinstance(source, bytes):
            with open({state!r}, "ab") as file:  # children follow each other
                number = file.tell()
                file.write(b".")
            {cases}
        return real(source)

    real, skvision.images.decode = skvision.images.decode, broken
"""


@pytest.mark.slow
def test_failing_files_are_kept_and_the_run_continues(tmp_path, monkeypatch):
    cases = "".join(f"\n            if number == {n}: {line}" for n, line in enumerate(WRONG))
    code = BREAKING.format(state=str(tmp_path / "state"), cases=cases)
    (tmp_path / "sitecustomize.py").write_text(code)
    paths = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    report = fuzz.fuzz(len(WRONG) + 1, seed=0, keep=tmp_path / "kept", seconds=3)
    assert len(report.failures) == len(WRONG)
    assert report.outcomes["decoded"] + report.outcomes["refused"] == 1
    for number, (failure, kind) in enumerate(zip(report.failures, WRONG.values(), strict=True)):
        assert f"seed-0-file-{number:06d}" in failure
        assert f": {kind}\n" in failure
        kept, reason = sorted((tmp_path / "kept").glob(f"seed-0-file-{number:06d}-*"))
        assert kept.read_bytes() == fuzz.mutated(fuzz.sources(), 0, number)[1]
        assert kind.split(",")[0] in reason.read_text()
