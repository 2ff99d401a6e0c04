"""A folder whose subfolders are the classes -> file names and labels."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sklearn.utils import Bunch

from ..exceptions import ImageDecodeError, SkippedImageWarning
from ..images import decode
from ..threads import thread_limit

__all__ = ["IMAGE_SUFFIXES", "find_unreadable", "list_images", "load_image_folder"]

IMAGE_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("bmp", "dib", "gif", "jfif", "jpe", "jpeg", "jpg", "pbm", "pgm", "png"),
        *("pnm", "ppm", "tif", "tiff", "webp"),
    )
)


def load_image_folder(
    path: str | os.PathLike[str],
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
    path : str or path-like
        The folder; ``path/cat/1.jpg`` is a picture of class ``cat``.
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
            File names, sorted within each class.
        target : ndarray of shape (n_images,), str
            The class of each.
        target_names : list of str
            The classes, sorted.
        filenames : ndarray of shape (n_images,), object
            The same as ``data``.
        ignored : list of str
            Hidden files and files that are no pictures by their name.
        skipped : list of tuple (str, str)
            File name and reason of each unreadable picture that was left out.
        DESCR : str
            The above in a sentence.

    (data, target) : tuple of ndarray
        If ``return_X_y=True``.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such folder.
    ValueError
        If it holds no pictures, or fewer than two classes.
    ImageDecodeError
        If ``validate=True``, ``on_error="raise"`` and a picture can't be read.

    Warns
    -----
    SkippedImageWarning
        If pictures were left out.

    Examples
    --------
    >>> import tempfile
    >>> from skvision import export_digits, load_image_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     digits = load_image_folder(export_digits(folder, n_per_class=3), validate=True)
    >>> digits.target_names[:3]
    ['eight', 'five', 'four']
    >>> len(digits.data)
    30
    """
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip'. Received: {on_error!r}")
    folder = _existing_folder(path)
    files: list[str] = []
    labels: list[str] = []
    ignored: list[str] = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or not entry.is_dir():
            ignored.append(str(entry))
            continue
        found, others = list_images(entry)
        files += found
        labels += [entry.name] * len(found)
        ignored += others
        if not found:
            warnings.warn(
                f"The class folder {entry} holds no pictures, so {entry.name!r} is not a class.",
                SkippedImageWarning,
            )
    errors = find_unreadable(files) if validate else []
    if errors and on_error == "raise":
        raise errors[0]
    skipped = [(error.source, error.reason) for error in errors]
    if skipped:
        _warn_of(skipped)
        bad = dict(skipped)
        labels = [label for file, label in zip(files, labels, strict=True) if file not in bad]
        files = [file for file in files if file not in bad]
    _check_classes(folder, files, labels, ignored)
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
            f"{len(data)} pictures of {len(names)} classes in {folder}; {len(ignored)} other files "
            f"ignored, {len(skipped)} unreadable pictures skipped."
        ),
    )


def list_images(folder: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """List a folder's pictures, those of its subfolders too, both sorted.

    Parameters
    ----------
    folder : str or path-like
        Where to look.

    Returns
    -------
    images, ignored : list of str
        The pictures, by their names' endings (`IMAGE_SUFFIXES`), and the rest:
        hidden files and files of other types.
    """
    images: list[str] = []
    ignored: list[str] = []
    for file in _walk(os.fspath(folder)):
        name = os.path.basename(file)
        is_picture = os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES
        (images if is_picture and not name.startswith(".") else ignored).append(file)
    return sorted(images), sorted(ignored)


def _walk(folder: str) -> Iterator[str]:
    """Every file below, through links to folders too, each real folder once."""
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            yield os.path.join(parent, name)


def _existing_folder(path: str | os.PathLike[str]) -> Path:
    folder = Path(path)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {folder}. Looked in {Path.cwd()}.")
    if not folder.is_dir():
        raise NotADirectoryError(
            f"{folder} is a file. Pass the folder whose subfolders are the classes."
        )
    return folder


def _check_classes(folder: Path, files: list[str], labels: list[str], ignored: list[str]) -> None:
    layout = f"Expected one subfolder a class: {folder}/cat/1.jpg, {folder}/dog/1.jpg."
    if not files:
        loose = sum(os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES for name in ignored)
        found = f"{loose} pictures lie directly in it" if loose else "it holds no pictures"
        raise ValueError(f"No class folders with pictures in {folder}: {found}. {layout}")
    if len(set(labels)) < 2:
        raise ValueError(
            f"Only one class, {labels[0]!r}, in {folder}. A classifier needs at least two. {layout}"
        )


def find_unreadable(files: Sequence[str | os.PathLike[str]]) -> list[ImageDecodeError]:
    """Decode every file; return the errors of those that can't be.

    Parameters
    ----------
    files : sequence of str or path-like
        What to decode, in threads.

    Returns
    -------
    list of ImageDecodeError
        In the order of `files`; each with ``source`` and ``reason``.

    Examples
    --------
    >>> from skvision.datasets import find_unreadable
    >>> [error.reason for error in find_unreadable(["nowhere.jpg"])]
    ['no such file']
    """
    with ThreadPoolExecutor(thread_limit()) as pool:
        return [error for error in pool.map(_decode_error, files) if error is not None]


def _decode_error(file: str | os.PathLike[str]) -> ImageDecodeError | None:
    try:
        decode(file)
    except ImageDecodeError as error:
        return error
    return None


def _warn_of(skipped: list[tuple[str, str]]) -> None:
    shown = "; ".join(f"{file}: {reason}" for file, reason in skipped[:5])
    more = f"; and {len(skipped) - 5} more" if len(skipped) > 5 else ""
    warnings.warn(
        f"{len(skipped)} unreadable pictures were left out: {shown}{more}.",
        SkippedImageWarning,
    )
