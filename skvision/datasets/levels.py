"""Check that class folders are classes, and not a level of folders above or below them.

With ``data/train/cat`` and ``data/test/cat``, ``data`` would have the classes train and test.
The check uses the names of folders and their structure: class folders without images of their
own whose subfolders have the same names.
"""

from __future__ import annotations

import os
import re
import shlex
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from .class_names import reading
from .listing import ClassFolder

__all__ = ["check_levels", "inner_level"]

# names of the parts of a data set; another word may follow, as in testset
_PARTS = {
    part: re.compile(rf"(?:{words})(?:s?_?(?:set|data|daten|images?|imgs?|photos?|dir|folder))?")
    for part, words in {
        "train": "train|training|trn",
        "validation": "val|valid|validate|validation|dev|devel|development",
        "test": "test|tests|testing|tst|eval|evaluate|evaluation|holdout|heldout|unseen|pred"
        "|prediction|predict|inference",
        "unlabelled": "unlabell?ed|unsup|unsupervised",
    }.items()
}
# words before numbers that aren't classes
_FOLDS = re.compile(r"(?:k?folds?|splits?|cv|partitions?)[\W_]*\d+")
_SERIES = re.compile(
    r"(?:batch|block|cam|camera|chunk|day|domain|exp|experiment|group|part|patient|run|scene|seq"
    r"|sequence|session|set|shard|site|subject|subset|take|trial|user|week|year)"
    r"(?:[\W_]*\d+|[\W_]+[a-z])"
)
# names of subfolders within a class that describe the source or form of images
_SOURCES = re.compile(
    r"(?:mobile|phone|smart ?phone|camera|cam|dslr|web|webcam|internet|google|bing|flickr|scans?"
    r"|images?|imgs?|photos?|pictures?|pics|masks?|annotations?|labels?|raw|original|originals"
    r"|augmented|processed|resized|cropped|crops|small|large|left|right|front|back|side|top"
    r"|bottom|day|night|indoors?|outdoors?|rgb|depth|colou?r|gr[ae]y|grayscale|jpe?g|png|old|new"
    r"|others?|misc|extra|[\W_\d]*\d[\W_\dx]*)"
)
_SHOWN = 3
_FLAT = (
    "They hold no class folders; if the labels are in the files' names or in a table, read them "
    "in Python by skvision.load_image_table."
)


def _parts(name: str) -> set[str]:
    """Return the parts of a data set that a folder's name contains."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    words.append("".join(words))  # hold-out
    return {part for part, called in _PARTS.items() if any(map(called.fullmatch, words))}


#: names of the folders along a path from one folder to another
_Way = tuple[str, ...]


@dataclass(frozen=True)
class _Level:
    """A class folder, and the first folder below it that holds images or several subfolders."""

    name: str
    folder: Path
    inner: Path
    #: its subfolders with images; empty if it holds images itself
    subfolders: tuple[str, ...]
    #: the first subfolders on the way to images
    below: tuple[str, ...]
    #: the paths from `inner` to images
    ways: Sequence[_Way]
    #: whether the class folder itself holds no images
    is_bare: bool

    @property
    def names_below(self) -> tuple[str, ...]:
        """Names of subfolders that may be classes."""
        return tuple(dict.fromkeys((*self.below, *self.subfolders)))

    @property
    def classes_in(self) -> Path:
        """The folder whose subfolders are the classes, if this one isn't a class."""
        return self.inner if self.subfolders or not self.is_bare else self.inner.parent


def inner_level(each: ClassFolder) -> tuple[Path, tuple[str, ...]]:
    """Find the first folder below a class folder with images or several subfolders with images.

    Returns
    -------
    folder : Path
        The folder.
    subfolders : tuple of str
        Its subfolders with images; empty if it holds images itself.
    """
    level = _level_of(each)
    return level.inner, level.subfolders


def _level_of(each: ClassFolder) -> _Level:
    top = os.fspath(each.path)
    ways = [
        () if holding == top else tuple(os.path.relpath(holding, top).split(os.sep))
        for holding in each.found.holding
    ]
    return _level(each.name, each.path, ways)


