"""The Bunch of file names and labels that the functions of this package return."""

from __future__ import annotations

import numpy as np
from sklearn.utils import Bunch

from .._system.templates import filled
from ..exceptions import ImageDecodeError
from ..images import data_uri, look_at

__all__ = ["LabelledImages"]

# of each class, and of classes
_N_IMAGES, _N_CLASSES = 6, 20
_LONGEST = 112


class LabelledImages(Bunch):
    """A Bunch of images and labels; a notebook shows the first images of each class.

    Parameters
    ----------
    **kwargs : object
        The entries, as `skvision.load_image_folder` describes them.

    Examples
    --------
    >>> import tempfile
    >>> from skvision import export_digits, load_image_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data = load_image_folder(export_digits(folder, n_per_class=2))
    ...     data._repr_html_().count("<img")
    20
    """

    def _repr_html_(self) -> str:
        rows = []
        for name in self.target_names[:_N_CLASSES]:
            files = self.data[self.target == name]
            rows.append((str(name), len(files), [_shown(str(it)) for it in files[:_N_IMAGES]]))
        more = len(self.target_names) - len(rows)
        end = f" The table has the first {len(rows)} classes." if more else ""
        return filled(
            "skvision.datasets", "data_set.html", summary=f"{self.DESCR}{end}", classes=rows
        )


def _shown(file: str) -> tuple[str | None, str]:
    """Return the address of an image, and its name; None if it can't be read."""
    try:
        small: np.ndarray | None = look_at(file, _LONGEST).small
    except ImageDecodeError:
        small = None
    return None if small is None else data_uri(small), file
