"""Decide which images show the same photo: candidates by neighbours, then a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .alignment import aligned, coarse, difference, shrunk, smoothed
from .descriptors import THUMB, descriptors_of, mirrored

__all__ = ["SIMILAR", "SimilarPairs", "components", "similar_pairs"]

#: smallest score of a pair that counts as one photo; benchmarks/duplicates.py measures it
SIMILAR = 0.95

# neighbours of each image, as it is and mirrored, that are compared with it
_NEIGHBOURS = 8
# smallest cosine of the descriptors of candidates, and smallest correlation of coarse thumbnails
_CANDIDATE, _COARSE = 0.8, 0.88
# thumbnails with less spread show nothing that could be compared, on a scale of 0 to 255
_FLAT = 3.0
_QUERIES, _PAIRS_AT_A_TIME = 4096, 512


class SimilarPairs(NamedTuple):
    """Pairs of images that show the same photo."""

    #: places of both images, (n_pairs,) int; the first is the smaller
    first: np.ndarray
    second: np.ndarray
    #: 1 for identical thumbnails, (n_pairs,) float; never below `SIMILAR`
    score: np.ndarray
    #: whether one is the mirror image of the other, (n_pairs,) bool
    mirrored: np.ndarray
    #: whether they show different parts of the photo, (n_pairs,) bool
    cropped: np.ndarray

    def __len__(self) -> int:
        return len(self.first)


def similar_pairs(
    thumbnails: np.ndarray, among: np.ndarray | None = None, *, similar: float = SIMILAR
) -> SimilarPairs:
    """Find pairs of thumbnails that show the same photo.

    An image may be re-encoded, resized, mirrored, brighter or darker, grey, or cropped by about a
    tenth of its height and width. Each image is compared with its nearest neighbours only, so
    time and memory don't grow with the number of all pairs.

    Parameters
    ----------
    thumbnails : ndarray of shape (n, 64, 64), uint8
        What `thumbnails_of` returns for each image; it may be a memory map.
    among : ndarray of shape (m,), int, default=None
        Places of the images to compare; None for all.
    similar : float, default=SIMILAR
        Smallest score of a pair, from 0 to 1.

    Returns
    -------
    SimilarPairs
        Sorted by the places of the images. Images of one colour have no pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from PIL import Image
    >>> from sklearn.datasets import load_sample_image
    >>> from skvision.datasets.copies import similar_pairs, thumbnails_of
    >>> china, flower = (load_sample_image(f"{name}.jpg") for name in ("china", "flower"))
    >>> small = np.asarray(Image.fromarray(china).resize((200, 100)))
    >>> images = [china, flower, china[:, ::-1], small[5:, 10:]]
    >>> found = similar_pairs(np.stack([thumbnails_of(each) for each in images]))
    >>> [(int(i), int(j)) for i, j in zip(found.first, found.second)]
    [(0, 2), (0, 3), (2, 3)]
    """
    places = np.arange(len(thumbnails)) if among is None else among
    first, second, is_mirrored = _candidates(thumbnails, places)
    scores, cuts = [np.empty(0, np.float32)], [np.empty(0, bool)]
    kept = [np.empty(0, int)]
    for some, start in _likely(thumbnails, first, second, is_mirrored):
        one = smoothed(thumbnails[first[some]])
        other = smoothed(_turned(thumbnails[second[some]], is_mirrored[some]))
        laid = aligned(one, other, start)
        alike = np.isfinite(laid[:, 0])
        if not alike.any():
            continue
        some, laid = some[alike], laid[alike]
        score = 1 - difference(one[alike], other[alike], laid)
        good = score >= similar
        kept.append(some[good])
        scores.append(score[good])
        # a hundredth of the width is an error of the alignment
        cuts.append((np.abs(laid[good]) > 0.02).any(axis=1))
    return _best_of_each(
        SimilarPairs(
            first[np.concatenate(kept)],
            second[np.concatenate(kept)],
            np.clip(np.concatenate(scores), 0, 1),
            is_mirrored[np.concatenate(kept)],
            np.concatenate(cuts),
        )
    )


def components(n: int, pairs: SimilarPairs) -> np.ndarray:
    """Return a number per image, equal for images that pairs connect.

    Parameters
    ----------
    n : int
        Number of images.
    pairs : SimilarPairs
        The pairs.

    Returns
    -------
    ndarray of shape (n,), int

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.datasets.copies import SimilarPairs, components
    >>> ends = np.array([0, 1]), np.array([1, 3])
    >>> components(4, SimilarPairs(*ends, *[np.zeros(2)] * 3)).tolist()
    [0, 0, 1, 0]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs)), (pairs.first, pairs.second)), shape=(n, n))
    labels: np.ndarray = connected_components(graph, directed=False)[1]
    return labels


