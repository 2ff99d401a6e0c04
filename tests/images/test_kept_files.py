"""Files that are decoded once: what reads them later sees what it would see in the files."""

from __future__ import annotations

import copy
import io
import os
import pickle
import re
import tempfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from skvision import ImageDecodeError, MiniVGGClassifier, save
from skvision._sklearn.network_estimator import ReadAs, ReadsImages
from skvision.datasets import find_unreadable
from skvision.images import (
    RESIZE_POLICIES,
    ImageReader,
    as_image_batch,
    decode_resized,
    image_key,
    keep_files,
    read_samples,
)
from skvision.images.decode import examine
from skvision.images.kept import KeptPixels
from skvision.images.learning import levels_of
from skvision.training import TrainingData

from ..conftest import TINY

READ_AS = ReadAs((6, 5), "crop")


@pytest.fixture
def files(tmp_path, noise):
    """PNG files and, last, a photo that is stored sideways."""
    names = []
    for number, pixels in enumerate(noise):
        names.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(pixels).save(names[-1])
    exif = Image.Exif()
    exif[0x0112] = 6
    names.append(str(tmp_path / "photo.jpg"))
    Image.fromarray(np.tile(noise[0], (9, 7, 1))).save(names[-1], exif=exif)
    return names


@pytest.fixture
def opened(monkeypatch):
    """The files that are opened to be decoded."""
    from skvision.images import opening

    seen = []
    original = opening._name_of
    monkeypatch.setattr(
        opening, "_name_of", lambda source: seen.append(original(source)) or seen[-1]
    )
    return seen


def read(X, size=READ_AS.size, resize=READ_AS.resize, **how):
    with ImageReader(as_image_batch(X, **how), size, resize, keep_bytes=0) as reader:
        return reader.read(np.arange(len(X)))


def checked(files, read_as=READ_AS):
    kept = keep_files(files, read_as)
    assert find_unreadable(kept) == []
    return kept


def test_what_was_checked_is_not_opened_again(files, opened):
    expected = read(files)
    opened.clear()
    kept = checked(files)
    assert sorted(opened) == sorted(files)
    for X in (kept, np.array(kept, dtype=object), np.array(kept, dtype=object)[::-1][::-1]):
        np.testing.assert_array_equal(read(X), expected)
    batch = as_image_batch(kept)
    from_files = as_image_batch(files)
    # (a photo is decoded at a smaller scale where it is read at a smaller size)
    assert [batch.levels(k) for k in range(6)] == [from_files.levels(k) for k in range(6)]
    assert len(opened) == len(files) + 6  # the six were asked for by name
    assert [image_key(file) for file in kept] == [image_key(file) for file in files]
    np.testing.assert_array_equal(read(kept, value_range=None), expected.astype(np.float32))


@pytest.mark.parametrize(("size", "resize"), [((5, 6), "crop"), ((6, 5), "pad")])
def test_what_is_read_otherwise_is_read_from_the_file(files, size, resize):
    np.testing.assert_array_equal(read(checked(files), size, resize), read(files, size, resize))


def test_levels_that_reducing_may_have_narrowed_are_looked_at_again(tmp_path):
    stripes = str(tmp_path / "stripes.jpg")
    Image.fromarray(np.tile(np.array([[0, 255]], np.uint8), (400, 200))).save(stripes, quality=95)
    (kept,) = checked([stripes], ReadAs((8, 8), "stretch"))
    assert as_image_batch([kept]).levels(0) == as_image_batch([stripes]).levels(0)


def test_mixed_batches_are_read_from_the_files(files):
    mixed = [*checked(files[:2]), *checked(files[2:4]), files[4]]
    np.testing.assert_array_equal(read(mixed), read(files[:5]))


def test_what_has_no_room_in_memory_lies_in_a_file_without_a_name(
    files, opened, tmp_path, monkeypatch
):
    expected = read(files)
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setattr(KeptPixels.__init__, "__kwdefaults__", {"keep_bytes": 200, "spill": False})
    kept = checked(files)  # two of 90 bytes have room
    opened.clear()
    np.testing.assert_array_equal(read(kept), expected)
    np.testing.assert_array_equal(read(kept[::-1]), expected[::-1])
    assert opened == []
    assert os.name != "posix" or os.listdir(place) == []


