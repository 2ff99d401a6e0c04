"""matplotlib, an optional dependency that is imported only to plot, and the style of displays.

Colours are those of Okabe and Ito, which colour-blind people tell apart. Lines differ in their
dashes and points in their markers too, so that a grey print shows the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = [
    "COLOURS",
    "DASHES",
    "MARKERS",
    "import_matplotlib",
    "new_axes",
    "new_panels",
    "set_labels",
    "short_text",
    "style",
    "width_of",
]

#: Okabe and Ito's colours, those with the strongest contrast to white first
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (8, 3)), (0, (1, 2)))

_STYLE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 10,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10.5,
    "figure.titlesize": 11,
    "font.size": 10,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.8,
    "legend.fontsize": 9,
    "legend.framealpha": 0.85,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}


def import_matplotlib() -> Any:
    """Return the package matplotlib.

    Raises
    ------
    ImportError
        If it is not installed; the message says how to install it.
    """
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ImportError(
            'Plots need matplotlib. Install it by: pip install "skvision[plot]"'
        ) from error
    return matplotlib


@contextmanager
def style() -> Iterator[Any]:
    """Plot in the style of displays; the user's settings are as before after the block.

    Yields
    ------
    matplotlib
        The package.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to install it.
    """
    matplotlib = import_matplotlib()
    with matplotlib.rc_context(_STYLE):
        yield matplotlib


def new_axes(ax: Any = None, size: tuple[float, float] = (6.4, 4.2)) -> Any:
    """Return `ax`, or the axes of a new figure.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
        Where to plot; a figure gets axes that fill it.
    size : tuple of float, default=(6.4, 4.2)
        Width and height of a new figure in inches.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to install it.
    TypeError
        If `ax` is something else.
    """
    matplotlib = import_matplotlib()
    if isinstance(ax, matplotlib.axes.Axes):
        return ax
    return _figure(matplotlib, ax, size).subplots()


def new_panels(
    ax: Any,
    shape: tuple[int, int],
    size: tuple[float, float],
    ratios: Sequence[float] | None = None,
) -> np.ndarray:
    """Return several axes: in a new figure, in a figure, or in the place of axes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, Figure or SubFigure or None
        Where to plot. The axes themselves become invisible.
    shape : tuple of int
        Numbers of rows and columns.
    size : tuple of float
        Width and height of a new figure in inches.
    ratios : sequence of float, default=None
        Relative heights of the rows.

    Returns
    -------
    ndarray of shape `shape`, object
        The axes.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to install it.
    TypeError
        If `ax` is something else.
    ValueError
        If `ax` is axes that no grid holds.
    """
    matplotlib = import_matplotlib()
    if not isinstance(ax, matplotlib.axes.Axes):
        grid = _figure(matplotlib, ax, size).add_gridspec(*shape, height_ratios=ratios)
    else:
        place = ax.get_subplotspec()
        if place is None:
            raise ValueError(
                "This display has several panels, which need axes made by plt.subplots, or a "
                "figure. Received axes in a place of their own."
            )
        ax.set_axis_off()
        grid = place.subgridspec(*shape, height_ratios=ratios)
    return np.asarray(grid.subplots(squeeze=False))


def _figure(matplotlib: Any, ax: Any, size: tuple[float, float]) -> Any:
    if ax is None:
        return matplotlib.pyplot.figure(figsize=size, layout="constrained")
    if isinstance(ax, matplotlib.figure.FigureBase):
        return ax
    raise TypeError(
        f"ax must be axes, a figure or a subfigure of matplotlib, or None. Received: {ax!r}"
    )


def width_of(ax: Any) -> float:
    """Return the width of axes or of a figure in inches; infinite for None.

    Raises
    ------
    TypeError
        If `ax` is something else.

    Examples
    --------
    >>> from skvision.inspection.plotting import width_of
    >>> width_of(None)
    inf
    """
    if ax is None:
        return float("inf")
    matplotlib = import_matplotlib()
    if not isinstance(ax, matplotlib.axes.Axes):
        ax = _figure(matplotlib, ax, (1.0, 1.0))
        return float(ax.bbox.width / ax.dpi)
    return float(ax.bbox.width / ax.figure.dpi)


def set_labels(axis: Any, positions: Sequence[float], labels: Sequence[Any], room: float) -> None:
    """Set tick labels, shortened, and turned if they don't fit side by side.

    Parameters
    ----------
    axis : matplotlib.axis.XAxis
        The horizontal axis.
    positions : sequence of float
        Places of the labels.
    labels : sequence of object
        The labels.
    room : float
        Width of the axes in inches.
    """
    texts = [short_text(label) for label in labels]
    axis.set_ticks(positions, texts)
    # a character of 9 points is about 0.075 inches wide
    if sum(len(text) + 2 for text in texts) * 0.075 > room:
        # upright where slanted ones would touch
        rotation = 90 if len(texts) * 0.25 > room else 45
        for text in axis.get_ticklabels():
            text.set(rotation=rotation, ha="right", rotation_mode="anchor")
            if rotation == 90:
                text.set_va("center")


def short_text(value: Any, longest: int = 24) -> str:
    """Return a text of at most `longest` characters; dollars are no formulas.

    Examples
    --------
    >>> from skvision.inspection.plotting import short_text
    >>> short_text("a border collie that sleeps", 12)
    'a border co…'
    """
    text = str(value)
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return text.replace("$", r"\$")
