"""Accepted forms of image batches, decoding to RGB pixels, and resizing.

The package imports `skvision._sklearn`, `skvision._system` and `skvision.exceptions`, and no Keras.
"""

from .batch import ArrayBatch, ImageBatch, SourceBatch, as_image_batch
from .capture import Capture, capture_of
from .decode import (
    Look,
    decode,
    decode_resized,
    look_at,
    open_rgb,
    read_levels,
    read_samples,
)
from .derived import DerivedImage
from .described import Described, decode_described
from .image_key import image_key
from .inlined import data_uri
from .kept import KEEP_BYTES
from .kept_files import examine_file, keep_files, look_at_file
from .learning import Levels, levels_of, warn_of_range
from .opening import ImageSource
from .reader import ImageReader
from .resize import RESIZE_POLICIES, resize_array, resize_image
from .stored_name import KeptFile
from .validation import known_range, validate_images

__all__ = [
    "KEEP_BYTES",
    "RESIZE_POLICIES",
    "ArrayBatch",
    "Capture",
    "DerivedImage",
    "Described",
    "ImageBatch",
    "ImageReader",
    "ImageSource",
    "KeptFile",
    "Levels",
    "Look",
    "SourceBatch",
    "as_image_batch",
    "capture_of",
    "data_uri",
    "decode",
    "decode_described",
    "decode_resized",
    "examine_file",
    "image_key",
    "keep_files",
    "known_range",
    "levels_of",
    "look_at",
    "look_at_file",
    "open_rgb",
    "read_levels",
    "read_samples",
    "resize_array",
    "resize_image",
    "validate_images",
    "warn_of_range",
]
