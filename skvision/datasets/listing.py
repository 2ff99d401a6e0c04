"""Folders on disk -> the names of the pictures in them."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

__all__ = ["IMAGE_SUFFIXES", "existing_folders", "layout", "list_classes", "list_images"]

IMAGE_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("bmp", "dib", "gif", "jfif", "jpe", "jpeg", "jpg", "pbm", "pgm", "png"),
        *("pnm", "ppm", "tif", "tiff", "webp"),
    )
)


def list_images(folder: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """List a folder's pictures, those of its subfolders too, both sorted.

    Links to folders are followed, except in circles: each real folder is listed
    once.

    Parameters
    ----------
    folder : str or path-like
        Where to look.

    Returns
    -------
    images, ignored : list of str
        The pictures, by their names' endings (`IMAGE_SUFFIXES`), and the rest:
        hidden files and folders, and files of other types.

    Raises
    ------
    OSError
        If the folder, or one inside it, can't be listed.

    Examples
    --------
    >>> import tempfile
    >>> from skvision import export_digits
    >>> from skvision.datasets import list_images
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     images, ignored = list_images(export_digits(folder, n_per_class=3))
    >>> len(images), len(ignored)
    (30, 0)
    """
    images: list[str] = []
    ignored: list[str] = []
    # the folders around it too: a link back to one of them leads in a circle
    seen = set(map(str, Path(os.path.realpath(folder)).parents))
    for parent, folders, names in os.walk(
        os.fspath(folder), followlinks=True, onerror=_refuse_folder
    ):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        ignored += (os.path.join(parent, name) for name in folders if _is_hidden(name))
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in names:
            is_image = _is_image_name(name) and not _is_hidden(name)
            (images if is_image else ignored).append(os.path.join(parent, name))
    return sorted(images), sorted(ignored)


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _is_image_name(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def _refuse_folder(error: OSError) -> NoReturn:
    """Raise for a folder that can't be listed: its pictures would be missing unnoticed."""
    raise type(error)(
        f"The folder {error.filename} can't be listed: {error.strerror}. Make it readable, or "
        "take it out."
    ) from error


def existing_folders(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
) -> list[Path]:
    """Make a list of what may be one folder or several; raise unless they are there."""
    paths = [path] if isinstance(path, str | os.PathLike) else path
    try:
        folders = [Path(each) for each in paths]
    except TypeError:
        raise TypeError(
            f"Expected a folder, or a sequence of folders. Received: {path!r}"
        ) from None
    if not folders:
        raise ValueError("Received no folder at all. Pass one, or a sequence of them.")
    for folder in folders:
        try:
            is_folder = stat.S_ISDIR(folder.stat().st_mode)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"There is no folder {folder}. Looked in {Path.cwd()}."
            ) from None
        except OSError as error:
            _refuse_folder(error)
        if not is_folder:
            raise NotADirectoryError(
                f"{folder} is a file. Pass the folder whose subfolders are the classes."
            )
    return folders


def list_classes(folders: Sequence[Path]) -> tuple[dict[str, list[str]], list[str], list[Path]]:
    """List the pictures of all class folders; `load_image_folder` says in which order.

    Parameters
    ----------
    folders : sequence of Path
        Folders whose subfolders are the classes.

    Returns
    -------
    files_of : dict of str to list of str
        The pictures of each class, the classes sorted.
    ignored : list of str
        Whatever else lies there.
    empty : list of Path
        Class folders that hold no pictures.

    Raises
    ------
    ValueError
        If one of `folders` holds no pictures, or if one picture is in two classes.
    OSError
        If a folder can't be listed.
    """
    files_of: dict[str, list[str]] = {}
    ignored: list[str] = []
    empty: list[Path] = []
    seen: dict[str, tuple[str, str]] = {}  # real file -> class, name
    for folder in folders:
        class_folders, loose = _class_folders(folder)
        ignored += map(str, loose)
        n_found = 0
        for class_folder in class_folders:
            found, others = list_images(class_folder)
            ignored += others
            n_found += len(found)
            if not found:
                empty.append(class_folder)
            for file in found:
                real = os.path.realpath(file)
                if real not in seen:
                    seen[real] = class_folder.name, file
                    files_of.setdefault(class_folder.name, []).append(file)
                    continue
                label, name = seen[real]
                if label != class_folder.name:
                    raise ValueError(
                        f"One picture is in two classes: {name} and {file} are the same file. "
                        "Take out the wrong one."
                    )
                ignored.append(file)
        if not n_found:
            raise ValueError(_no_pictures(folder, loose))
    return dict(sorted(files_of.items())), ignored, empty


def _class_folders(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return a folder's class folders, and what else lies in it; both sorted."""
    classes: list[Path] = []
    loose: list[Path] = []
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        _refuse_folder(error)
    for entry in entries:
        # a link that leads nowhere is taken for a class, whose listing then raises
        is_folder = entry.is_dir() or (entry.is_symlink() and not (entry.suffix or entry.exists()))
        (classes if is_folder and not _is_hidden(entry.name) else loose).append(entry)
    return classes, loose


def _no_pictures(folder: Path, loose: Sequence[Path]) -> str:
    n_loose = sum(_is_image_name(entry.name) for entry in loose)
    found = f"{n_loose} pictures lie directly in it" if n_loose else "it holds no pictures"
    return f"No class folders with pictures in {folder}: {found}. {layout(folder)}"


def layout(folder: Path) -> str:
    """Tell in an error message how a folder should look."""
    return f"Expected one subfolder a class: {folder}/cat/1.jpg, {folder}/dog/1.jpg."
