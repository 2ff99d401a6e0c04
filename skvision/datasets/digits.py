"""scikit-learn's handwritten digits as a folder of PNG files: data without a download."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["export_digits"]

_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def export_digits(folder: str | os.PathLike[str], *, n_per_class: int | None = None) -> Path:
    """Write scikit-learn's digits as class folders of grey 8x8 PNG files.

    Existing files are overwritten with the same content, so a second call changes nothing.

    Parameters
    ----------
    folder : str or path-like
        Folder to write to; created if it doesn't exist. Its subfolders are ``zero`` to
        ``nine``.
    n_per_class : int, default=None
        Maximum number of files per class, at least 1; None for all (174 to 183 per class,
        1,797 together).

    Returns
    -------
    pathlib.Path
        The folder.

    References
    ----------
    E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI
    Machine Learning Repository, 1998.

    Examples
    --------
    >>> import tempfile
    >>> from skvision import export_digits, load_image_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     X, y = load_image_folder(export_digits(folder, n_per_class=2), return_X_y=True)
    >>> len(X)
    20
    """
    if n_per_class is not None and n_per_class < 1:
        raise ValueError(f"n_per_class must be at least 1 or None. Received: {n_per_class!r}")
    from sklearn.datasets import load_digits  # takes seconds, and folders don't need it

    digits = load_digits()
    # convert 16 grey levels to 0..255
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)
    folder = Path(folder)
    for label, name in enumerate(_NAMES):
        class_folder = folder / name
        class_folder.mkdir(parents=True, exist_ok=True)
        members = np.flatnonzero(digits.target == label)[:n_per_class]
        for index in members:
            Image.fromarray(pixels[index]).save(class_folder / f"{name}_{index:04d}.png")
    return folder
