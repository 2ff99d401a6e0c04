"""`Survey`: the figures of all images of a data set, from one pass over the files."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ..._system.progress import progress
from ..._system.threads import thread_limit
from ...exceptions import ImageDecodeError
from ...feature_extraction.cache import Batches, FeatureCache
from ...feature_extraction.network_key import network_key
from ...images import (
    DerivedImage,
    Described,
    ImageBatch,
    SourceBatch,
    decode,
    decode_described,
    image_key,
)
from .figures import (
    DECODED,
    FIGURES_VERSION,
    RECORD,
    packed,
    packed_length,
    record_of,
    unpacked,
)

__all__ = ["Survey", "joined", "survey"]

# records that are held in memory with their thumbnails at a time: 18 MB
_AT_A_TIME = 4096
_BATCH = 32
# thumbnails beyond this are kept in a temporary file
_IN_MEMORY = 2**28
_WITHOUT_THUMBNAIL = [name for name in RECORD.names or () if name != "thumbnail"]


@dataclass(frozen=True)
class Survey:
    """What all checks know of the images of a data set.

    Parameters
    ----------
    images : ImageBatch
        The images, for pictures of findings.
    names : list of str or None
        File names; None if the images aren't files.
    figures : ndarray of shape (n,), structured
        The figures of each image, all but its thumbnail; zeros if it can't be read.
    thumbnails : ndarray of shape (n, 64, 64), uint8
        Grey thumbnails; a memory map if there are many.
    errors : dict of int to str
        Places of images that can't be read, and reasons.
    """

    images: ImageBatch
    names: list[str] | None
    figures: np.ndarray
    thumbnails: np.ndarray
    errors: dict[int, str]

    def __len__(self) -> int:
        return len(self.figures)

    @property
    def readable(self) -> np.ndarray:
        """Whether each image can be read, (n,) bool."""
        readable: np.ndarray = self.figures["readable"] > 0
        return readable

    @property
    def areas(self) -> np.ndarray:
        """Numbers of pixels, (n,) float."""
        areas: np.ndarray = self.figures["width"].astype(float) * self.figures["height"]
        return areas

    @property
    def keys(self) -> np.ndarray:
        """A number per image that is equal for equal pixels only; -1 if it can't be read."""
        readable = self.readable
        keys = np.full(len(self), -1)
        digests = np.ascontiguousarray(self.figures["digest"][readable])
        _, keys[readable] = np.unique(digests.view("V16").ravel(), return_inverse=True)
        return keys


def survey(
    images: ImageBatch, names: list[str] | None = None, *, cache: Any = None, verbose: int = 0
) -> Survey:
    """Read each image once, and compute its figures.

    Parameters
    ----------
    images : ImageBatch
        The images.
    names : list of str, default=None
        File names; None if the images aren't files.
    cache : None, bool, str or path-like, default=None
        Folder of the feature cache; True for the user's cache folder. Figures of files are kept
        there, by their content.
    verbose : int, default=0
        Whether to show a progress bar.

    Returns
    -------
    Survey
        An image that can't be read is in `errors`.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images import as_image_batch
    >>> from skvision.inspection.check.survey import survey
    >>> found = survey(as_image_batch(np.full((3, 8, 10), 255, np.uint8)))
    >>> len(found), found.figures["width"].tolist()
    (3, [10, 10, 10])
    """
    n = len(images)
    figures = np.zeros(n, RECORD[_WITHOUT_THUMBNAIL])
    thumbnails = _room(n)
    errors: dict[int, str] = {}
    reader = _Reader(images, errors)
    is_kept = cache is not None and cache is not False and names is not None
    store = FeatureCache(cache) if is_kept else None
    with ThreadPoolExecutor(thread_limit(), "skvision-check") as pool:
        starts = range(0, n, _AT_A_TIME if store is not None else 16 * _BATCH)
        for start in progress(starts, "reading images", verbose):
            places = np.arange(start, min(start + starts.step, n))
            if store is None:
                records = reader.records(pool, places)
            else:
                records = _kept_records(store, reader, pool, places)
            for name in _WITHOUT_THUMBNAIL:
                figures[name][places] = records[name]
            thumbnails[places] = records["thumbnail"]
    return Survey(images, names, figures, thumbnails, errors)


