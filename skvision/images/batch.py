"""What an image batch X may be, and how its pictures are read.

Everything that a user may pass as X becomes an `ImageBatch`: a sized thing whose
pictures are read one by one or a few at a time, at the size that the network
wants. Pictures are 8-bit RGB; only with ``value_range=None`` numbers stay 32-bit
floats with the channels they came with.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence, Sized
from typing import Any

import numpy as np

from .decode import decode_resized
from .opening import ImageSource, is_image_source
from .pixels import PixelRange, check_pixels, pixel_range_of, to_uint8_rgb
from .resize import resize_array

__all__ = ["ArrayBatch", "ImageBatch", "SourceBatch", "as_image_batch", "is_rows", "rows_to_images"]

ACCEPTED = (
    "an array (n, height, width), (n, height, width, 1), (n, height, width, 3) or "
    "(n, height, width, 4); a 1-D list, array or column of file names (or of file contents as "
    "bytes, or of PIL images); or 2-D numeric rows together with row_shape=(height, width[, "
    "channels])"
)


class ImageBatch(ABC):
    """A batch of pictures that can be read at any size."""

    #: channels of every picture that is read
    n_channels: int = 3
    #: uint8, or float32 where numbers are taken as they are
    dtype: np.dtype[Any]
    #: (black, white) of the numbers that came in; None where there is no such thing
    pixel_range: PixelRange | None

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def item(self, index: int) -> ImageSource | np.ndarray:
        """Return one picture as it came: something to decode, or its pixels."""

    @abstractmethod
    def picture(self, index: int, size: tuple[int, int], resize: str) -> np.ndarray:
        """Read one picture: (height, width, n_channels) of `dtype`."""

    def stacked(self, indices: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
        """Return pictures that need no work of their own, all at once; else None."""
        return None


class ArrayBatch(ImageBatch):
    """Pictures held in an array (n, height, width, channels)."""

    def __init__(self, pixels: np.ndarray, value_range: Any) -> None:
        self.pixels = pixels
        self.pixel_range = pixel_range_of(pixels.dtype, value_range)
        check_pixels(pixels, self.pixel_range)
        as_given = self.pixel_range is None
        self.n_channels = pixels.shape[-1] if as_given else 3
        self.dtype = np.dtype(np.float32 if as_given else np.uint8)

    def __len__(self) -> int:
        return len(self.pixels)

    def item(self, index: int) -> np.ndarray:
        pixels: np.ndarray = self._read(self.pixels[index : index + 1])[0]
        return pixels

    def picture(self, index: int, size: tuple[int, int], resize: str) -> np.ndarray:
        return resize_array(self.item(index), size, resize)

    def stacked(self, indices: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
        if self.pixels.shape[1:3] != tuple(size):
            return None
        return self._read(self.pixels[indices])

    def _read(self, pixels: np.ndarray) -> np.ndarray:
        if self.pixel_range is None:
            return pixels.astype(np.float32)
        return to_uint8_rgb(pixels, self.pixel_range)


class SourceBatch(ImageBatch):
    """Pictures that are decoded when they are read."""

    pixel_range = None

    def __init__(self, sources: Sequence[ImageSource], value_range: Any) -> None:
        self.sources = sources
        self.dtype = np.dtype(np.float32 if value_range is None else np.uint8)

    def __len__(self) -> int:
        return len(self.sources)

    def item(self, index: int) -> ImageSource:
        return self.sources[index]

    def picture(self, index: int, size: tuple[int, int], resize: str) -> np.ndarray:
        pixels = decode_resized(self.sources[index], size, resize)
        return pixels.astype(self.dtype, copy=False)


def as_image_batch(X: Any, *, row_shape: Any = None, value_range: Any = "auto") -> ImageBatch:
    """Read X as pictures, whatever accepted form it has.

    Parameters
    ----------
    X : array, sequence, Series or frame
        An array of pictures, a 1-D sequence of file names, bytes or PIL images,
        or 2-D numeric rows.
    row_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of a 2-D row; one of them
        may be -1. Needed for rows only.
    value_range : "auto", (low, high) or None, default="auto"
        The scale of numbers in arrays; `skvision.images.pixels` says more.

    Returns
    -------
    ImageBatch
        The pictures, not yet decoded.

    Raises
    ------
    ValueError
        If X is none of the accepted forms, or holds numbers off their scale.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images import as_image_batch
    >>> len(as_image_batch(np.zeros((5, 8, 8), dtype="uint8")))
    5
    """
    X = _unframed(X)
    if is_image_source(X):
        kind = "path" if isinstance(X, str | os.PathLike) else "picture"
        raise ValueError(
            f"Received a single {kind}, {_shown(X)}. X is always a batch: pass it in a list, [X]."
        )
    if _is_empty(X):
        shape = f" (shape={X.shape})" if hasattr(X, "shape") else ""
        raise ValueError(
            f"Received a batch without pictures: 0 sample(s){shape}, while a minimum of 1 is "
            "required."
        )
    sources = _as_sources(X)
    if sources is not None:
        return SourceBatch(sources, value_range)
    return ArrayBatch(_as_pictures(_as_array(X), row_shape, value_range), value_range)


def _as_array(X: Any) -> np.ndarray:
    try:
        return np.asarray(X)
    except ValueError:  # NumPy's words for items of unequal shapes
        shapes = list(dict.fromkeys(np.shape(item) for item in X if hasattr(item, "shape")))
        if len(shapes) < 2:
            raise
        raise ValueError(
            f"Received a list of arrays of different shapes: {shapes[0]}, {shapes[1]}"
            f"{', ...' if len(shapes) > 2 else ''}. The pictures of an array are all of one size: "
            "resize them, or pass PIL images (PIL.Image.fromarray) or file names, whose sizes may "
            "differ."
        ) from None


def is_rows(X: Any) -> bool:
    """Tell whether X is meant as 2-D numeric rows, well-formed or not."""
    X = _unframed(X)
    if is_image_source(X) or _is_empty(X) or _as_sources(X) is not None:
        return False
    if hasattr(X, "ndim"):  # arrays and sparse matrices
        return int(X.ndim) <= 2
    try:
        return np.asarray(X).ndim <= 2
    except ValueError:  # a list of lists of unequal lengths
        return True


def _is_empty(X: Any) -> bool:
    shape = getattr(X, "shape", None)  # sparse matrices have no length
    if shape is None:
        return isinstance(X, Sized) and len(X) == 0
    return len(shape) > 0 and shape[0] == 0


def _unframed(X: Any) -> Any:
    """A Series, or the only column of a frame if it holds pictures, becomes a list."""
    if hasattr(X, "columns") and hasattr(X, "shape"):
        if X.shape[1] != 1:
            return X
        column = X[X.columns[0]].to_list()
        return column if column and is_image_source(column[0]) else X
    return X.to_list() if hasattr(X, "to_list") else X


def _as_sources(X: Any) -> Sequence[ImageSource] | None:
    """Return X as a list of things to decode; None where it is something else."""
    if isinstance(X, np.ndarray):
        if X.ndim == 2 and X.shape[1] == 1:
            X = X[:, 0]  # what a one-column frame becomes in other libraries' hands
        if X.ndim != 1 or X.dtype.kind not in "OUT":
            return None
    elif not isinstance(X, list | tuple):
        return None
    items: Sequence[Any] = X  # type: ignore[assignment]
    if len(items) == 0:
        return None
    first = is_image_source(items[0])
    for position, item in enumerate(items):
        if is_image_source(item) != first:
            raise ValueError(
                f"Received a sequence whose item 0 is {_shown(items[0])} but whose item "
                f"{position} is {_shown(item)}. Every item must be a file name, bytes or a PIL "
                "image."
            )
    return items if first else None


def _as_pictures(X: np.ndarray, row_shape: Any, value_range: Any) -> np.ndarray:
    """Bring an array to (n, height, width, channels), or say why that can't be."""
    if X.dtype.kind not in "biuf":
        raise ValueError(
            f"Received {_described(X)}. Accepted: {ACCEPTED}."
            + (
                " NumPy's own bytes type strips trailing zeros: use dtype=object."
                if X.dtype.kind == "S"
                else ""
            )
        )
    if X.ndim == 2:
        X = rows_to_images(X, row_shape)
    if X.ndim == 3:
        if X.shape[2] in (3, 4) and X.shape[1] >= 16:
            raise ValueError(
                f"Received an array of shape {X.shape}, which looks like one colour picture. X "
                "is always a batch: pass X[np.newaxis]. (Grey pictures three or four pixels wide "
                "need their channel spelt out: X[..., np.newaxis].)"
            )
        X = X[..., np.newaxis]
    if X.ndim != 4 or 0 in X.shape[1:]:
        raise ValueError(f"Received {_described(X)}. Accepted: {ACCEPTED}.")
    if value_range is not None and X.shape[3] not in (1, 3, 4):
        raise ValueError(
            f"Received pictures with {X.shape[3]} channels. Accepted are 1 (grey), 3 (RGB) and 4 "
            "(RGB and transparency), channels last; value_range=None takes any number of them."
        )
    return X


