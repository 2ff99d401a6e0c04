"""The files of a larger data set, before any is written."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ..datasets import find_unreadable
from ..datasets.class_names import warn_of_spellings
from ..datasets.left_out import warn_of_left_out, warn_of_skipped
from ..datasets.levels import check_levels
from ..datasets.listing import existing_folders, list_classes
from ..exceptions import shown
from ..images.pixels import is_word
from .augmented_image import Draw, draws_of
from .base import BaseAugmenter, check_augmenter
from .over_sampler import chosen_sources, numbers_to_add

__all__ = ["JPEG_SUFFIXES", "FolderPlan", "PlannedFile", "plan_folder"]

JPEG_SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif"}
# longest file name in bytes, on all common file systems
_LONGEST_NAME = 255


@dataclass(frozen=True)
class PlannedFile:
    """A file to write."""

    file: str  # relative to the destination
    original: str  # relative to the folder of originals
    source: str
    label: str
    draw: Draw | None  # None for a copy of the original

    @property
    def row(self) -> tuple[str, str, str, str]:
        """Its row of the manifest."""
        drawn = self.draw.described if self.draw else {}
        return self.file, self.original, self.label, json.dumps(drawn)


@dataclass(frozen=True)
class FolderPlan:
    """All files of a larger data set; the same call with the same seed makes the same plan."""

    augmenter: BaseAugmenter
    originals: tuple[str, ...]
    files: tuple[PlannedFile, ...]

    @property
    def manifest(self) -> str:
        """The text of the manifest, a CSV file."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(("file", "source", "class", "parameters"))
        writer.writerows(each.row for each in self.files)
        return buffer.getvalue()


def plan_folder(
    source: str | os.PathLike[str],
    augmenter: Any,
    sampling_strategy: Any,
    *,
    include_originals: bool,
    on_error: str,
    random_state: Any,
) -> FolderPlan:
    """Plan the files of `augment_folder`, which documents the parameters."""
    check_augmenter(augmenter)
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip'. Received: {on_error!r}")
    augmenter.draw([0], np.arange(0))  # checks its parameters
    if not (augmenter.value_range is None or is_word(augmenter.value_range, "auto")):
        raise ValueError(
            "augment_folder writes copies of 8 bits beside unchanged originals, which keep their "
            f"own scale, so value_range={shown(augmenter.value_range)} can't apply to both. Use "
            "an augmenter with value_range='auto', or augment in training (augmentation=, "
            "ImageOverSampler), where it applies."
        )
    folder = existing_folders(source)[0]
    files_of = _readable(_class_files(folder, sampling_strategy), on_error)
    counts = {label: len(files) for label, files in files_of.items()}
    added = numbers_to_add(counts, sampling_strategy)
    planned = _plan(folder, files_of, added, augmenter, include_originals, random_state)
    originals = tuple(file for files in files_of.values() for file in files)
    return FolderPlan(augmenter, originals, tuple(planned))


def _class_files(folder: Path, sampling_strategy: Any) -> dict[str, list[str]]:
    found = list_classes([folder])
    if not isinstance(sampling_strategy, Mapping):  # a mapping names the classes
        check_levels(found.members, "sampling_strategy={name: number, ...}")
    if found.empty:
        raise ValueError(
            f"The class folder {found.empty[0].path} holds no images to augment. Remove it, or "
            "add images."
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
) -> Iterator[PlannedFile]:
    """Return all files to write, class by class; equal for equal seeds."""
    seeds = check_random_state(random_state).randint(np.iinfo(np.int32).max, size=2).tolist()
    rng = np.random.default_rng(seeds[0])
    draws = augmenter.draw(seeds[1:], np.arange(sum(added.values())))
    each_draw = iter(draws_of(draws, **augmenter.draw_options))
    for label, files in files_of.items():
        relative = [Path(os.path.relpath(file, folder)) for file in files]
        taken = {str(it).casefold() for name in relative for it in (name, *name.parents)}
        if include_originals:
            for name, file in zip(relative, files, strict=True):
                yield PlannedFile(str(name), str(name), file, label, None)
        for index in chosen_sources(len(files), added[label], rng):
            original = relative[index]
            file = _new_name(original, taken)
            yield PlannedFile(file, str(original), files[index], label, next(each_draw))


def _new_name(original: Path, taken: set[str]) -> str:
    """Return the original's name with the first free number."""
    suffix = original.suffix if original.suffix.lower() in JPEG_SUFFIXES else ".png"
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
