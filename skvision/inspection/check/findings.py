"""What checks receive and return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...datasets.copies import SimilarPairs, components, similar_pairs
from .survey import Survey, joined

__all__ = ["Finding", "ImageSet", "NotApplicable", "Subject", "listed_names"]

_SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """One finding of a check.

    Parameters
    ----------
    code : str
        The code of the check.
    message : str
        A sentence.
    score : float
        How sure or how strong it is, from 0 to 1.
    places : tuple of int, default=()
        Places of the images in X.
    against : tuple of int, default=()
        Places of images in `against`.
    """

    code: str
    message: str
    score: float
    places: tuple[int, ...] = ()
    against: tuple[int, ...] = ()


@dataclass(frozen=True)
class NotApplicable:
    """A check that can't be made of these images, and why."""

    reason: str


@dataclass(frozen=True)
class ImageSet:
    """Images that are checked, with their labels.

    Parameters
    ----------
    survey : Survey
        The figures of the images.
    y : ndarray of shape (n,), default=None
        Labels.
    groups : ndarray of shape (n,), default=None
        Groups.
    empty : tuple of str, default=()
        Class folders that hold no images.
    """

    survey: Survey
    y: np.ndarray | None = None
    groups: np.ndarray | None = None
    empty: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.survey)

    def name(self, place: int) -> str:
        """Return the name of an image for messages."""
        names = self.survey.names
        return f"image {place}" if names is None else names[place]


@dataclass(frozen=True)
class Subject:
    """What a check looks at; copies are searched once, when a check first asks."""

    images: ImageSet
    against: ImageSet | None = None
    #: the folder of the feature cache, and whether to show progress bars
    cache: Any = None
    verbose: int = 0

    @cached_property
    def keys(self) -> np.ndarray:
        """A number per image, of `images` and then of `against`, equal for equal pixels; or -1."""
        first = self.images.survey
        if self.against is None:
            return first.keys
        figures = np.concatenate([first.figures, self.against.survey.figures])
        both = Survey(first.images, None, figures, first.thumbnails, {})
        return both.keys

    @cached_property
    def firsts(self) -> np.ndarray:
        """The first image of each group of equal pixels, of `images` and then of `against`."""
        keys, places = np.unique(self.keys, return_index=True)
        return np.sort(places[keys >= 0])

    @cached_property
    def similar(self) -> SimilarPairs:
        """Pairs of different images that show one photo; places as in `keys`."""
        thumbnails = self.images.survey.thumbnails
        if self.against is not None:
            thumbnails = joined(thumbnails, self.against.survey.thumbnails)
        return similar_pairs(thumbnails, self.firsts)

    @cached_property
    def photos(self) -> np.ndarray:
        """A number per image, of `images` and then of `against`, equal for copies of one photo."""
        n = len(self.keys)
        same = self.firsts_of()
        readable = np.flatnonzero(self.keys >= 0)
        ends = np.concatenate([self.similar.first, same[readable]])
        other = np.concatenate([self.similar.second, readable])
        nothing = np.zeros(len(ends))
        return components(n, SimilarPairs(ends, other, nothing, nothing, nothing))

    def firsts_of(self) -> np.ndarray:
        """Return the first image with the same pixels of each image; itself if unreadable."""
        keys = self.keys
        order = np.arange(len(keys))
        first: dict[int, int] = {}
        for place, key in enumerate(keys.tolist()):
            if key >= 0:
                order[place] = first.setdefault(key, place)
        return order

    def split(self, places: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return places in X and places in `against`."""
        n = len(self.images)
        inside = tuple(int(each) for each in places if each < n)
        return inside, tuple(int(each) - n for each in places if each >= n)


def listed_names(names: Sequence[object], shown: int = _SHOWN) -> str:
    """Return names as a text of limited length.

    Examples
    --------
    >>> from skvision.inspection.check.findings import listed_names
    >>> listed_names(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    texts = [str(name) for name in names]
    if len(texts) > shown:
        return f"{', '.join(texts[:shown])} and {len(texts) - shown} more"
    return f"{', '.join(texts[:-1])} and {texts[-1]}" if len(texts) > 1 else "".join(texts)