def _candidates(
    thumbnails: np.ndarray, among: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of neighbours (first, second, whether mirrored), each once."""
    full = descriptors_of(thumbnails)
    shown = among[_spread(thumbnails)[among] >= _FLAT]
    if len(shown) < 2:
        return np.empty(0, int), np.empty(0, int), np.empty(0, bool)
    from sklearn.neighbors import NearestNeighbors  # it takes seconds to import

    index = NearestNeighbors(n_neighbors=min(_NEIGHBOURS + 1, len(shown)))
    index.fit(full[shown])
    cut = descriptors_of(thumbnails, cut=True)
    nearest = np.sqrt(2 - 2 * _CANDIDATE)  # the distance of vectors of length one
    found = [np.empty((0, 3), int)]
    for turned, queries in enumerate((full, mirrored(full))):
        for asked in (queries, mirrored(cut) if turned else cut):
            for some in _parts(len(shown), _QUERIES):
                distances, neighbours = index.kneighbors(asked[shown[some]])
                row, column = np.nonzero(distances <= nearest)
                pairs = np.stack([shown[some][row], shown[neighbours[row, column]]], axis=1)
                pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
                found.append(np.column_stack([pairs, np.full(len(pairs), turned)]))
    every = np.unique(np.concatenate(found), axis=0)
    return every[:, 0], every[:, 1], every[:, 2].astype(bool)


def _likely(
    thumbnails: np.ndarray, first: np.ndarray, second: np.ndarray, is_mirrored: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield numbers of pairs that are alike when they are coarsely aligned, and the alignment."""
    small = np.empty((len(thumbnails), 16, 16), np.uint8)
    for some in _parts(len(thumbnails), _QUERIES):
        small[some] = shrunk(thumbnails[some])
    alike, starts = [np.empty(0, int)], [np.empty((0, 4), np.float32)]
    for some in _parts(len(first), _PAIRS_AT_A_TIME):
        other = _turned(small[second[some]], is_mirrored[some])
        places, score = coarse(small[first[some]], other)
        chosen = np.flatnonzero(score >= _COARSE)
        alike.append(chosen + some.start)
        starts.append(places[chosen])
    every, where = np.concatenate(alike), np.concatenate(starts)
    for some in _parts(len(every), _PAIRS_AT_A_TIME):
        yield every[some], where[some]


def _turned(thumbnails: np.ndarray, is_mirrored: np.ndarray) -> np.ndarray:
    """Mirror some of the thumbnails, in place."""
    thumbnails[is_mirrored] = thumbnails[is_mirrored][:, :, ::-1]
    return thumbnails


def _spread(thumbnails: np.ndarray) -> np.ndarray:
    spread = np.empty(len(thumbnails), np.float32)
    for some in _parts(len(thumbnails), _QUERIES):
        spread[some] = thumbnails[some].reshape(-1, THUMB * THUMB).std(axis=1, dtype=np.float32)
    return spread


def _parts(n: int, size: int) -> Iterator[slice]:
    for start in range(0, n, size):
        yield slice(start, start + size)


def _best_of_each(pairs: SimilarPairs) -> SimilarPairs:
    """Keep the better of the two ways in which a symmetric image matches."""
    order = np.lexsort((pairs.mirrored, -pairs.score, pairs.second, pairs.first))
    ends = np.stack([pairs.first[order], pairs.second[order]], axis=1)
    _, once = np.unique(ends, axis=0, return_index=True)
    return SimilarPairs(*(column[order][once] for column in pairs))
