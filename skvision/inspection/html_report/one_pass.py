"""Read every image once: for the classifier, for the page, and to find unreadable ones."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..._sklearn.network_estimator import ReadAs, ReadsImages
from ..._system.progress import with_bar
from ..._system.threads import thread_limit
from ...datasets import answered
from ...exceptions import ImageDecodeError
from ...images import (
    DerivedImage,
    ImageBatch,
    Look,
    SourceBatch,
    data_uri,
    decode,
    image_key,
    keep_files,
    look_at,
    look_at_file,
)
from ..thumbnails import fitted_pixels
from ..unwrapping import image_taker

__all__ = ["LONGEST", "Reading", "read_and_predict", "small_images"]

#: maximum of the longer side of a thumbnail in pixels
LONGEST = 160
# Images that are decoded while those before them are predicted: fewer of large ones, so that a
# progress bar moves and memory stays small. Setting a network's weights costs as much as a dozen
# small images. Networks predict batches of 16.
_CHUNK, _PIXELS, _BATCH = 512, 2**23, 16


@dataclass
class Reading:
    """What one reading of all images gives; lists and arrays have an entry per readable image."""

    #: places of the readable images in X
    kept: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray | None
    #: width, height and format; None if X holds numbers that aren't images
    looks: list[Look] | None = None
    #: addresses of small images; None where they weren't made
    thumbnails: list[str | None] = field(default_factory=list)
    keys: list[bytes | None] = field(default_factory=list)
    #: places in X and reasons
    unreadable: list[tuple[int, str]] = field(default_factory=list)


def read_and_predict(
    estimator: Any, X: Any, images: ImageBatch | None, *, longest: int, verbose: int
) -> Reading:
    """Predict all images, and look at them in the same decoding.

    Parameters
    ----------
    estimator : object
        The fitted classifier.
    X : object
        Images in any form that it takes.
    images : ImageBatch or None
        The same images; None if X holds other numbers.
    longest : int
        Maximum of the longer side of a thumbnail in pixels; 0 for none.
    verbose : int
        Whether to show a progress bar.

    Returns
    -------
    Reading
        Files that can't be read are left out and listed.
    """
    if isinstance(images, SourceBatch):
        return _Sources(estimator, images, longest).read(verbose)
    predicted, probabilities = [], []
    for part in _with_bar(_parts(X), "predicting", verbose):
        answers = _Asked(estimator)(part)
        predicted += [label for label, _ in answers]
        probabilities += [row for _, row in answers]
    reading = Reading(np.arange(len(predicted)), np.array(predicted), _stacked(probabilities))
    if images is not None:
        reading.looks, reading.thumbnails, reading.keys = [], [], []
        for index in range(len(images)):
            pixels = images.whole(index)
            height, width = pixels.shape[:2]
            reading.looks.append(Look(width, height, "", None))
            reading.thumbnails.append(data_uri(fitted_pixels(pixels, longest)) if longest else None)
            reading.keys.append(image_key(pixels))
    return reading


def small_images(images: ImageBatch, places: Sequence[int], longest: int) -> list[str]:
    """Return the addresses of some images, decoded for people; `longest` is in pixels."""

    def small(place: int) -> str:
        if isinstance(images, SourceBatch):
            source = images.item(place)
            if not isinstance(source, DerivedImage):
                look = look_at(source, longest, images.value_range)
                if look.small is not None:
                    return data_uri(look.small)
        return data_uri(fitted_pixels(images.whole(place), longest))

    with ThreadPoolExecutor(thread_limit()) as pool:
        return list(pool.map(small, places))


class _Asked:
    """Asks a classifier for labels and probabilities, if it has them."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def __call__(self, X: Any) -> list[tuple[Any, np.ndarray | None]]:
        if not hasattr(self.estimator, "predict_proba"):
            return [(label, None) for label in np.asarray(self.estimator.predict(X))]
        rows = np.asarray(self.estimator.predict_proba(X), float)
        labels = np.asarray(self.estimator.classes_)[rows.argmax(axis=1)]
        return list(zip(labels, rows, strict=True))


