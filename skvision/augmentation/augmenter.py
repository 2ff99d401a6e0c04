"""`ImageAugmenter`: new training images from those at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .base import BaseAugmenter
from .drawing import draw_parameters
from .parameters import ranges_of

__all__ = ["ImageAugmenter"]


class ImageAugmenter(BaseAugmenter):
    """Change images at random, so that a classifier learns what doesn't matter.

    A cat that is turned, shifted or darkened is still a cat. Pass it as
    ``augmentation=`` of a classifier, where every epoch sees other images; as a step
    of a Pipeline, whose ``fit`` then trains on one augmented version of each; or to
    `ImageOverSampler`, to have more images. With the default arguments nothing
    happens. Names, units and meanings are those of Keras' ImageDataGenerator wherever it
    has them. Each image is drawn for on its own, each parameter uniformly over its
    range.

    .. note::
        ``fit(X).transform(X)`` does not equal ``fit_transform(X)``: `fit_transform` augments
        each image once, and `transform` returns images as they are, to be predicted or
        validated with.

    Parameters
    ----------
    rotation_range : float, default=0
        Degrees, at least 0: rotated by an angle from minus this to this.
    width_shift_range, height_shift_range : float, int or sequence, default=0.0
        Shifted along each axis by minus this to this. Below 1: a share of the
        image's side. From 1 on: pixels, whole ones where an int is passed
        (2 draws from -1, 0 and 1). A sequence: one of its values, with either sign.
        Pixels are those of the image when it is changed: as ``augmentation=`` of a
        classifier, and of a file, that is after it was resized to ``image_size``.
    shear_range : float, default=0.0
        Degrees, at least 0: sheared by minus this to this. The often seen 0.2 is next
        to nothing; 10 can be seen.
    zoom_range : float or tuple of float, default=0.0
        At least 0 and below 1: the visible part is 1 - this to 1 + this times as
        large, drawn for width and height apart. A pair (low, high): from low to
        high. Below 1 zooms in.
    horizontal_flip, vertical_flip : bool, default=False
        Whether to mirror half of the images, left to right or top to bottom.
    crop_range : float, default=0.0
        At least 0 and below 1: a part of 1 - this to 1 times each side, anywhere in
        the image, is enlarged to the image's size.
    brightness_range : tuple of float, default=None
        (low, high), factors of at least 0: 0 is black, 1 no change.
    contrast_range : tuple of float, default=None
        (low, high), factors of at least 0 of each pixel's distance from the
        image's mean grey: 0 is all grey, 1 no change.
    channel_shift_range : float, default=0.0
        Levels from black 0 to white 255, at least 0: minus this to this is added to all
        channels alike.
    hue_range : float, default=0.0
        Share of the colour circle, from 0 to 0.5: colours move along it by minus this
        to this. A third makes red green. Of no effect on grey images.
    saturation_range : tuple of float, default=None
        (low, high), factors of at least 0: 0 is grey, 1 no change.
    noise_std : float, default=0.0
        Standard deviation of the Gaussian noise that is added to each number, on the
        scale from black 0 to white 1, at least 0. Each channel has its own: grey files, which
        are read in colour, get coloured noise.
    erase_fraction : float, default=0.0
        At least 0 and below 1: a patch that covers 0 to this share of the image is
        filled with ``cval``.
    fill_mode : {"nearest", "constant", "reflect", "wrap"}, default="nearest"
        What lies beyond an image's edges: ``aaaa|abcd|dddd``, ``kkkk|abcd|kkkk`` with
        k = ``cval``, ``dcba|abcd|dcba`` or ``abcd|abcd|abcd``.
    cval : float, default=0.0
        Level from black 0 to white 255 of what is filled with a constant.
    row_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of an image, if each image is a flat
        row of a 2-D X; one entry may be -1.
    value_range : "auto", "percentile", tuple of float or None, default="auto"
        The scale of numbers in arrays. ``"auto"``: integers 0..255, uint16
        0..65535, bool and floats 0..1. A pair (black, white) names another.
        ``"percentile"`` learns it in fit, for each channel: the 0.1 and 99.9 percentiles
        of all images. Files of more than 8 bits have the scale that they declare, or the
        one that is named or learnt; files of 8 bits have no other than theirs. None
        takes any finite numbers as they are: nothing is clipped, and levels and
        noise are in the numbers' own unit.
    random_state : int, RandomState instance or None, default=None
        Decides the draws of `fit_transform`. As ``augmentation=`` of a classifier, draws
        follow from the classifier's ``random_state``, the epoch and the image's
        place in X; an int here is mixed in.

    Attributes
    ----------
    pixel_range_ : tuple or None
        (black, white) of the numbers in fit's X; None if X was files, since each file has
        its own. With ``value_range="percentile"`` each is a tuple of one number per channel.
    image_shape_ : tuple of int
        Shape of one image in fit's X if X was an array; () if X was files.
    n_channels_ : int
        Channels of fit's X: 3, or X's own with ``value_range=None``.
    n_features_in_ : int
        Length of a row. Only defined if X was 2-D rows.

    See Also
    --------
    RandAugmenter : Operations chosen at random, with one number for how strong.
    ImageOverSampler : Adds augmented copies until classes have the same size.
    AugmentedImage : What a file becomes.

    Notes
    -----
    Geometry is composed into one warp, bilinear, in the order rotation, shift, shear,
    zoom, flips, crop. Colour comes next, clipped once at the end: channel shift,
    brightness, contrast, saturation, hue; then noise; then erasing. Scaling belongs to
    the networks and is not done here.

    ImageDataGenerator differs in some things. It takes its ``height_shift_range`` for the
    shift to the side, so that shifts agree where both ranges are the same; it turns images
    that are not square about a point that is not their centre; its ``channel_shift_range``
    clips to the image's own darkest and brightest number; its ``"wrap"`` repeats an image
    one pixel too early; and its ``"constant"`` begins at once, where here the edge blends over
    one pixel.

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
        # get_params reads the signature, which takes longer than all the draws of a batch
        return draw_parameters(ranges_of(vars(self)), seed, np.asarray(indices))
