"""List a folder whose subfolders are the classes, as file names and labels."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .._sklearn.network_estimator import ReadAs
from ..images import keep_files
from .class_names import reading, warn_of_spellings
from .data_set import as_bunch, check_on_error, readable
from .grouping import as_grouping
from .left_out import warn_of_empty, warn_of_left_out
from .levels import check_levels, inner_level
from .listing import ClassFolders, existing_folders, layout, list_classes

__all__ = ["Expected", "labelled_images", "load_image_folder", "unchecked_images"]


def load_image_folder(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    groups: str | re.Pattern[str] | Callable[[str], Any] | None = None,
    validate: bool = False,
    on_error: Literal["raise", "skip"] = "raise",
    classes: Collection[str] | None = None,
    return_X_y: bool = False,
) -> Any:
    """List a folder of images whose subfolders are the classes.

    The function doesn't load images: estimators decode them batch by batch. It also searches
    folders inside class folders. It counts the files that it leaves out, and warns if they
    look like images.

    Parameters
    ----------
    path : str, path-like or sequence of them
        The folder; ``path/cat/1.jpg`` is an image of class ``cat``. With several folders,
        classes of the same name are joined. ``~`` is the user's home folder.
    groups : str, re.Pattern or callable, default=None
        What the images of a group have in common, for the entry ``groups`` of the Bunch: a
        regular expression with one group in parentheses, which is searched in the name
        within the folder (``cat/tom_001.jpg``); a function of the file name that returns a
        label; or ``"burst"`` for photos that one camera took at most 3 seconds apart, as
        their EXIF data say. With ``"burst"``, an image without camera and time is a group of
        its own. None for no groups.
    validate : bool, default=False
        Whether to decode every image now, so that unreadable images are found before a
        long training and not during it. It takes about as long as the decoding of one
        epoch.
    on_error : {"raise", "skip"}, default="raise"
        Treatment of unreadable images if ``validate=True``: raise an `ImageDecodeError`, or
        leave them out with a `SkippedImageWarning`.
    classes : collection of str, default=None
        Names of the subfolders that are classes; others are left out. None for all, unless
        they look like another level of folders (see Notes).
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch. Groups are in the Bunch only.

    Returns
    -------
    sklearn.utils.Bunch
        A Bunch, which a notebook shows as the first images of each class. Its entries:

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
            Hidden files and folders, system folders (see Notes), files whose names aren't
            those of images, and further names of images that are listed already.
        skipped : list of tuple (str, str)
            File name and reason of each unreadable image that was left out.
        groups : ndarray of shape (n_images,)
            The group of each image: text from an expression, labels of a function, or whole
            numbers of bursts. Only with ``groups``.
        DESCR : str
            A summary in one sentence.

    (data, target) : tuple of ndarray
        If ``return_X_y=True``.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        If a folder doesn't exist or can't be listed.
    ValueError
        If a folder holds no images, if all folders together hold fewer than two classes, if
        one image is in two classes, if the subfolders don't look like classes, or if `groups`
        isn't an expression with one group that is found in the names of all images.
    ImageDecodeError
        If ``validate=True``, ``on_error="raise"`` and an image can't be read.

    Warns
    -----
    SkippedImageWarning
        If files that look like images or system folders were left out, or if a class folder
        holds no images.
    PixelRangeWarning
        If ``validate=True`` and all images together use a small part of their scale (such
        as 12 bits in files of 16), or have no scale; it suggests a ``value_range``.
    UserWarning
        If names of class folders look the same, if subfolders may be the classes or, with
        ``validate=True``, if the same bytes have two labels.

    Notes
    -----
    The function lists all formats that Pillow and its registered plugins decode, and HEIC
    and DICOM if pillow-heif and pydicom are installed. It leaves out raw photos, videos,
    drawings and similar files; the warning counts them by type and says what to do.

    Subfolders are refused as classes if they are parts of a data set (train and test, fold1
    and fold2, in any spelling), or if they hold the same class folders and no images of
    their own. The error suggests the right call; to use them as classes, pass `classes`.

    Names that look the same (``Cat`` and ``cat``, ``Dog`` and ``Dog`` with a trailing space)
    become one class, with a warning; the files' names stay unchanged. A label has plain
    spaces, none at its ends, and Unicode's composed form.

    ``$RECYCLE.BIN``, ``lost+found``, ``__MACOSX``, ``@eaDir`` and other folders of systems,
    cameras and storage devices are not searched, at any level.

    An image that is found twice, by symbolic links or in overlapping folders, counts once,
    under its first name; otherwise it might be in both training and test data. An image
    that is found in two classes is refused, since one of the labels must be wrong. Copies
    and hard links count as separate images.

    Examples
    --------
    Kaggle's "Flowers Recognition" has five such folders, here with one tiny image each:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from skvision import load_image_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for level, name in enumerate(("daisy", "dandelion", "rose", "sunflower", "tulip")):
    ...         Path(folder, name).mkdir()
    ...         Image.new("L", (4, 4), 50 * level).save(Path(folder, name, "1.jpg"))
    ...     flowers = load_image_folder(folder, validate=True)
    >>> flowers.target_names
    ['daisy', 'dandelion', 'rose', 'sunflower', 'tulip']
    >>> len(flowers.data)
    5
    """
    data = labelled_images(
        path,
        validate=validate,
        on_error=on_error,
        expected=Expected(classes=classes, at_least=2),
        groups=groups,
    )
    return (data.data, data.target) if return_X_y else data


@dataclass(frozen=True)
class Expected:
    """The classes that a folder may hold.

    Parameters
    ----------
    known : collection of str, default=()
        The classes of a model: other classes are refused, their spelling is used, and a folder
        with the name of one that holds images itself is a class folder.
    classes : collection of str, default=None
        Names of the subfolders that are classes; None for all.
    at_least : int, default=1
        Minimum number of classes; with 0 any folder of images will do.
    """

    known: Collection[str] = ()
    classes: Collection[str] | None = None
    at_least: int = 1


def labelled_images(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    validate: bool = True,
    on_error: str,
    expected: Expected,
    groups: Any = None,
    read_as: Callable[[], ReadAs | None] = lambda: None,
    meanwhile: Callable[[], object] | None = None,
) -> Any:
    """List images as `load_image_folder` does, for training or evaluation.

    `groups` are those of `load_image_folder`. `read_as` is called once the folders are listed and
    says how the images will be read: validation keeps what it decodes.
    `meanwhile` is called while they are decoded, as `find_unreadable` does.
    """
    check_on_error(on_error)
    find_groups = None if groups is None else as_grouping(groups)
    folders = existing_folders(path)
    known, at_least = expected.known, expected.at_least
    found = _class_folders(folders, known, expected.classes, flat=not at_least)
    _check_known(folders, found, known)
    _check_number(folders, found, at_least)
    files, labels = _files_and_labels(found)
    skipped: list[tuple[str, str]] = []
    entries: dict[str, Any] = {}
    if find_groups is not None:
        # before decoding, so that a wrong expression costs no time
        entries["groups"] = find_groups(files, list(map(str, folders)))
    if validate:
        how = read_as()
        files = files if how is None else list(keep_files(files, how))
        kept, skipped = readable(files, labels, on_error, meanwhile)
        files = [file for file, keep in zip(files, kept, strict=True) if keep]
        labels = labels[kept]
        entries = {name: values[kept] for name, values in entries.items()}
        if not files:
            raise ValueError(f"None of the images in {_shown(folders)} can be read.")
        if len(set(labels)) < at_least:
            raise ValueError(f"Only one class, {str(labels[0])!r}, can be read.")
    entries.update(ignored=found.ignored, skipped=skipped)
    return as_bunch(files, labels, _shown(folders), **entries)


def unchecked_images(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    known: Collection[str],
    classes: Collection[str] | None = None,
) -> Any:
    """List images as `load_image_folder` does, without reading them, for a report.

    `known` are the classes of a model: their spelling is used, and a folder with the name of one
    that holds images itself is a class folder. Other classes are listed too, and there may be only
    one class.
    """
    folders = existing_folders(path)
    found = _class_folders(folders, known, classes, flat=False)
    files, labels = _files_and_labels(found)
    return as_bunch(files, labels, _shown(folders), ignored=found.ignored, skipped=[])


def _files_and_labels(found: ClassFolders) -> tuple[list[str], np.ndarray]:
    """Return the images of class folders and their labels; warn of what is odd."""
    warn_of_spellings(found.spelling)
    warn_of_empty(found)
    warn_of_left_out(found.rest)
    files = [file for members in found.files_of.values() for file in members]
    labels = np.repeat(list(found.files_of), [len(each) for each in found.files_of.values()])
    return files, labels


def _class_folders(
    folders: Sequence[Path], known: Collection[str], classes: Collection[str] | None, flat: bool
) -> ClassFolders:
    """List class folders; refuse subfolders that don't look like classes, unless in `classes`."""
    if isinstance(classes, str):
        raise TypeError(f"classes must be a list of names. Received: {classes!r}")
    found = list_classes(folders, known, classes, flat=flat)
    if classes is None:
        if not {reading(name) for name in known} >= {reading(name) for name in found.files_of}:
            check_levels(found.members, "classes=[...], on the command line --classes NAME,NAME")
        return found
    there = {reading(each.name) for each in found.members}
    missing = [name for name in classes if reading(name) not in there]
    if missing:
        raise ValueError(
            f"classes contains {missing[0]!r}, but there is no such folder with images in "
            f"{_shown(folders)}."
        )
    return found


def _check_known(folders: Sequence[Path], found: ClassFolders, known: Collection[str]) -> None:
    unknown = [name for name in found.files_of if name not in known]
    if known and unknown:
        raise ValueError(
            f"{_shown(folders)} has classes that the model doesn't know: {_first_of(unknown)}. "
            f"It knows: {_first_of(known)}."
        )


def _first_of(names: Collection[str], n: int = 20) -> str:
    more = [f"and {len(names) - n} more"] if len(names) > n else []
    return ", ".join([*list(names)[:n], *more])


def _check_number(folders: Sequence[Path], found: ClassFolders, at_least: int) -> None:
    if len(found.files_of) >= at_least:
        return
    inner, subfolders = inner_level(found.members[0])
    hint = f" Did you mean load_image_folder({str(inner)!r})?" if subfolders else ""
    raise ValueError(
        f"Only one class, {next(iter(found.files_of))!r}, in {_shown(folders)}. A classifier needs "
        f"at least two. {layout(folders[0])}{hint}"
    )


def _shown(folders: Sequence[Path]) -> str:
    return ", ".join(map(str, folders))
