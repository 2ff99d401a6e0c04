"""`image_key`: a digest of an image's content. Nothing here decodes a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from PIL import ExifTags, Image

from ..exceptions import ImageDecodeError
from .derived import DerivedImage
from .opening import ImageSource, _name_of, _reason, _stream, is_image_source, opened
from .samples import declared

__all__ = ["digest", "image_key"]

_DIGEST_BYTES = 16
_CHUNK = 2**20


def image_key(source: ImageSource | np.ndarray) -> bytes:
    """Return a digest of an image's content.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview, PIL.Image.Image, DerivedImage \
or ndarray
        A file name, the content of a file, an opened image, what is made from one
        of them (an augmented image), or one image's pixels.

    Returns
    -------
    bytes of length 16
        The same for the same content, in every process and on every machine. A file
        and its content as bytes have the same key, whatever the file's name. Files,
        opened images and arrays never share one, even where they show the same.

    Raises
    ------
    ImageDecodeError
        If the file is missing, empty, not a regular file or not readable. Whether it
        is an image is not looked at: that is found out when it is decoded.
    ValueError
        If an array holds anything but numbers.
    TypeError
        If `source` is none of these.

    Notes
    -----
    A file costs reading it once, by the megabyte, and hashing it (BLAKE2b). An array's scale
    is not part of its key: hash the 8-bit images that networks see.

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
    assert not isinstance(source, DerivedImage)  # it was taken above
    name = _name_of(source)
    try:
        with _stream(source, name) as file:
            return digest("file", iter(lambda: file.read(_CHUNK), b""))
    except OSError as error:
        raise ImageDecodeError(name, _reason(error, name)) from error
    except ValueError as error:
        if isinstance(error, ImageDecodeError):
            raise
        raise ImageDecodeError(name, str(error)) from error  # a name with a zero byte in it


def digest(kind: str, parts: Iterable[bytes | memoryview]) -> bytes:
    """Return 16 bytes that tell the parts, and the kind of thing they are of, apart."""
    # BLAKE2's own separation of domains: equal bytes of two kinds have unrelated digests
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
    # the same numbers have the same key, whatever the byte order they came in
    pixels = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    header = repr((pixels.shape, pixels.dtype.str))
    # the header's length first: no pixels can be taken for a part of it
    return [b"%d:" % len(header), header.encode(), pixels.reshape(-1).view(np.uint8).data]


def _image_parts(image: Image.Image) -> list[bytes | memoryview]:
    """All of an opened image that its RGB pixels depend on."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # malformed EXIF raises anything; such an image counts as upright
        orientation = None
    palette = image.getpalette(None) if image.mode in ("P", "PA") else None
    transparency = image.info.get("transparency")
    header = repr((image.mode, image.size, orientation, palette, transparency, *declared(image)))
    return [b"%d:" % len(header), header.encode(), image.tobytes()]
