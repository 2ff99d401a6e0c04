"""List the images in folders on disk."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from ..images.opening import is_url
from ..images.packages import image_suffixes
from .class_names import one_spelling, reading
from .kinds import holdings, is_ignored_folder

__all__ = [
    "ClassFolder",
    "ClassFolders",
    "Listing",
    "existing_folders",
    "layout",
    "list_classes",
    "list_folder",
    "list_images",
    "real_names",
]

_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar", ".tar.xz", ".tar.bz2")
_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".parquet")

Entry = os.DirEntry[str]


@dataclass
class Listing:
    """The content of a folder and its subfolders."""

    #: the images, sorted
    images: list[str] = field(default_factory=list)
    #: the other files
    others: list[str] = field(default_factory=list)
    #: the folders that are not searched
    closed: list[str] = field(default_factory=list)
    #: the folders that hold images, with their real names
    holding: dict[str, str] = field(default_factory=dict)
    #: the images that are links, with their real names
    links: dict[str, str] = field(default_factory=dict)

    @property
    def ignored(self) -> list[str]:
        """All other files and folders, sorted."""
        return sorted(self.others + self.closed)

    def real_name(self, image: str) -> str:
        """Return an image's name with links resolved."""
        folder, name = os.path.split(image)
        return self.links.get(image) or os.path.join(self.holding[folder], name)


def list_images(folder: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """List the images in a folder and its subfolders, sorted.

    Links to folders are followed, but each real folder is listed only once.

    Parameters
    ----------
    folder : str or path-like
        The folder.

    Returns
    -------
    images, ignored : list of str
        The images, by the endings of their names
        (`skvision.images.packages.image_suffixes`), and the rest: files of other types,
        hidden files and folders, and system folders.

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
    found = list_folder(folder)
    return found.images, found.ignored


def list_folder(folder: str | os.PathLike[str]) -> Listing:
    """List a folder as `list_images` does, with further details."""
    top = os.fspath(folder)
    return _listed(top, os.path.realpath(top), image_suffixes())


def _listed(top: str, top_real: str, suffixes: Collection[str]) -> Listing:
    found = Listing()
    # a link to a parent folder would lead to an endless loop
    seen = set(_folders_around(top_real))
    waiting = [(top, top_real)]
    while waiting:
        path, real = waiting.pop()
        if real in seen:
            continue
        seen.add(real)
        before = len(found.images)
        inner = _read(path, suffixes, found)
        if len(found.images) > before:
            found.holding[path] = real
        waiting += [(entry.path, _real_name(entry, real)) for entry in reversed(inner)]
    found.images.sort()
    return found


def _read(folder: str | os.PathLike[str], suffixes: Collection[str], found: Listing) -> list[Entry]:
    """Add the content of one folder to `found`; return the subfolders to list next."""
    inner = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                is_file = entry.is_file(follow_symlinks=False)
                if not is_file and _is_folder(entry):
                    if is_ignored_folder(name):
                        found.closed.append(entry.path)
                    else:
                        inner.append(entry)
                elif name[0] != "." and name[name.rfind(".") :].lower() in suffixes:
                    found.images.append(entry.path)
                    # resolve links only, since resolving is much slower than listing
                    if not is_file:
                        found.links[entry.path] = os.path.realpath(entry.path)
                else:
                    found.others.append(entry.path)
    except OSError as error:
        _refuse_folder(error)
    return sorted(inner, key=lambda entry: entry.name)


def _folders_around(path: str) -> Iterator[str]:
    while (around := os.path.dirname(path)) != path:
        yield (path := around)


def _real_name(entry: Entry, folder: str) -> str:
    """Return an entry's name with links resolved; its folder's real name is known."""
    return os.path.realpath(entry.path) if entry.is_symlink() else os.path.join(folder, entry.name)


def _is_folder(entry: Entry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _refuse_folder(error: OSError) -> NoReturn:
    """Raise an error for a folder that can't be listed, since its images would be missing."""
    raise type(error)(
        f"The folder {error.filename} can't be listed: {error.strerror}. Make it readable, or "
        "remove it."
    ) from error


def existing_folders(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
) -> list[Path]:
    """Return one or several folders as a list; raise an error if one doesn't exist."""
    paths = [path] if isinstance(path, str | os.PathLike) else path
    try:
        folders = [Path(os.path.expanduser(each)) for each in paths]
    except TypeError:
        raise TypeError(
            f"Expected a folder, or a sequence of folders. Received: {path!r}"
        ) from None
    if not folders:
        raise ValueError("Received no folders. Pass a folder, or a sequence of folders.")
    for given, folder in zip(paths, folders, strict=True):
        if is_url(given):
            raise ValueError(
                f"{given} is a URL, and skvision doesn't download. Download it, unpack it if it is "
                "an archive, and pass the folder."
            )
        try:
            is_folder = stat.S_ISDIR(folder.stat().st_mode)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"There is no folder {folder}. Looked in {Path.cwd()}."
            ) from None
        except OSError as error:
            _refuse_folder(error)
        if not is_folder:
            raise NotADirectoryError(f"{folder} is {_instead(folder)}")
    return folders


