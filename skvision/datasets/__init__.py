"""Class folders -> (file names, labels); the bundled digits as such folders."""

from .digits import export_digits
from .folders import IMAGE_SUFFIXES, find_unreadable, list_images, load_image_folder

__all__ = [
    "IMAGE_SUFFIXES",
    "export_digits",
    "find_unreadable",
    "list_images",
    "load_image_folder",
]
