"""Images at the size of a screen, and grids of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..images import ImageBatch, resize_array
from .plotting import COLOURS, new_panels, width_of

__all__ = ["draw_image", "fitted_pixels", "plot_grid", "thumbnail"]

#: longer side of a displayed image in pixels: sharp in a cell of 1.6 inches on most screens
LONGEST_SIDE = 256
#: images a row, and inches an image
_COLUMNS = 6
_CELL = 1.6
# inches a caption needs
_NARROWEST = 1.4
# larger images are smoothed when they are drawn, smaller ones show their pixels
_SHOWN_AS_PIXELS = 64


def fitted_pixels(pixels: np.ndarray, longest: int = LONGEST_SIDE) -> np.ndarray:
    """Return the image, reduced so that its longer side is at most `longest`.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8
        The image.
    longest : int, default=LONGEST_SIDE
        Maximum of the longer side in pixels.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.thumbnails import fitted_pixels
    >>> fitted_pixels(np.zeros((100, 200, 3), np.uint8), 50).shape
    (25, 50, 3)
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, longest / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return np.ascontiguousarray(resize_array(pixels, size, "stretch"))


def thumbnail(images: ImageBatch, index: int, longest: int = LONGEST_SIDE) -> np.ndarray:
    """Read one image, reduced so that its longer side is at most `longest`.

    Parameters
    ----------
    images : ImageBatch
        The images.
    index : int
        Place of the image.
    longest : int, default=LONGEST_SIDE
        Maximum of the longer side in pixels.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8

    Raises
    ------
    ImageDecodeError
        If the image can't be read.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images import as_image_batch
    >>> from skvision.inspection.thumbnails import thumbnail
    >>> thumbnail(as_image_batch(np.zeros((1, 40, 80), np.uint8)), 0, 20).shape
    (10, 20, 3)
    """
    return fitted_pixels(images.whole(int(index)), longest)


def draw_image(panel: Any, pixels: np.ndarray, colour: str, width: float) -> None:
    """Draw an image in axes, in a frame of a colour and without ticks.

    Parameters
    ----------
    panel : matplotlib.axes.Axes
        The axes.
    pixels : ndarray of shape (height, width, 3), uint8
        The image.
    colour : str
        Colour of the frame.
    width : float
        Width of the frame in points.
    """
    as_pixels = max(pixels.shape[:2]) <= _SHOWN_AS_PIXELS
    panel.imshow(pixels, interpolation="nearest" if as_pixels else "antialiased")
    panel.set(xticks=[], yticks=[])
    panel.grid(False)
    panel.spines[:].set(visible=True, edgecolor=colour, linewidth=width)


def plot_grid(
    ax: Any,
    images: Sequence[np.ndarray],
    captions: Sequence[str],
    correct: np.ndarray,
    title: str,
) -> np.ndarray:
    """Plot images in rows of at most six, each with a caption.

    Wrong predictions have a thick orange frame, correct ones a thin blue one.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, Figure or SubFigure or None
        Where to plot.
    images : sequence of ndarray of shape (height, width, 3), uint8
        The images; their sizes may differ.
    captions : sequence of str
        A text above each image.
    correct : ndarray of shape (n_images,), bool
        Whether each prediction is correct.
    title : str
        The title of the grid.

    Returns
    -------
    ndarray of shape (n_images,), object
        The axes of the images; one empty axes if there is no image.
    """
    n = len(images)
    # narrower cells have no room for captions
    fitting = int(min(width_of(ax) / _NARROWEST, _COLUMNS))
    n_columns = max(1, min(fitting, n))
    # a row is as high as its highest image and two lines of caption
    shapes = [min(image.shape[0] / image.shape[1], 1.0) for image in images] or [0.0]
    rows = [max(shapes[start : start + n_columns]) for start in range(0, len(shapes), n_columns)]
    heights = [_CELL * row + 0.42 for row in rows]
    size = (max(_CELL * n_columns, 0.4 + 0.08 * len(title)), 0.4 + sum(heights))
    if is_in_axes := hasattr(ax, "get_subplotspec"):
        # a title of `ax` itself would lie on the captions of the first row
        heading, ax = new_panels(ax, (2, 1), size, ratios=(1, 12))[:, 0]
        heading.set_axis_off()
        heading.text(0.5, 0.5, title, ha="center", va="center", transform=heading.transAxes)
    panels = new_panels(ax, (len(rows), n_columns), size, ratios=heights).ravel()
    for panel in panels[n:]:
        panel.set_axis_off()
    for panel, pixels, caption, right in zip(panels, images, captions, correct, strict=False):
        draw_image(panel, pixels, COLOURS[0] if right else COLOURS[1], 1.0 if right else 2.5)
        panel.set_anchor("N")  # captions of a row in one line
        panel.set_title(caption, fontsize=9, pad=3)
    if not is_in_axes:
        panels[0].figure.suptitle(title)
    return panels[: max(n, 1)]
