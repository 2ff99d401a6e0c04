"""`augment_folder`: a larger data set on disk, made from class folders."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from numbers import Integral
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from PIL import Image
from sklearn.utils import check_random_state

from .._system.atomic import written_whole
from .._system.progress import with_bar
from .._system.threads import thread_limit
from ..datasets import find_unreadable
from ..datasets.class_names import warn_of_spellings
from ..datasets.left_out import warn_of_left_out, warn_of_skipped
from ..datasets.levels import check_levels
from ..datasets.listing import existing_folders, list_classes
from ..exceptions import shown
from ..images import decode
from ..images.pixels import is_word
from .augmented_image import OPERATIONS_VERSION, AugmentedImage, Draw, draws_of
from .base import BaseAugmenter, check_augmenter
from .over_sampler import chosen_sources, numbers_to_add

__all__ = ["MANIFEST", "augment_folder", "refuse_folder", "refuse_within"]

#: what was made of what; in the folder that is written
MANIFEST = "manifest.csv"
#: what the folder is being made by, so that it is gone on with by nothing else
_SETUP = ".skvision-augment.json"

_JPEG_SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif"}
_JPEG_QUALITY = 95
# bytes of a file's name, of what computers have in common
_LONGEST_NAME = 255
# what processes that were killed have left
_LEFT_OVERS = ".*.part*"


@dataclass(frozen=True)
class _Planned:
    """A file that shall be there in the end."""

    file: str  # relative to the folder that is written
    original: str  # relative to the folder of originals
    source: str
    label: str
    draw: Draw | None  # None for a copy of the original

    @property
    def row(self) -> tuple[str, str, str, str]:
        """What the manifest says of it."""
        drawn = self.draw.described if self.draw else {}
        return self.file, self.original, self.label, json.dumps(drawn)


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
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Path:
    """Write a larger data set to disk: originals and augmented copies of them.

    For tools that read folders. Estimators of skvision need no such files: they augment
    while they train, or by `ImageOverSampler`, without taking any room.

    Parameters
    ----------
    source : str or path-like
        The folder; ``source/cat/1.jpg`` is an image of class ``cat``. Nothing is ever
        written into it.
    destination : str or path-like
        The folder to write; it is made if missing, and must be empty.
    augmenter : ImageAugmenter or RandAugmenter
        What happens to the copies.
    sampling_strategy : int, dict or "auto", default="auto"
        How many images each class shall have, originals included, as
        `ImageOverSampler` takes it.
    include_originals : bool, default=True
        Whether the originals are copied too, byte for byte. False writes the augmented
        images only, as many as there would have been.
    resume : bool, default=False
        Whether to go on with a folder that the same call, killed meanwhile, has begun.
        What is there stays; a call that is done already changes nothing.
    on_error : {"raise", "skip"}, default="raise"
        What an unreadable image leads to: an `ImageDecodeError`, before anything is
        written, or being left out with a `SkippedImageWarning`.
    random_state : int, RandomState instance or None, default=None
        Decides which images are copied, and what happens to the copies. With an int,
        the same call writes the same bytes, with any `n_jobs`. Needed to resume: None
        draws anew each time.
    n_jobs : int, default=None
        Threads, at least 1; None or -1 for one a core, -2 for one less, and so on.
    verbose : {0, 1, 2} or bool, default=0
        What is shown: nothing (0 or False), or a progress bar (1, 2 or True).

    Returns
    -------
    pathlib.Path
        The manifest: a CSV file with the columns ``file`` (relative to `destination`),
        ``source`` (relative to `source`), ``class`` and ``parameters`` (JSON; of
        originals ``{}``).

    Raises
    ------
    ValueError
        If a parameter is not as described, a class has no images or more than its
        target, subfolders are no classes (a `per_class` that names them says they are), the
        folders overlap, or the folder to resume was begun otherwise.
    FileExistsError
        If `destination` is not empty, and `resume` is False.
    OSError
        If a folder can't be read or written.
    ImageDecodeError
        If an image can't be read.

    Warns
    -----
    SkippedImageWarning
        If unreadable images, files that look like images, or folders that systems leave
        were left out.
    UserWarning
        If class folders have names that read the same, or if subfolders may be the classes.

    Notes
    -----
    ``cat/tom.jpg`` becomes ``cat/tom.jpg`` and ``cat/tom-1.jpg``, ``cat/tom-2.jpg``, ...
    Augmented images have the size of their source, upright, and are in colour. JPEGs
    become JPEGs of quality 95, all others PNGs. Each file is written under another name and
    then renamed, so that none is ever half there.

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
    check_augmenter(augmenter)
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip'. Received: {on_error!r}")
    n_threads = _number_of_threads(n_jobs)
    if not isinstance(verbose, Integral) or verbose not in (0, 1, 2):
        raise ValueError(f"verbose must be 0, 1, 2, True or False. Received: {verbose!r}")
    if not isinstance(source, str | os.PathLike):
        raise ValueError(f"source must be the name of one folder. Received: {source!r}")
    augmenter.draw([0], np.arange(0))  # checks its arguments
    if not (augmenter.value_range is None or is_word(augmenter.value_range, "auto")):
        raise ValueError(
            "augment_folder writes copies of 8 bits beside originals that stay as they are, on "
            f"their own scale, so value_range={shown(augmenter.value_range)} can't hold for both. "
            "Use an augmenter with value_range='auto', or augment in training (augmentation=, "
            "ImageOverSampler), where it holds."
        )
    folder, written = existing_folders(source)[0], Path(os.path.expanduser(destination))
    refuse_folder(folder, written, resume)
    if resume and random_state is None:
        raise ValueError(
            "Without a random_state every call makes other images, so none can be gone on with: "
            "resume=True needs the random_state of the call that was killed. Received: "
            "random_state=None"
        )
    files_of = _readable(_class_files(folder, sampling_strategy), on_error)
    counts = {label: len(files) for label, files in files_of.items()}
    added = numbers_to_add(counts, sampling_strategy)
    planned = list(_plan(folder, files_of, added, augmenter, include_originals, random_state))
    parents = sorted({written, *((written / each.file).parent for each in planned)})
    originals = [file for files in files_of.values() for file in files]
    # links may lead from one folder into the other
    holding = {os.path.dirname(file) for file in originals}
    refuse_within(holding, *parents)
    manifest = _as_csv(planned)

    def write(each: _Planned) -> None:
        if not (written / each.file).is_file():
            _write(written / each.file, each)

    with _writing_to(written):
        written.mkdir(parents=True, exist_ok=True)
        _begin(written, augmenter, manifest, originals, len(planned))
        for parent in parents:
            parent.mkdir(parents=True, exist_ok=True)
            for left_over in parent.glob(_LEFT_OVERS):
                left_over.unlink()

        with ThreadPoolExecutor(n_threads, "skvision-augment") as pool:
            done = pool.map(write, planned)
            try:
                for _ in with_bar(done, len(planned), "augmenting") if verbose else done:
                    pass
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        with written_whole(written / MANIFEST) as temporary:
            temporary.write_text(manifest, encoding="utf-8", errors="surrogateescape", newline="")
    return written / MANIFEST


