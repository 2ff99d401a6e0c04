"""Warnings of images that a data set lacks: one per reason, of limited length."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Sequence

from ..exceptions import SkippedImageWarning
from ..images import image_key
from .kinds import is_left_by_system, look_alikes
from .listing import ClassFolders, Listing

__all__ = ["warn_of_copies", "warn_of_empty", "warn_of_left_out", "warn_of_skipped"]

_SHOWN = 5


def warn_of_left_out(rest: Listing) -> None:
    """Warn of unlisted files that look like images, and of folders that were not searched.

    Parameters
    ----------
    rest : Listing
        The unused rest: images outside class folders, other files, and folders.
    """
    parts = [look_alikes(rest.others)]
    if rest.images:
        parts.append(f"{len(rest.images)} images outside class folders ({_shown(rest.images)})")
    system = [name for name in rest.closed if is_left_by_system(os.path.basename(name))]
    if system:
        parts.append(f"{len(system)} system folders ({_shown(system)})")
    said = "; ".join(filter(None, parts))
    if said:
        warnings.warn(f"These were left out: {said}.", SkippedImageWarning)


def warn_of_empty(found: ClassFolders) -> None:
    """Warn of class folders that hold no images."""
    for each in found.empty:
        lost = "" if each.name in found.spelling else f", so {each.name!r} isn't a class"
        warnings.warn(f"The class folder {each.path} holds no images{lost}.", SkippedImageWarning)


def warn_of_skipped(skipped: Sequence[tuple[str, str]], lost: Collection[str] = ()) -> None:
    """Warn of unreadable images (name, reason), and of classes that lost all images."""
    shown = _shown([f"{file}: {reason}" for file, reason in skipped], "; ")
    gone = f" No images of {', '.join(map(repr, sorted(lost)))} are left." if lost else ""
    warnings.warn(
        f"{len(skipped)} unreadable images were left out: {shown}.{gone}", SkippedImageWarning
    )


def warn_of_copies(files: Sequence[str], labels: Sequence[str]) -> None:
    """Warn of files with the same content and two labels, of which one must be wrong."""
    by_size: dict[int, list[int]] = {}
    for place, file in enumerate(files):
        by_size.setdefault(os.path.getsize(file), []).append(place)
    pairs = []
    for places in by_size.values():
        if len({labels[place] for place in places}) == 1:
            continue
        first: dict[bytes, int] = {}
        for place in places:
            other = first.setdefault(image_key(files[place]), place)
            if labels[other] != labels[place]:
                pairs.append(
                    f"{files[other]} as {labels[other]!r} and {files[place]} as {labels[place]!r}"
                )
    if pairs:
        warnings.warn(
            f"{len(pairs)} files are identical, byte for byte, to a file of another class: "
            f"{_shown(pairs, '; ')}. Remove those with the wrong label."
        )


def _shown(items: Sequence[str], separator: str = ", ") -> str:
    more = [f"and {len(items) - _SHOWN} more"] if len(items) > _SHOWN else []
    return separator.join([*items[:_SHOWN], *more])