class _Sources:
    """Files and other sources, decoded in threads while those before them are predicted."""

    def __init__(self, estimator: Any, images: SourceBatch, longest: int) -> None:
        self.ask = _Asked(estimator)
        self.images = images
        self.longest = longest
        taker = image_taker(estimator)
        self.read_as: ReadAs | None = None
        if isinstance(taker, ReadsImages):
            # with keys, so that a file is read once for the comparison with the training data
            self.read_as = taker.reads_images_as()._replace(is_keyed=True)
        height, width = (224, 224) if self.read_as is None else self.read_as.size
        n_batches = min(_CHUNK, _PIXELS // (height * width)) // _BATCH
        self.chunk = _BATCH * max(1, n_batches)

    def read(self, verbose: int) -> Reading:
        kept, predicted, probabilities = [], [], []
        reading = Reading(np.arange(0), np.arange(0), None, looks=[])
        chunks = self._looked_at()
        for start, sources, looks in _with_bar(chunks, "predicting", verbose):
            good = [k for k, look in enumerate(looks) if not isinstance(look, ImageDecodeError)]
            readable = [sources[k] for k in good]
            rows = dict(zip(good, answered(self.ask, readable), strict=True))
            for k, look in enumerate(looks):
                row = rows.get(k, look)
                # a file may be readable and not be on the scale of the training
                error = next((it for it in (look, row) if isinstance(it, ImageDecodeError)), None)
                if error is not None:
                    reading.unreadable.append((start + k, error.reason))
                    continue
                seen, thumbnail, key = look
                kept.append(start + k)
                predicted.append(row[0])
                probabilities.append(row[1])
                assert reading.looks is not None
                reading.looks.append(seen)
                reading.thumbnails.append(thumbnail)
                reading.keys.append(key)
        reading.kept, reading.predicted = np.array(kept, int), np.array(predicted)
        reading.probabilities = _stacked(probabilities)
        return reading

    def _looked_at(self) -> _Sized:
        sources = list(self.images.sources)
        starts = range(0, len(sources), self.chunk)

        def chunk(start: int) -> list[Any]:
            part = sources[start : start + self.chunk]
            names = [os.fspath(each) for each in part if isinstance(each, str | os.PathLike)]
            if self.read_as is None or len(names) < len(part):
                return part
            return list(keep_files(names, self.read_as))

        def chunks() -> Iterator[tuple[int, list[Any], list[Any]]]:
            with ThreadPoolExecutor(thread_limit(), "skvision-look") as pool:
                # one task per thread: a task per image would cost a tenth of a small image
                n_shares = thread_limit()
                coming: tuple[int, list[Any], list[Future[Any]]] | None = None
                try:
                    for start in [*starts, None]:
                        ready, coming = coming, None
                        if start is not None:
                            part = chunk(start)
                            shares = [part[first::n_shares] for first in range(n_shares)]
                            coming = (start, part, [pool.submit(self._looks, it) for it in shares])
                        if ready is not None:
                            looks: list[Any] = [None] * len(ready[1])
                            for first, share in enumerate(ready[2]):
                                looks[first::n_shares] = share.result()
                            yield ready[0], ready[1], looks
                except BaseException:  # Ctrl-C too
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise

        return _Sized(chunks(), len(starts))

    def _looks(self, sources: list[Any]) -> list[Any]:
        return [self._look(source) for source in sources]

    def _look(self, source: Any) -> tuple[Look, str | None, bytes] | ImageDecodeError:
        try:
            if isinstance(source, DerivedImage):
                pixels = decode(source, self.images.value_range)
                small = fitted_pixels(pixels, self.longest) if self.longest else None
                look = Look(pixels.shape[1], pixels.shape[0], "", small)
            elif hasattr(source, "kept"):
                look = look_at_file(source, self.longest)
            else:
                look = look_at(source, max(1, self.longest), self.images.value_range)
            thumbnail = None if look.small is None else data_uri(look.small)
            # the pixels aren't needed any more
            return look._replace(small=None), thumbnail if self.longest else None, image_key(source)
        except ImageDecodeError as error:
            return error


class _Sized:
    """An iterator of known length, for a progress bar."""

    def __init__(self, items: Iterator[Any], length: int) -> None:
        self.items, self.length = items, length

    def __iter__(self) -> Iterator[Any]:
        return self.items

    def __len__(self) -> int:
        return self.length


def _with_bar(items: Any, description: str, verbose: int) -> Any:
    return with_bar(items, len(items), description) if verbose else items


def _parts(X: Any) -> list[Any]:
    """Cut an array into parts for a progress bar; anything else is one part."""
    if not isinstance(X, np.ndarray):
        return [X]
    return [X[start : start + _CHUNK] for start in range(0, len(X), _CHUNK)]


def _stacked(rows: list[Any]) -> np.ndarray | None:
    return None if not rows or rows[0] is None else np.stack(rows)
