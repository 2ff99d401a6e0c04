"""`augment_folder`: write a larger data set, made from class folders."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import cv2
from PIL import Image

from .._system.atomic import written_whole
from .._system.progress import with_bar
from .._system.threads import thread_limit
from ..datasets.listing import existing_folders
from ..images import decode
from .augmented_image import OPERATIONS_VERSION, AugmentedImage
from .base import check_augmenter
from .destination import refuse_folder, refuse_within, writing_to
from .folder_plan import FolderPlan, PlannedFile, plan_folder

__all__ = ["MANIFEST", "augment_folder", "write_folder"]

#: the file in the destination that lists the original of each copy
MANIFEST = "manifest.csv"
#: the file that records the setup, so that no other call continues the folder
_SETUP = ".skvision-augment.json"

_JPEG_QUALITY = 95
# temporary files of killed processes
_LEFT_OVERS = ".*.part*"


def augment_folder(
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    augmenter: Any,
    *,
    sampling_strategy: Any = "auto",
    include_originals: bool = True,
    resume: bool = False,
    on_error: Literal["raise", "skip"] = "raise",
    random_state: Any = None,
) -> Path:
    """Write a larger data set to disk: originals and augmented copies of them.

    It serves tools that read folders. Estimators of skvision don't need such files: they
    augment in training, or by `ImageOverSampler`, without using disk space.

    Parameters
    ----------
    source : str or path-like
        Folder of the originals; ``source/cat/1.jpg`` is an image of class ``cat``. It isn't
        modified.
    destination : str or path-like
        Folder to write to; it is created if it doesn't exist, and must be empty.
    augmenter : ImageAugmenter or RandAugmenter
        The augmentation of the copies.
    sampling_strategy : int, dict or "auto", default="auto"
        Number of images of each class, originals included, as in `ImageOverSampler`.
    include_originals : bool, default=True
        Whether to copy the originals too, byte for byte. False writes only the same
        augmented images.
    resume : bool, default=False
        Whether to continue a folder that the same call began before it was stopped. The
        files in it stay; a call that is complete changes nothing.
    on_error : {"raise", "skip"}, default="raise"
        Treatment of unreadable images: raise an `ImageDecodeError` before anything is
        written, or leave them out with a `SkippedImageWarning`.
    random_state : int, RandomState instance or None, default=None
        Controls which images are copied, and their augmentation. With an int, the same call
        writes the same bytes. Resuming needs an int, since None draws other numbers in each
        call.

    Returns
    -------
    pathlib.Path
        The manifest: a CSV file with the columns ``file`` (relative to `destination`),
        ``source`` (relative to `source`), ``class`` and ``parameters`` (JSON; ``{}`` for
        originals).

    Raises
    ------
    ValueError
        If a parameter is not as described, a class has no images or more than its target,
        subfolders don't look like classes (and `sampling_strategy` doesn't name them as
        classes), the folders overlap, or the folder to resume was begun by another call.
    FileExistsError
        If `destination` is not empty, and `resume` is False.
    OSError
        If a folder can't be read or written.
    ImageDecodeError
        If an image can't be read.

    Warns
    -----
    SkippedImageWarning
        If unreadable images, files that look like images, or system folders were left out.
    UserWarning
        If names of class folders look the same, or if subfolders may be the classes.

    Notes
    -----
    ``cat/tom.jpg`` becomes ``cat/tom.jpg`` and ``cat/tom-1.jpg``, ``cat/tom-2.jpg``, ...
    Augmented images have the size of their source, upright, and are in colour. JPEGs
    become JPEGs of quality 95, all others PNGs. Each file is written under a temporary name
    and then renamed, so that no file is ever incomplete. Copies are made by one thread per
    core, or by the number of threads in the environment variable ``OMP_NUM_THREADS``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skvision import ImageAugmenter, augment_folder, export_digits, load_image_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     digits = export_digits(Path(folder) / "digits", n_per_class=2)
    ...     more = Path(folder) / "more"
    ...     manifest = augment_folder(
    ...         digits, more, ImageAugmenter(rotation_range=20), sampling_strategy=5,
    ...         random_state=0)
    ...     X, y = load_image_folder(more, return_X_y=True)
    >>> len(X), manifest.name
    (50, 'manifest.csv')
    """
    if not isinstance(source, str | os.PathLike):
        raise ValueError(f"source must be the path of one folder. Received: {source!r}")
    check_augmenter(augmenter)
    written = Path(os.path.expanduser(destination))
    refuse_folder(existing_folders(source)[0], written, resume)
    if resume and random_state is None:
        raise ValueError(
            "Without a random_state every call makes other images, so a folder can't be "
            "continued: resume=True needs the random_state of the call that was stopped. "
            "Received: random_state=None"
        )
    plan = plan_folder(
        source,
        augmenter,
        sampling_strategy,
        include_originals=include_originals,
        on_error=on_error,
        random_state=random_state,
    )
    return write_folder(plan, written)


def write_folder(plan: FolderPlan, destination: Path, *, bar: bool = False) -> Path:
    """Write the planned files that don't exist yet; return the manifest's path."""
    parents = sorted({destination, *((destination / each.file).parent for each in plan.files)})
    # links may lead from one folder into the other
    refuse_within({os.path.dirname(file) for file in plan.originals}, *parents)
    manifest = plan.manifest

    def write(each: PlannedFile) -> None:
        if not (destination / each.file).is_file():
            _write(destination / each.file, each)

    with writing_to(destination):
        destination.mkdir(parents=True, exist_ok=True)
        _begin(destination, plan, manifest)
        for parent in parents:
            parent.mkdir(parents=True, exist_ok=True)
            for left_over in parent.glob(_LEFT_OVERS):
                left_over.unlink()

        with ThreadPoolExecutor(thread_limit(), "skvision-augment") as pool:
            done = pool.map(write, plan.files)
            try:
                for _ in with_bar(done, len(plan.files), "augmenting") if bar else done:
                    pass
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        with written_whole(destination / MANIFEST) as temporary:
            temporary.write_text(manifest, encoding="utf-8", errors="surrogateescape", newline="")
    return destination / MANIFEST


def _write(path: Path, planned: PlannedFile) -> None:
    with written_whole(path) as temporary:
        if planned.draw is None:
            shutil.copyfile(planned.source, temporary)
            return
        image = Image.fromarray(decode(AugmentedImage(planned.source, planned.draw)))
        if path.suffix == ".png":
            image.save(temporary, "png")
        else:
            image.save(temporary, "jpeg", quality=_JPEG_QUALITY)


def _begin(folder: Path, plan: FolderPlan, manifest: str) -> None:
    """Record the setup of the folder, and check it against the setup that began it."""
    digest = hashlib.sha256(manifest.encode(errors="surrogateescape"))
    for file in plan.originals:
        with open(file, "rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    setup = {
        "operations": f"operations {OPERATIONS_VERSION} with OpenCV {cv2.__version__}",
        "augmenter": repr(plan.augmenter),
        "files": f"{len(plan.files)} files",
        "digest": digest.hexdigest(),
    }
    record = folder / _SETUP
    if record.exists():
        begun = _read_record(record)
        # augmenters with different parameters may be equivalent
        if any(begun[name] != setup[name] for name in ("operations", "digest")):
            first = next(name for name in setup if begun[name] != setup[name])
            what = (
                "the images, or the seed, are not the same"
                if first == "digest"
                else f"{begun[first]} then, and now {setup[first]}"
            )
            raise ValueError(
                f"{folder} was begun by another call: {what}. Repeat that call to continue it, or "
                "pass another folder."
            )
    elif set(folder.iterdir()) - set(folder.glob(_LEFT_OVERS)):
        raise ValueError(
            f"{folder} holds files, but no record of the call that made them, so it can't be "
            "continued. Pass another folder."
        )
    else:
        with written_whole(record) as temporary:
            temporary.write_text(json.dumps(setup))


def _read_record(record: Path) -> dict[str, Any]:
    try:
        begun = json.loads(record.read_text())
        return {name: begun[name] for name in ("operations", "augmenter", "files", "digest")}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{record} is damaged, so the call that began {record.parent} is unknown. Pass "
            "another folder, or empty this one."
        ) from error
