"""Images inside a page, as data URIs."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

__all__ = ["data_uri"]

# Up to this longer side an image is stored without loss: JPEG's blocks of 8 pixels would blur it.
_EXACT = 64
_QUALITY = 80


def data_uri(pixels: np.ndarray) -> str:
    """Return an image as the address that a page shows it by, without a file.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8
        The image. It is stored as JPEG, or as PNG if its longer side has at most 64 pixels.

    Returns
    -------
    str
        The address, ``data:image/...``.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images import data_uri
    >>> data_uri(np.zeros((8, 8, 3), "uint8"))[:22]
    'data:image/png;base64,'
    """
    kind, options = ("png", {}) if max(pixels.shape[:2]) <= _EXACT else _JPEG
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"


_JPEG = ("jpeg", {"quality": _QUALITY})
