"""`image_key`: a digest of an image's content, without decoding it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from PIL import ExifTags, Image

from ..exceptions import ImageDecodeError
from .derived import DerivedImage
from .opening import ImageSource, _name_of, _reason, _stream, is_image_source, opened
from .samples import declared
from .stored_name import KeptFile

__all__ = ["digest", "image_key"]

_DIGEST_BYTES = 16
_CHUNK = 2**20


def image_key(source: ImageSource | np.ndarray) -> bytes:
    """Return a digest of an image's content.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview, PIL.Image.Image, DerivedImage \
or ndarray
        A file name, the content of a file, an opened image, an image derived from one of
        these (an augmented image), or the pixels of one image.

    Returns
    -------
    bytes of length 16
        Equal for equal content, in every process and on every machine. A file and its
        content as bytes have the same key, whatever the file's name. Files, opened images and
        arrays never share a key, even if they show the same image.

    Raises
    ------
    ImageDecodeError
        If the file is missing, empty, not a regular file or not readable. The function
        doesn't check that it is an image.
    ValueError
        If an array holds anything but numbers.
    TypeError
        If `source` has another type.

    Notes
    -----
    A file is read once, in blocks of a megabyte, and hashed (BLAKE2b). The scale of an array
    isn't a part of its key: hash the 8-bit images that networks get.

    Examples
    --------
    >>> from skvision.images import image_key
    >>> image_key(b"the content of a file").hex()
    '86ce480eeef8acb3ec63055fdd640f84'
    """
    if isinstance(source, np.ndarray):
        return digest("array", _array_parts(source))
    if isinstance(source, DerivedImage):
        return digest("derived", [image_key(source.source), source.key])
    if isinstance(source, Image.Image):
        with opened(source) as image:
            return digest("PIL image", _image_parts(image))
    if not is_image_source(source):
        raise TypeError(
            f"Received {type(source).__name__!r}. Accepted: a file name, bytes, a PIL image or "
            "an array of one image's pixels."
        )
    assert not isinstance(source, DerivedImage)  # handled above
    if isinstance(source, KeptFile):
        if source.key is None:
            source.key = image_key(str(source))
        return source.key
    name = _name_of(source)
    try:
        with _stream(source, name) as file:
            return digest("file", iter(lambda: file.read(_CHUNK), b""))
    except OSError as error:
        raise ImageDecodeError(name, _reason(error, name)) from error
    except ValueError as error:
        if isinstance(error, ImageDecodeError):
            raise
        raise ImageDecodeError(name, str(error)) from error  # the name contains a zero byte


def digest(kind: str, parts: Iterable[bytes | memoryview]) -> bytes:
    """Return a digest of 16 bytes of the parts and of their kind."""
    # BLAKE2's domain separation: equal bytes of different kinds have unrelated digests
    hasher = hashlib.blake2b(digest_size=_DIGEST_BYTES, person=kind.encode())
    for part in parts:
        hasher.update(part)
    return hasher.digest()


def _array_parts(pixels: np.ndarray) -> list[bytes | memoryview]:
    if pixels.dtype.kind not in "biuf":
        raise ValueError(
            f"Received an array of dtype {pixels.dtype}. Accepted: one image's pixels, that is "
            "an array of integers, floats or booleans."
        )
    # equal numbers have the same key, whatever their byte order
    pixels = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    header = repr((pixels.shape, pixels.dtype.str))
    # the header's length comes first, so that pixels can't look like a part of the header
    return [b"%d:" % len(header), header.encode(), pixels.reshape(-1).view(np.uint8).data]


def _image_parts(image: Image.Image) -> list[bytes | memoryview]:
    """Return all parts of an opened image that its RGB pixels depend on."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # malformed EXIF may raise anything; such an image counts as upright
        orientation = None
    palette = image.getpalette(None) if image.mode in ("P", "PA") else None
    transparency = image.info.get("transparency")
    header = repr((image.mode, image.size, orientation, palette, transparency, *declared(image)))
    return [b"%d:" % len(header), header.encode(), image.tobytes()]