def _instead(file: Path) -> str:
    """Describe a file that was passed instead of a folder, and what to do."""
    name = file.name.lower()
    if name.endswith(_ARCHIVES):
        return "an archive. Unpack it and pass the folder: python -m zipfile -e FILE.zip FOLDER"
    if name.endswith(_TABLES):
        return (
            "a file. If it is a table of file names and labels, read it in Python by "
            f"skvision.load_image_table({str(file)!r})."
        )
    return "a file. Pass the folder whose subfolders are the classes."


@dataclass(frozen=True)
class ClassFolder:
    """A class folder: its name and its content."""

    path: Path
    name: str
    found: Listing


@dataclass(frozen=True)
class ClassFolders:
    """The images of class folders.

    Parameters
    ----------
    files_of : dict of str to list of str
        The images of each class, the classes sorted.
    members : list of ClassFolder
        The class folders that hold images.
    rest : Listing
        All other files; its images are outside class folders.
    again : list of str
        Further names of listed images.
    empty : list of ClassFolder
        Class folders that hold no images.
    spelling : dict of str to str
        The class of each class folder's name.
    """

    files_of: dict[str, list[str]]
    members: list[ClassFolder]
    rest: Listing
    again: list[str]
    empty: list[ClassFolder]
    spelling: dict[str, str]

    @property
    def ignored(self) -> list[str]:
        """All files and folders outside classes, sorted."""
        return sorted([*self.rest.images, *self.rest.ignored, *self.again])


def list_classes(
    folders: Sequence[Path],
    known: Collection[str] = (),
    classes: Collection[str] | None = None,
    *,
    flat: bool = False,
) -> ClassFolders:
    """List the images of all class folders, in the order of `load_image_folder`.

    Parameters
    ----------
    folders : sequence of Path
        Folders whose subfolders are the classes.
    known : collection of str, default=()
        Classes of a model: their spelling is used, and a folder in `folders` with the name of
        one, with images and without class folders, is a class folder itself.
    classes : collection of str, default=None
        Names of the subfolders that are classes; None for all.
    flat : bool, default=False
        Whether a folder of images without class folders is a class folder itself.

    Returns
    -------
    ClassFolders
        Their images.

    Raises
    ------
    ValueError
        If one of `folders` holds no images, or if one image is in two classes.
    OSError
        If a folder can't be listed.
    """
    suffixes = image_suffixes()
    every: list[ClassFolder] = []
    rest = Listing()
    for folder in folders:
        inside, outside = _class_folders(folder, classes, suffixes)
        is_flat = flat and not any(each.found.images for each in inside)
        if outside.images and (is_flat or _is_class(folder, inside, known)):
            own = _listed(str(folder), os.path.realpath(folder), suffixes)
            inside, outside = [ClassFolder(folder, _name_of(folder), own)], Listing()
        outside.others += [file for each in inside for file in each.found.others]
        outside.closed += [closed for each in inside for closed in each.found.closed]
        if not any(each.found.images for each in inside):
            raise ValueError(_no_images(folder, outside, classes))
        every += inside
        rest.images += outside.images
        rest.others += outside.others
        rest.closed += outside.closed
    full = [each for each in every if each.found.images]
    counts: Counter[str] = Counter()
    for each in full:
        counts[each.name] += len(each.found.images)
    spelling = one_spelling(counts, known)
    files_of, again = _once_each(full, spelling)
    empty = [each for each in every if not each.found.images]
    return ClassFolders(files_of, full, rest, again, empty, spelling)


