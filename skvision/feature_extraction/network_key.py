"""`network_key`: a digest of everything that features depend on besides the image.

If any part changes, the key changes, so the cache never returns a wrong feature.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import PIL
from PIL import features

from ..images.image_key import digest

__all__ = ["DECODER_VERSION", "network_key"]

#: Raise it whenever `skvision.images` decodes a file to other pixels than before.
DECODER_VERSION = 2

# codecs of lossy formats: the pixels depend on the library, which may come from elsewhere than
# Pillow
_CODECS = ("jpg", "libjpeg_turbo", "jpg_2000", "webp", "avif")


def network_key(**parts: Any) -> str:
    """Return a digest of everything that features depend on, with a readable prefix.

    Parameters
    ----------
    **parts : JSON value
        Name, weights digest, size, resize, layer, pooling, engine, precision, versions and
        anything else that features depend on, as text, numbers, None, and lists, tuples
        and dictionaries of them. The function adds the versions of skvision's decoder, of
        Pillow and of its codecs.

    Returns
    -------
    str
        ``name`` (or ``network``) in printable characters, a hyphen and 32 hexadecimal
        digits: the same for the same parts, in any order.

    Raises
    ------
    TypeError
        If a part has any other type, since its text might differ between processes.
    ValueError
        If a part is infinite or not a number.

    Examples
    --------
    >>> from skvision.feature_extraction.network_key import network_key
    >>> key = network_key(name="VGG16", size=(224, 224), pooling="flatten")
    >>> key.partition("-")[0], len(key)
    ('VGG16', 38)
    >>> key == network_key(pooling="flatten", size=[224, 224], name="VGG16")
    True
    """
    known = {*features.codecs, *features.modules, *features.features}  # Pillow warns of others
    codecs = [features.version(codec) if codec in known else None for codec in _CODECS]
    text = json.dumps(
        # separate, so that the caller's parts can't replace the decoder's
        {"parts": _plain(parts), "decoder": [DECODER_VERSION, PIL.__version__, *codecs]},
        sort_keys=True,
        allow_nan=False,
    )
    name = str(parts.get("name") or parts.get("network") or "network")
    readable = re.sub(r"[^A-Za-z0-9._]+", "_", name)[:40]
    return f"{readable}-{digest('network', [text.encode()]).hex()}"


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
