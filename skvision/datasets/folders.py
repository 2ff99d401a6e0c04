"""A folder whose subfolders are the classes -> file names and labels."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sklearn.utils import Bunch

from ..exceptions import SkippedImageWarning
from .listing import existing_folders, layout, list_classes
from .unreadable import find_unreadable

__all__ = ["load_image_folder", "warn_of_skipped"]


def load_image_folder(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    validate: bool = False,
    on_error: Literal["raise", "skip"] = "raise",
    return_X_y: bool = False,
) -> Any:
    """List a folder of pictures whose subfolders are the classes.

    Pictures are not loaded: estimators decode them batch by batch. Folders
    inside a class folder are searched too. Hidden files and files that are no
    pictures by their name are left out, and counted.

    Parameters
    ----------
    path : str, path-like or sequence of them
        The folder; ``path/cat/1.jpg`` is a picture of class ``cat``. Of several
        folders, classes of the same name are joined.
    validate : bool, default=False
        Whether to decode every picture now, so that an unreadable one is found
        before an hour of training and not in the middle of it. Costs about as
        much as one epoch's decoding.
    on_error : {"raise", "skip"}, default="raise"
        What an unreadable picture leads to if ``validate=True``: an
        `ImageDecodeError`, or being left out with a `SkippedImageWarning`.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch
        With these entries:

        data : ndarray of shape (n_images,), object
            File names; sorted by class, then by folder in the order given, then
            by name.
        target : ndarray of shape (n_images,), str
            The class of each.
        target_names : list of str
            The classes, sorted.
        filenames : ndarray of shape (n_images,), object
            The same as ``data``.
        ignored : list of str
            Hidden files and folders, files that are no pictures by their name,
            and second names of pictures that are listed already (see Notes).
        skipped : list of tuple (str, str)
            File name and reason of each unreadable picture that was left out.
        DESCR : str
            The above in a sentence.

    (data, target) : tuple of ndarray
        If ``return_X_y=True``.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        If there is no such folder, or one that can't be listed.
    ValueError
        If a folder holds no pictures, all of them together fewer than two
        classes, or if one picture is in two classes.
    ImageDecodeError
        If ``validate=True``, ``on_error="raise"`` and a picture can't be read.

    Warns
    -----
    SkippedImageWarning
        If pictures were left out, or if a class folder holds none.

    Notes
    -----
    A picture that is reached twice, by symbolic links or because the folders
    overlap, counts once, under the name that comes first: else it might be
    trained on and tested on. Reached under two classes it is refused, since one
    of the labels must be wrong. Copies and hard links are pictures of their own.

    Examples
    --------
    The flowers of Kaggle's "Flowers Recognition" come as five such folders, here
    with one tiny picture each:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from skvision import load_image_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("daisy", "dandelion", "rose", "sunflower", "tulip"):
    ...         Path(folder, name).mkdir()
    ...         Image.new("RGB", (4, 4)).save(Path(folder, name, "1.jpg"))
    ...     flowers = load_image_folder(folder, validate=True)
    >>> flowers.target_names
    ['daisy', 'dandelion', 'rose', 'sunflower', 'tulip']
    >>> len(flowers.data)
    5
    """
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip'. Received: {on_error!r}")
    folders = existing_folders(path)
    files_of, ignored, empty = list_classes(folders)
    _warn_of_empty(empty, files_of)
    files = [file for members in files_of.values() for file in members]
    labels = [label for label, members in files_of.items() for _ in members]
    errors = find_unreadable(files) if validate else []
    if errors and on_error == "raise":
        raise errors[0]
    skipped = [(error.source, error.reason) for error in errors]
    if skipped:
        bad = dict(skipped)
        kept = [label for file, label in zip(files, labels, strict=True) if file not in bad]
        files = [file for file in files if file not in bad]
        warn_of_skipped(skipped, lost=sorted(set(labels) - set(kept)))
        labels = kept
    _check_classes(folders, labels)
    data, target = np.array(files, dtype=object), np.array(labels)
    if return_X_y:
        return data, target
    names = sorted(set(labels))
    return Bunch(
        data=data,
        target=target,
        target_names=names,
        filenames=data,
        ignored=ignored,
        skipped=skipped,
        DESCR=(
            f"{len(data)} pictures of {len(names)} classes in {_shown(folders)}; {len(ignored)} "
            f"other files ignored, {len(skipped)} unreadable pictures skipped."
        ),
    )


def _check_classes(folders: Sequence[Path], labels: Sequence[str]) -> None:
    if not labels:
        raise ValueError(f"None of the pictures in {_shown(folders)} can be read.")
    if len(set(labels)) < 2:
        raise ValueError(
            f"Only one class, {labels[0]!r}, in {_shown(folders)}. A classifier needs at least "
            f"two. {layout(folders[0])}"
        )


def _shown(folders: Sequence[Path]) -> str:
    return ", ".join(map(str, folders))


def warn_of_skipped(skipped: Sequence[tuple[str, str]], lost: Sequence[str] = ()) -> None:
    """Warn of unreadable pictures (name, reason), and of classes that are lost with them."""
    shown = "; ".join(f"{file}: {reason}" for file, reason in skipped[:5])
    more = f"; and {len(skipped) - 5} more" if len(skipped) > 5 else ""
    gone = f" Of {', '.join(map(repr, lost))} no picture is left." if lost else ""
    warnings.warn(
        f"{len(skipped)} unreadable pictures were left out: {shown}{more}.{gone}",
        SkippedImageWarning,
    )


def _warn_of_empty(empty: Sequence[Path], classes: Collection[str]) -> None:
    for folder in empty:
        lost = "" if folder.name in classes else f", so {folder.name!r} is not a class"
        warnings.warn(f"The class folder {folder} holds no pictures{lost}.", SkippedImageWarning)