def _number_of_threads(n_jobs: int | None) -> int:
    if n_jobs is None:
        return thread_limit()
    if not isinstance(n_jobs, Integral) or isinstance(n_jobs, bool) or n_jobs == 0:
        raise ValueError(
            "n_jobs must be None, a whole number of at least 1, or a negative one: -1 for one "
            f"thread a core, -2 for one less, and so on. Received: {n_jobs!r}"
        )
    return int(n_jobs) if n_jobs > 0 else max(1, thread_limit() + 1 + int(n_jobs))


def refuse_folder(source: Path, destination: Path, resume: bool) -> None:
    """Raise ValueError or OSError if a folder can't be the one to write."""
    refuse_within([source], destination)
    if destination.is_dir() and _identity(destination) in _identities_around(source):
        raise ValueError(f"{source} lies in {destination}. Name another folder to write to.")
    around = next(each for each in (destination, *destination.absolute().parents) if each.exists())
    if not around.is_dir():
        raise NotADirectoryError(f"{around} is a file. Name a folder to write to.")
    if not os.access(around, os.W_OK | os.X_OK):
        raise PermissionError(_not_writable(destination, f"{around} is read-only"))
    if not resume and destination.is_dir() and any(destination.iterdir()):
        raise FileExistsError(
            f"The folder {destination} is not empty. Name another one or, to go on with a call "
            "that was killed, resume it (resume=True, on the command line --resume)."
        )


def _not_writable(destination: Path, why: str | None) -> str:
    return f"{destination} can't be written: {why}. Name another folder to write to."


