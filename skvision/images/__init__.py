"""Accepted forms of image batches, decoding to RGB pixels, and resizing.

The package imports `skvision._sklearn`, `skvision._system` and `skvision.exceptions`, and no Keras.
"""

from .batch import ArrayBatch, ImageBatch, SourceBatch, as_image_batch
from .capture import Capture, capture_of
from .decode import decode, decode_resized, open_rgb, read_levels, read_samples
from .derived import DerivedImage
from .image_key import image_key
from .kept import KEEP_BYTES
from .kept_files import examine_file, keep_files
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
    "ImageBatch",
    "ImageReader",
    "ImageSource",
    "KeptFile",
    "Levels",
    "SourceBatch",
    "as_image_batch",
    "capture_of",
    "decode",
    "decode_resized",
    "examine_file",
    "image_key",
    "keep_files",
    "known_range",
    "levels_of",
    "open_rgb",
    "read_levels",
    "read_samples",
    "resize_array",
    "resize_image",
    "validate_images",
    "warn_of_range",
]