def test_what_has_no_room_on_the_disk_is_decoded_again(files, monkeypatch):
    def full(**how):
        raise OSError(28, "No space left on device")

    expected = read(files)
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    monkeypatch.setattr(KeptPixels.__init__, "__kwdefaults__", {"keep_bytes": 200, "spill": False})
    np.testing.assert_array_equal(read(checked(files)), expected)


def test_in_another_process_it_is_a_plain_name(files):
    kept = checked(files)
    for other in (pickle.loads(pickle.dumps(kept)), copy.deepcopy(kept)):
        assert other == files
        assert {type(each) for each in other} == {str}


def test_what_is_not_there_any_more_is_still_known(files):
    expected = read(files)
    kept = checked(files)
    for file in files:
        os.remove(file)
    np.testing.assert_array_equal(read(kept), expected)
    with pytest.raises(ImageDecodeError, match="no such file"):
        read(kept, (3, 3))


def test_what_is_off_its_scale_is_refused_where_it_is_read(tmp_path):
    deep = str(tmp_path / "deep.png")
    Image.fromarray(np.array([[5, 9000]], np.uint16)).save(deep)
    plain = str(tmp_path / "plain.png")
    Image.new("L", (2, 1), 9).save(plain)
    narrow = (0, 4095)
    kept = checked([deep, plain], ReadAs(READ_AS.size, "crop", narrow))
    for file in kept:
        with pytest.raises(ImageDecodeError, match="value_range"):
            read([file], value_range=narrow)
    wide = (0, 16383)
    kept = checked([deep], ReadAs(READ_AS.size, "crop", wide))
    np.testing.assert_array_equal(read(kept, value_range=wide), read([deep], value_range=wide))
    # another scale than the one that it was decoded on
    np.testing.assert_array_equal(read(kept), read([deep]))


def content(model, path):
    """What is in a model's file; skops names some of it by where it lay in memory."""
    save(model, path)
    with zipfile.ZipFile(path) as archive:
        parts = [archive.read(name) for name in archive.namelist()]
    return sorted(re.sub(rb"\d{12,}", b"", part) for part in parts)


def test_a_training_is_the_same_and_so_are_its_files(digits_folder, tmp_path):
    names = sorted(map(str, digits_folder.glob("*/*.png")))[:24]
    labels = np.array([os.path.basename(os.path.dirname(name)) for name in names])
    options = {**TINY, "epochs": 2, "checkpoint_dir": tmp_path / "checkpoints"}
    by_name = MiniVGGClassifier(**options).fit(names, labels)
    assert isinstance(by_name, ReadsImages)
    kept = checked(names, MiniVGGClassifier(**options).reads_images_as())
    net = MiniVGGClassifier(**{**options, "checkpoint_dir": None}).fit(kept, labels)
    assert net.history_ == by_name.history_
    np.testing.assert_array_equal(net.predict_proba(kept), by_name.predict_proba(names))
    net.checkpoint_dir = by_name.checkpoint_dir
    assert content(net, tmp_path / "kept.skv") == content(by_name, tmp_path / "names.skv")

    def identity(X):
        ones = np.ones(len(X))
        return TrainingData(as_image_batch(X), ones.astype(int), ones, np.arange(2)).identity

    assert identity(kept) == identity(names)


def png(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("resize", RESIZE_POLICIES)
@pytest.mark.parametrize("form", ["photo", "grey", "transparent", "deep"])
def test_examining_is_decoding(form, resize, files, noise):
    source = {
        "photo": files[-1],
        "grey": png(Image.fromarray(noise[0][..., 0])),
        "transparent": png(Image.fromarray(noise[0]).convert("P"), transparency=3),
        "deep": png(Image.fromarray(noise[0][..., 0].astype(np.uint16) * 200)),
    }[form]
    levels, pixels, _ = examine(source, (6, 5), resize)
    np.testing.assert_array_equal(pixels, decode_resized(source, (6, 5), resize))
    assert levels == levels_of(read_samples(source, (6, 5)))


def test_what_is_kept_is_told_from_what_is_not():
    kept = KeptPixels(4, (1, 1, 3), np.dtype(np.uint8), keep_bytes=6, spill=False)
    kept.put(np.array([0, 3]), np.array([[[[1, 2, 3]]], [[[4, 5, 6]]]], np.uint8))
    assert kept.have(np.arange(4)).tolist() == [True, False, False, False]
    assert kept.take(np.array([0])).ravel().tolist() == [1, 2, 3]
