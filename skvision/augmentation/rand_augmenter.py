"""`RandAugmenter`: a few random operations, with one number for their strength."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .base import BaseAugmenter
from .drawing import uniform_numbers
from .operations import neutral_draws
from .parameters import check_fill_mode, number_within, true_or_false, whole_number

__all__ = ["OPERATIONS", "RandAugmenter"]

#: the operations: the parts of a draw that each changes, and the change at magnitude 1
OPERATIONS: dict[str, tuple[tuple[str, ...], float]] = {
    "identity": ((), 0.0),
    "rotation": (("rotation",), 45.0),
    "shear": (("shear",), 25.0),
    "shift_x": (("shift_x",), 0.45),
    "shift_y": (("shift_y",), 0.45),
    "zoom": (("zoom_x", "zoom_y"), 0.5),
    "brightness": (("brightness",), 0.9),
    "contrast": (("contrast",), 0.9),
    "saturation": (("saturation",), 0.9),
    "hue": (("hue",), 0.25),
    "channel_shift": (("channel_shift",), 110.0),
    "noise": (("noise",), 0.2),
    "erase": (("erase_width", "erase_height"), 0.6),
}

# parts without a direction
_ONE_SIDED = ("noise", "erase")


class RandAugmenter(BaseAugmenter):
    """Augment images by a few operations chosen at random.

    In RandAugment, each image gets ``n_operations`` different operations from a list of
    thirteen (one of which does nothing), all at the same magnitude, in a random direction.
    This leaves two numbers to tune instead of fifteen. The list is
    `skvision.augmentation.rand_augmenter.OPERATIONS`. A RandAugmenter is accepted wherever
    an `ImageAugmenter` is.

    .. note::
        ``fit(X).transform(X)`` does not equal ``fit_transform(X)``: `fit_transform` augments
        each image once, and `transform` returns images unchanged, for prediction or
        validation.

    Parameters
    ----------
    n_operations : int, default=2
        Number of operations per image, from 0 to 13.
    magnitude : float, default=0.3
        Strength of the operations, from 0 (no change) to 1 (rotation by 45 degrees, shift
        by 0.45 of a side, brightness changed by a factor of 0.1 or 1.9, ...).
    horizontal_flip : bool, default=True
        Whether to mirror half of the images in addition.
    fill_mode : {"nearest", "constant", "reflect", "wrap"}, default="nearest"
        How pixels beyond an image's edges are filled, as in `ImageAugmenter`.
    cval : float, default=0.0
        Level of a constant filling, from 0 (black) to 255 (white).
    row_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of an image, if each image is a flat
        row of a 2-D X; one entry may be -1.
    value_range : "auto", "percentile", tuple of float or None, default="auto"
        Range of the numbers in arrays. ``"auto"``: integers 0..255, uint16 0..65535, bool
        and floats 0..1. A pair (black, white) sets another range. ``"percentile"``
        learns it in fit, for each channel: the 0.1 and 99.9 percentiles of all images.
        Files of more than 8 bits use the pair or the learnt range, else the range that
        they declare; files of 8 bits always use 0..255. None passes any finite numbers
        without clipping.
    random_state : int, RandomState instance or None, default=None
        Controls the draws of `fit_transform`. With ``augmentation=`` of a classifier, the
        draws depend on the classifier's ``random_state``, the epoch and the image's place
        in X, and on an int here.

    Attributes
    ----------
    pixel_range_ : tuple or None
        (black, white) of the numbers in fit's X; None if X was files, since each file has
        its own. With ``value_range="percentile"`` each is a tuple of one number per channel.
    image_shape_ : tuple of int
        Shape of one image in fit's X if X was an array; () if X was files.
    n_channels_ : int
        Number of channels of fit's X: 3, or those of X with ``value_range=None``.
    n_features_in_ : int
        Length of a row. Only defined if X was 2-D rows.

    See Also
    --------
    ImageAugmenter : Has a range for each operation.

    Notes
    -----
    The operations are those of `ImageAugmenter`, applied in its order. Posterising,
    solarising, equalising and sharpening, which are in the published list, are missing.

    References
    ----------
    E. D. Cubuk and others, RandAugment: Practical automated data augmentation with a
    reduced search space, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision import RandAugmenter
    >>> X = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    >>> RandAugmenter(n_operations=2, magnitude=0.5, random_state=0).fit_transform(X).shape
    (4, 32, 32, 3)
    """

    def __init__(
        self,
        n_operations: int = 2,
        magnitude: float = 0.3,
        *,
        horizontal_flip: bool = True,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        row_shape: tuple[int, ...] | None = None,
        value_range: Any = "auto",
        random_state: Any = None,
    ) -> None:
        self.n_operations = n_operations
        self.magnitude = magnitude
        self.horizontal_flip = horizontal_flip
        self.fill_mode = fill_mode
        self.cval = cval
        self.row_shape = row_shape
        self.value_range = value_range
        self.random_state = random_state

    def draw(self, seed: Sequence[int], indices: np.ndarray) -> np.ndarray:
        check_fill_mode(self.fill_mode, self.cval, has_scale=self.value_range is not None)
        n_operations = whole_number("n_operations", self.n_operations, len(OPERATIONS))
        magnitude = number_within("magnitude", self.magnitude, most=1.0)
        flip = true_or_false("horizontal_flip", self.horizontal_flip)
        draws = neutral_draws(len(indices))
        numbers = iter(uniform_numbers(seed, np.asarray(indices), len(OPERATIONS) * 2 + 4).T)
        draws["flip_x"] = (next(numbers) < 0.5) & flip
        left, top, noise = next(numbers), next(numbers), next(numbers)
        keys = np.array([next(numbers) for _ in OPERATIONS])
        ranks = keys.argsort(axis=0).argsort(axis=0)
        for (name, (parts, most)), rank in zip(OPERATIONS.items(), ranks, strict=True):
            positive = next(numbers) < 0.5
            sign = 1.0 if name in _ONE_SIDED else np.where(positive, 1.0, -1.0)
            for part in parts:
                draws[part] += (rank < n_operations) * sign * most * magnitude
        draws["erase_left"] = (1 - draws["erase_width"]) * left * (draws["erase_width"] > 0)
        draws["erase_top"] = (1 - draws["erase_height"]) * top * (draws["erase_height"] > 0)
        draws["noise_seed"] = (noise * 2.0**53).astype(np.uint64) * (draws["noise"] > 0)
        return draws
