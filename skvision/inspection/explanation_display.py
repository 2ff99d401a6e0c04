"""`ExplanationDisplay`: images beside their heat maps, with what the controls say in words."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from .explanation import Explanation, explain
from .frames import as_frame
from .overlays import enlarged, overlaid
from .plotting import import_matplotlib, new_axes, style

__all__ = ["ExplanationDisplay", "in_words"]

# above it a map hardly depends on the last layer
_ALIKE = 0.8

# in inches: width of an image, and of the words beside it
_IMAGE_WIDTH, _WORDS_WIDTH = 2.0, 2.9


class ExplanationDisplay:
    """Images beside their heat maps, with what the controls say.

    Create it by `from_estimator`, or from the result of `explain`.

    Parameters
    ----------
    explanation : Explanation
        Heat maps, images and controls.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes, after `plot`.
    figure_ : matplotlib.figure.Figure
        The figure, after `plot`.

    See Also
    --------
    explain : Makes the heat maps.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_digits
    >>> from skvision import ExplanationDisplay, MiniVGGClassifier
    >>> digits = load_digits(n_class=3)
    >>> X, y = digits.images / 16, digits.target
    >>> net = MiniVGGClassifier(image_size=8, filters=(8,), random_state=0).fit(X, y)
    >>> display = ExplanationDisplay.from_estimator(net, X, n_images=2)
    >>> sorted(display.frame())[:4]
    ['beats_random', 'deletion', 'method', 'output']
    """

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        target: Any = None,
        method: str = "auto",
        n_images: int = 4,
        ax: Any = None,
    ) -> ExplanationDisplay:
        """Explain some images, and plot them.

        Parameters
        ----------
        estimator : fitted classifier or Pipeline
            As in `explain`.
        X : array, sequence, Series or frame of n_samples images
            In any form that predict takes.
        target : label or array-like of shape (n_samples,), default=None
            The class to explain: one for all images, or one for each; None for the predicted
            ones.
        method : {"auto", "gradcam", "gradcam++", "hirescam", "cam", "occlusion"}, \
default="auto"
            As in `explain`.
        n_images : int, default=4
            Number of images, at least 1: the first ones of X; all images if X has fewer.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

        Returns
        -------
        ExplanationDisplay

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        ValueError
            If a parameter or X is not as described.
        ImageDecodeError
            If an image can't be read.
        ImportError
            If matplotlib is not installed.
        """
        if not isinstance(n_images, Integral) or n_images < 1:
            raise ValueError(
                f"n_images must be a whole number of at least 1. Received: {n_images!r}"
            )
        if ax is None:
            import_matplotlib()  # before the work
        some, target = X, target
        if hasattr(X, "__len__") and not isinstance(X, str) and len(X) > n_images:
            some = X.iloc[:n_images] if hasattr(X, "iloc") else X[:n_images]
            if target is not None and np.ndim(target) > 0 and len(target) == len(X):
                target = target[:n_images]
        return cls(explain(estimator, some, target=target, method=method)).plot(ax)

    def frame(self) -> Any:
        """Return the controls as a table, one row per image, without a plot.

        Returns
        -------
        pandas.DataFrame or dict of str to ndarray of shape (n,)
            A DataFrame if pandas is installed. Columns: ``target``, ``method``, ``output``
            (the probability, or the score of a classifier without probabilities), ``deletion``,
            ``random_deletion``, ``beats_random`` and ``sanity``.
        """
        found = self.explanation
        columns = {
            "target": found.targets,
            "method": np.repeat(found.method, len(found)),
            "output": found.outputs,
            "deletion": found.deletion_,
            "random_deletion": found.random_deletion_,
            "beats_random": found.beats_random,
            "sanity": found.sanity_,
        }
        return as_frame(columns)

    def plot(self, ax: Any = None) -> ExplanationDisplay:
        """Plot one row per image: the image, the heat map over it, and the controls in words.

        The outline on a heat map is the hottest tenth, which the first control hides.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

        Returns
        -------
        self : ExplanationDisplay
            The display, with ``ax_`` and ``figure_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        found = self.explanation
        overlays = overlaid(found.images, found.maps)
        images = np.stack([enlarged(image) for image in found.images])
        n, height, width = overlays.shape[:3]
        gap = max(2, width // 20)
        canvas = np.full((n * (height + gap) - gap, 2 * width + gap, 3), 255, np.uint8)
        with style():
            new = ax is None
            ax = new_axes(ax)
            if new:
                ax.figure.set_size_inches(
                    2 * _IMAGE_WIDTH + _WORDS_WIDTH + 0.2,
                    0.7 + _IMAGE_WIDTH * canvas.shape[0] / width,
                )
            for row in range(n):
                top = row * (height + gap)
                canvas[top : top + height, :width] = images[row]
                canvas[top : top + height, width + gap :] = overlays[row]
                for line, words in enumerate(in_words(found, row)):
                    ax.text(
                        2 * width + 2.5 * gap,
                        top + height * (0.2 + 0.15 * line),
                        words,
                        verticalalignment="center",
                        fontsize=9,
                        fontweight="normal" if line else "bold",
                    )
            ax.imshow(canvas, interpolation="nearest")
            # the words are a part of the axes, so that no layout cuts them off
            ax.set_xlim(-0.5, canvas.shape[1] + width * _WORDS_WIDTH / _IMAGE_WIDTH)
            ax.set_xticks([(width - 1) / 2, width + gap + (width - 1) / 2], ["image", "heat map"])
            ax.xaxis.tick_top()
            ax.tick_params(length=0)
            ax.set_yticks([])
            ax.spines[:].set_visible(False)
            ax.grid(visible=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.explanation!r})"


def in_words(explanation: Explanation, row: int) -> Sequence[str]:
    """Return lines of text: what an image's heat map explains, and what its controls say."""
    number = explanation.outputs[row]
    what = "probability" if explanation.output == "probability" else "score"
    lines = [
        f"{explanation.targets[row]}: {what} {number:.3f}",
        f"hottest tenth hidden: {number - explanation.deletion_[row]:.3f}",
        f"a random tenth hidden: {number - explanation.random_deletion_[row]:.3f}",
    ]
    sanity = explanation.sanity_[row]
    if np.isfinite(sanity):
        lines.append(f"likeness to random weights: {sanity:.2f}")
    if not explanation.maps[row].any():
        lines.append("Nothing here speaks for this class.")
    elif not explanation.beats_random[row]:
        lines.append("Don't believe it: chance does as well.")
    elif sanity > _ALIKE:
        lines.append("Don't believe it: random weights do the same.")
    return lines