@contextmanager
def _writing_to(destination: Path) -> Iterator[None]:
    """Say of which folder the system doesn't let us write."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is None:
            raise
        file = Path(os.fsdecode(error.filename))
        if destination not in (file, *file.parents) and file not in destination.parents:
            raise  # of an original, say
        raise type(error)(_not_writable(destination, error.strerror)) from error


def refuse_within(folders: Iterable[str | Path], *destinations: Path) -> None:
    """Raise ValueError if a destination is one of these folders or lies in one."""
    known = {_identity(folder): folder for folder in folders}
    for destination in destinations:
        for identity in _identities_around(destination):
            if identity in known:
                raise ValueError(
                    f"{destination} lies in {known[identity]}. The images there must stay as "
                    "they are: name another folder to write to."
                )


def _identities_around(path: Path) -> Iterator[tuple[int, int]]:
    """Of a path and of the folders that it lies in, as far as they exist."""
    real = path.resolve()
    yield from (_identity(each) for each in (real, *real.parents) if each.exists())


def _identity(path: str | Path) -> tuple[int, int]:
    """What tells a folder from others whatever it is called: names may be links."""
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _class_files(folder: Path, sampling_strategy: Any) -> dict[str, list[str]]:
    found = list_classes([folder])
    if not isinstance(sampling_strategy, Mapping):  # which says what the classes are
        check_levels(found.members, "sampling_strategy={name: number, ...}")
    if found.empty:
        raise ValueError(
            f"The class folder {found.empty[0].path} holds no images, so there is nothing to "
            "make more of. Take it out, or put images in."
        )
    warn_of_spellings(found.spelling)
    warn_of_left_out(found.rest)
    return found.files_of


def _readable(files_of: dict[str, list[str]], on_error: str) -> dict[str, list[str]]:
    originals = [file for files in files_of.values() for file in files]
    errors = find_unreadable(originals, value_range="auto")
    if errors and on_error == "raise":
        raise errors[0]
    bad = {error.source for error in errors}
    kept = {label: [file for file in files if file not in bad] for label, files in files_of.items()}
    lost = [label for label, files in kept.items() if not files]
    if lost:
        raise ValueError(f"None of the images of class {lost[0]!r} can be read.")
    if errors:
        warn_of_skipped([(error.source, error.reason) for error in errors])
    return kept


def _plan(
    folder: Path,
    files_of: dict[str, list[str]],
    added: dict[str, int],
    augmenter: BaseAugmenter,
    include_originals: bool,
    random_state: Any,
) -> Iterator[_Planned]:
    """All files that there shall be, class by class; the same for the same seed."""
    seeds = check_random_state(random_state).randint(np.iinfo(np.int32).max, size=2).tolist()
    rng = np.random.default_rng(seeds[0])
    draws = augmenter.draw(seeds[1:], np.arange(sum(added.values())))
    each_draw = iter(draws_of(draws, **augmenter.draw_options))
    for label, files in files_of.items():
        relative = [Path(os.path.relpath(file, folder)) for file in files]
        taken = {str(it).casefold() for name in relative for it in (name, *name.parents)}
        if include_originals:
            for name, file in zip(relative, files, strict=True):
                yield _Planned(str(name), str(name), file, label, None)
        for index in chosen_sources(len(files), added[label], rng):
            original = relative[index]
            file = _new_name(original, taken)
            yield _Planned(file, str(original), files[index], label, next(each_draw))


def _new_name(original: Path, taken: set[str]) -> str:
    """The original's name with the first number that is free."""
    suffix = original.suffix if original.suffix.lower() in _JPEG_SUFFIXES else ".png"
    for number in count(1):
        ending = f"-{number}{suffix}"
        stem = original.stem
        while len(os.fsencode(stem + ending)) > _LONGEST_NAME:
            stem = stem[:-1]
        name = str(original.with_name(stem + ending))
        if name.casefold() not in taken:
            break
    taken.add(name.casefold())
    return name


def _write(path: Path, planned: _Planned) -> None:
    with written_whole(path) as temporary:
        if planned.draw is None:
            shutil.copyfile(planned.source, temporary)
            return
        image = Image.fromarray(decode(AugmentedImage(planned.source, planned.draw)))
        if path.suffix == ".png":
            image.save(temporary, "png")
        else:
            image.save(temporary, "jpeg", quality=_JPEG_QUALITY)


def _as_csv(planned: Sequence[_Planned]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("file", "source", "class", "parameters"))
    writer.writerows(each.row for each in planned)
    return buffer.getvalue()


def _begin(
    folder: Path, augmenter: BaseAugmenter, manifest: str, originals: list[str], n_files: int
) -> None:
    """Write down what the folder is made by; hold it against what began it."""
    digest = hashlib.sha256(manifest.encode(errors="surrogateescape"))
    for file in originals:
        with open(file, "rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    setup = {
        "operations": f"operations {OPERATIONS_VERSION} with OpenCV {cv2.__version__}",
        "augmenter": repr(augmenter),
        "files": f"{n_files} files",
        "digest": digest.hexdigest(),
    }
    record = folder / _SETUP
    if record.exists():
        begun = _read_record(record)
        # two augmenters may be written otherwise and mean the same
        if any(begun[name] != setup[name] for name in ("operations", "digest")):
            first = next(name for name in setup if begun[name] != setup[name])
            what = (
                "the images, or the seed, are not the same"
                if first == "digest"
                else f"{begun[first]} then, and now {setup[first]}"
            )
            raise ValueError(
                f"{folder} was begun otherwise: {what}. Repeat that call to go on with it, or name "
                "another folder."
            )
    elif set(folder.iterdir()) - set(folder.glob(_LEFT_OVERS)):
        raise ValueError(
            f"{folder} holds files, but none that say by what they were made, so they can't be "
            "gone on with. Name another folder."
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
            f"{record} is damaged, so it can't be told by what {record.parent} was begun. Name "
            "another folder, or empty this one."
        ) from error
