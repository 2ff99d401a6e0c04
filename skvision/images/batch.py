"""Accepted forms of an image batch X, and reading its images.

Every accepted form of X becomes an `ImageBatch`, whose images are read one by one or a few at
a time, at the size of the network's input. Images are 8-bit RGB; only with
``value_range=None`` they are 32-bit floats with their own channels.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import KeysView, Sequence, Sized, ValuesView
from numbers import Number
from typing import Any

import numpy as np

from .._sklearn.network_estimator import ReadAs
from ..exceptions import first_line, shown
from .decode import decode, decode_resized, read_samples
from .items import check_items, is_array, stacked_arrays
from .kept import KeptPixels
from .kept_files import kept_places
from .learning import Levels, learnt_range, levels_of
from .opening import ImageSource, is_image_source
from .pixels import (
    LEARNT,
    check_pixels,
    is_word,
    named_range,
    pixel_range_of,
    to_uint8_rgb,
)
from .resize import resize_array
from .samples import PixelRange, Samples
from .stored_name import KeptFile
from .streams import refuse_streams

__all__ = ["ArrayBatch", "ImageBatch", "SourceBatch", "as_image_batch", "is_rows", "rows_to_images"]

ACCEPTED = (
    "an array (n, height, width), (n, height, width, 1), (n, height, width, 3) or "
    "(n, height, width, 4); a 1-D list, array or column of file names (or of file contents as "
    "bytes, or of PIL images); or 2-D numeric rows together with row_shape=(height, width[, "
    "channels])"
)

#: minimum (height, width) of a decoded JPEG if only its levels are needed
LOOKED_AT = (224, 224)


class ImageBatch(ABC):
    """A batch of images that can be read at any size."""

    #: number of channels of the images
    n_channels: int = 3
    #: uint8, or float32 with value_range=None
    dtype: np.dtype[Any]
    #: (black, white) of the numbers in X; None if each image has its own
    pixel_range: PixelRange | None
    #: shape of one image in X; () if sizes may differ
    image_shape: tuple[int, ...] = ()

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def item(self, index: int) -> ImageSource | np.ndarray:
        """Return one image as passed in X: something to decode, or its pixels."""

    @abstractmethod
    def whole(self, index: int) -> np.ndarray:
        """Read one image at its own size: (height, width, n_channels) of `dtype`."""

    @abstractmethod
    def samples(self, index: int) -> Samples:
        """Return the numbers of one image before conversion to `dtype`."""

    def levels(self, index: int) -> Levels:
        """Return the levels of one image."""
        return levels_of(self.samples(index))

    @abstractmethod
    def image(self, index: int, size: tuple[int, int], resize: str) -> np.ndarray:
        """Read one image: (height, width, n_channels) of `dtype`."""

    def kept(self, size: tuple[int, int], resize: str) -> tuple[KeptPixels, np.ndarray] | None:
        """Return where images that were decoded are kept, and at which places; None for nowhere."""
        return None

    def stacked(self, indices: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
        """Return images at once if they need no work, else None."""
        return None

    @property
    def stored_range(self) -> PixelRange | None:
        """The range that the pixels of an `item` depend on besides the item; None for none."""
        return None


class ArrayBatch(ImageBatch):
    """Images held in an array (n, height, width, channels)."""

    def __init__(self, pixels: np.ndarray, value_range: Any) -> None:
        self.pixels = pixels
        self.pixel_range = pixel_range_of(pixels.dtype, value_range)
        anything = (-np.inf, np.inf)  # a learnt range accepts any number
        check_pixels(pixels, anything if is_word(value_range, LEARNT) else self.pixel_range)
        as_given = self.pixel_range is None
        self.n_channels = pixels.shape[-1] if as_given else 3
        self.dtype = np.dtype(np.float32 if as_given else np.uint8)

    def __len__(self) -> int:
        return len(self.pixels)

    def item(self, index: int) -> np.ndarray:
        pixels: np.ndarray = self._read(self.pixels[index : index + 1])[0]
        return pixels

    whole = item

    def samples(self, index: int) -> Samples:
        return Samples(self.pixels[index], self.pixel_range)

    def image(self, index: int, size: tuple[int, int], resize: str) -> np.ndarray:
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
    """Images that are decoded when they are read."""

    def __init__(self, sources: Sequence[ImageSource], value_range: Any) -> None:
        self.sources = sources
        self.value_range = value_range
        self.pixel_range = named_range(value_range)
        self.dtype = np.dtype(np.float32 if value_range is None else np.uint8)

    def __len__(self) -> int:
        return len(self.sources)

    def item(self, index: int) -> ImageSource:
        return self.sources[index]

    def whole(self, index: int) -> np.ndarray:
        return decode(self.sources[index], self.pixel_range).astype(self.dtype, copy=False)

    def samples(self, index: int) -> Samples:
        return read_samples(self.sources[index], LOOKED_AT, self.pixel_range or self.value_range)

    def levels(self, index: int) -> Levels:
        source = self.sources[index]
        known = source.levels if isinstance(source, KeptFile) else None
        return super().levels(index) if known is None else known

    def kept(self, size: tuple[int, int], resize: str) -> tuple[KeptPixels, np.ndarray] | None:
        return kept_places(self.sources, ReadAs(size, resize, self.pixel_range))

    def image(self, index: int, size: tuple[int, int], resize: str) -> np.ndarray:
        pixels = decode_resized(self.sources[index], size, resize, self.pixel_range)
        return pixels.astype(self.dtype, copy=False)

    @property
    def stored_range(self) -> PixelRange | None:
        return self.pixel_range


def as_image_batch(
    X: Any,
    *,
    row_shape: Any = None,
    value_range: Any = "auto",
    fitted_shape: tuple[int, ...] | None = None,
) -> ImageBatch:
    """Read X as images, in any accepted form.

    Parameters
    ----------
    X : array, sequence, Series or frame
        An array of images, a 1-D sequence of file names, bytes or PIL images,
        or 2-D numeric rows.
    row_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of a 2-D row; one entry may be -1.
        Needed for rows only.
    value_range : "auto", "percentile", (low, high) or None, default="auto"
        Range of the numbers in arrays and in files of more than 8 bits, as
        `skvision.images.pixels` describes. ``"percentile"`` learns it from these images.
    fitted_shape : tuple of int, default=None
        The shape of one image in fit, whose axes an array must have; () if fit saw files, so
        that arrays must not be ambiguous; None before fit.

    Returns
    -------
    ImageBatch
        The images, not yet decoded.

    Raises
    ------
    ValueError
        If X has none of the accepted forms, or holds numbers outside their range.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images import as_image_batch
    >>> len(as_image_batch(np.zeros((5, 8, 8), dtype="uint8")))
    5
    """
    X = _as_given(X)
    if is_image_source(X):
        kind = "path" if isinstance(X, str | os.PathLike) else "image"
        raise ValueError(
            f"Received a single {kind}, {shown(X)}. X is always a batch: pass it in a list, [X]."
        )
    if _is_empty(X):
        shape = f" (shape={X.shape})" if hasattr(X, "shape") else ""
        raise ValueError(
            f"Received a batch without images: 0 sample(s){shape}, while a minimum of 1 is "
            "required."
        )
    if isinstance(X, list) and is_image_source(X[0]):
        batch: ImageBatch = SourceBatch(X, value_range)
    else:
        array = _as_array(X, value_range)
        if row_shape is None or array.ndim > 2:
            _check_axes(array.shape, fitted_shape)
        batch = ArrayBatch(_as_images(array, row_shape, value_range), value_range)
        batch.image_shape = array.shape[1:]
    if is_word(value_range, LEARNT):
        batch.pixel_range = learnt_range(batch)
    return batch


def _as_given(X: Any) -> Any:
    """Return X as a checked list of single images; an array or an image stays unchanged."""
    refuse_streams(X)
    X = _unframed(X)
    if isinstance(X, np.ndarray):
        if X.ndim == 2 and X.shape[1] == 1 and X.dtype.kind in "OUT":
            X = X[:, 0]  # other libraries convert a one-column frame to this
        if X.ndim != 1 or X.dtype.kind not in "OUT":
            return X
    elif is_image_source(X) or not isinstance(X, Sequence | KeysView | ValuesView):
        return X
    items = list(X)
    check_items(items)
    return items


def _unframed(X: Any) -> Any:
    """Convert a Series, or the only column of a frame if it holds images, to a list."""
    if hasattr(X, "columns") and hasattr(X, "shape"):
        if X.shape[1] != 1:
            return X
        column = X[X.columns[0]].to_list()
        return X if all(isinstance(item, Number) for item in column) else column
    return X.to_list() if hasattr(X, "to_list") else X


def _as_array(X: Any, value_range: Any) -> np.ndarray:
    if isinstance(X, list) and X and is_array(X[0]):
        X = stacked_arrays(X, value_range)
    elif isinstance(X, np.ndarray) and X.dtype == object and X.ndim > 1:
        X = X.tolist()  # an array of arrays of one shape with dtype=object
    try:
        return np.asarray(X)
    except Exception as error:  # unequal lengths, in NumPy's or another library's words
        if isinstance(X, list):
            raise ValueError(
                "Received lists of unequal lengths, which can't form an array. The images of an "
                "array have one size: pass file names or PIL images, whose sizes may differ."
            ) from None
        raise ValueError(
            f"Received an object of class {type(X).__name__}, which can't be read as an array: "
            f"{first_line(error)[:200]}. Accepted: {ACCEPTED}."
        ) from None


def is_rows(X: Any) -> bool:
    """Return whether X is meant as 2-D numeric rows, well-formed or not."""
    X = _as_given(X)
    if is_image_source(X) or _is_empty(X):
        return False
    if isinstance(X, list) and (is_image_source(X[0]) or is_array(X[0])):
        return not is_image_source(X[0]) and np.ndim(X[0]) <= 1
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


def _as_images(X: np.ndarray, row_shape: Any, value_range: Any) -> np.ndarray:
    """Reshape an array to (n, height, width, channels), or raise ValueError."""
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
                f"Received an array of shape {X.shape}, which looks like one colour image. X "
                "is always a batch: pass X[np.newaxis]. (Grey images three or four pixels wide "
                "need an explicit channel: X[..., np.newaxis].)"
            )
        X = X[..., np.newaxis]
    if X.ndim != 4 or 0 in X.shape[1:]:
        raise ValueError(f"Received {_described(X)}. Accepted: {ACCEPTED}.")
    if value_range is not None and X.shape[3] not in (1, 3, 4):
        first = X.shape[1] in (1, 3, 4)
        raise ValueError(
            f"Received images with {X.shape[3]} channels. Accepted are 1 (grey), 3 (RGB) and 4 "
            "(RGB and transparency), channels last; "
            + (
                "yours seem to come first: pass np.moveaxis(X, 1, -1)."
                if first
                else "value_range=None accepts any number of channels."
            )
        )
    return X


def rows_to_images(X: np.ndarray, row_shape: Any) -> np.ndarray:
    """Reshape flat rows (n, n_features) into images (n, *row_shape).

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images.batch import rows_to_images
    >>> rows_to_images(np.zeros((10, 64)), (8, -1)).shape
    (10, 8, 8, 1)
    """
    if row_shape is None:
        raise ValueError(
            f"Received a 2-D array of shape {X.shape}: rows of numbers, not images. Pass "
            "row_shape=(height, width) or (height, width, channels) to say how a row becomes an "
            f"image; for one grey image pass X[np.newaxis]. Accepted: {ACCEPTED}."
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


def _check_axes(shape: tuple[int, ...], fitted: tuple[int, ...] | None) -> None:
    """Raise ValueError for an array with other axes than in fit, or that may be one image."""
    if fitted is None:
        return
    if not fitted:  # files
        if len(shape) == 3 and (shape[0] in (3, 4) or shape[2] in (1, 3, 4)):
            raise ValueError(
                f"X has shape {shape}, and fit saw files, so it may be one image or a batch of "
                "grey ones. Pass X[np.newaxis] for one image, np.moveaxis(X, 0, -1)[np.newaxis] "
                "if its channels come first, or X[..., np.newaxis] for grey images."
            )
        return
    axes = len(fitted), len(shape)
    # (24, 24, 1) after grey images of 24x24, (3, 24, 24) after colour
    with_channel = axes == (2, 3) and shape[:2] == fitted != shape[1:]
    channels_first = axes == (3, 3) and shape[0] == fitted[2] > 1 and shape != fitted
    grey = axes == (3, 3) and shape != fitted
    if axes[1] == axes[0] + 1 and not with_channel:
        return
    if grey and not channels_first and shape[1:] == fitted[:2]:
        return  # it can only be grey images of the size in fit
    cures = {
        "X[np.newaxis] for one image": axes[0] == axes[1] and not channels_first,
        "X[np.newaxis, ..., 0] for one grey image": with_channel and shape[2] == 1,
        "X[np.newaxis, ..., np.newaxis] for one grey image": axes == (3, 2),
        "np.moveaxis(X, 0, -1)[np.newaxis] for one image, channels first": channels_first,
        "X[..., np.newaxis] for grey images": grey,
        "X[..., 0] for grey images": axes == (2, 4),
        "rows, X.reshape(len(X), -1)": axes[0] == 1,
    }
    chosen = [cure for cure, fits in cures.items() if fits] or ["an array of the same axes"]
    raise ValueError(
        f"X has shape {shape}, but fit saw arrays of shape (n, {', '.join(map(str, fitted))}). X "
        f"is always a batch: pass {', or '.join(chosen)}."
    )


def _described(X: np.ndarray) -> str:
    text = f"a {X.ndim}-D array of shape {X.shape} and dtype {X.dtype}"
    return (
        f"{text}, the first item being {shown(X.flat[0])}" if X.dtype == object and X.size else text
    )
