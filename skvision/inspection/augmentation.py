"""`AugmentationDisplay`: look at augmented images before training."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._sklearn.labels import label_column
from ..augmentation.applying import augmented_pixels
from ..augmentation.base import BaseAugmenter
from ..images import as_image_batch
from .frames import as_frame
from .plotting import new_axes, short_text, style
from .thumbnails import fitted_pixels

__all__ = ["AugmentationDisplay"]

# space between images, as a share of the widest one, and its value
_GAP = 0.04
_BACKGROUND = 255
# width of the plot in inches: a laptop's, and of one image at most
_WIDTH, _CELL = 10.0, 1.7


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
    labels : list, default=None
        A label for each image.

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

    def __init__(
        self,
        originals: list[np.ndarray],
        augmented: list[list[np.ndarray]],
        labels: list[Any] | None = None,
    ) -> None:
        self.originals = originals
        self.augmented = augmented
        self.labels = labels

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        y: Any = None,
        n_images: int = 4,
        n_draws: int = 5,
        longest_side: int = 256,
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
        y : array-like of shape (n_samples,), default=None
            Labels, shown beside the images.
        n_images : int, default=4
            Number of images, at least 1, spread evenly over X; all images if X has fewer.
        n_draws : int, default=5
            Number of augmented versions per image, at least 1.
        longest_side : int, default=256
            Maximum of the longer side of the plotted images in pixels, at least 1: as many as a
            screen shows; a print shows more. Larger images are reduced before augmentation,
            and shifts in pixels are reduced in proportion, so that the plot shows the effect
            on the full-size image.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

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
        if y is not None:
            y = label_column(y)
            if len(y) != len(images):
                raise ValueError(
                    f"X holds {len(images)} images, and y holds {len(y)} labels. Pass one each."
                )
        chosen = np.unique(np.linspace(0, len(images) - 1, n_images).round().astype(int))
        seed = int(check_random_state(estimator.random_state).randint(np.iinfo(np.int32).max))
        originals, versions = [], []
        for index in chosen:
            whole = images.whole(int(index))
            pixels = fitted_pixels(whole, longest_side)
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
        labels = None if y is None else list(y[chosen])
        return cls(originals, versions, labels).plot(ax)

    def frame(self) -> Any:
        """Return the images as a table, without a plot.

        Returns
        -------
        pandas.DataFrame or dict of str to ndarray
            One row per original and per version: ``image`` (from 0), ``draw`` (0 for the
            original), ``label`` if labels are known, and ``pixels``, a uint8 array. A dict if
            pandas is not installed.
        """
        rows = self._rows()
        columns: dict[str, Any] = {
            "image": [image for image, row in enumerate(rows) for _ in row],
            "draw": [draw for row in rows for draw in range(len(row))],
        }
        if self.labels is not None:
            pairs = zip(self.labels, rows, strict=True)
            columns["label"] = [label for label, row in pairs for _ in row]
        return as_frame({**columns, "pixels": [pixels for row in rows for pixels in row]})

    def _rows(self) -> list[list[np.ndarray]]:
        """Return each original with its versions."""
        pairs = zip(self.originals, self.augmented, strict=True)
        return [[original, *versions] for original, versions in pairs]

    def plot(self, ax: Any = None) -> AugmentationDisplay:
        """Plot one row per image: the original, then its augmented versions.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

        Returns
        -------
        self : AugmentationDisplay
            The display, with ``ax_`` and ``figure_``.
        """
        rows = self._rows()
        grid, columns, lines = _grid(rows)
        width = min(_CELL * len(rows[0]), _WIDTH)
        with style():
            # room for the names of the draws above, and for the labels at the left
            left = 0 if self.labels is None else 0.3
            ax = new_axes(ax, (width + left, width * grid.shape[0] / grid.shape[1] + 0.35))
            ax.imshow(grid, interpolation="antialiased")
            names = ["original", *(f"draw {number}" for number in range(1, len(rows[0])))]
            ax.set_xticks(columns, names)
            ax.xaxis.tick_top()
            ax.tick_params(length=0)
            ax.set_yticks([])
            if self.labels is not None:
                labels = [short_text(label) for label in self.labels]
                ax.set_yticks(lines, labels, rotation=90, va="center")
            ax.grid(False)
            ax.spines[:].set_visible(False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _grid(rows: list[list[np.ndarray]]) -> tuple[np.ndarray, list[float], list[float]]:
    """Return one canvas with each image centred in its cell, and the centres of the cells.

    All columns have the width of the widest image, and each row has the height of its own.
    """
    width = max(image.shape[1] for row in rows for image in row)
    gap = max(1, round(_GAP * width))
    heights = [max(image.shape[0] for image in row) for row in rows]
    tops = np.cumsum([0, *(height + gap for height in heights[:-1])])
    n_columns = len(rows[0])
    shape = (tops[-1] + heights[-1], n_columns * (width + gap) - gap, 3)
    canvas = np.full(shape, _BACKGROUND, np.uint8)
    for row, top in zip(rows, tops, strict=True):
        for place, image in enumerate(row):
            left = place * (width + gap) + (width - image.shape[1]) // 2
            canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    columns = [place * (width + gap) + (width - 1) / 2 for place in range(n_columns)]
    lines = [float(top + (height - 1) / 2) for top, height in zip(tops, heights, strict=True)]
    return canvas, columns, lines
