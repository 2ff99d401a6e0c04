"""Read batches of images at one size, decoded in threads and kept in a small memory cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

import numpy as np

from .._system.threads import thread_limit
from .batch import ImageBatch
from .kept import KEEP_BYTES, KeptPixels

__all__ = ["ImageReader"]


class ImageReader:
    """Reads images of a batch at one size.

    Images that need no work (an array of the right size) are sliced. Others are decoded and
    resized in threads, and kept in memory until a fixed budget is used up; the rest are read
    again each time. So memory doesn't grow with the number of images. Pixels that a
    check of the files has kept (`skvision.images.keep_files`) are taken from there.

    Parameters
    ----------
    images : ImageBatch
        The images.
    size : tuple of int
        Size (height, width) in pixels.
    resize : {"stretch", "crop", "pad"}
        The resize policy.
    keep_bytes : int, default=134217728
        Memory budget in bytes; 0 keeps none (if each image is read only once).

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images import ImageReader, as_image_batch
    >>> images = as_image_batch(np.zeros((5, 8, 8), dtype="uint8"))
    >>> with ImageReader(images, (4, 4), "stretch") as reader:
    ...     reader.read(np.array([0, 3])).shape
    (2, 4, 4, 3)
    """

    def __init__(
        self,
        images: ImageBatch,
        size: tuple[int, int],
        resize: str,
        *,
        keep_bytes: int = KEEP_BYTES,
    ) -> None:
        self.images = images
        self.size = (int(size[0]), int(size[1]))
        self.resize = resize
        self.shape = (*self.size, images.n_channels)
        if images.stacked(np.arange(0), self.size) is not None:
            keep_bytes = 0
        self._places: np.ndarray
        self._kept, self._places = images.kept(self.size, resize) or (
            KeptPixels(len(images), self.shape, images.dtype, keep_bytes=keep_bytes),
            np.arange(len(images)),
        )
        self._n_threads = thread_limit()
        self._pool = ThreadPoolExecutor(self._n_threads, "skvision-decode")

    def __len__(self) -> int:
        return len(self.images)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return the images at `indices`: (len(indices), height, width, channels)."""
        stacked = self.images.stacked(indices, self.size)
        if stacked is not None:
            return stacked
        batch = np.empty((len(indices), *self.shape), self.images.dtype)
        places = self._places[indices]
        kept = self._kept.have(places)
        batch[kept] = self._kept.take(places[kept])
        missing = np.flatnonzero(~kept)

        def decode_into_batch(positions: np.ndarray) -> None:
            for position in positions:
                index = int(indices[position])
                batch[position] = self.images.image(index, self.size, self.resize)

        # one task per thread: a task per image would take a tenth of the time of a small image
        n_shares = min(self._n_threads, len(missing))
        shares = [missing[first::n_shares] for first in range(n_shares)]
        list(self._pool.map(decode_into_batch, shares))  # list() raises exceptions of the threads
        self._kept.put(places[missing], batch[missing])
        return batch

    def read_ahead(self, chunks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the images of each chunk, and read the next chunk meanwhile.

        Parameters
        ----------
        chunks : iterable of ndarray of int
            Indices of each batch. The caller's thread draws the next chunk before it yields
            a batch.

        Yields
        ------
        ndarray of shape (len(chunk), height, width, channels)
            The result of `read`.

        Raises
        ------
        ImageDecodeError
            If a file can't be read; raised in place of its batch.

        Examples
        --------
        >>> import numpy as np
        >>> from skvision.images import ImageReader, as_image_batch
        >>> images = as_image_batch(np.zeros((5, 8, 8), dtype="uint8"))
        >>> with ImageReader(images, (4, 4), "stretch") as reader:
        ...     for batch in reader.read_ahead([np.array([0, 1, 2]), np.array([3, 4])]):
        ...         print(batch.shape)
        (3, 4, 4, 3)
        (2, 4, 4, 3)
        """
        with ThreadPoolExecutor(1, "skvision-read-ahead") as thread:
            coming = None
            for chunk in chunks:
                ready, coming = coming, thread.submit(self.read, chunk)
                if ready is not None:
                    yield ready.result()
            if coming is not None:
                yield coming.result()

    def __enter__(self) -> ImageReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