def _level(name: str, folder: Path, ways: Sequence[_Way]) -> _Level:
    below, is_bare = _first_of(ways), () not in ways
    inner = folder
    while () not in ways and len(_first_of(ways)) == 1:
        inner /= ways[0][0]
        ways = [way[1:] for way in ways]
    subfolders = () if () in ways else _first_of(ways)
    return _Level(name, folder, inner, subfolders, below, ways, is_bare)


def _first_of(ways: Sequence[_Way]) -> _Way:
    return tuple(sorted({way[0] for way in ways if way}))


def _levels_in(level: _Level) -> list[_Level]:
    """Return its subfolders as if they were classes."""
    return [
        _level(name, level.inner / name, [way[1:] for way in level.ways if way[:1] == (name,)])
        for name in level.subfolders
    ]


def check_levels(members: Sequence[ClassFolder], way_out: str) -> None:
    """Refuse class folders that aren't classes, and warn of those that may not be classes.

    Parameters
    ----------
    members : sequence of ClassFolder
        All class folders with images.
    way_out : str
        How the user can declare them as classes.

    Raises
    ------
    ValueError
        If they are parts of a data set, or hold class folders.

    Warns
    -----
    UserWarning
        If subfolders with recurring names may be the classes.
    """
    levels = [_level_of(each) for each in members]
    classes = Counter(reading(level.name) for level in levels)
    by_root: dict[Path, list[_Level]] = {}
    for level in levels:
        by_root.setdefault(level.folder.parent, []).append(level)
    for root, inside in by_root.items():
        found = _refusal(root, inside, classes)
        if found:
            why, call = found
            names = _listed(level.name for level in inside)
            end = f" If {names} are the classes, pass {way_out}." if len(inside) > 1 else ""
            raise ValueError(f"{why} {call}{end}")
        doubt = _doubt(inside, classes)
        if doubt:
            warnings.warn(doubt)


def _refusal(root: Path, inside: Sequence[_Level], classes: Counter[str]) -> tuple[str, str] | None:
    """Return why the folders in `root` aren't classes, and the right call."""
    split = _split_apart(inside)
    if split:
        names = _listed(level.name for level in split)
        return f"{root} holds parts of a data set ({names}), not classes.", _train_and_test(split)
    if len(inside) > 1 and all(_FOLDS.fullmatch(level.name.lower()) for level in inside):
        names = _listed(level.name for level in inside)
        return f"{root} holds parts of a data set ({names}), not classes.", _join(inside)
    bare = [level for level in inside if level.is_bare]
    for level in bare:
        if _are_apart(level.subfolders):
            split = _levels_in(level)
            if any(part.is_bare for part in split):
                return _refusal(level.inner, split, classes)
            return (
                f"{level.folder} holds parts of a data set ({_listed(level.subfolders)}), which "
                "would be joined.",
                "Move that level above the classes, as in "
                f"{root / level.subfolders[0] / level.name}.",
            )
        again = _names_of_others(level, classes)
        if again or (len(inside) == 1 and _is_unpacked_into_itself(root, level)):
            names = _listed(again or level.subfolders)
            return (
                f"{level.folder} isn't a class: it holds class folders, {names}.",
                f"Call load_image_folder({str(level.classes_in)!r})"
                f"{', or remove that folder.' if again else '.'}",
            )
    recurring = _recurring(bare)
    if not recurring:
        return None
    is_series = all(_SERIES.fullmatch(level.name.lower()) for level in bare)
    are_numbers = all(level.name.isdecimal() for level in bare)
    may_be_meant = all(
        _SERIES.fullmatch(name)
        or (_SOURCES.fullmatch(name) and not (are_numbers and name.isdecimal()))
        for name in recurring
    )
    several = sum(n * 2 >= len(bare) for n in recurring.values()) > 1
    if is_series or (several and not may_be_meant):
        return (
            f"{_listed(level.name for level in bare)} in {root} hold no images of their own, but "
            f"the same subfolders, {_listed(recurring)}: those look like the classes.",
            _join(bare),
        )
    return None


