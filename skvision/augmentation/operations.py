"""The operations of augmentation: pure functions of arrays and of drawn parameters.

A draw is a row of `DRAW`, the complete augmentation of one image. Its parts are relative to
the image's size and to its scale of numbers (except shifts in pixels), so that a row means
the same for a photo and for a thumbnail of it. `drawing` makes rows; the only random
operation here is noise, whose seed is part of the row.

The geometry of a row is one matrix and one warp by OpenCV. On two cores of an AVX2 server its
`warpAffine` took 1.0 ms for a 224x224 image, Pillow's `transform` 1.9 ms. OpenCV also has all
four fill modes, and differs from SciPy's interpolation only by rounding.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np

from .._system.threads import thread_limit
from ..images.pixels import PixelRange

__all__ = [
    "DRAW",
    "FILL_MODES",
    "NEUTRAL",
    "augmented",
    "color_map",
    "neutral_draws",
    "warp_matrices",
]

#: Keras' names of the fill modes, and OpenCV's constants
FILL_MODES = {
    "nearest": cv2.BORDER_REPLICATE,
    "constant": cv2.BORDER_CONSTANT,
    "reflect": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
}

#: each part of a draw: its type and its neutral value
_PARTS: dict[str, tuple[str, float]] = {
    "rotation": ("f8", 0.0),  # degrees
    "shift_x": ("f8", 0.0),  # share of the width
    "shift_y": ("f8", 0.0),
    "shift_x_pixels": ("f8", 0.0),
    "shift_y_pixels": ("f8", 0.0),
    "shear": ("f8", 0.0),  # degrees
    "zoom_x": ("f8", 1.0),  # above 1 shows more, as in Keras
    "zoom_y": ("f8", 1.0),
    "flip_x": ("?", False),
    "flip_y": ("?", False),
    "crop": ("f8", 1.0),  # remaining share of each side
    "crop_x": ("f8", 0.0),  # share of the cut-off part that is on the left
    "crop_y": ("f8", 0.0),
    "channel_shift": ("f8", 0.0),  # levels of 255
    "brightness": ("f8", 1.0),
    "contrast": ("f8", 1.0),
    "saturation": ("f8", 1.0),
    "hue": ("f8", 0.0),  # share of the colour circle
    "noise": ("f8", 0.0),  # standard deviation, share of the scale
    "noise_seed": ("u8", 0),
    "erase_left": ("f8", 0.0),  # shares of width and height
    "erase_top": ("f8", 0.0),
    "erase_width": ("f8", 0.0),
    "erase_height": ("f8", 0.0),
}

#: the type of a draw
DRAW = np.dtype([(name, kind) for name, (kind, _) in _PARTS.items()])
#: the neutral draw, which changes nothing
NEUTRAL = {name: value for name, (_, value) in _PARTS.items()}
_NEUTRAL_ROW = np.array([tuple(NEUTRAL.values())], DRAW)

_LEVELS = 255.0
# weights of red, green and blue in brightness, ITU-R BT.601, as in Pillow
_LUMA = np.array([0.299, 0.587, 0.114])
# with fewer pixels a thread costs more than it saves
_PIXELS_A_THREAD = 2**18


def neutral_draws(n: int) -> np.ndarray:
    """Return `n` draws that change nothing."""
    return np.repeat(_NEUTRAL_ROW, n)


def warp_matrices(draws: np.ndarray, height: int, width: int) -> np.ndarray:
    """Compose each draw's geometry into one matrix.

    The order is that of Keras' ImageDataGenerator: rotation, shift, shear and zoom about the
    image's centre, then flips; a crop comes last.

    Parameters
    ----------
    draws : ndarray of shape (n,), DRAW
    height, width : int
        The images' size in pixels.

    Returns
    -------
    ndarray of shape (n, 2, 3), float64
        Each maps (x, y, 1) of a pixel of the result to its position in the image.

    Examples
    --------
    >>> from skvision.augmentation.operations import neutral_draws, warp_matrices
    >>> draws = neutral_draws(1)
    >>> draws["shift_x"] = 0.5
    >>> warp_matrices(draws, height=4, width=6)[0].tolist()
    [[1.0, 0.0, 3.0], [0.0, 1.0, 0.0]]
    """
    angle, shear = np.deg2rad(draws["rotation"]), np.deg2rad(draws["shear"])
    cos, sin, lean, squeeze = np.cos(angle), np.sin(angle), np.sin(shear), np.cos(shear)
    zoom_x, zoom_y, crop = draws["zoom_x"], draws["zoom_y"], draws["crop"]
    # rotation @ shear @ zoom, which maps x to a * x + b * y and y to c * x + d * y
    a, b = cos * zoom_x, 0.0 - (cos * lean + sin * squeeze) * zoom_y
    c, d = sin * zoom_x, (cos * squeeze - sin * lean) * zoom_y
    # about the centre, and rotation @ shift
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    shift_x = draws["shift_x"] * width + draws["shift_x_pixels"]
    shift_y = draws["shift_y"] * height + draws["shift_y_pixels"]
    x = middle_x + cos * shift_x - sin * shift_y - a * middle_x - b * middle_y
    y = middle_y + sin * shift_x + cos * shift_y - c * middle_x - d * middle_y
    # flips @ crop: a factor and a number to add along each axis. They refer to the centres of the
    # first and last pixels, so that a crop contains no filling.
    crop_x = (1 - crop) * (width - 1) * draws["crop_x"]
    crop_y = (1 - crop) * (height - 1) * draws["crop_y"]
    flip_x, flip_y = draws["flip_x"], draws["flip_y"]
    scale_x, scale_y = np.where(flip_x, -crop, crop), np.where(flip_y, -crop, crop)
    add_x = np.where(flip_x, width - 1 - crop_x, crop_x)
    add_y = np.where(flip_y, height - 1 - crop_y, crop_y)
    matrices = np.empty((len(draws), 2, 3))
    matrices[:, 0, 0], matrices[:, 0, 1] = a * scale_x, b * scale_y
    matrices[:, 1, 0], matrices[:, 1, 1] = c * scale_x, d * scale_y
    matrices[:, 0, 2] = a * add_x + b * add_y + x
    matrices[:, 1, 2] = c * add_x + d * add_y + y
    return matrices


def color_map(draw: np.void, mean: np.ndarray, unit: float, low: float) -> np.ndarray:
    """Compose a draw's colour changes into one matrix.

    The order is channel shift, brightness, contrast, saturation and hue; clipping comes once,
    after all of them.

    Parameters
    ----------
    draw : DRAW
    mean : ndarray of shape (n_channels,)
        The image's mean colour, the reference of contrast.
    unit : float
        Size of one of 255 levels on the image's scale.
    low : float
        Value of black.

    Returns
    -------
    ndarray of shape (n_channels, n_channels + 1)
        Maps (*colour, 1) to the new colour.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.augmentation.operations import color_map, neutral_draws
    >>> draw = neutral_draws(1)[0]
    >>> draw["contrast"] = 0.5
    >>> color_map(draw, mean=np.array([100.0]), unit=1.0, low=0.0).tolist()
    [[0.5, 50.0]]
    """
    n_channels = len(mean)
    luma = _LUMA if n_channels == 3 else np.full(n_channels, 1 / n_channels)
    factor = draw["brightness"]
    # x -> (x + shift - low) * factor + low, as a factor and a number to add
    add = (draw["channel_shift"] * unit - low) * factor + low
    grey = luma @ (mean * factor + add)
    contrast = draw["contrast"]
    factor, add = factor * contrast, add * contrast + (1 - contrast) * grey
    linear = np.eye(n_channels)
    if n_channels == 3:  # only RGB has colour
        saturation = draw["saturation"]
        linear = saturation * linear + (1 - saturation) * luma
        linear = _about_grey(draw["hue"]) @ linear
    # both keep grey unchanged, so the number to add stays the same
    return np.column_stack([linear * factor, np.full(n_channels, add)])


def _about_grey(share: float) -> np.ndarray:
    """Rotate colours about the grey axis; a third of the circle turns red into green."""
    cos, sin = np.cos(2 * np.pi * share), np.sin(2 * np.pi * share)
    around = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / np.sqrt(3)
    rotation: np.ndarray = cos * np.eye(3) + sin * around + (1 - cos) / 3
    return rotation


def augmented(
    images: np.ndarray,
    draws: np.ndarray,
    *,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    pixel_range: PixelRange | None = (0.0, 255.0),
) -> np.ndarray:
    """Apply its draw to each image.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, n_channels), uint8, float32 or float64
        Geometry is computed in 32 bits at most. A fourth channel (transparency) is warped
        too and keeps its values; constant filling is opaque.
    draws : ndarray of shape (n,), DRAW
    fill_mode : {"nearest", "constant", "reflect", "wrap"}, default="nearest"
        How pixels beyond an image's edges are filled: ``aaaa|abcd|dddd``,
        ``kkkk|abcd|kkkk`` with k = `cval`, ``dcba|abcd|dcba`` or ``abcd|abcd|abcd``.
    cval : float, default=0.0
        Level of a constant filling and of erased patches, from 0 (black) to 255 (white).
    pixel_range : (low, high) or None, default=(0.0, 255.0)
        Values of black and white; results are clipped to them. None: the numbers have no
        scale, a level is 1, and nothing is clipped.

    Returns
    -------
    ndarray of the same shape and type
        A new array. Images with a neutral draw are unchanged, bit for bit.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.augmentation.operations import augmented, neutral_draws
    >>> image = np.arange(4, dtype=np.uint8).reshape(1, 1, 4, 1)
    >>> draws = neutral_draws(1)
    >>> draws["shift_x_pixels"] = 1
    >>> augmented(image, draws, fill_mode="wrap").ravel()
    array([1, 2, 3, 0], dtype=uint8)
    """
    images = np.ascontiguousarray(images)
    result = np.empty_like(images)
    n, height, width, n_channels = images.shape
    low, high = (0.0, _LEVELS) if pixel_range is None else pixel_range
    unit = (high - low) / _LEVELS
    fill = low + cval * unit
    if pixel_range is not None:
        fill = min(max(fill, low), high)
    if images.dtype == np.uint8:
        fill = min(max(round(fill), 0), 255)
    opaque = high if n_channels == 4 and pixel_range is not None else fill
    n_colors = 3 if n_channels == 4 else n_channels
    matrices = warp_matrices(draws, height, width)
    # lists, since NumPy's indexing takes as long as the warp of a small image
    moved = (matrices != np.eye(2, 3)).any(axis=(1, 2)).tolist()
    colored = ("channel_shift", "brightness", "contrast", "saturation", "hue")
    recolored = (~_is_neutral(draws, *colored)).tolist()
    noisy = (~_is_neutral(draws, "noise")).tolist()
    erased = ((draws["erase_width"] > 0) & (draws["erase_height"] > 0)).tolist()
    patches = _patches(draws, height, width) if any(erased) else None
    # OpenCV writes 8-bit colours directly, clipped to the 8-bit range
    finished = images.dtype == np.uint8 and pixel_range in (None, (0.0, _LEVELS))
    clipped = pixel_range is not None and images.dtype != np.uint8
    # for 64-bit numbers OpenCV rounds positions to 1/32 pixel
    warped_whole = n_channels <= 4 and images.dtype != np.float64
    # positional arguments in OpenCV's order are faster than keywords
    how = (
        cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        FILL_MODES[fill_mode],
        (fill, fill, fill, opaque),
    )

    def augment(indices: range) -> None:
        for i in indices:
            pixels = result[i]
            if not moved[i]:
                pixels[:] = images[i]
            elif warped_whole:
                cv2.warpAffine(images[i], matrices[i], (width, height), pixels, *how)
            else:
                _warp_in_parts(images[i], matrices[i], how, pixels)
            if clipped and moved[i]:
                np.clip(pixels, low, high, out=pixels)  # interpolation may round upwards
            if recolored[i] or noisy[i]:
                recolor(i, pixels[..., :n_colors])
            if patches is not None and erased[i]:
                top, bottom, left, right = patches[i]
                pixels[top:bottom, left:right, :n_colors] = fill

    def recolor(i: int, colors: np.ndarray) -> None:
        changed = colors
        if recolored[i]:
            mean = colors.reshape(-1, n_colors).mean(axis=0, dtype=np.float64)
            mapping = color_map(draws[i], mean, unit, low)
            changed = _mapped(changed, mapping, finished=finished and not noisy[i])
        if noisy[i]:
            # without a scale, the noise is in the numbers' own unit
            std = draws["noise"][i] * (1.0 if pixel_range is None else high - low)
            rng = np.random.default_rng(draws["noise_seed"][i])
            changed = changed + rng.standard_normal(colors.shape, np.float32) * std
        _put(changed, colors, pixel_range)

    n_shares = max(1, min(thread_limit(), n, n * height * width // _PIXELS_A_THREAD))
    shares = [range(first, n, n_shares) for first in range(n_shares)]
    if n_shares == 1:
        augment(shares[0])
    else:
        with ThreadPoolExecutor(n_shares, "skvision-augment") as pool:
            list(pool.map(augment, shares))  # list() raises exceptions of the threads
    return result


def _is_neutral(draws: np.ndarray, *names: str) -> np.ndarray:
    neutral: np.ndarray = np.all([draws[name] == NEUTRAL[name] for name in names], axis=0)
    return neutral


def _patches(draws: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return rows (top, bottom, left, right) in whole pixels."""
    sides = [
        np.rint(edge * length).astype(int)
        for first, span, length in (
            ("erase_top", "erase_height", height),
            ("erase_left", "erase_width", width),
        )
        for edge in (draws[first], draws[first] + draws[span])
    ]
    return np.stack(sides, axis=1)


