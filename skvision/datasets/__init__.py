"""Class folders and tables -> (file names, labels); the bundled digits as such folders.

It imports `skvision.images` and what lies below it, and no Keras.
"""

from .digits import export_digits
from .folders import load_image_folder
from .listing import list_images
from .table import load_image_table
from .unreadable import find_unreadable

__all__ = [
    "export_digits",
    "find_unreadable",
    "list_images",
    "load_image_folder",
    "load_image_table",
]
