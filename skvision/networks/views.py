"""What of an image predictions are the mean over: crops of its middle, and mirror images."""

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
    """A way to look at images.

    Parameters
    ----------
    crop : float, default=1.0
        Share of height and width that is seen, from the middle, in (0, 1].
    mirrored : bool, default=False
        Whether left and right change places.

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
        """Show images this way, in their size.

        Of arrays and within a Keras network alike: an exported network sees what the
        classifier does.

        Parameters
        ----------
        images : ndarray or keras.KerasTensor of shape (n, height, width, n_channels)
            Of any numbers.

        Returns
        -------
        tensor or keras.KerasTensor of the same shape
            Of 32-bit floats where it is a crop: bilinear interpolation, not rounded.
        """
        if self.crop < 1:
            # interpolation is linear: a matrix for rows, another for columns
            _, height, width, _ = images.shape
            images = ops.cast(images, "float32")
            for side in (height, width):
                # the axis that is summed over is always the first left; the new one comes last
                images = ops.tensordot(images, _middle(side, self.crop), axes=[[1], [1]])
            images = ops.transpose(images, (0, 2, 3, 1))
        return ops.flip(images, axis=2) if self.mirrored else images


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
            "predict_crops must be a tuple of numbers above 0 and at most 1, the shares of height "
            f"and width to look at: (1.0, 0.8). Received: {crops!r}"
        )
    return [
        View(float(share), mirror)
        for share, mirror in product(shares, [False, True] if mirrored else [False])
    ]


def _middle(side: int, share: float) -> np.ndarray:
    """The matrix (side, side) that enlarges the middle of `side` numbers to all of them."""
    where = (np.arange(side) + 0.5) * share + side * (1 - share) / 2 - 0.5
    distance = np.abs(where.clip(0, side - 1)[:, None] - np.arange(side))
    matrix: np.ndarray = np.maximum(0, 1 - distance).astype(np.float32)
    return matrix