def joined(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return thumbnails of two data sets as one array, or as one memory map if there are many."""
    both = _room(len(one) + len(other))
    start = 0
    for part in (one, other):
        for first in range(0, len(part), _AT_A_TIME):
            some = part[first : first + _AT_A_TIME]
            both[start : start + len(some)] = some
            start += len(some)
    return both


def _room(n: int) -> np.ndarray:
    shape = (n, *RECORD["thumbnail"].shape)
    if math.prod(shape) <= _IN_MEMORY:
        return np.zeros(shape, np.uint8)
    with tempfile.TemporaryFile(prefix="skvision-thumbnails-") as file:
        # the memory map keeps the file open until the map is freed
        return np.memmap(file, np.uint8, "w+", shape=shape)


def _kept_records(
    store: FeatureCache, reader: _Reader, pool: ThreadPoolExecutor, places: np.ndarray
) -> np.ndarray:
    """Return records from the cache, and compute those that it lacks."""
    keys = list(pool.map(reader.key, places))
    known = np.array([k for k, key in enumerate(keys) if key is not None], int)
    records = np.zeros(len(places), RECORD)

    def compute(batches: Batches) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for positions in batches:
            yield positions, packed(reader.records(pool, places[known[positions]]))

    if len(known):
        rows = store.fetch_or_compute(
            network_key(name="image-check", figures=FIGURES_VERSION),
            [key for key in keys if key is not None],
            compute,
            packed_length(RECORD),
            batch_size=_BATCH,
        )
        records[known] = unpacked(rows, RECORD)
    # the cache keeps no reasons, so damaged files are read again
    again = np.flatnonzero(records["readable"] == 0)
    again = again[[int(places[k]) not in reader.errors for k in again]] if len(again) else again
    if len(again):
        records[again] = reader.records(pool, places[again])
    return records


class _Reader:
    """Reads records of images; damaged ones go to `errors`."""

    def __init__(self, images: ImageBatch, errors: dict[int, str]) -> None:
        self.images = images
        self.errors = errors

    def key(self, place: int) -> bytes | None:
        try:
            return image_key(self.images.item(int(place)))
        except ImageDecodeError as error:
            self.errors[int(place)] = error.reason
            return None

    def records(self, pool: ThreadPoolExecutor, places: np.ndarray) -> np.ndarray:
        records = np.zeros(len(places), RECORD)
        for k, record in enumerate(pool.map(self._record, places)):
            records[k] = record
        return records

    def _record(self, place: int) -> np.ndarray:
        try:
            described, n_bytes = self._described(int(place))
        except ImageDecodeError as error:
            self.errors[int(place)] = error.reason
            return np.zeros((), RECORD)
        return record_of(described, n_bytes)

    def _described(self, place: int) -> tuple[Described, int]:
        item = self.images.item(place)
        if not isinstance(self.images, SourceBatch):
            return _of_pixels(self.images.whole(place)), 0
        if isinstance(item, DerivedImage):
            return _of_pixels(decode(item)), 0
        assert not isinstance(item, np.ndarray)  # an item of a SourceBatch is a source
        described = decode_described(item, DECODED)
        if isinstance(item, str | os.PathLike):
            return described, os.path.getsize(item)
        return described, 0 if isinstance(item, Image.Image) else len(item)


def _of_pixels(pixels: np.ndarray) -> Described:
    """Describe an image of an array; floats without a scale have their own black and white."""
    if pixels.dtype != np.uint8:
        low, high = float(pixels.min()), float(pixels.max())
        pixels = ((pixels - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)
    if pixels.shape[2] != 3:
        pixels = np.repeat(pixels.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    height, width = pixels.shape[:2]
    return Described(np.ascontiguousarray(pixels), None, width, height, "", "", "", math.nan)
