"""Checks of a data set: a table of checks over the figures of one pass.

`survey` reads each image once, `check_table` lists the checks, `checking` runs them, and
`image_check` shows what they found.
"""

from .check_table import CHECKS, Check, CheckResult
from .checking import check_images
from .findings import Finding
from .image_check import ImageCheck

__all__ = ["CHECKS", "Check", "CheckResult", "Finding", "ImageCheck", "check_images"]
