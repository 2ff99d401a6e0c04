"""Images that are made from others when they are read.

What makes them lies in layers above; all that is known of it here is where the image
comes from and what becomes of its pixels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

__all__ = ["DerivedImage"]


class DerivedImage(ABC):
    """An image made from a stored one: small, picklable, decoded like any other."""

    #: the image that it is made from, in any form that is decoded
    source: Any

    @abstractmethod
    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Make the image from its source's pixels.

        Parameters
        ----------
        pixels : ndarray of shape (height, width, 3), uint8
            The source, decoded and resized.

        Returns
        -------
        ndarray of the same shape and type
            A new array.
        """

    @property
    @abstractmethod
    def key(self) -> bytes:
        """All that decides what `apply` does, the same in every process."""
