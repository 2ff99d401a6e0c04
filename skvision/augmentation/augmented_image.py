"""`AugmentedImage`: an image and what shall happen to it, applied when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ..images import DerivedImage
from .operations import DRAW, NEUTRAL, augmented
from .parameters import check_fill_mode

__all__ = ["AugmentedImage", "Draw", "draws_of"]

#: To be raised whenever `skvision.augmentation.operations` gives other pixels for the same draw.
OPERATIONS_VERSION = 2


@dataclass(frozen=True)
class Draw:
    """What happens to one image: a row of `skvision.augmentation.operations.DRAW`.

    Parameters
    ----------
    values : tuple of (str, float), default=()
        Those parts of the draw that are not neutral, by name, in `DRAW`'s order.
    fill_mode : {"nearest", "constant", "reflect", "wrap"}, default="nearest"
        What lies beyond the image's edges.
    cval : float, default=0.0
        In levels, 0 black and 255 white.

    Examples
    --------
    >>> from skvision.augmentation import Draw
    >>> Draw.of(rotation=30.0).parameters
    {'rotation': 30.0}
    """

    values: tuple[tuple[str, Any], ...] = ()
    fill_mode: str = "nearest"
    cval: float = 0.0

    @classmethod
    def of(cls, *, fill_mode: str = "nearest", cval: float = 0.0, **parameters: Any) -> Draw:
        """Make a draw from parameters by name; those left out are neutral."""
        check_fill_mode(fill_mode, cval)
        unknown = sorted(parameters.keys() - NEUTRAL.keys())
        if unknown:
            raise ValueError(
                f"A draw has no parameter {unknown[0]!r}. It has: {', '.join(NEUTRAL)}."
            )
        named = ((name, parameters.get(name, NEUTRAL[name])) for name in NEUTRAL)
        values = tuple((name, value) for name, value in named if value != NEUTRAL[name])
        return cls(values, fill_mode, cval)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parts that are not neutral, by name."""
        return dict(self.values)

    @property
    def described(self) -> dict[str, Any]:
        """What `of` makes this draw from: the same, and the filling where it isn't the default."""
        filling = {
            name: getattr(self, name)
            for name in ("fill_mode", "cval")
            if getattr(self, name) != getattr(Draw, name)
        }
        return {**self.parameters, **filling}

    def row(self) -> np.ndarray:
        """The same as an array of shape (1,) of `DRAW`."""
        parameters = {**NEUTRAL, **self.parameters}
        return np.array([tuple(parameters[name] for name in NEUTRAL)], DRAW)


def draws_of(rows: np.ndarray, *, fill_mode: str, cval: float, has_scale: bool) -> list[Draw]:
    """Make a `Draw` of each row of `DRAW`.

    Without a scale (``value_range=None``) noise is in levels; files have a scale, on which
    255 of them are 1.
    """
    if not has_scale:
        rows = rows.copy()
        rows["noise"] /= 255
    names = DRAW.names or ()
    return [
        Draw.of(fill_mode=fill_mode, cval=cval, **dict(zip(names, row, strict=True)))
        for row in rows.tolist()
    ]


@dataclass(frozen=True)
class AugmentedImage(DerivedImage):
    """An image that is augmented when it is read.

    What augmenting a file name returns. It is small and can be pickled, and stands for
    an image wherever a file name does: as an item of an estimator's X. Resizing comes
    first, so that its draw costs what it costs at the network's size.

    Parameters
    ----------
    source : str, path-like, bytes, PIL.Image.Image or AugmentedImage
        The image.
    draw : Draw
        What happens to it.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision import AugmentedImage
    >>> from skvision.augmentation import Draw
    >>> from skvision.images import decode
    >>> image = Image.new("RGB", (3, 1))
    >>> image.putpixel((0, 0), (255, 0, 0))
    >>> decode(AugmentedImage(image, Draw.of(flip_x=True)))[..., 0]
    array([[  0,   0, 255]], dtype=uint8)
    """

    source: Any
    draw: Draw

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        draw = self.draw
        result: np.ndarray = augmented(
            pixels[np.newaxis], draw.row(), fill_mode=draw.fill_mode, cval=draw.cval
        )[0]
        return result

    @property
    def key(self) -> bytes:
        """What decides the pixels, beside those of the source."""
        return repr((OPERATIONS_VERSION, cv2.__version__, self.draw)).encode()
