"""Images that are computed from other images when they are read.

Higher layers define them; this layer knows only their source and the function of its pixels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

__all__ = ["DerivedImage"]


class DerivedImage(ABC):
    """An image made from a stored one: small, picklable, decoded like any other."""

    #: the source image, in any form that can be decoded
    source: Any

    @abstractmethod
    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Compute the image from the pixels of its source.

        Parameters
        ----------
        pixels : ndarray of shape (height, width, 3), uint8
            Pixels of the source, decoded and resized.

        Returns
        -------
        ndarray of the same shape and type
            A new array.
        """

    @property
    @abstractmethod
    def key(self) -> bytes:
        """Return a key of everything that `apply` depends on, equal in every process."""
