"""Short descriptors of thumbnails: low frequencies, which survive re-encoding and small crops."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from PIL import Image

from ...images import resize_image

__all__ = ["THUMB", "descriptors_of", "mirrored", "thumbnails_of"]

#: height and width of a thumbnail in pixels
THUMB = 64
# Frequencies 0 to 5 along both axes, without the mean and the highest corner: 29 numbers. With 5
# the candidates are fewer but less specific, with 8 a crop changes too many of them.
_FREQUENCIES, _DIAGONAL = 6, 8
# share of an image that is cut off along each axis for the second descriptor
_CUT = 0.1
_AT_A_TIME = 4096


def thumbnails_of(
    pixels: np.ndarray, box: tuple[float, float, float, float] | None = None
) -> np.ndarray:
    """Return an image's grey thumbnail, stretched to a square.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8
        The image.
    box : tuple of float, default=None
        (left, top, right, bottom) of the part that holds the image; None for all of it.

    Returns
    -------
    ndarray of shape (64, 64), uint8

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.datasets.copies import thumbnails_of
    >>> thumbnails_of(np.full((90, 120, 3), 7, np.uint8)).shape
    (64, 64)
    """
    grey = Image.fromarray(pixels).convert("L")
    return np.asarray(resize_image(grey, (THUMB, THUMB), "stretch", box))


def descriptors_of(thumbnails: np.ndarray, *, cut: bool = False) -> np.ndarray:
    """Return descriptors of length one.

    Parameters
    ----------
    thumbnails : ndarray of shape (n, 64, 64), uint8
        The thumbnails; they may be a memory map, which is read in parts.
    cut : bool, default=False
        Whether to describe the middle of each image, without 5 % at each edge: it is close to
        the descriptor of an image that was cropped.

    Returns
    -------
    ndarray of shape (n, 29), float32

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.datasets.copies.descriptors import descriptors_of
    >>> descriptors_of(np.zeros((5, 64, 64), np.uint8)).shape
    (5, 29)
    """
    basis, chosen = _basis(_CUT if cut else 0.0), _chosen()
    rows = np.empty((len(thumbnails), int(chosen.sum())), np.float32)
    for some in _parts(len(thumbnails)):
        waves = basis @ thumbnails[some].astype(np.float32) @ basis.T
        part = waves[:, chosen]
        rows[some] = part / (np.linalg.norm(part, axis=1, keepdims=True) + 1e-6)
    return rows


def mirrored(descriptors: np.ndarray) -> np.ndarray:
    """Return the descriptors of the mirror images.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.datasets.copies.descriptors import descriptors_of, mirrored
    >>> image = np.random.default_rng(0).integers(0, 256, (1, 64, 64), dtype=np.uint8)
    >>> there = mirrored(descriptors_of(image))
    >>> bool(np.allclose(there, descriptors_of(image[:, :, ::-1]), atol=1e-5))
    True
    """
    along_x = np.broadcast_to(np.arange(_FREQUENCIES), (_FREQUENCIES, _FREQUENCIES))[_chosen()]
    signs = np.where(along_x % 2, -1, 1).astype(np.float32)
    turned: np.ndarray = descriptors * signs
    return turned


def _parts(n: int) -> Iterator[slice]:
    for start in range(0, n, _AT_A_TIME):
        yield slice(start, start + _AT_A_TIME)


@cache
def _basis(cut: float) -> np.ndarray:
    """Return cosines over the middle of the image, (frequencies, 64)."""
    places = (np.arange(THUMB) + 0.5) / THUMB
    inside = (places - cut / 2) / (1 - cut)
    waves = np.cos(np.pi * np.arange(_FREQUENCIES)[:, np.newaxis] * inside)
    waves[:, (inside < 0) | (inside > 1)] = 0
    return waves.astype(np.float32)


@cache
def _chosen() -> np.ndarray:
    y, x = np.mgrid[:_FREQUENCIES, :_FREQUENCIES]
    chosen: np.ndarray = (x + y < _DIAGONAL) & (x + y > 0)
    return chosen
