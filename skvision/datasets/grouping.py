"""Group images by the folders that they lie in."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from .class_names import reading

__all__ = ["folder_groups"]

_TOP = "(no folder)"


def folder_groups(files: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Return the folder of each image, without the folder of its class.

    Parameters
    ----------
    files : sequence of str
        The images.
    labels : sequence of str
        The class of each.

    Returns
    -------
    ndarray of shape (n_images,), str
        The folders between the one that all images share and the image. The first of them that
        has the name of the image's class is left out.

    Examples
    --------
    >>> from skvision.datasets import folder_groups
    >>> folder_groups(["data/cat/phone/1.jpg", "data/dog/scan/2.jpg"], ["cat", "dog"]).tolist()
    ['phone', 'scan']
    >>> folder_groups(["a/cat/1.jpg", "b/cat/1.jpg"], ["cat", "cat"]).tolist()
    ['a', 'b']
    """
    folders = [os.path.dirname(os.path.abspath(file)) for file in files]
    shared = os.path.commonpath(set(folders))
    groups = []
    for folder, label in zip(folders, labels, strict=True):
        parts = [part for part in os.path.relpath(folder, shared).split(os.sep) if part != "."]
        own = next((k for k, part in enumerate(parts) if reading(part) == reading(label)), None)
        if own is not None:
            del parts[own]
        groups.append("/".join(parts) or _TOP)
    return np.array(groups)
