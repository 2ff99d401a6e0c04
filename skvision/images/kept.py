"""Pixels of one size that were decoded once: in memory up to a budget, then in a temporary file."""

from __future__ import annotations

import tempfile
import weakref
from threading import Lock
from typing import Any

import numpy as np

__all__ = ["KEEP_BYTES", "KeptPixels"]

# At 32x32 this keeps 43,690 images in memory; at 224x224 it keeps 891.
KEEP_BYTES = 128 * 2**20


class KeptPixels:
    """Keep images of one size, so that none is decoded a second time.

    Parameters
    ----------
    n : int
        Number of images.
    shape : tuple of int
        (height, width, channels) of each.
    dtype : numpy.dtype
        Type of the pixels.
    keep_bytes : int, default=134217728
        Memory for pixels in bytes, at least 0; the first images are kept there.
    spill : bool, default=False
        Whether the other images are kept in a temporary file. The file has no name where the
        system allows it, so it disappears with the process. On a full disk they are not kept.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images.kept import KeptPixels
    >>> kept = KeptPixels(3, (2, 2, 3), np.dtype("uint8"))
    >>> kept.put(np.array([1]), np.full((1, 2, 2, 3), 7, "uint8"))
    >>> kept.have(np.array([0, 1]))
    array([False,  True])
    """

    def __init__(
        self,
        n: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        *,
        keep_bytes: int = KEEP_BYTES,
        spill: bool = False,
    ) -> None:
        self._image_bytes = int(np.prod(shape)) * dtype.itemsize
        # the system takes memory for it only when it is written
        self._rows = np.empty((min(n, keep_bytes // self._image_bytes), *shape), dtype)
        self._have = np.zeros(n if spill else len(self._rows), dtype=bool)
        self._file: Any = None
        self._reading = Lock()  # seeking and then reading or writing is one step

    def have(self, places: np.ndarray) -> np.ndarray:
        """Return a boolean per place: whether the image is kept."""
        kept = places < len(self._have)
        kept[kept] = self._have[places[kept]]
        return kept

    def take(self, places: np.ndarray) -> np.ndarray:
        """Return kept images: (len(places), height, width, channels)."""
        if (places < len(self._rows)).all():
            taken: np.ndarray = self._rows[places]
            return taken
        images = np.empty((len(places), *self._rows.shape[1:]), self._rows.dtype)
        for image, place in zip(images, places.tolist(), strict=True):
            if place < len(self._rows):
                image[:] = self._rows[place]
            else:
                with self._reading:
                    self._file.seek(self._offset(place))
                    self._file.readinto(image.data)
        return images

    def put(self, places: np.ndarray, images: np.ndarray) -> None:
        """Keep images, as far as there is room."""
        inside = places < len(self._rows)
        self._rows[places[inside]] = images[inside]
        self._have[places[inside]] = True
        if len(self._have) == len(self._rows):
            return
        for place in np.flatnonzero(~inside):
            self._spill(int(places[place]), images[place])

    def _spill(self, place: int, image: np.ndarray) -> None:
        try:
            with self._reading:
                if self._file is None:
                    # unbuffered, so that other threads read what was written
                    self._file = tempfile.TemporaryFile(  # noqa: SIM115  open as long as this is
                        prefix="skvision-pixels-", buffering=0
                    )
                    weakref.finalize(self, self._file.close)
                self._file.seek(self._offset(place))
                data = np.ascontiguousarray(image, self._rows.dtype).data.cast("B")
                written = self._file.write(data)
        except OSError:  # a full disk: the image is decoded again later
            return
        self._have[place] = written == self._image_bytes

    def _offset(self, place: int) -> int:
        return (place - len(self._rows)) * self._image_bytes
