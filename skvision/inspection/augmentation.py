"""`AugmentationDisplay`: look at augmented images before training."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ..augmentation.applying import augmented_pixels
from ..augmentation.base import BaseAugmenter
from ..images import as_image_batch, resize_array
from .plotting import new_axes

__all__ = ["AugmentationDisplay"]

# pixels between images, and their value
_GAP = 4
_BACKGROUND = 255


class AugmentationDisplay:
    """Images beside augmented versions of them.

    Create it by `from_estimator`. If you can't recognise an augmented image, a network can't
    learn from it either.

    Parameters
    ----------
    originals : list of ndarray of shape (height, width, 3), uint8
        Images; their sizes may differ.
    augmented : list of list of ndarray
        Several augmented versions of each image, in its size.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes, after `plot`.
    figure_ : matplotlib.figure.Figure
        The figure, after `plot`.

    See Also
    --------
    skvision.ImageAugmenter : The augmenter.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_digits
    >>> from skvision import AugmentationDisplay, ImageAugmenter
    >>> X = load_digits().images / 16
    >>> display = AugmentationDisplay.from_estimator(
    ...     ImageAugmenter(rotation_range=40, random_state=0), X, n_images=2, n_draws=3)
    >>> len(display.originals), len(display.augmented[0])
    (2, 3)
    """

    def __init__(self, originals: list[np.ndarray], augmented: list[list[np.ndarray]]) -> None:
        self.originals = originals
        self.augmented = augmented

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        n_images: int = 4,
        n_draws: int = 5,
        longest_side: int = 128,
        ax: Any = None,
    ) -> AugmentationDisplay:
        """Augment some images several times, and plot the results.

        Parameters
        ----------
        estimator : ImageAugmenter or RandAugmenter
            The augmenter, fitted or not; it isn't changed. Its ``random_state`` controls the
            draws.
        X : array, sequence, Series or frame of n_samples images
            In any form that the estimator takes.
        n_images : int, default=4
            Number of images, at least 1, spread evenly over X; all images if X has fewer.
        n_draws : int, default=5
            Number of augmented versions per image, at least 1.
        longest_side : int, default=128
            Maximum of the longer side of the plotted images in pixels, at least 1. Larger
            images are reduced before augmentation, and shifts in pixels are reduced in
            proportion, so that the plot shows the effect on the full-size image.
        ax : matplotlib.axes.Axes, default=None
            Axes to plot into; None for a new figure.

        Returns
        -------
        AugmentationDisplay

        Raises
        ------
        ValueError
            If a parameter or X is not as described.
        ImageDecodeError
            If an image can't be read.
        ImportError
            If matplotlib is not installed.
        """
        if not isinstance(estimator, BaseAugmenter):
            raise ValueError(
                "AugmentationDisplay needs an ImageAugmenter or a RandAugmenter. "
                f"Received: {estimator!r}"
            )
        for name, value in (
            ("n_images", n_images),
            ("n_draws", n_draws),
            ("longest_side", longest_side),
        ):
            if not isinstance(value, Integral) or value < 1:
                raise ValueError(
                    f"{name} must be a whole number of at least 1. Received: {value!r}"
                )
        if estimator.value_range is None:
            raise ValueError(
                "With value_range=None, X holds numbers that aren't images, and nothing can be "
                "shown."
            )
        images = as_image_batch(
            X, row_shape=estimator.row_shape, value_range=estimator.value_range
        )  # fmt: skip
        chosen = np.unique(np.linspace(0, len(images) - 1, n_images).round().astype(int))
        seed = int(check_random_state(estimator.random_state).randint(np.iinfo(np.int32).max))
        originals, versions = [], []
        for index in chosen:
            whole = images.whole(int(index))
            pixels = _fitted(whole, longest_side)
            draws = estimator.draw([seed, int(index)], np.arange(n_draws))
            # lengths in pixels refer to the full-size image
            for name, axis in (("shift_y_pixels", 0), ("shift_x_pixels", 1)):
                draws[name] *= pixels.shape[axis] / whole.shape[axis]
            copies = np.repeat(pixels[np.newaxis], n_draws, axis=0)
            originals.append(pixels)
            versions.append(
                list(
                    augmented_pixels(copies, draws, pixel_range=(0, 255), **estimator.fill_options)
                )
            )
        return cls(originals, versions).plot(ax)

    def plot(self, ax: Any = None) -> AugmentationDisplay:
        """Plot one row per image: the original, then its augmented versions.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to plot into; None for a new figure.

        Returns
        -------
        self : AugmentationDisplay
            The display, with ``ax_`` and ``figure_``.
        """
        rows = [
            [original, *versions]
            for original, versions in zip(self.originals, self.augmented, strict=True)
        ]
        grid, middles = _grid(rows)
        new = ax is None
        ax = new_axes(ax)
        if new:
            ax.figure.set_size_inches(1.3 * len(rows[0]), 0.4 + 1.3 * len(rows))
        ax.imshow(grid, interpolation="nearest")
        labels = ["original", *(f"draw {number}" for number in range(1, len(rows[0])))]
        ax.set_xticks(middles, labels)
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _fitted(pixels: np.ndarray, longest: int) -> np.ndarray:
    """Return the image, reduced so that its longer side is at most `longest`."""
    height, width = pixels.shape[:2]
    scale = min(1.0, longest / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return np.ascontiguousarray(resize_array(pixels, size, "stretch"))


def _grid(rows: list[list[np.ndarray]]) -> tuple[np.ndarray, list[float]]:
    """Return one canvas with each image centred in its cell, and the centres of the columns."""
    height = max(image.shape[0] for row in rows for image in row)
    width = max(image.shape[1] for row in rows for image in row)
    n_rows, n_columns = len(rows), len(rows[0])
    canvas = np.full(
        (n_rows * (height + _GAP) - _GAP, n_columns * (width + _GAP) - _GAP, 3),
        _BACKGROUND,
        np.uint8,
    )
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top = i * (height + _GAP) + (height - image.shape[0]) // 2
            left = j * (width + _GAP) + (width - image.shape[1]) // 2
            canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    return canvas, [j * (width + _GAP) + (width - 1) / 2 for j in range(n_columns)]
