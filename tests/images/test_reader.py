"""Reading ahead: the next batch is decoded while the current one is used."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PIL import Image

from skvision.exceptions import ImageDecodeError
from skvision.images import ImageReader, as_image_batch

#: seconds; a limit against hanging only
DEADLINE = 60


@pytest.fixture
def reader(noise):
    with ImageReader(as_image_batch(noise), (12, 10), "stretch") as reader:
        yield reader


def reading_threads():
    return [each for each in threading.enumerate() if "read-ahead" in each.name]


def chunks_of(*lengths):
    ends = np.cumsum(lengths)
    return [np.arange(end - length, end) for length, end in zip(lengths, ends, strict=True)]


def test_batches_come_in_order(reader, noise):
    batches = list(reader.read_ahead(iter(chunks_of(2, 1, 2))))
    assert [len(batch) for batch in batches] == [2, 1, 2]
    np.testing.assert_array_equal(np.concatenate(batches), noise[:5])
    assert list(reader.read_ahead([])) == []


def test_the_next_batch_is_read_while_the_current_one_is_used(reader, monkeypatch):
    read, begun = reader.read, {first: threading.Event() for first in range(3)}

    def noted(indices):
        begun[indices[0]].set()
        return read(indices)

    monkeypatch.setattr(reader, "read", noted)
    batches = reader.read_ahead(chunks_of(1, 1, 1))
    assert not begun[0].is_set()  # no read before the first request
    next(batches)
    assert begun[1].wait(DEADLINE)
    assert not begun[2].is_set()  # one batch ahead, and no more
    next(batches)
    assert begun[2].wait(DEADLINE)
    batches.close()


def test_an_error_is_raised_in_place_of_its_batch(noise, tmp_path):
    paths = [tmp_path / f"{k}.png" for k in range(4)]
    for path, pixels in zip(paths, noise, strict=False):
        Image.fromarray(pixels).save(path)
    paths[2].write_bytes(b"no image")
    with ImageReader(as_image_batch(paths), (12, 10), "stretch") as reader:
        batches = reader.read_ahead(chunks_of(1, 1, 1, 1))
        np.testing.assert_array_equal(next(batches), noise[:1])
        np.testing.assert_array_equal(next(batches), noise[1:2])
        with pytest.raises(ImageDecodeError, match=r"2\.png"):
            next(batches)
        assert list(batches) == []
    assert not reading_threads()


def test_an_error_in_drawing_the_chunks_is_passed_on(reader):
    def chunks():
        yield np.arange(1)
        raise ZeroDivisionError("of the chunks")

    with pytest.raises(ZeroDivisionError, match="of the chunks"):
        list(reader.read_ahead(chunks()))
    assert not reading_threads()


def test_closing_early_leaves_no_thread(reader):
    batches = reader.read_ahead(chunks_of(1, 1, 1))
    next(batches)
    assert len(reading_threads()) == 1
    batches.close()
    assert not reading_threads()