def _doubt(inside: Sequence[_Level], classes: Counter[str]) -> str | None:
    """Return a warning of a possible extra level of folders, None if there is none."""
    for level in inside:
        astray = _names_of_others(level, classes)
        if astray:
            return (
                f"{level.folder / astray[0]} counts as {level.name!r}, although {astray[0]!r} is "
                "a class too. Move its images if they belong to that class."
            )
    bare = [level for level in inside if level.is_bare]
    recurring = _recurring(bare)
    if recurring:
        return (
            f"The class folders {_listed(level.name for level in bare)} hold no images of their "
            f"own, but the same subfolders, {_listed(recurring)}, whose images are joined. If "
            f"those are the classes: {_join(bare)}"
        )
    lone = [level for level in bare if len(level.subfolders) > 1 and _parts(level.name)]
    if lone:
        return (
            f"{lone[0].folder} counts as one class, with the subfolders "
            f"{_listed(lone[0].subfolders)}. If those are the classes: "
            f"load_image_folder({str(lone[0].inner)!r})."
        )
    return None


def _names_of_others(level: _Level, classes: Counter[str]) -> list[str]:
    """Return the subfolders of a class folder that have the name of another class."""
    own = reading(level.name)
    names = level.names_below if level.is_bare else level.below
    return [name for name in names if classes[reading(name)] > (reading(name) == own)]


def _split_apart(inside: Sequence[_Level]) -> list[_Level]:
    """Return the folders that are parts of a data set, if there are different parts."""
    named = [level for level in inside if _parts(level.name)]
    # or a single part that holds class folders
    is_alone = len(inside) == len(named) == 1 and len(named[0].subfolders) > 1
    return named if is_alone or _are_apart(level.name for level in named) else []


def _are_apart(names: Iterable[str]) -> bool:
    """Return whether the names contain different parts of a data set."""
    parts = [found for found in map(_parts, names) if found]
    return any(not a & b for a, b in combinations(parts, 2))


def _is_unpacked_into_itself(root: Path, level: _Level) -> bool:
    same = reading(level.name) == reading(os.path.basename(os.path.abspath(root)))
    return same and len(level.subfolders) > 1


def _recurring(bare: Sequence[_Level]) -> dict[str, int]:
    """Count the names of subfolders that several folders have in common."""
    counts = Counter(name for level in bare for name in set(map(reading, level.names_below)))
    return {name: n for name, n in sorted(counts.items()) if n > 1}


def _train_and_test(split: Sequence[_Level]) -> str:
    """Return the right calls for folders that are parts of a data set."""
    full = [level for level in split if level.is_bare]
    if not full:
        return _FLAT
    train = next((level for level in full if "train" in _parts(level.name)), None)
    if train is None:
        return f"Call load_image_folder({str(full[0].classes_in)!r})."
    call = f"Train on load_image_folder({str(train.classes_in)!r})"
    others = sorted(
        (level for level in full if "train" not in _parts(level.name)),
        key=lambda level: "test" not in _parts(level.name),
    )
    if not others:
        return f"{call}."
    test = others[0].classes_in
    learnt, measured = (shlex.quote(str(folder)) for folder in (train.classes_in, test))
    return (
        f"{call} and evaluate on {str(test)!r}: skvision train {learnt} --test {measured}, or "
        f"skvision evaluate MODEL {measured}."
    )


def _join(levels: Sequence[_Level]) -> str:
    folders = [repr(str(level.classes_in)) for level in levels if level.is_bare]
    if not folders:
        return _FLAT
    more = [f"... ({len(folders)} in all)"] if len(folders) > _SHOWN else []
    return f"load_image_folder([{', '.join([*folders[:_SHOWN], *more])}]) joins them."


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = [f"{len(every) - _SHOWN} more"] if len(every) > _SHOWN else []
    *first, last = [*every[:_SHOWN], *more]
    return f"{', '.join(first)} and {last}" if first else last