def _warp_in_parts(
    pixels: np.ndarray, matrix: np.ndarray, how: tuple[Any, ...], result: np.ndarray
) -> None:
    """Warp more than the four channels that OpenCV can fill, or 64-bit numbers."""
    height, width, n_channels = pixels.shape
    dtype = np.float32 if pixels.dtype == np.float64 else pixels.dtype
    for first in range(0, n_channels, 4):
        channels = slice(first, first + 4)
        part = np.ascontiguousarray(pixels[..., channels], dtype)
        warped = cv2.warpAffine(part, matrix, (width, height), None, *how)
        result[..., channels] = warped.reshape(part.shape)


def _mapped(pixels: np.ndarray, mapping: np.ndarray, finished: bool) -> np.ndarray:
    """Apply a colour map, and return 8 bits if no other operation follows, else floats."""
    if finished and pixels.shape[-1] <= 4:
        result: np.ndarray = cv2.transform(np.ascontiguousarray(pixels), mapping)
        return result.reshape(pixels.shape)
    mapping = mapping.astype(np.float64 if pixels.dtype == np.float64 else np.float32)
    values: np.ndarray = pixels @ mapping[:, :-1].T + mapping[:, -1]
    return values


def _put(values: np.ndarray, place: np.ndarray, pixel_range: PixelRange | None) -> None:
    """Write numbers into pixels, clipped to their scale and rounded if pixels are integers."""
    if values.dtype == place.dtype == np.uint8:
        place[:] = values
        return
    if place.dtype == np.uint8:
        pixel_range = pixel_range or (0.0, _LEVELS)
        values = np.rint(values)
    place[:] = values if pixel_range is None else np.clip(values, *pixel_range)
