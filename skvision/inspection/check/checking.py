"""`check_images`: run all checks of a data set."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..._sklearn.labels import label_column
from ...datasets.folders import Expected, labelled_images
from ...datasets.listing import existing_folders, list_classes, real_names
from ...exceptions import SkippedImageWarning
from ...images import ArrayBatch, SourceBatch, as_image_batch
from ...images.pixels import LEARNT, is_word
from .check_table import CHECKS, run_check
from .findings import ImageSet, Subject
from .image_check import ImageCheck
from .survey import survey

__all__ = ["check_images"]


def check_images(
    X: Any,
    y: Any = None,
    *,
    against: Any = None,
    groups: Any = None,
    cache: Any = None,
    value_range: Any = "auto",
    verbose: int = 0,
) -> ImageCheck:
    """Check a data set before a training: copies, leaks, odd images, shortcuts, wrong labels.

    Parameters
    ----------
    X : array, sequence, Series or frame of n_samples images
        The images in any form that estimators take. Or a folder with one subfolder per class, or
        a list of such folders; then the labels are its class folders.
    y : array-like of shape (n_samples,), default=None
        Labels. Without them the checks of labels and classes are not applicable.
    against : object, default=None
        Other images, in a form that `X` may have: the training images if X are test images.
        Photos in both are leaks.
    groups : array-like of shape (n_samples,), default=None
        The group of each image, such as its animal, patient or camera. Copies in two groups are
        named, and series within a group are no findings.
    cache : None, True, str or path-like, default=None
        Folder of the feature cache; True for the user's cache folder. A second check of the same
        files decodes none.
    value_range : "auto", "percentile", tuple of float or None, default="auto"
        Range of the numbers in arrays, as in the estimators; with None each image has its own.
        Files have the scale that they declare, or their own.
    verbose : {0, 1, 2} or bool, default=0
        Whether to show a progress bar.

    Returns
    -------
    ImageCheck
        The findings: ``findings``, ``frame()``, ``plot()``, ``status(code)``, and a page in a
        notebook.

    Raises
    ------
    ValueError
        If X holds no images, lengths differ, a folder is passed with `y`, or `against` holds files
        of X.
    FileNotFoundError, NotADirectoryError, PermissionError
        If a folder doesn't exist or can't be listed.

    Warns
    -----
    SkippedImageWarning
        If files of a folder that look like images were left out.

    See Also
    --------
    load_image_folder : List and read a folder.

    Notes
    -----
    The guide ``docs/checks.md`` has the table of checks: what each finds, how, why it matters and
    how to lower the risk. With labels the last check computes features of the bundled network. Each
    file is decoded once, JPEGs at reduced size. Files that can't be
    read are findings, not errors.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_sample_image
    >>> from skvision import check_images
    >>> china = load_sample_image("china.jpg")
    >>> found = check_images(np.stack([china, china[:, ::-1], np.zeros_like(china)]))
    >>> for finding in found.findings:
    ...     print(finding.places, finding.message)
    (2,) It is all black.
    (0, 1) 2 images show one photo (mirrored).
    """
    how = {"cache": cache, "value_range": value_range, "verbose": verbose}
    images = _image_set(X, y, groups, **how)
    other = None
    if against is not None:
        _refuse_same_folders(X, against)
        other = _image_set(against, None, None, **how)
        _refuse_same_files(images, other)
    subject = Subject(images, other, cache, verbose)
    return ImageCheck([run_check(check, subject) for check in CHECKS], subject)


def _image_set(
    X: Any, y: Any, groups: Any, *, cache: Any, value_range: Any, verbose: int
) -> ImageSet:
    folders = _folders_of(X)
    empty: tuple[str, ...] = ()
    if folders is not None:
        if y is not None:
            raise ValueError("X is a folder, whose subfolders are the labels. Don't pass y.")
        X, y, empty = _listed(folders)
    images = as_image_batch(X, value_range=None if is_word(value_range, LEARNT) else value_range)
    # only an array has no scale of its own
    scale = value_range if isinstance(images, ArrayBatch) else "auto"
    images = as_image_batch(X, value_range=scale)
    n = len(images)
    labels = None if y is None else label_column(y)
    members = None if groups is None else label_column(groups)
    for name, column in (("y", labels), ("groups", members)):
        if column is not None and len(column) != n:
            raise ValueError(
                f"X holds {n} images, and {name} holds {len(column)} values. Pass one each."
            )
    names = None
    if isinstance(images, SourceBatch):
        sources = [images.item(place) for place in range(n)]
        if all(isinstance(each, str | os.PathLike) for each in sources):
            names = [os.fspath(each) for each in sources]  # type: ignore[arg-type]
    return ImageSet(survey(images, names, cache=cache, verbose=verbose), labels, members, empty)


def _folders_of(X: Any) -> list[Path] | None:
    """Return X as a list of folders; None if it is something else."""
    if isinstance(X, str | os.PathLike):
        return existing_folders(X)
    if isinstance(X, Sequence) and X and all(map(_is_folder, X)):
        return existing_folders(X)
    return None


def _is_folder(name: Any) -> bool:
    if not isinstance(name, str | os.PathLike):
        return False
    try:
        return stat.S_ISDIR(os.stat(os.path.expanduser(name)).st_mode)
    except (OSError, ValueError):
        return False


def _listed(folders: list[Path]) -> tuple[list[str], np.ndarray | None, tuple[str, ...]]:
    """Return the images of class folders, their labels, and the empty class folders."""
    with warnings.catch_warnings():
        # the check of classes names empty folders
        warnings.filterwarnings(
            "ignore", "The class folder .* holds no images", SkippedImageWarning
        )
        data = labelled_images(
            list(folders), validate=False, on_error="skip", expected=Expected(at_least=0)
        )
    found = list_classes(folders, flat=True)
    tops = {os.path.abspath(folder) for folder in folders}
    # a folder of images without class folders has no labels
    is_flat = all(os.path.abspath(each.path) in tops for each in found.members)
    empty = tuple(str(each.path) for each in found.empty)
    return list(data.data), None if is_flat else data.target, () if is_flat else empty


def _refuse_same_folders(X: Any, against: Any) -> None:
    ours, theirs = _folders_of(X), _folders_of(against)
    for one in ours or ():
        for other in theirs or ():
            here, there = os.path.realpath(one), os.path.realpath(other)
            if os.path.commonpath([here, there]) in (here, there):
                how = "are the same folder" if here == there else "lie in one another"
                raise ValueError(
                    f"{one} and {other} {how}, so each photo would be a leak. Pass the folder of "
                    "the other images, for example check_images('test', against='train')."
                )


def _refuse_same_files(images: ImageSet, against: ImageSet) -> None:
    if images.survey.names is None or against.survey.names is None:
        return
    there = set(real_names(against.survey.names))
    same = [name for name in real_names(images.survey.names) if name in there]
    if same:
        raise ValueError(
            f"against holds {len(same)} files that X holds too, {same[0]} for example. Pass the "
            "other images only."
        )
