"""The figures of one image that all checks share: a record of fixed size. Pure functions."""

from __future__ import annotations

import hashlib
from typing import Any

import cv2
import numpy as np
from PIL import Image

from ...datasets.copies import THUMB, thumbnails_of
from ...images import Described, resize_image

__all__ = [
    "DECODED",
    "FIGURES_VERSION",
    "RECORD",
    "packed",
    "packed_length",
    "record_of",
    "unpacked",
]

#: raise it whenever a figure is computed in another way, so that the cache isn't read
FIGURES_VERSION = 1
#: (height, width) in pixels that a JPEG is decoded at least at
DECODED = (224, 224)

RECORD = np.dtype(
    [
        ("readable", "u1"),
        ("format", "S12"),
        ("mode", "S12"),
        ("camera", "S64"),
        ("taken", "<f8"),
        ("n_bytes", "<u8"),
        ("width", "<u4"),
        ("height", "<u4"),
        # of the decoded pixels
        ("digest", "u1", 16),
        # perceived brightness from 0 to 1: mean, and the percentiles 5 and 99 over pixels
        ("brightness", "<f4"),
        ("dark_part", "<f4"),
        ("bright_part", "<f4"),
        # standard deviation of grey levels, 0 to 1
        ("contrast", "<f4"),
        # of grey levels, in bits
        ("entropy", "<f4"),
        # variance of the Laplacian at a longer side of at most 128 pixels
        ("sharpness", "<f4"),
        # distance between the strongest and the weakest channel, 99th percentile, 0 to 1
        ("colour", "<f4"),
        ("thumbnail", "u1", (THUMB, THUMB)),
    ]
)

_SMALL = 128
# the largest integer that a float of 32 bits holds exactly has 24 bits
_BYTES_A_FLOAT = 3


def record_of(described: Described, n_bytes: int = 0) -> np.ndarray:
    """Return the figures of an image.

    Parameters
    ----------
    described : Described
        The decoded image.
    n_bytes : int, default=0
        Size of its file; 0 if there is none.

    Returns
    -------
    ndarray of shape (), dtype RECORD

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images import decode_described
    >>> from skvision.inspection.check.figures import record_of
    >>> record = record_of(decode_described(Image.new("L", (40, 20), 255), (8, 8)))
    >>> float(record["brightness"]), float(record["contrast"])
    (1.0, 0.0)
    """
    record = np.zeros((), RECORD)
    record["readable"] = 1
    record["format"], record["mode"] = described.format.encode(), described.mode.encode()
    record["camera"] = described.camera.encode("utf-8", "replace")
    record["taken"], record["n_bytes"] = described.taken, n_bytes
    record["width"], record["height"] = described.width, described.height
    record["digest"] = _digest(described)
    for name, value in _pixel_figures(described).items():
        record[name] = value
    record["thumbnail"] = thumbnails_of(described.pixels, described.box)
    return record


def _digest(described: Described) -> np.ndarray:
    pixels = np.ascontiguousarray(described.pixels)
    hasher = hashlib.blake2b(pixels.data, digest_size=16)
    hasher.update(f"{pixels.shape} {described.width}x{described.height}".encode())
    return np.frombuffer(hasher.digest(), np.uint8)


def _pixel_figures(described: Described) -> dict[str, Any]:
    small = _small(described)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    squares = (small.astype(np.float32) / 255) ** 2
    bright = np.sqrt(squares @ np.array([0.241, 0.691, 0.068], np.float32))
    low, high = np.percentile(bright, [5, 99])
    counts = np.bincount(grey.ravel(), minlength=256)
    shares = counts[counts > 0] / grey.size
    channels = np.ptp(small, axis=2)
    return {
        "brightness": bright.mean(),
        "dark_part": low,
        "bright_part": high,
        "contrast": grey.std() / 255,
        "entropy": abs(float((shares * np.log2(shares)).sum())),
        "sharpness": cv2.Laplacian(grey, cv2.CV_32F).var(),
        "colour": np.percentile(channels, 99) / 255,
    }


def _small(described: Described) -> np.ndarray:
    """Return the image at a longer side of at most 128 pixels, without padding."""
    height, width = described.pixels.shape[:2]
    scale = min(1.0, _SMALL / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    image = Image.fromarray(described.pixels)
    return np.asarray(resize_image(image, size, "stretch", described.box))


def packed_length(dtype: np.dtype[Any]) -> int:
    """Return how many floats of 32 bits a record takes in a `packed` row."""
    return -(-dtype.itemsize // _BYTES_A_FLOAT)


def packed(records: np.ndarray) -> np.ndarray:
    """Return records as rows of floats, for the feature cache, which holds nothing else.

    Three bytes make one whole number, which a float holds exactly.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.check.figures import packed, unpacked
    >>> records = np.array([(1, b"JPEG")], [("n", "u1"), ("format", "S12")])
    >>> unpacked(packed(records), records.dtype)["format"].tolist()
    [b'JPEG']
    """
    n, size = len(records), records.dtype.itemsize
    length = packed_length(records.dtype)
    raw = np.zeros((n, length * _BYTES_A_FLOAT), np.uint8)
    raw[:, :size] = np.ascontiguousarray(records).view(np.uint8).reshape(n, size)
    places = np.array([1, 256, 65536], np.float32)
    rows: np.ndarray = raw.reshape(n, length, _BYTES_A_FLOAT).astype(np.float32) @ places
    return rows


def unpacked(rows: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Return the records that `packed` made rows of."""
    numbers = rows.astype(np.uint32)
    raw = np.stack([numbers & 255, numbers >> 8 & 255, numbers >> 16], axis=2).astype(np.uint8)
    raw = np.ascontiguousarray(raw.reshape(len(rows), -1)[:, : dtype.itemsize])
    return raw.view(dtype).ravel()
