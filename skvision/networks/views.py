"""The views of an image that predictions are averaged over: central crops and mirror images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from numbers import Real
from typing import Any

import numpy as np
from keras import ops

__all__ = ["WHOLE", "View", "views"]


@dataclass(frozen=True)
class View:
    """A transformation of images: a central crop, a mirror image, or both.

    Parameters
    ----------
    crop : float, default=1.0
        Size of the central crop as a share of height and width, in (0, 1].
    mirrored : bool, default=False
        Whether to swap left and right.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.networks import View
    >>> row = np.array([0.0, 10, 20, 30]).reshape(1, 1, 4, 1)
    >>> View(crop=0.5, mirrored=True).of(row)[0, 0, :, 0].numpy().tolist()
    [22.5, 17.5, 12.5, 7.5]
    """

    crop: float = 1.0
    mirrored: bool = False

    def of(self, images: Any) -> Any:
        """Return this view of images, in their size.

        Works on arrays and within a Keras network, so that an exported network uses the same
        views as the classifier.

        Parameters
        ----------
        images : ndarray or keras.KerasTensor of shape (n, height, width, n_channels)
            Images of any number type.

        Returns
        -------
        tensor or keras.KerasTensor of the same shape
            A crop is 32-bit floats, interpolated bilinearly and not rounded.
        """
        if self.crop < 1:
            # interpolation is linear: one matrix for rows, one for columns
            _, height, width, _ = images.shape
            images = ops.cast(images, "float32")
            for side in (height, width):
                # each product removes the first remaining axis and appends the new one
                images = ops.tensordot(images, _middle(side, self.crop), axes=[[1], [1]])
            images = ops.transpose(images, (0, 2, 3, 1))
        return ops.flip(images, axis=2) if self.mirrored else images

    def placed(self, maps: np.ndarray) -> np.ndarray:
        """Return maps of this view at their place in the whole image.

        Parameters
        ----------
        maps : ndarray of shape (n, height, width), float
            Values of the view's pixels.

        Returns
        -------
        ndarray of the same shape, float32
            Zero outside the crop.

        Examples
        --------
        >>> import numpy as np
        >>> from skvision.networks import View
        >>> View(mirrored=True).placed(np.array([[[1.0, 1, 3, 3]]])).tolist()
        [[[3.0, 3.0, 1.0, 1.0]]]
        >>> View(crop=0.5).placed(np.ones((1, 4, 4)))[0, 1].tolist()
        [0.0, 1.0, 1.0, 0.0]
        """
        maps = maps[:, :, ::-1] if self.mirrored else maps
        if self.crop < 1:
            rows, columns = (_outside_in(side, self.crop) for side in maps.shape[1:])
            maps = rows @ maps @ columns.T
        placed: np.ndarray = np.asarray(maps, np.float32)
        return placed


WHOLE = View()


def views(crops: Any, mirrored: bool) -> list[View]:
    """Read the parameters ``predict_crops`` and ``predict_mirrored``.

    Raises
    ------
    ValueError
        If ``crops`` is not a tuple of numbers above 0 and at most 1.

    Examples
    --------
    >>> from skvision.networks import views
    >>> views((1.0, 0.8), mirrored=False)
    [View(crop=1.0, mirrored=False), View(crop=0.8, mirrored=False)]
    >>> len(views((1.0, 0.8), mirrored=True))
    4
    """
    shares = tuple(crops) if isinstance(crops, tuple | list) else ()
    if not shares or not all(
        isinstance(share, Real) and not isinstance(share, bool) and 0 < float(share) <= 1
        for share in shares
    ):
        raise ValueError(
            "predict_crops must be a tuple of numbers above 0 and at most 1, each crop's share "
            f"of height and width: (1.0, 0.8). Received: {crops!r}"
        )
    return [
        View(float(share), mirror)
        for share, mirror in product(shares, [False, True] if mirrored else [False])
    ]


def _middle(side: int, share: float) -> np.ndarray:
    """Return the matrix (side, side) that enlarges the middle share of a row to the whole row."""
    where = (np.arange(side) + 0.5) * share + side * (1 - share) / 2 - 0.5
    distance = np.abs(where.clip(0, side - 1)[:, None] - np.arange(side))
    matrix: np.ndarray = np.maximum(0, 1 - distance).astype(np.float32)
    return matrix


def _outside_in(side: int, share: float) -> np.ndarray:
    """Return the matrix (side, side) that reduces a row to the middle share of the row."""
    where = (np.arange(side) + 0.5 - side * (1 - share) / 2) / share
    distance = np.abs(where[:, None] - 0.5 - np.arange(side))
    matrix: np.ndarray = np.maximum(0, 1 - distance * share)
    matrix *= ((where > 0) & (where < side))[:, None]
    total = matrix.sum(axis=1, keepdims=True)
    matrix /= np.where(total > 0, total, 1)
    return matrix
