"""`ImageAugmenter`: random changes of training images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .base import BaseAugmenter
from .drawing import draw_parameters
from .parameters import ranges_of

__all__ = ["ImageAugmenter"]


class ImageAugmenter(BaseAugmenter):
    """Augment images at random, so that a classifier learns to ignore such changes.

    A cat that is rotated, shifted or darkened is still a cat. Pass an augmenter as
    ``augmentation=`` of a classifier, which then trains on other versions in each epoch; as
    a step of a Pipeline, whose ``fit`` then trains on one augmented version of each image;
    or to `ImageOverSampler`, to get more images. The default arguments change nothing.
    Names, units and meanings are those of Keras' ImageDataGenerator if it has the parameter.
    Each image has its own draw, with each parameter uniform over its range.

    .. note::
        ``fit(X).transform(X)`` does not equal ``fit_transform(X)``: `fit_transform` augments
        each image once, and `transform` returns images unchanged, for prediction or
        validation.

    Parameters
    ----------
    rotation_range : float, default=0
        Maximum rotation in degrees, at least 0; drawn from -range to range.
    width_shift_range, height_shift_range : float, int or sequence, default=0.0
        Maximum shift along each axis, at least 0; drawn from -range to range. Below 1: a
        share of the image's side. From 1 on: pixels, whole pixels for an int (2 draws from
        -1, 0 and 1). A sequence: one of its values, with either sign. Pixels are those of
        the augmented image: with ``augmentation=`` of a classifier, and for a file, that is
        the image after resizing to ``image_size``.
    shear_range : float, default=0.0
        Maximum shear in degrees, at least 0; drawn from -range to range. A common value of
        0.2 changes almost nothing; 10 is visible.
    zoom_range : float or tuple of float, default=0.0
        Range of the size of the visible part, drawn for width and height separately; below
        1 zooms in. A number of at least 0 and below 1: from 1 - range to 1 + range. A pair
        (low, high): from low to high.
    horizontal_flip, vertical_flip : bool, default=False
        Whether to mirror half of the images, left to right or top to bottom.
    crop_range : float, default=0.0
        Maximum share of each side to cut off, at least 0 and below 1: a part of 1 - range to
        1 times each side, anywhere in the image, is enlarged to the image's size.
    brightness_range : tuple of float, default=None
        (low, high), factors of at least 0: 0 is black, 1 no change.
    contrast_range : tuple of float, default=None
        (low, high), factors of at least 0 of each pixel's distance from the image's mean
        grey: 0 is all grey, 1 no change.
    channel_shift_range : float, default=0.0
        Maximum shift of all channels in levels, at least 0 (black is 0, white is 255); drawn
        from -range to range.
    hue_range : float, default=0.0
        Maximum shift of the hue as a share of the colour circle, from 0 to 0.5; drawn from
        -range to range. A third turns red into green. It doesn't affect grey images.
    saturation_range : tuple of float, default=None
        (low, high), factors of at least 0: 0 is grey, 1 no change.
    noise_std : float, default=0.0
        Standard deviation of Gaussian noise, at least 0, on the scale from 0 (black) to 1
        (white). Each channel has its own noise: grey files, which are read in colour, get
        coloured noise.
    erase_fraction : float, default=0.0
        Maximum share of the image that an erased patch covers, at least 0 and below 1. The
        patch is filled with ``cval``.
    fill_mode : {"nearest", "constant", "reflect", "wrap"}, default="nearest"
        How pixels beyond an image's edges are filled: ``aaaa|abcd|dddd``,
        ``kkkk|abcd|kkkk`` with k = ``cval``, ``dcba|abcd|dcba`` or ``abcd|abcd|abcd``.
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
        without clipping; levels and noise are then in the numbers' own unit.
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
    RandAugmenter : Random operations with one number for their strength.
    ImageOverSampler : Adds augmented copies until classes have the same size.
    AugmentedImage : The result of augmenting a file.

    Notes
    -----
    The geometric changes are one bilinear warp, in the order rotation, shift, shear, zoom,
    flips, crop. The colour changes follow, clipped once at the end: channel shift,
    brightness, contrast, saturation, hue; then noise; then erasing. The networks scale their
    input, so the augmenter doesn't scale.

    ImageDataGenerator differs in some details. It uses its ``height_shift_range`` for the
    horizontal shift, so shifts agree only if both ranges are equal; it rotates images that
    aren't square about a point beside their centre; its ``channel_shift_range`` clips to the
    image's darkest and brightest number; its ``"wrap"`` repeats an image one pixel too
    early; and its ``"constant"`` has a hard edge, while the edge here blends over one pixel.

    References
    ----------
    Z. Zhong and others, Random Erasing Data Augmentation, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision import ImageAugmenter
    >>> X = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    >>> augmenter = ImageAugmenter(rotation_range=40, horizontal_flip=True, random_state=0)
    >>> changed = augmenter.fit_transform(X)
    >>> changed.shape, changed.dtype
    ((4, 32, 32, 3), dtype('uint8'))
    >>> bool((changed == X).all()), bool((augmenter.transform(X) == X).all())
    (False, True)
    """

    def __init__(
        self,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        *,
        height_shift_range: Any = 0.0,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        crop_range: float = 0.0,
        brightness_range: tuple[float, float] | None = None,
        contrast_range: tuple[float, float] | None = None,
        channel_shift_range: float = 0.0,
        hue_range: float = 0.0,
        saturation_range: tuple[float, float] | None = None,
        noise_std: float = 0.0,
        erase_fraction: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        row_shape: tuple[int, ...] | None = None,
        value_range: Any = "auto",
        random_state: Any = None,
    ) -> None:
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.shear_range = shear_range
        self.zoom_range = zoom_range
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.crop_range = crop_range
        self.brightness_range = brightness_range
        self.contrast_range = contrast_range
        self.channel_shift_range = channel_shift_range
        self.hue_range = hue_range
        self.saturation_range = saturation_range
        self.noise_std = noise_std
        self.erase_fraction = erase_fraction
        self.fill_mode = fill_mode
        self.cval = cval
        self.row_shape = row_shape
        self.value_range = value_range
        self.random_state = random_state

    def draw(self, seed: Sequence[int], indices: np.ndarray) -> np.ndarray:
        # not get_params, which takes longer than all draws of a batch
        return draw_parameters(ranges_of(vars(self)), seed, np.asarray(indices))