def rows_to_images(X: np.ndarray, row_shape: Any) -> np.ndarray:
    """Reshape flat rows (n, n_features) into pictures (n, *row_shape).

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images.batch import rows_to_images
    >>> rows_to_images(np.zeros((10, 64)), (8, -1)).shape
    (10, 8, 8, 1)
    """
    if row_shape is None:
        raise ValueError(
            f"Received a 2-D array of shape {X.shape}: rows of numbers, not pictures. Pass "
            "row_shape=(height, width) or (height, width, channels) to say how a row becomes a "
            f"picture. Accepted: {ACCEPTED}."
        )
    shape = tuple(row_shape)
    try:
        images = X.reshape((len(X), *shape))
    except ValueError:
        raise ValueError(
            f"row_shape={row_shape!r} does not fit rows of {X.shape[1]} numbers: its product must "
            "be that number (one entry may be -1)."
        ) from None
    if len(shape) not in (2, 3):
        raise ValueError(
            f"row_shape must be (height, width) or (height, width, channels). "
            f"Received: {row_shape!r}"
        )
    return images if len(shape) == 3 else images[..., np.newaxis]


def _described(X: np.ndarray) -> str:
    text = f"a {X.ndim}-D array of shape {X.shape} and dtype {X.dtype}"
    return (
        f"{text}, the first item being {_shown(X.flat[0])}"
        if X.dtype == object and X.size
        else text
    )


def _shown(item: object) -> str:
    """An item in an error message: short, and a picture's bytes not at all."""
    if isinstance(item, bytes | bytearray):
        return f"{len(item)} bytes"
    text = repr(item)
    return text if len(text) <= 80 else f"{text[:77]}..."
