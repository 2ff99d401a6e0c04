"""`AugmentedImage`: an image and its augmentation, which is applied when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ..images import DerivedImage
from .operations import DRAW, NEUTRAL, augmented
from .parameters import check_fill_mode

__all__ = ["AugmentedImage", "Draw", "draws_of"]

#: Raise it whenever `skvision.augmentation.operations` turns the same draw into other pixels.
OPERATIONS_VERSION = 2


@dataclass(frozen=True)
class Draw:
    """The augmentation of one image: a row of `skvision.augmentation.operations.DRAW`.

    Parameters
    ----------
    values : tuple of (str, float), default=()
        The parameters that are not neutral, by name, in `DRAW`'s order.
    fill_mode : {"nearest", "constant", "reflect", "wrap"}, default="nearest"
        How pixels beyond the image's edges are filled.
    cval : float, default=0.0
        Level of a constant filling, from 0 (black) to 255 (white).

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
        """Create a draw from parameters by name; the others are neutral."""
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
        """The parameters that are not neutral, by name."""
        return dict(self.values)

    @property
    def described(self) -> dict[str, Any]:
        """Arguments of `of` for this draw: the parameters, and a filling other than the default."""
        filling = {
            name: getattr(self, name)
            for name in ("fill_mode", "cval")
            if getattr(self, name) != getattr(Draw, name)
        }
        return {**self.parameters, **filling}

    def row(self) -> np.ndarray:
        """Return this draw as an array of shape (1,) of `DRAW`."""
        parameters = {**NEUTRAL, **self.parameters}
        return np.array([tuple(parameters[name] for name in NEUTRAL)], DRAW)


def draws_of(rows: np.ndarray, *, fill_mode: str, cval: float, has_scale: bool) -> list[Draw]:
    """Create a `Draw` for each row of `DRAW`.

    Without a scale (``value_range=None``) the rows have noise in levels; it is converted to
    the scale of files, on which 255 levels are 1.
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

    Augmenting a file name returns one. It is small, can be pickled, and is accepted wherever
    a file name is: as an item of an estimator's X. It is resized before it is augmented,
    so that augmentation costs no more than at the network's size.

    Parameters
    ----------
    source : str, path-like, bytes, PIL.Image.Image or AugmentedImage
        The image.
    draw : Draw
        Its augmentation.

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
        """Return a key of everything that the pixels depend on besides the source."""
        return repr((OPERATIONS_VERSION, cv2.__version__, self.draw)).encode()