def _is_class(folder: Path, inside: Sequence[ClassFolder], known: Collection[str]) -> bool:
    """Return whether a folder is one of the known classes itself, and contains none of them."""
    readings = {reading(name) for name in known}
    holds_some = any(reading(each.name) in readings for each in inside)
    return reading(_name_of(folder)) in readings and not holds_some


def _name_of(folder: Path) -> str:
    return os.path.basename(os.path.abspath(folder))


def _class_folders(
    folder: Path, classes: Collection[str] | None, suffixes: Collection[str]
) -> tuple[list[ClassFolder], Listing]:
    """List a folder's class folders, and the other files in it."""
    wanted = None if classes is None else {reading(name) for name in classes}
    real, outside = os.path.realpath(folder), Listing()
    class_folders = []
    for entry in _read(folder, suffixes, outside):
        if wanted is None or reading(entry.name) in wanted:
            class_folders.append((entry.path, _real_name(entry, real)))
        else:
            outside.closed.append(entry.path)
    # a broken link is treated as a class folder, so that listing it raises an error
    class_folders += [(file, file) for file in outside.others if _is_broken_link(file)]
    inside = [
        ClassFolder(Path(path), os.path.basename(path), _listed(path, its_real, suffixes))
        for path, its_real in class_folders
    ]
    outside.images.sort()
    return inside, outside


def _is_broken_link(file: str) -> bool:
    has_ending = "." in os.path.basename(file)
    return not has_ending and os.path.islink(file) and not os.path.exists(file)


def real_names(files: Iterable[str]) -> Iterator[str]:
    """Yield the real names of files; each folder is resolved once, since that is slow."""
    folders: dict[str, str] = {}
    for file in files:
        folder, name = os.path.split(file)
        if folder not in folders:
            folders[folder] = os.path.realpath(folder)
        yield (
            os.path.realpath(file) if os.path.islink(file) else os.path.join(folders[folder], name)
        )


def _once_each(
    folders: Sequence[ClassFolder], spelling: Mapping[str, str]
) -> tuple[dict[str, list[str]], list[str]]:
    """Return the images of each class, and the names under which images are found again."""
    files_of: dict[str, list[str]] = {}
    for each in folders:
        files_of.setdefault(spelling[each.name], []).extend(each.found.images)
    files_of = dict(sorted(files_of.items()))
    real_folders = [real for each in folders for real in each.found.holding.values()]
    if len(set(real_folders)) == len(real_folders) and not any(
        each.found.links for each in folders
    ):
        return files_of, []
    again: set[str] = set()
    seen: dict[str, tuple[str, str]] = {}  # real name -> class, name
    for each in folders:
        label = spelling[each.name]
        for file in each.found.images:
            first = seen.setdefault(each.found.real_name(file), (label, file))
            if first[0] != label:
                raise ValueError(
                    f"One image is in two classes: {first[1]} and {file} are the same file. "
                    "Remove the wrong one."
                )
            if first[1] != file:
                again.add(file)
    files_of = {
        label: [file for file in dict.fromkeys(files) if file not in again]
        for label, files in files_of.items()
    }
    return files_of, sorted(again)


def _no_images(folder: Path, outside: Listing, classes: Collection[str] | None) -> str:
    if classes is not None:
        return f"No class folders {', '.join(classes)} with images in {folder}."
    start = f"No class folders with images in {folder}:"
    if outside.images:
        return (
            f"{start} {len(outside.images)} images lie directly in it. {layout(folder)} If the "
            "labels are in the files' names or in a table, read them in Python by "
            "skvision.load_image_table."
        )
    held = holdings(outside.others)
    what = f", but {held}" if held else ""
    return f"{start} it holds no images{what}. {layout(folder)}"


def layout(folder: Path) -> str:
    """Return the part of an error that describes the expected folders."""
    return f"Expected one subfolder per class: {folder}/cat/1.jpg, {folder}/dog/1.jpg."
