"""Picture files and bytes -> RGB pixels.

The only decoder in skvision: training, prediction and the command line all see
the same pixels of the same file.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..exceptions import ImageDecodeError

__all__ = ["ImageSource", "decode", "is_image_source", "open_rgb", "to_rgb"]

ImageSource = str | os.PathLike[str] | bytes | Image.Image

# A 16-bit pixel p becomes round(p / 257), which takes 0..65535 evenly to 0..255.
SIXTEEN_TO_EIGHT_BITS = 257


def decode(source: ImageSource) -> np.ndarray:
    """Read one picture as 8-bit RGB.

    EXIF orientation is applied; grey, palette, CMYK, 16-bit and 1-bit pictures
    become RGB; transparency is composited on white; of an animation the first
    frame is taken.

    Parameters
    ----------
    source : str, path-like, bytes or PIL.Image.Image
        A file name, the content of a file, or an opened picture.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        The pixels.

    Raises
    ------
    ImageDecodeError
        If the file is missing, empty, truncated or not a picture.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images import decode
    >>> decode(Image.new("L", (4, 2), 128)).shape
    (2, 4, 3)
    """
    return np.asarray(open_rgb(source))


def open_rgb(source: ImageSource) -> Image.Image:
    """Read one picture as a PIL image of mode RGB; `decode` says how."""
    if isinstance(source, Image.Image):
        return _load(source, f"<PIL image {source.size[0]}x{source.size[1]} {source.mode}>")
    if isinstance(source, bytes):
        name = f"<{len(source)} bytes>"
        file: Any = io.BytesIO(source)
    else:
        name = os.fspath(source)
        file = name
    _refuse_what_is_no_file(source, name)
    try:
        with Image.open(file) as image:
            return _load(image, name)
    except ImageDecodeError:
        raise
    except Exception as error:  # Pillow's plugins raise anything on a malformed file
        raise ImageDecodeError(name, _reason(error)) from error


def _refuse_what_is_no_file(source: ImageSource, name: str) -> None:
    if isinstance(source, bytes):
        empty = not source
    else:
        path = Path(name)
        try:
            if path.is_dir():
                raise ImageDecodeError(name, "it is a folder, not a file")
            empty = path.stat().st_size == 0
        except (OSError, ValueError) as error:
            raise ImageDecodeError(name, _reason(error)) from error
    if empty:
        raise ImageDecodeError(name, "the file is empty")


def _load(image: Image.Image, name: str) -> Image.Image:
    try:
        return to_rgb(ImageOps.exif_transpose(image))
    except Exception as error:  # as above: decoding happens here, not in Image.open
        raise ImageDecodeError(name, _reason(error)) from error


def _reason(error: Exception) -> str:
    """One line that a user understands, from whatever the system or Pillow raised."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, UnidentifiedImageError):
        return "it is not a picture in a format that Pillow reads"
    text = str(error).strip().rstrip(".") or type(error).__name__
    return text.splitlines()[0]


def to_rgb(image: Image.Image) -> Image.Image:
    """Turn a PIL image of any mode into RGB, transparency composited on white."""
    if image.mode == "RGB" and "transparency" not in image.info:
        image.load()
        return image
    if image.mode in ("I", "I;16", "I;16B", "I;16L", "I;16N"):
        return _sixteen_bits_to_rgb(image)
    if image.mode == "F":
        raise ValueError(
            "it holds floating-point pixels, which have no agreed range; "
            "read it into an array and pass that with value_range=(low, high)"
        )
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def _sixteen_bits_to_rgb(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image).astype(np.int64)
    if pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError("it holds integer pixels outside 0..65535")
    grey = np.round(pixels / SIXTEEN_TO_EIGHT_BITS).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def is_image_source(item: object) -> bool:
    """Tell whether `item` is something that `decode` can be asked to read."""
    return isinstance(item, str | os.PathLike | bytes | Image.Image)
