"""Read class folders and tables as file names and labels; export digits as class folders.

The package imports `skvision.images` and lower layers, and no Keras.
"""

from .digits import export_digits
from .folders import load_image_folder
from .grouping import as_grouping
from .listing import list_images
from .table import load_image_table
from .unreadable import answered, find_unreadable

__all__ = [
    "answered",
    "as_grouping",
    "export_digits",
    "find_unreadable",
    "list_images",
    "load_image_folder",
    "load_image_table",
]
