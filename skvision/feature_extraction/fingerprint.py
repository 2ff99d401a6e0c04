"""Keys of the feature cache: what a picture is, what a network is.

A key says all that features depend on, so that a cached feature is either the right
one or not found. Nothing here decodes a file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import PIL
from PIL import ExifTags, Image, features

from ..exceptions import ImageDecodeError
from ..images import DerivedImage, ImageSource
from ..images.opening import _name_of, _reason, _stream, is_image_source, opened

__all__ = ["DECODER_VERSION", "image_key", "network_key"]

#: To be raised whenever `skvision.images` gives other pixels for the same file.
DECODER_VERSION = 1

# lossy formats: the pixels are a matter of the library, which may not come with Pillow
_CODECS = ("jpg", "libjpeg_turbo", "jpg_2000", "webp", "avif")

_DIGEST_BYTES = 16
_CHUNK = 2**20


def image_key(source: ImageSource | np.ndarray) -> bytes:
    """Return a digest of a picture's content.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview, PIL.Image.Image, DerivedImage \
or ndarray
        A file name, the content of a file, an opened picture, what is made from one
        of them (an augmented picture), or one picture's pixels.

    Returns
    -------
    bytes of length 16
        The same for the same content, in every process and on every machine. A file
        and its content as bytes have the same key, whatever the file's name. Files,
        opened pictures and arrays never share one, even where they show the same.

    Raises
    ------
    ImageDecodeError
        If the file is missing, empty, not a regular file or not readable. Whether it
        is a picture is not looked at: that is found out when it is decoded.
    ValueError
        If an array holds anything but numbers.
    TypeError
        If `source` is none of these.

    Notes
    -----
    A file costs reading it once, by the megabyte, and hashing it (BLAKE2b). An array's scale
    is not part of its key: hash the 8-bit pictures that networks see.

    Examples
    --------
    >>> from skvision.feature_extraction.fingerprint import image_key
    >>> image_key(b"the content of a file").hex()
    '86ce480eeef8acb3ec63055fdd640f84'
    """
    if isinstance(source, np.ndarray):
        return _digest("array", _array_parts(source))
    if isinstance(source, DerivedImage):
        return _digest("derived", [image_key(source.source), source.key])
    if isinstance(source, Image.Image):
        with opened(source) as image:
            return _digest("PIL image", _image_parts(image))
    if not is_image_source(source):
        raise TypeError(
            f"Received {type(source).__name__!r}. Accepted: a file name, bytes, a PIL image or "
            "an array of one picture's pixels."
        )
    assert not isinstance(source, DerivedImage)  # it was taken above
    name = _name_of(source)
    try:
        with _stream(source, name) as file:
            return _digest("file", iter(lambda: file.read(_CHUNK), b""))
    except OSError as error:
        raise ImageDecodeError(name, _reason(error, name)) from error
    except ValueError as error:
        if isinstance(error, ImageDecodeError):
            raise
        raise ImageDecodeError(name, str(error)) from error  # a name with a zero byte in it


def network_key(**parts: Any) -> str:
    """Return a digest of what turns pictures into features, with a readable beginning.

    Parameters
    ----------
    **parts : JSON value
        All that features depend on: name, weights digest, size, resize, layer,
        pooling, engine, precision, versions. Text, numbers, None, and lists,
        tuples and dictionaries of them. The versions of skvision's decoder, of Pillow
        and of its codecs are added here.

    Returns
    -------
    str
        ``name`` (or ``network``) as it can stand in a listing, a hyphen and 32
        hexadecimal digits: the same for the same parts, in any order.

    Raises
    ------
    TypeError
        If a part is anything else; its text might differ between processes.
    ValueError
        If a part is infinite or not a number.

    Examples
    --------
    >>> from skvision.feature_extraction.fingerprint import network_key
    >>> key = network_key(name="VGG16", size=(224, 224), pooling="flatten")
    >>> key.partition("-")[0], len(key)
    ('VGG16', 38)
    >>> key == network_key(pooling="flatten", size=[224, 224], name="VGG16")
    True
    """
    known = {*features.codecs, *features.modules, *features.features}  # of others Pillow warns
    codecs = [features.version(codec) if codec in known else None for codec in _CODECS]
    text = json.dumps(
        # apart, so that no part of the caller's can take the decoder's place
        {"parts": _plain(parts), "decoder": [DECODER_VERSION, PIL.__version__, *codecs]},
        sort_keys=True,
        allow_nan=False,
    )
    name = str(parts.get("name") or parts.get("network") or "network")
    readable = re.sub(r"[^A-Za-z0-9._]+", "_", name)[:40]
    return f"{readable}-{_digest('network', [text.encode()]).hex()}"


def _digest(kind: str, parts: Iterable[bytes | memoryview]) -> bytes:
    # BLAKE2's own separation of domains: equal bytes of two kinds have unrelated digests
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES, person=kind.encode())
    for part in parts:
        digest.update(part)
    return digest.digest()


def _array_parts(pixels: np.ndarray) -> list[bytes | memoryview]:
    if pixels.dtype.kind not in "biuf":
        raise ValueError(
            f"Received an array of dtype {pixels.dtype}. Accepted: one picture's pixels, that is "
            "an array of integers, floats or booleans."
        )
    # the same numbers have the same key, whatever the byte order they came in
    pixels = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    header = repr((pixels.shape, pixels.dtype.str))
    # the header's length first: no pixels can be taken for a part of it
    return [b"%d:" % len(header), header.encode(), pixels.reshape(-1).view(np.uint8).data]


def _image_parts(image: Image.Image) -> list[bytes | memoryview]:
    """All of an opened picture that its RGB pixels depend on."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # malformed EXIF raises anything; such a picture counts as upright
        orientation = None
    palette = image.getpalette(None) if image.mode in ("P", "PA") else None
    transparency = image.info.get("transparency")
    header = repr((image.mode, image.size, orientation, palette, transparency))
    return [b"%d:" % len(header), header.encode(), image.tobytes()]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(each) for key, each in value.items()}
    raise TypeError(
        f"A part of a network's key is {value!r} of type {type(value).__name__!r}. Accepted: text, "
        "numbers, None, and lists, tuples and dictionaries of them, since these are written the "
        "same way in every process."
    )
